"""What comes in from a provider, and what an adapter read in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ports.report import Pocket, ProviderCharge, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """A URL made for one call: 128 random bits in lower-case hex behind the connection's tag. Nobody else knows it."""

    url: str

    def __repr__(self) -> str:
        return "ReplyTo(url='…')"


class Door(Enum):
    """Which URL a callback came by."""

    CALL = "call"
    """The ReplyTo of one call."""
    CONNECTION = "connection"
    """The connection's long-lived URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A callback as it arrived. `headers` have lower-case names; `peer` is the address that a trusted proxy named.

    `of_question`: it came to the address of a question of ours, so what it says of itself is the question's fate.
    """

    body: bytes
    door: Door
    of_question: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    peer: str = ""

    def __repr__(self) -> str:
        return f"Incoming(door={self.door}, body=<{len(self.body)} bytes>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an adapter read: the reports inside, and the reply that the provider expects.

    `pockets` answer a question about balances; `charges` are what the provider says it took.
    """

    reports: tuple[Report, ...] = ()
    pockets: tuple[Pocket, ...] = ()
    charges: tuple[ProviderCharge, ...] = ()
    reply_body: bytes = b""
    reply_status: int = 200
    reply_type: str = "application/json"
