"""HTTP to providers: deadlines, no redirects, no proxies, a cap on size, and transport trouble sorted into port errors.

Every exchange opens a connection of its own. A pooled one may have died unseen, and a money call that dies on it can't
be told from one that arrived. What decides between "not sent" and "unknown" is one fact: did a connection ever stand?
Before that not a byte has left; after it anything may have happened.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.client import HTTPException
from time import monotonic

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from ports.context import Log
from ports.errors import NotSent, OutcomeUnknown

#: What a broken exchange can raise, from the socket up to requests.
_TROUBLE = (requests.RequestException, HTTPError, HTTPException, OSError)
#: What can be raised only while nothing has been sent.
_BEFORE = (
    requests.ConnectTimeout,
    requests.exceptions.SSLError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds for one exchange: to connect, between two bytes, and in all; and the largest body read, in bytes.

    With less than `least_s` left of the caller's budget the exchange isn't begun.
    """

    connect_s: float = 5
    read_s: float = 30
    total_s: float = 35
    least_s: float = 1
    body_max: int = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Header names are lower-case; with `cut` the body was longer than the cap and isn't whole."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, body=<{len(self.body)} bytes>)"


class Budget:
    """The seconds that one port call may take in all, however many exchanges it needs."""

    def __init__(self, total_s: float, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._ends = now() + total_s

    def left(self) -> float:
        """Seconds left, at least zero."""
        return max(0.0, self._ends - self._now())


class _Watch:
    """Follows one exchange: whether its connection stood, and a cord that ends it at the deadline."""

    def __init__(self) -> None:
        self.began = False
        self.connected = False
        self.over = False
        self._sock: socket.socket | None = None
        self._lock = threading.Lock()

    def stands(self, sock: socket.socket) -> None:
        with self._lock:
            self.connected = True
            self._sock = sock

    def cut(self) -> None:
        with self._lock:
            self.over = True
            if self._sock is not None:
                try:
                    # The plain method, also for TLS: the reader then sees an end of file, as if the peer had gone.
                    socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
                except OSError:
                    return  # It has closed by itself.


_WATCH: ContextVar[_Watch] = ContextVar("watch")


class _Http(HTTPConnection):
    def connect(self) -> None:
        watch = _WATCH.get()
        watch.began = True
        super().connect()
        watch.stands(self.sock)


class _Https(HTTPSConnection):
    def connect(self) -> None:
        watch = _WATCH.get()
        watch.began = True
        # With TLS a connection stands once the peer has proved who it is; nothing of ours was sent before.
        super().connect()
        watch.stands(self.sock)


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    """requests' transport over watched connections; its default of no retries is kept."""

    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, **options)  # type: ignore[arg-type]
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


def open_session(*, user_agent: str, ca_bundle: str | None = None) -> requests.Session:
    """A session that takes nothing from the environment (proxies, netrc, CA paths), keeps nothing, retries nothing."""
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_bundle or True
    session.headers.clear()
    session.headers.update(
        {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
    )
    session.mount("http://", _Adapter())
    session.mount("https://", _Adapter())
    return session


class Http:
    """One provider's line. Safe to share between threads: it holds no connection."""

    def __init__(self, *, base_url: str, user_agent: str, log: Log, ca_bundle: str | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._user_agent = user_agent
        self._log = log
        self._ca_bundle = ca_bundle

    def exchange(
        self,
        call: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        budget: Budget,
        body: bytes | None = None,
        limits: Limits = Limits(),
    ) -> Answer:
        """Send one request, once, and give whatever was answered; `call` names it in the log.

        Raises NotSent when no connection stood (no route, no such name, TLS not proved) or no time was left to try,
        OutcomeUnknown when it broke after that. Any complete answer, of any status, is given back.
        """
        if budget.left() < limits.least_s:
            raise NotSent(f"{call}: no time left to send")
        watch, started = _Watch(), monotonic()
        try:
            with self._watching(watch, min(limits.total_s, budget.left())):
                answer = self._send(method, path, headers, body, limits, budget)
                if watch.over:
                    # The cord may look like the ordinary end of a body without a length.
                    raise TimeoutError
        except _TROUBLE as trouble:
            why = "deadline" if watch.over else type(trouble).__name__
            left = _may_have_left(trouble, watch)
            self._log.warning("provider_call_broke", call=call, why=why, sent=left, ms=_ms_since(started))
            # The cause is cut off: its text may quote the request.
            raise _sorted_error(call, why, left) from None
        self._log.info("provider_call", call=call, status=answer.status, ms=_ms_since(started))
        return answer

    @contextmanager
    def _watching(self, watch: _Watch, total_s: float) -> Iterator[None]:
        cord = threading.Timer(total_s, watch.cut)
        cord.daemon = True
        token = _WATCH.set(watch)
        cord.start()
        try:
            yield
        finally:
            cord.cancel()
            _WATCH.reset(token)

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        limits: Limits,
        budget: Budget,
    ) -> Answer:
        left = budget.left()
        with (
            open_session(user_agent=self._user_agent, ca_bundle=self._ca_bundle) as session,
            session.request(
                method,
                self._base_url + path,
                data=body,
                headers=dict(headers),
                timeout=(min(limits.connect_s, left), min(limits.read_s, left)),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            content, cut = _read(response.raw, limits.body_max)
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=content,
                cut=cut,
            )


def _read(raw: HTTPResponse, most: int) -> tuple[bytes, bool]:
    content = bytearray()
    while len(content) <= most:
        piece = raw.read1(65_536, decode_content=True)
        if not piece:
            return bytes(content), False
        content += piece
    return bytes(content[:most]), True


def _sorted_error(call: str, why: str, left: bool) -> NotSent | OutcomeUnknown:
    return OutcomeUnknown(f"{call}: no whole answer ({why})") if left else NotSent(f"{call}: no connection ({why})")


def _may_have_left(trouble: Exception, watch: _Watch) -> bool:
    if watch.began:
        return watch.connected
    # It broke before our own connections were asked, or they were not used at all: only an error that can't come from
    # anywhere but the connecting says that nothing left.
    reason = trouble.args[0] if trouble.args else None
    cause = getattr(reason, "reason", reason)
    return not isinstance(trouble, _BEFORE) and not isinstance(cause, (NewConnectionError, ConnectTimeoutError))


def _ms_since(started: float) -> int:
    return int((monotonic() - started) * 1000)
