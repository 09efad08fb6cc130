"""Live lines to providers: the plugins' offers, and one adapter a connection, built once per process and version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from gateway.application.interfaces import Providers
from gateway.domain.connections import Connection
from gateway.domain.errors import NotFound
from ports.abilities import Validator
from ports.context import Context
from ports.payment_rail import PaymentRail, RailCapabilities
from ports.payout_channel import ChannelCapabilities, PayoutChannel
from ports.registration import Capabilities, Registration

#: Lends an adapter its context.
Lend = Callable[[Connection], Context]
#: Gives an adapter back with each of its calls watched.
Watch = Callable[[Any, Connection, Capabilities], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Providers):
    """Keeps adapters by connection and version, so that a changed configuration is taken up without a restart."""

    rails: Mapping[str, Registration[PaymentRail]]
    channels: Mapping[str, Registration[PayoutChannel]]
    lend: Lend
    watch: Watch | None = None
    _built: dict[tuple[UUID, int], Any] = field(default_factory=dict, repr=False)

    def rail_codes(self, method: str | None = None) -> Sequence[str]:
        return [code for code, offer in self.rails.items() if method in (None, offer.method)]

    def methods(self) -> Mapping[str, Sequence[str]]:
        return _by_method(self.rails)

    def destinations(self) -> Mapping[str, Sequence[str]]:
        return _by_method(self.channels)

    def rail_capabilities(self, code: str) -> RailCapabilities:
        return cast(RailCapabilities, _offer(self.rails, code).capabilities)

    def channel_codes(self, method: str) -> Sequence[str]:
        return [code for code, offer in self.channels.items() if offer.method == method]

    def channel_capabilities(self, code: str) -> ChannelCapabilities:
        return cast(ChannelCapabilities, _offer(self.channels, code).capabilities)

    def validator(self, code: str) -> Validator | None:
        offer = self.rails.get(code)
        return None if offer is None else offer.validator

    def acknowledgement(self, code: str) -> tuple[bytes, str]:
        offer = self.rails.get(code) or _offer(self.channels, code)
        return offer.capabilities.acknowledgement, "application/json"

    def rail(self, connection: Connection) -> PaymentRail:
        return cast(PaymentRail, self._line(connection, _offer(self.rails, connection.code)))

    def channel(self, connection: Connection) -> PayoutChannel:
        return cast(PayoutChannel, self._line(connection, _offer(self.channels, connection.code)))

    def _line(self, connection: Connection, offer: Registration[Any]) -> Any:
        key = (connection.id, connection.version)
        if key not in self._built:
            line = offer.build(connection.config, self.lend(connection))
            self._built[key] = line if self.watch is None else self.watch(line, connection, offer.capabilities)
        return self._built[key]


def _by_method(offers: Mapping[str, Registration[Any]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for code, offer in offers.items():
        found.setdefault(offer.method, []).append(code)
    return found


def _offer(offers: Mapping[str, Registration[Any]], code: str) -> Registration[Any]:
    offer = offers.get(code)
    if offer is None:
        raise NotFound(f"no enabled plugin offers {code}; check GATEWAY_PLUGINS")
    return offer
