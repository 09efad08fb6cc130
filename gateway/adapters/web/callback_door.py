"""Where providers call back, before the framework: what is kept costs little, and what is refused next to nothing.

A flood of forged callbacks must not take the processor from those who pay. Only the simplest answers are given here;
whatever else a callback meets is handed to its view, which meets it in the framework's own way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from werkzeug.exceptions import HTTPException

from gateway.adapters.web.bodies import BODY_MAX
from gateway.adapters.web.error_codes import title_of
from gateway.adapters.web.headers import named
from gateway.adapters.web.settings import WebSettings
from gateway.adapters.web.shared_limits import Limit
from gateway.application.use_cases import UseCases
from gateway.domain.errors import GatewayError, NotFound, TooMany
from gateway.domain.ids import encode

#: Under this name the view finds what a callback met, and raises it.
TROUBLE = "gateway.callback_trouble"
#: Headers that say something about a callback; the rest is noise, or an intermediary's.
KEPT = ("content-type", "user-agent", "x-forwarded-for", "date")

#: Lower-case hex alone: two spellings of one secret would be one too many.
PLACE = re.compile(r"/in/([0-9a-f]{8})/([0-9a-f]{32})")
_ROUTE = re.compile(r"/in/[^/]+/[^/]+")
_KEPT = tuple((name, "HTTP_" + name.upper().replace("-", "_")) for name in KEPT if name != "content-type")

_log = structlog.get_logger("gateway.web")


class CallbackDoor:
    """A WSGI application in front of another one. It stands behind whatever tells the caller's true address."""

    def __init__(
        self, inner: WSGIApplication, use_cases: UseCases, settings: WebSettings, unknown: Limit | None
    ) -> None:
        self._inner, self._use_cases, self._unknown = inner, use_cases, unknown
        self._public_url, self._new_id = settings.public_url, settings.new_id
        self._headers = [*named(settings).items(), ("Cache-Control", "no-store")]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a callback; anything else, and all that needs more words, goes on."""
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith("/in/") or environ["REQUEST_METHOD"] != "POST" or not _ROUTE.fullmatch(path):
            return self._inner(environ, start_response)
        began, request_id = perf_counter(), encode("req", self._new_id())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            body, kind, status = *self._taken(environ, path), "200 OK"
        except NotFound as unknown:
            return self._refused(start_response, unknown, request_id, began)
        except TooMany as crowd:
            return self._refused(start_response, crowd, request_id, began)
        except Exception as trouble:
            # An edge: the view raises it again, where there is an answer to everything.
            environ[TROUBLE] = trouble
            return self._inner(environ, start_response)
        return self._answer(start_response, status, body, kind, request_id, began)

    def _taken(self, environ: WSGIEnvironment, path: str) -> tuple[bytes, str]:
        place = PLACE.fullmatch(path)
        peer = str(environ.get("REMOTE_ADDR") or "unknown")
        try:
            if place is None:
                raise NotFound("nothing is expected at this address")
            body = _body(environ)
            headers = {name: str(value)[:500] for name, key in _KEPT if (value := environ.get(key))}
            if kind := environ.get("CONTENT_TYPE"):
                headers["content-type"] = str(kind)[:500]
            return self._use_cases.receive_callback(place[1], place[2], body=body, headers=headers, peer=peer)
        except NotFound:
            count_unknown(self._unknown, peer)
            raise

    def _refused(
        self, start_response: StartResponse, error: GatewayError, request_id: str, began: float
    ) -> Iterable[bytes]:
        status, words = (404, "404 Not Found") if isinstance(error, NotFound) else (429, "429 Too Many Requests")
        page = f"{self._public_url}/docs/errors#{error.code}"
        body = {
            "type": page,
            "title": title_of(error.code),
            "status": status,
            "detail": error.detail,
            "instance": f"urn:request:{request_id}",
            "code": error.code,
            "param": None,
            "request_id": request_id,
            "retryable": error.retry_after_s is not None,
            "doc_url": page,
            "errors": [],
        }
        more = [] if error.retry_after_s is None else [("Retry-After", str(error.retry_after_s))]
        text = json.dumps(body, separators=(",", ":")).encode()
        code = error.code
        return self._answer(start_response, words, text, "application/problem+json", request_id, began, code, more)

    def _answer(
        self,
        start_response: StartResponse,
        status: str,
        body: bytes,
        kind: str,
        request_id: str,
        began: float,
        code: str | None = None,
        more: Iterable[tuple[str, str]] = (),
    ) -> Iterable[bytes]:
        length = ("Content-Length", str(len(body)))
        start_response(status, [("Content-Type", kind), length, ("Request-Id", request_id), *more, *self._headers])
        if not status.startswith("429"):
            # Who is told to wait is told again and again: the log has his first knocks.
            ms = round((perf_counter() - began) * 1000, 1)
            _log.info("request", method="POST", route="/in/<tag>/<secret>", status=int(status[:3]), code=code, ms=ms)
        return [body]


def count_unknown(limit: Limit | None, peer: str) -> None:
    """Note that an address knocked where nothing is expected. Raises TooMany when it does so too often."""
    if limit is None:
        return
    try:
        limit.take(peer)
    except TooMany as often:
        raise TooMany(
            "this address knocks too often; wait before you try again", retry_after_s=often.retry_after_s
        ) from None


def _body(environ: WSGIEnvironment) -> bytes:
    """The whole body, where it says how long it is. Raises what the view must answer."""
    text: Any = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ or not text.isdecimal() or int(text) > BODY_MAX:
        raise _Later
    return bytes(environ["wsgi.input"].read(int(text)))


class _Later(HTTPException):
    """Its body isn't read here."""


def trouble_of(environ: Mapping[str, Any]) -> Exception | None:
    """What the door met and the view is to raise; None when the view must look for itself."""
    met: Exception | None = environ.get(TROUBLE)
    return None if isinstance(met, _Later) else met
