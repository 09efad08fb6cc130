"""A bare socket and what comes back on it."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer: its status, its headers by lower-case name, its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def problem(self) -> Any:
        """The body, which must be a problem by RFC 9457 that names its request."""
        assert self.headers["content-type"] == "application/problem+json", self.headers
        found = json.loads(self.body)
        assert found["status"] == self.status
        assert found["request_id"] == self.headers["request-id"]
        assert found["instance"] == f"urn:request:{found['request_id']}"
        assert {"type", "title", "detail", "code", "param", "retryable", "doc_url", "errors"} <= set(found)
        return found


def dialled(url: str, *, within_s: float = 15) -> socket.socket:
    """A connection; nothing on it may take longer than that."""
    where = urlsplit(url)
    assert where.hostname is not None
    return socket.create_connection((where.hostname, where.port or 80), timeout=within_s)


def said(url: str, raw: bytes, *, within_s: float = 15) -> list[Said]:
    """Send the bytes, say that there will be no more, and give all answers until the server closes."""
    with dialled(url, within_s=within_s) as wire:
        # A server that refuses early may close before everything is sent.
        with suppress(OSError):
            wire.sendall(raw)
            wire.shutdown(socket.SHUT_WR)
        return answers(heard(wire))


def heard(wire: socket.socket) -> bytes:
    """All that comes until the server closes."""
    found = bytearray()
    with suppress(ConnectionError):
        while piece := wire.recv(65_536):
            found += piece
    return bytes(found)


def answers(raw: bytes) -> list[Said]:
    """The answers in a stream of bytes, each with its Content-Length."""
    found: list[Said] = []
    while raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        found.append(Said(status=int(first.split()[1]), headers=headers, body=rest[:length]))
        raw = rest[length:]
    return found
