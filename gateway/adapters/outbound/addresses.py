"""A host's addresses, found once and all checked: a webhook then connects to one of these numbers, not to the name."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from gateway.domain.addresses import is_loopback, may_go_to

#: Gives the numeric addresses of a host. Raises OSError.
Resolve = Callable[[str, int], Sequence[str]]


class Blocked(Exception):
    """At least one address of the host is not for webhooks."""


class Unresolved(Exception):
    """The host has no address, or its name server didn't tell it in time."""


def system_resolve(host: str, port: int) -> Sequence[str]:
    """The machine's resolver; it also reads 0x7f000001 and 2130706433 as the addresses that they are."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def checked_addresses(
    host: str, port: int, *, resolve: Resolve, within_s: float, allow_loopback: bool
) -> Sequence[str]:
    """All addresses of `host`, resolved once. One bad address among good ones blocks them all.

    Raises Blocked or Unresolved.
    """
    addresses = _in_time(lambda: resolve(host, port), within_s)
    if not addresses:
        raise Unresolved("no address")
    for address in addresses:
        try:
            open_ = may_go_to(address, allow_loopback=allow_loopback)
        except ValueError:
            open_ = False
        if not open_:
            raise Blocked("an address of this host is not public")
    return addresses


def all_loopback(addresses: Sequence[str]) -> bool:
    """Whether they are all this machine's own."""
    return all(is_loopback(address) for address in addresses)


def _in_time(ask: Callable[[], Sequence[str]], within_s: float) -> Sequence[str]:
    """The system's resolver knows no time limit, so it is asked in a thread that nobody waits for longer."""
    answers: SimpleQueue[Sequence[str] | None] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except (OSError, UnicodeError):
            answers.put(None)

    Thread(target=run, name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=max(0.0, within_s))
    except Empty:
        raise Unresolved("no answer in time") from None
    if found is None:
        raise Unresolved("no such host")
    return found
