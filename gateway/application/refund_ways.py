"""How a receipt's money can go back: over the rail that brought it, or by a payout to the payer's number."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.application.interfaces import Providers, UnitOfWork
from gateway.domain.connections import Connection
from gateway.domain.receipts import Receipt
from gateway.domain.refunds import Part, Refund, RefundAttempt, RefundAttemptState, Way
from ports.abilities import Ability
from ports.payment_rail import RailCapabilities
from ports.payout_channel import DestinationKind
from ports.report import FailureKind, TryAgain

#: So many orders of one kind are tried for one receipt.
TRIES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The rail that brought a receipt, and the customer who paid it where known."""

    connection_id: UUID
    rail: str
    offer: RailCapabilities
    customer_id: UUID | None


def origin_of(work: UnitOfWork, providers: Providers, receipt: Receipt) -> Origin | None:
    """Where a receipt came from; None where neither a try of ours brought it nor a provider named it."""
    if receipt.attempt_id is None:
        return _named_by(work, providers, receipt)
    attempt = work.attempts.get(receipt.attempt_id)
    return Origin(
        connection_id=attempt.connection_id,
        rail=attempt.rail,
        offer=providers.rail_capabilities(attempt.rail),
        customer_id=attempt.customer_id,
    )


def _named_by(work: UnitOfWork, providers: Providers, receipt: Receipt) -> Origin | None:
    """Money that was assigned, or that a person paid beside the try: it came over the rail that told of it."""
    found = work.receipts.origin(receipt.id)
    if found is None or found[1] not in providers.rail_codes():
        return None
    return Origin(connection_id=found[0], rail=found[1], offer=providers.rail_capabilities(found[1]), customer_id=None)


def payer_of(work: UnitOfWork, receipt: Receipt) -> str | None:
    """The payer's number (E.164), where a try of ours knows whom it asked."""
    if receipt.attempt_id is None:
        return None
    customer_id = work.attempts.get(receipt.attempt_id).customer_id
    return None if customer_id is None else work.customers.get(customer_id).phone


def payout_line(work: UnitOfWork, providers: Providers) -> Connection | None:
    """A connection that pays to M-Pesa numbers, if there is one."""
    codes = providers.channel_codes(DestinationKind.MPESA_PHONE.value)
    return work.connections.for_method(codes) if codes else None


def way_of(
    work: UnitOfWork, providers: Providers, refund: Refund, part: Part, receipt: Receipt, tries: list[RefundAttempt]
) -> tuple[Way, Connection] | None:
    """The way for the next order about this receipt, None when no way is left.

    The rail goes first, where it can give back so much of it. What it definitely refused is not asked of it again, and
    goes as a payout; but never where it says that nothing will help, since the money may have gone back already.
    """
    mine = [t for t in tries if t.receipt_id == part.receipt_id and t.state is RefundAttemptState.FAILED]
    if any(t.failure is not None and t.failure.try_again is TryAgain.NEVER and not _set_up(t) for t in mine):
        return None
    origin = origin_of(work, providers, receipt)
    if origin is not None and _rail_can(origin, part, receipt) and _may_repeat(mine, Way.RAIL):
        return Way.RAIL, work.connections.get(origin.connection_id)
    line = payout_line(work, providers)
    reachable = refund.destination is not None or payer_of(work, receipt) is not None
    if line is not None and reachable and _may_repeat(mine, Way.PAYOUT) and _channel_can(providers, line, part):
        return Way.PAYOUT, work.connections.get(line.id)
    return None


def _rail_can(origin: Origin, part: Part, receipt: Receipt) -> bool:
    """Over the rail only by the receipt's number, and only whole where it can't give back a part."""
    if Ability.REFUND not in origin.offer.abilities or receipt.receipt_number is None:
        return False
    return origin.offer.partial_refunds or part.units == receipt.amount.units


def _channel_can(providers: Providers, line: Connection, part: Part) -> bool:
    offer = providers.channel_capabilities(line.code)
    return offer.amount_min <= part.units <= offer.amount_max and part.units % offer.amount_granularity == 0


def _set_up(attempt: RefundAttempt) -> bool:
    return attempt.failure is not None and attempt.failure.kind is FailureKind.SET_UP


def _may_repeat(failed: list[RefundAttempt], way: Way) -> bool:
    """A way that failed is tried again only when it said that later will do, or was wrongly set up."""
    mine = [t for t in failed if t.way is way]
    if not mine:
        return True
    if _set_up(mine[-1]):
        return True
    last = mine[-1].failure
    return last is not None and last.try_again is TryAgain.LATER and len(mine) < TRIES_MAX
