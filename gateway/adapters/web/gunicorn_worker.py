"""gunicorn's worker, with our manners: what can't be read as HTTP gets a problem too, and nobody may dawdle."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from gunicorn.http import errors as http  # type: ignore[import-untyped]
from gunicorn.util import close_graceful, write_nonblock  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest, RequestTimeout

from gateway.adapters.web.error_codes import title_of
from gateway.adapters.web.headers import CAUTION
from gateway.domain.ids import encode

_UNREADABLE = "the request could not be read; check its request line, headers and length"
_SLOW = "the request didn't arrive in time; send it in one go"
_BROKEN = "something broke on our side; repeat the call with the same Idempotency-Key, and tell us the request_id"
_STATUS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (http.LimitRequestLine, 414, "URI Too Long", "the request line is too long"),
    (http.LimitRequestHeaders, 431, "Request Header Fields Too Large", "the headers are too many or too large"),
    (http.ExpectationFailed, 417, "Expectation Failed", "only Expect: 100-continue is understood"),
    (RequestTimeout, 408, "Request Timeout", _SLOW),
    (http.ParseException, 400, "Bad Request", _UNREADABLE),
)

_log = structlog.get_logger("gateway.web")


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads that read each request under a deadline; one connection that breaks its rules is answered and closed."""

    #: Seconds from a request's first byte to its last one: so long may one client hold a thread.
    request_within_s = 10.0
    #: The longest single wait of those: a client that says nothing at all is let go earlier.
    silence_s = 5.0

    def handle(self, conn: TConn) -> Any:
        """Serve one request of a connection."""
        if conn.parser is None:
            conn.init = partial(self._init, conn)  # called inside, once something has come
        else:
            conn.parser.unreader.sock.begin()
        again = super().handle(conn)
        if not again:
            # The line is closed here: the main thread would wait for the client to hang up, and for nobody else then.
            close_graceful(conn.sock, timeout=self.silence_s / 10)
        return again

    def _init(self, conn: TConn) -> None:
        TConn.init(conn)
        reader = conn.parser.unreader
        if not isinstance(reader.sock, _Hurried):
            reader.sock = _Hurried(reader.sock, within_s=self.request_within_s, silence_s=self.silence_s)
            reader.sock.begin()

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Let the application answer; what is wrong with a body's form it hears in words that it knows."""
        req.body = _Body(req.body)
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: TConn, keepalive: Any) -> bool:
        """Whether the line may be used again: what nobody read of a body is awaited for a moment alone."""
        return bool(keepalive and conn.parser.finish_body(deadline=time.monotonic() + self.silence_s / 10))

    def handle_error(self, _req: Any, client: Any, _addr: Any, exc: BaseException) -> None:
        """Answer what never became a request: `application/problem+json`, and nothing of what was sent."""
        status, reason, detail = next(
            ((status, reason, detail) for kind, status, reason, detail in _STATUS if isinstance(exc, kind)),
            (500, "Internal Server Error", _BROKEN),
        )
        settings = self.wsgi.extensions["gateway"].settings
        request_id = encode("req", settings.new_id())
        tell = _log.error if status >= 500 else _log.info
        tell("not a request", status=status, kind=type(exc).__name__, request_id=request_id)
        try:
            write_nonblock(client, _answer(status, reason, detail, request_id, settings.public_url))
        except OSError:
            _log.debug("nobody waited for the refusal", request_id=request_id)


class _Body:
    """A body that raises BadRequest where its chunks can't be read, or it ends too early, and is empty from then."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._broken = False

    def read(self, size: int | None = None) -> bytes:
        """As files do."""
        return self._tried(self._body.read, size)

    def readline(self, size: int | None = None) -> bytes:
        """As files do."""
        return self._tried(self._body.readline, size)

    def _tried(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        if self._broken:
            return b""
        try:
            return read(size)
        except (http.ParseException, http.NoMoreData):
            self._broken = True
            raise BadRequest from None
        except RequestTimeout:
            self._broken = True
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)


class _Hurried:
    """A socket that gives what has come, until the request's time is over."""

    def __init__(self, sock: Any, *, within_s: float, silence_s: float) -> None:
        self._sock, self._within_s, self._silence_s = sock, within_s, silence_s
        self._asked: float | None = None
        self.until = 0.0

    def begin(self) -> None:
        """The clock of the next request starts."""
        self.until = time.monotonic() + self._within_s

    def recv(self, size: int) -> bytes:
        """Some bytes. Raises RequestTimeout; TimeoutError for whoever set a bound of its own."""
        if self._asked is not None:
            self._sock.settimeout(self._asked)
            return bytes(self._sock.recv(size))
        left = self.until - time.monotonic()
        if left <= 0:
            raise RequestTimeout
        self._sock.settimeout(min(left, self._silence_s))
        try:
            return bytes(self._sock.recv(size))
        except TimeoutError:
            raise RequestTimeout from None
        finally:
            self._sock.settimeout(None)

    def settimeout(self, bound: float | None) -> None:
        """A bound of the caller's, for discarding what is left of a body."""
        self._asked = bound
        self._sock.settimeout(bound)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _answer(status: int, reason: str, detail: str, request_id: str, public_url: str) -> bytes:
    code = "internal_error" if status >= 500 else "bad_request"
    page = f"{public_url}/docs/errors#{code}"
    body = json.dumps(
        {
            "type": page,
            "title": title_of(code),
            "status": status,
            "detail": detail,
            "instance": f"urn:request:{request_id}",
            "code": code,
            "param": None,
            "request_id": request_id,
            "retryable": status >= 500,
            "doc_url": page,
            "errors": [],
        },
        separators=(",", ":"),
    ).encode()
    headers = {
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Request-Id": request_id,
        "Cache-Control": "no-store",
        **CAUTION,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode() + body
