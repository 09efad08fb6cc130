"""Sends one signed webhook to a business's URL: to checked addresses only, without redirects, within one deadline."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from gateway.adapters.outbound.addresses import (
    Blocked,
    Resolve,
    Unresolved,
    all_loopback,
    checked_addresses,
    system_resolve,
)
from gateway.adapters.outbound.pinned import Deadline, open_pinned
from gateway.adapters.outbound.signing import signature
from gateway.application.interfaces import Sent, WebhookSender
from gateway.domain.webhooks import TIMEOUT_S

_PORTS = {"https": 443, "http": 80}
_RESOLVE_S = 5.0
#: What is read of an answer's body, and then forgotten: enough for the other side to have said its piece.
_BODY_MAX = 16_384
_LONGEST_WAIT = 10 * 24 * 3600


def _trusting_the_public() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeWebhookSender(WebhookSender):
    """Connects to the addresses it has checked. `allow_loopback` opens this machine, also by plain http; nothing else.

    `now` gives the machine's own time, aware. `resolve` and `tls` are the system's unless a test has its own.
    """

    now: Callable[[], datetime]
    allow_loopback: bool = False
    timeout_s: float = TIMEOUT_S
    resolve: Resolve = system_resolve
    tls: ssl.SSLContext = field(default_factory=_trusting_the_public, repr=False)

    def send(
        self, url: str, *, secret: str, message_id: str, delivery_id: str, body: bytes, previous: str | None = None
    ) -> Sent:
        """What came of it. `error` is a word: timeout, blocked, insecure, unresolved, tls, connection, protocol."""
        started = time.monotonic()
        timestamp = int(self.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "african-payment-gateway",
            "Connection": "close",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(
                signature(key, message_id=message_id, timestamp=timestamp, body=body)
                for key in (secret, previous)
                if key is not None
            ),
            "Gateway-Delivery": delivery_id,
        }
        status, error, retry_after_s = self._post(url, headers, body)
        return Sent(
            status=status,
            error=error,
            retry_after_s=retry_after_s,
            duration_ms=int((time.monotonic() - started) * 1000),
        )

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int | None, str | None, int | None]:
        try:
            response = self._answer(urlsplit(url), headers, body)
        except TimeoutError:
            return None, "timeout", None
        except Blocked:
            return None, "blocked", None
        except _Insecure:
            return None, "insecure", None
        except Unresolved:
            return None, "unresolved", None
        except ssl.SSLError:
            return None, "tls", None
        except OSError:
            return None, "connection", None
        except (HTTPException, ValueError):
            return None, "protocol", None
        return response.status, None, self._wait_of(response.getheader("Retry-After"))

    def _answer(self, parts: SplitResult, headers: dict[str, str], body: bytes) -> HTTPResponse:
        deadline = Deadline.after(self.timeout_s)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        if parts.scheme not in _PORTS or not host or not port:
            raise _Insecure
        addresses = checked_addresses(
            host,
            port,
            resolve=self.resolve,
            within_s=min(_RESOLVE_S, self.timeout_s),
            allow_loopback=self.allow_loopback,
        )
        if parts.scheme == "http" and not (self.allow_loopback and all_loopback(addresses)):
            raise _Insecure
        tls = self.tls if parts.scheme == "https" else None
        connection = open_pinned(host.rstrip("."), port, addresses, tls=tls, deadline=deadline)
        try:
            return _exchange(connection, parts, headers, body)
        finally:
            connection.close()

    def _wait_of(self, text: str | None) -> int | None:
        """A `Retry-After` in seconds, whether it was written as such or as a date."""
        if text is None:
            return None
        if text.strip().isascii() and text.strip().isdecimal():
            return min(int(text.strip()[:9]), _LONGEST_WAIT)
        try:
            at = parsedate_to_datetime(text)
            return max(0, min(int((at - self.now()).total_seconds()), _LONGEST_WAIT))
        except (TypeError, ValueError):
            return None


class _Insecure(Exception):
    """Plain http to another machine."""


def _exchange(connection: HTTPConnection, parts: SplitResult, headers: dict[str, str], body: bytes) -> HTTPResponse:
    """One request, one answer: a redirect is an answer like any other. Its body is read a little, and not kept."""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", parts.netloc.rpartition("@")[2])
    connection.putheader("Content-Length", str(len(body)))
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    try:
        response.read(_BODY_MAX)
    except (OSError, HTTPException):
        # The status has been said; how the other side ends doesn't matter.
        pass
    finally:
        response.close()
    return response
