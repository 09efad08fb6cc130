"""Live lines to chains: one adapter a connection, built once per process and version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from gateway.application.interfaces import ChainLines
from gateway.domain.connections import Connection
from gateway.domain.errors import NotFound
from ports.chain import Chain, ChainCapabilities, ChainOffer
from ports.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesToChains(ChainLines):
    """Keeps adapters by connection and version. A chain's kit is imported as the first of them is built."""

    offers: Mapping[str, ChainOffer]
    lend: Callable[[Connection], Context]
    _built: dict[tuple[UUID, int], Chain] = field(default_factory=dict, repr=False)

    def chain(self, connection: Connection) -> Chain:
        key = (connection.id, connection.version)
        if key not in self._built:
            self._built[key] = self._offer(connection).build(connection.config, self.lend(connection))
        return self._built[key]

    def facts(self, connection: Connection) -> ChainCapabilities:
        return self.chain(connection).facts

    def _offer(self, connection: Connection) -> ChainOffer:
        offer = self.offers.get(connection.code)
        if offer is None:
            raise NotFound(f"no enabled plugin offers the chain {connection.code}; check GATEWAY_PLUGINS")
        return offer
