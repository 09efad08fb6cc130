"""Providers, chance, the sender of webhooks, and the operator's directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from gateway.application.interfaces.values import (
    Json,
    Scope,
)
from gateway.domain.businesses import ApiKey, Business, Platform
from gateway.domain.connections import Connection, Float
from gateway.domain.fees import FeeSchedule
from ports.abilities import Validator
from ports.payment_rail import PaymentRail, RailCapabilities
from ports.payout_channel import ChannelCapabilities, PayoutChannel

T = TypeVar("T")


class Providers(Protocol):
    """The plugins' offers, and adapters built for one connection."""

    def rail_codes(self, method: str | None = None) -> Sequence[str]:
        """Registration codes of rails that serve a method word (`mpesa`); of all rails without one."""

    def methods(self) -> Mapping[str, Sequence[str]]:
        """Every method word with the codes of the rails that serve it."""

    def destinations(self) -> Mapping[str, Sequence[str]]:
        """Every kind of destination with the codes of the channels that pay there."""

    def rail_capabilities(self, code: str) -> RailCapabilities:
        """What a rail declares. Raises NotFound for a code that isn't installed."""

    def channel_codes(self, method: str) -> Sequence[str]:
        """Registration codes of channels that pay to a kind of destination (`mpesa_phone`)."""

    def channel_capabilities(self, code: str) -> ChannelCapabilities:
        """What a channel declares."""

    def validator(self, code: str) -> Validator | None:
        """Reads and words "may this be paid?" of a rail, where it can."""

    def acknowledgement(self, code: str) -> tuple[bytes, str]:
        """What a provider is answered once its callback is stored: body and content type."""

    def rail(self, connection: Connection) -> PaymentRail:
        """The connection's rail, built once per process and configuration. Raises Misconfigured."""

    def channel(self, connection: Connection) -> PayoutChannel:
        """The connection's channel, likewise."""


class Chance(Protocol):
    """Unpredictable bits and jitter."""

    def secret_hex(self) -> str:
        """128 random bits as 32 lower-case hex digits."""

    def pick(self, alphabet: str, n: int) -> str:
        """`n` characters of the alphabet, each equally likely."""

    def fraction(self) -> float:
        """A number in [0, 1): for jitter, never for secrets."""


class NewId(Protocol):
    """Makes UUIDv7 ids."""

    def __call__(self) -> UUID:
        """A new id; later ones sort after earlier ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What an endpoint answered: `status` None when nothing came; `error` is a word (`timeout`, `blocked`)."""

    status: int | None
    error: str | None = None
    retry_after_s: int | None = None
    duration_ms: int = 0


class Insist(Protocol):
    """Writes down what only this process knows, also when the database is away for a while."""

    def __call__(self, write: Callable[[], T]) -> T:
        """Run `write` again and again while connections are lost; it must be harmless to run twice."""


def once(write: Callable[[], T]) -> T:
    """No insistence: trouble is the caller's at once."""
    return write()


class WebhookSender(Protocol):
    """Sends one signed webhook, safely."""

    def send(
        self, url: str, *, secret: str, message_id: str, delivery_id: str, body: bytes, previous: str | None = None
    ) -> Sent:
        """POST it with Standard Webhooks headers, signed under the secret, and under `previous` too while there is one.

        It is signed at the machine's own time: a receiver compares that with its clock, so a test clock has no say.
        Never raises for what the other side does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceListed:
    """A price as it stands in the list: for whom (None: everybody), for what, and from when on."""

    schedule: FeeSchedule
    product: str
    business_id: UUID | None
    effective_from: datetime


class Directory(Protocol):
    """The operator's door: platforms, businesses, keys, connections, floats, prices. Past the row-level policies."""

    def add_platform(self, platform: Platform) -> None:
        """Insert."""

    def add_business(self, business: Business) -> None:
        """Insert."""

    def add_key(self, key: ApiKey) -> None:
        """Insert."""

    def add_key_once(self, key: ApiKey) -> None:
        """Insert unless a key with that hash is there."""

    def set_connection_config(self, connection_id: UUID, config: Mapping[str, object], *, now: datetime) -> None:
        """Replace the configuration; the version counts up, so that every process builds its adapter anew."""

    def add_float(self, float_: Float) -> None:
        """Insert."""

    def add_connection(self, connection: Connection) -> None:
        """Insert, the configuration encrypted."""

    def add_fee_schedule(
        self, schedule: FeeSchedule, *, product: str, business_id: UUID | None, effective_from: datetime
    ) -> None:
        """Insert."""

    def fee_schedules(self) -> Sequence[PriceListed]:
        """All prices that were ever set, by product and business, oldest first."""

    def settle_float_alert(self, float_id: UUID) -> None:
        """End the alert about a short float when it now covers all that waits for it."""

    def platforms(self) -> Sequence[Platform]:
        """All platforms, oldest first."""

    def businesses(self) -> Sequence[Business]:
        """All businesses, oldest first."""

    def connections(self) -> Sequence[Connection]:
        """All connections without their configuration, oldest first."""

    def floats(self) -> Sequence[Float]:
        """All floats, oldest first."""

    def set_connection_state(self, connection_id: UUID, *, paused_for: str | None, now: datetime) -> None:
        """Pause (with a reason) or resume (None)."""

    def open_business(self, business_id: UUID, *, payments: bool, payouts: bool, now: datetime) -> None:
        """Open or close a live business's capabilities."""

    def mode_of_connection(self, connection_id: UUID) -> bool:
        """Whether it is a live one. Raises NotFound."""

    def set_policy(self, connection_id: UUID, policy: Json) -> None:
        """Say how far a connection is trusted. Raises NotFound."""

    def scope_of(self, kind: str, object_id: UUID) -> Scope:
        """Whose a `payment` or `payout` is. Raises NotFound."""

    def audit(self, actor: str, action: str, subject_id: UUID | None, reason: str, at: datetime) -> None:
        """Append an audit row."""

    def revoke_key(self, key_id: UUID, *, now: datetime) -> None:
        """End a key at once. Raises NotFound."""

    def close_alert(self, alert_id: UUID, *, now: datetime) -> None:
        """Somebody has looked at it; the same trouble raises a new one. Raises NotFound."""

    def alerts(self) -> Sequence[Json]:
        """Open alerts, newest first."""
