"""/l/{secret}: the public page of a payment link. Opening it makes nothing; posting its form makes one payment.

The address is no secret, but it is long, so that nobody finds links by trying; it is never logged.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from gateway.adapters.web.checkout_page import _HEADERS as HEADERS
from gateway.adapters.web.checkout_page import _asset as asset
from gateway.adapters.web.checkout_view import contact_link, filled, money
from gateway.adapters.web.desk import desk, use_cases
from gateway.adapters.web.qr_codes import qr_answer
from gateway.adapters.web.wording import WORDINGS, Lang, Trouble
from gateway.adapters.web.wording.links import LINK_WORDINGS, LinkWording
from gateway.application.payment_links import LinkVisit, VisitLink
from gateway.domain.errors import Busy, Denied, GatewayError, Invalid, NotFound
from ports.money import ASSETS

blueprint = Blueprint("link_page", __name__)

_SECRET = re.compile(r"[0-9a-f]{32}")
_TYPED = re.compile(r"([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.([0-9]{1,2}))?")
_TYPED_MAX = 20
_FORMS = ("svg", "png")

_log = structlog.get_logger("gateway.web")


@blueprint.get("/l/<secret>")
def show(secret: str) -> Response:
    """The page: what is paid, to whom, and a button; or why the link takes nothing."""
    return _page(secret, _links().show(_checked(secret)))


@blueprint.post("/l/<secret>/pay")
def pay(secret: str) -> AnyResponse:
    """Make a payment for this form, once, and lead to its checkout page."""
    _checked(secret)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return _trouble(Trouble.CROSS_SITE)
    token, typed = request.form.get("token", ""), request.form.get("amount", "").strip()[:_TYPED_MAX]
    if _SECRET.fullmatch(token) is None:
        return _trouble(Trouble.UNREADABLE)
    visit = _links().show(secret)
    amount = minor_units(typed, visit.currency)
    words = LINK_WORDINGS[_lang()]
    if visit.amount_units is None and amount is None:
        return _page(secret, visit, typed=typed, wrong=words.amount_invalid, status=422)
    try:
        session = _links().pay(secret, token, amount, request_id=g.get("request_id"))
    except Invalid as refusal:
        g.error_code = refusal.code
        if visit.amount_units is not None:
            return _page(secret, visit, notice=words.refused, status=422)
        return _page(secret, visit, typed=typed, wrong=_bounds(visit, words) or words.amount_invalid, status=422)
    except Denied as refusal:
        g.error_code = refusal.code
        return _page(secret, visit, notice=words.refused, status=422)
    if session is None:
        return redirect(_Links(secret)(), 303)
    return redirect(url_for("checkout_page.show", secret=session, lang=_chosen()), 303)


@blueprint.get("/l/<secret>/pay")
def reopened(secret: str) -> AnyResponse:
    """Somebody reloaded or kept the address of the form: show them the page."""
    return redirect(_Links(_checked(secret))(), 303)


@blueprint.get("/l/<secret>/qr.<form>")
def link_code(secret: str, form: str) -> Response:
    """The page's own address as a QR code."""
    _links().show(_checked(secret))
    return _code("l", secret, form)


@blueprint.get("/c/<secret>/qr.<form>")
def session_code(secret: str, form: str) -> Response:
    """A checkout page's address as a QR code: a till shows it, the shopper's phone opens it."""
    use_cases().checkout.visit.show(_checked(secret))
    return _code("c", secret, form)


@blueprint.get("/l/", defaults={"rest": ""})
@blueprint.get("/l/<path:rest>")
def nowhere(rest: str) -> Response:
    """Any other path below ours, whatever `rest` is."""
    del rest  # only the router needs it
    return _trouble(Trouble.NO_SUCH_PAGE)


def minor_units(typed: str, currency: str) -> int | None:
    """`1,500` or `1500.50` in minor units; None for what is no sum. Digits and dots alone, never a float."""
    found = _TYPED.fullmatch(typed)
    if found is None:
        return None
    scale = ASSETS[currency].scale
    part = (found.group(2) or "").ljust(scale, "0")
    if len(part) > scale:
        return None
    return int(found.group(1).replace(",", "") + part)


