"""Whether a provider's id that news names is another order's: then the news is never this one's."""

from __future__ import annotations

from uuid import UUID

from gateway.application.interfaces import Providers, UnitOfWork
from gateway.application.interfaces.money_back import KnownOrder
from gateway.domain.errors import NotFound

#: What a person is told.
FOREIGN = "a report names what the provider knows as another order of ours"


def is_anothers(
    work: UnitOfWork, providers: Providers, attempt_id: UUID, namespace: str, provider_reference: str | None
) -> bool:
    """Whether the provider of `namespace` knows another refund's or payout's order under that id."""
    if provider_reference is None:
        return False
    others = (one for one in work.orders.known_as(provider_reference) if one.attempt_id != attempt_id)
    return any(_namespace(providers, one) == namespace for one in others)


def _namespace(providers: Providers, order: KnownOrder) -> str | None:
    """None where nobody whom this process knows speaks for the order's provider any more."""
    try:
        offer = providers.rail_capabilities if order.over_rail else providers.channel_capabilities
        return offer(order.code).receipt_namespace
    except NotFound:
        return None
