"""/c/{secret}: the hosted checkout page. It shows the truth at this moment, and works without any script.

The secret in the path is a capability: it is never logged, and these pages are neither stored nor told to other sites.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog
from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from gateway.adapters.web.checkout_view import Asked, clock, filled, view_of
from gateway.adapters.web.desk import use_cases
from gateway.adapters.web.wording import WORDINGS, Labels, Lang, Trouble
from gateway.application.checkout import Visit, VisitCheckout
from gateway.application.checkout_places import PLACES
from gateway.domain.errors import Busy, Conflict, Denied, GatewayError, Invalid, NotFound, TooMany, Unprocessable

blueprint = Blueprint("checkout_page", __name__, url_prefix="/c")

_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language",
}
_SECRET = re.compile(r"[0-9a-f]{32}")
_TYPED_MAX = 40
_ASSETS = Path(__file__).parent / "static" / "checkout"

_log = structlog.get_logger("gateway.web")


@blueprint.get("/<secret>")
def show(secret: str) -> Response:
    """The page."""
    return _page(secret, _visits().show(_checked(secret)), _asked())


@blueprint.get("/<secret>/state")
def state(secret: str) -> Response:
    """The part that changes, for the script; 304 while it hasn't."""
    visit = _visits().show(_checked(secret))
    lang = _lang()
    html = render_template("checkout/state.html", view=view_of(visit, lang, _asked()), to=_Links(secret))
    response = _answer(html, lang)
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.post("/<secret>/pay")
def pay(secret: str) -> AnyResponse:
    """Ask the typed phone for a prompt, or where to pay by oneself; then back to the page, which tells what came."""
    _checked(secret)
    if _is_cross_site():
        return _trouble(Trouble.CROSS_SITE)
    typed, acknowledged = request.form.get("phone", "").strip(), request.form.get("acknowledge") == "1"
    method = request.form.get("method", "mpesa")
    phone = None if method in PLACES else typed
    method = "mpesa" if phone is not None else method
    try:
        _visits().pay(secret, phone, method=method, acknowledge_unknown=acknowledged, request_id=g.get("request_id"))
    except (Invalid, TooMany, Busy, Unprocessable, Denied, Conflict) as refusal:
        return _refused(secret, refusal, typed[:_TYPED_MAX], acknowledged=acknowledged)
    return redirect(_Links(secret)(), 303)


@blueprint.post("/<secret>/cancel")
def cancel(secret: str) -> AnyResponse:
    """The shopper cancels. When a prompt is out already, the page says so."""
    _checked(secret)
    if _is_cross_site():
        return _trouble(Trouble.CROSS_SITE)
    try:
        _visits().leave(secret, request_id=g.get("request_id"))
    except Conflict as refusal:
        _log.info("checkout not canceled", code=refusal.code)
    return redirect(_Links(secret)(), 303)


@blueprint.get("/<secret>/pay")
@blueprint.get("/<secret>/cancel")
def reopened(secret: str) -> AnyResponse:
    """Somebody reloaded or kept the address of a form: show them the page."""
    return redirect(_Links(_checked(secret))(), 303)


@blueprint.get("/", defaults={"rest": ""})
@blueprint.get("/<path:rest>")
def nowhere(rest: str) -> Response:
    """Any other path below ours, whatever `rest` is."""
    del rest  # only the router needs it
    return _trouble(Trouble.NO_SUCH_PAGE)


def _refused(secret: str, refusal: GatewayError, typed: str, *, acknowledged: bool) -> AnyResponse:
    """The page again with what was typed and why it didn't go; a state that moved on speaks for itself."""
    visit, label = _visits().show(secret), WORDINGS[_lang()].labels
    asked = Asked(again=visit.may_pay_again, prompt=bool(visit.place), typed=typed)
    g.error_code = refusal.code
    if isinstance(refusal, Conflict):
        if acknowledged or not visit.may_pay_again:
            return redirect(_Links(secret)(), 303)
        return _page(secret, visit, replace(asked, consent_error=label.consent_missing), 422)
    if refusal.code == "phone_invalid":
        return _page(secret, visit, replace(asked, phone_error=label.phone_invalid), 422)
    wait = timedelta(seconds=refusal.retry_after_s or 0)
    text, status = _refusal(refusal, label)
    notice = filled(text, {"until": clock(visit.now + wait, late=True)})
    response = _page(secret, visit, replace(asked, notice=notice), status)
    if wait:
        response.headers["Retry-After"] = str(refusal.retry_after_s)
    return response