def _links() -> VisitLink:
    return use_cases().visit_link


def _code(room: str, secret: str, form: str) -> Response:
    if form not in _FORMS:
        raise NotFound("no such page")
    return qr_answer(f"{desk().settings.public_url}/{room}/{secret}", form)


def _checked(secret: str) -> str:
    if _SECRET.fullmatch(secret) is None:
        raise NotFound("no such page")
    return secret


def _chosen() -> str | None:
    tag = request.args.get("lang")
    return tag if tag in {lang.value for lang in Lang} else None


def _lang() -> Lang:
    tags = [lang.value for lang in Lang]
    return Lang(_chosen() or request.accept_languages.best_match(tags) or Lang.EN)


class _Links:
    """Addresses of one page; they keep the chosen language."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __call__(self, view: str = "show", **query: str | None) -> str:
        values: dict[str, Any] = {"secret": self._secret, "lang": _chosen(), **query}
        return url_for(f"link_page.{view}", **values)


def _bounds(visit: LinkVisit, words: LinkWording) -> str:
    low, high = visit.amount_min, visit.amount_max
    least = money(low, visit.currency) if low is not None else ""
    most = money(high, visit.currency) if high is not None else ""
    if least and most:
        return words.between.format(least=least, most=most)
    if least:
        return words.at_least.format(least=least)
    return words.at_most.format(most=most) if most else ""


def _page(
    secret: str,
    visit: LinkVisit,
    *,
    typed: str = "",
    wrong: str | None = None,
    notice: str | None = None,
    status: int = 200,
) -> Response:
    lang = _lang()
    words, label = LINK_WORDINGS[lang], WORDINGS[lang].labels
    fixed = visit.amount_units is not None
    say = words.closed[visit.closed] if visit.closed else words.open if fixed else words.typed
    total = money(visit.amount_units, visit.currency) if visit.amount_units is not None else None
    values = {"shop": visit.shop, "amount": total or ""}
    html = render_template(
        "checkout/link.html",
        lang=lang.value,
        other=(Lang.SW if lang is Lang.EN else Lang.EN).value,
        visit=visit,
        words=words,
        label=label,
        title=say.headline.format(**values),
        headline=filled(say.headline, values),
        fact=filled(say.fact, values),
        todo=filled(say.todo, values),
        total=total,
        initial=next((letter.upper() for letter in visit.shop if letter.isalnum()), "•"),
        amount_label=words.amount.format(currency=visit.currency),
        bounds=_bounds(visit, words),
        typed=typed,
        amount_error=wrong,
        notice=notice,
        token=_links().new_token(),
        contact_line=filled(label.contact, {"shop": visit.shop}),
        contact_link=contact_link(visit.support_contact),
        to=_Links(secret),
        asset=asset,
    )
    return Response(html, status, {"Content-Language": lang.value}, "text/html")


def _trouble(trouble: Trouble, status: int | None = None) -> Response:
    lang = _lang()
    html = render_template(
        "checkout/trouble.html",
        say=WORDINGS[lang].troubles[trouble],
        label=WORDINGS[lang].labels,
        link=None,
        lang=lang.value,
        asset=asset,
    )
    return Response(html, status or trouble.value, {"Content-Language": lang.value}, "text/html")


@blueprint.after_request
def guard(response: Response) -> Response:
    """The headers of the hosted pages."""
    response.headers.update(HEADERS)
    return response


@blueprint.errorhandler(GatewayError)
def refused(error: GatewayError) -> Response:
    """A secret that opens nothing, a database too busy to look."""
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
    """A fault of ours: told to the log once, and to the visitor as a sentence."""
    _log.error("request broke", exc_info=error, method=request.method, route=str(request.url_rule))
    g.error_code = "internal_error"
    return _trouble(Trouble.BROKEN)
