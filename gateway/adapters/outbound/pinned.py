"""One HTTP connection to a numeric address, bound by one deadline from the first byte to the last."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the machine's steady clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left_s(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


class _Received(io.RawIOBase):
    """What comes in. Each read gets what is left of the deadline, so that a drip of single bytes can't outlast it."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._sock.settimeout(self._deadline.left_s())
        return self._sock.recv_into(buffer)


class _Line:
    """As much of a socket as `http.client` uses."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left_s())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Received(self._sock, self._deadline))

    def close(self) -> None:
        self._sock.close()


def open_pinned(
    host: str, port: int, addresses: Sequence[str], *, tls: ssl.SSLContext | None, deadline: Deadline
) -> HTTPConnection:
    """Connect to the first address that answers; the name serves for TLS alone: what is asked for and checked.

    No proxy, no second look at the name. Raises OSError (TimeoutError, ssl.SSLError among them).
    """
    sock = _connected(addresses, port, deadline)
    try:
        if tls is not None:
            sock.settimeout(deadline.left_s())
            sock = tls.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise
    connection = HTTPConnection(host, port)
    connection.sock = _Line(sock, deadline)
    return connection


def _connected(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    trouble: OSError = OSError("no address")
    for position, address in enumerate(addresses):
        # An address that swallows packets leaves time for the next one.
        share = deadline.left_s() / (len(addresses) - position)
        try:
            return socket.create_connection((address, port), timeout=share)
        except OSError as error:
            trouble = error
    raise trouble