def _refusal(refusal: GatewayError, label: Labels) -> tuple[str, int]:
    if isinstance(refusal, TooMany):
        return label.too_many, 429
    if isinstance(refusal, Busy):
        return (label.paused if refusal.code == "rail_unavailable" else label.busy), 503
    return label.refused, 422


def _visits() -> VisitCheckout:
    return use_cases().checkout.visit


def _checked(secret: str) -> str:
    """The secret, if it has the form of one. Raises NotFound."""
    if _SECRET.fullmatch(secret) is None:
        raise NotFound("no such page")
    return secret


def _is_cross_site() -> bool:
    """Whether the browser says that another site posts this; one that says nothing is let in by the secret alone."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")


def _chosen() -> str | None:
    """The language in the link, if it names one of ours."""
    tag = request.args.get("lang")
    return tag if tag in {lang.value for lang in Lang} else None


def _lang() -> Lang:
    """The link's language, else the browser's, else English."""
    tags = [lang.value for lang in Lang]
    return Lang(_chosen() or request.accept_languages.best_match(tags) or Lang.EN)


def _asked() -> Asked:
    args = request.args
    return Asked(again=args.get("again") == "1", prompt=args.get("prompt") == "1", receipt=args.get("receipt") == "1")


class _Links:
    """Addresses of one page; they keep the chosen language."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __call__(self, view: str = "show", **query: str | None) -> str:
        values: dict[str, Any] = {"secret": self._secret, "lang": _chosen(), **query}
        return url_for(f"checkout_page.{view}", **values)


def _page(secret: str, visit: Visit, asked: Asked, status: int = 200) -> Response:
    lang = _lang()
    html = render_template(
        "checkout/page.html",
        view=view_of(visit, lang, asked),
        to=_Links(secret),
        asset=_asset,
        other=_other(lang),
    )
    return _answer(html, lang, status)


def _trouble(trouble: Trouble, status: int | None = None) -> Response:
    lang = _lang()
    secret = (request.view_args or {}).get("secret", "")
    lost = trouble is Trouble.NO_SUCH_PAGE or _SECRET.fullmatch(secret) is None
    html = render_template(
        "checkout/trouble.html",
        say=WORDINGS[lang].troubles[trouble],
        label=WORDINGS[lang].labels,
        link=None if lost else _Links(secret)(),
        lang=lang.value,
        asset=_asset,
    )
    return _answer(html, lang, status or trouble.value)


def _answer(html: str, lang: Lang, status: int = 200) -> Response:
    return Response(html, status, {"Content-Language": lang.value}, "text/html")


def _other(lang: Lang) -> str:
    other = Lang.SW if lang is Lang.EN else Lang.EN
    return str(other.value)


@cache
def _print_of(name: str) -> str:
    return sha256((_ASSETS / name).read_bytes()).hexdigest()[:12]


def _asset(name: str) -> str:
    """A file of the page under a name that changes with its content, so that a phone fetches it once."""
    values: dict[str, Any] = {"filename": f"checkout/{name}", "v": _print_of(name)}
    return url_for("static", **values)


@blueprint.after_request
def guard(response: Response) -> Response:
    """Headers of every answer below /c."""
    response.headers.update(_HEADERS)
    return response


@blueprint.after_app_request
def keep_assets(response: Response) -> Response:
    """Let a phone keep the page's files: on a bad network a question costs as much as the file."""
    if request.endpoint == "static" and request.path.startswith("/static/checkout/") and "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@blueprint.errorhandler(GatewayError)
def refused(error: GatewayError) -> Response:
    """What no form can tell: a secret that opens nothing, a database too busy to look."""
    g.error_code = error.code
    if isinstance(error, NotFound):
        return _trouble(Trouble.NO_SUCH_PAGE)
    return _trouble(Trouble.BUSY if isinstance(error, Busy) else Trouble.BROKEN)


@blueprint.errorhandler(429)
def too_often(_: HTTPException) -> Response:
    """The address limit of the pages."""
    g.error_code = "rate_limited"
    response = _trouble(Trouble.TOO_OFTEN)
    response.headers["Retry-After"] = "60"
    return response


@blueprint.errorhandler(HTTPException)
def unreadable(error: HTTPException) -> Response:
    """A form too large, a header that can't be read."""
    status = error.code or 500
    return _trouble(Trouble.UNREADABLE if status < 500 else Trouble.BROKEN, status)


@blueprint.errorhandler(Exception)
def broken(error: Exception) -> Response:
    """A fault of ours: told to the log once, and to the shopper as a sentence."""
    _log.error("request broke", exc_info=error, method=request.method, route=str(request.url_rule))
    g.error_code = "internal_error"
    return _trouble(Trouble.BROKEN)
