"""Conversions of collected money: opened with the receipt, delivered by the partner at our word, proved by our node.

A collection that a partner holds is the business's credit all the same; what happens here is between the partner and
the company. The partner's word moves a conversion on; tokens on our own chain alone settle it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from gateway.application.chain_bookings import claim_from_suspense
from gateway.application.interfaces import Call, Due, Insist, OpenUnit, ProviderExchange, Providers, UnitOfWork, once
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.conversions import Conversion, ConversionState, ConversionStep, Direction, deviates
from ports.abilities import Ability, Delivers, Delivery, DeliveryOrder, DeliveryState, Quotes, Rate
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.money import zero

#: Seconds between questions about a delivery that has no transaction yet; the last one repeats.
LADDER_S = (5, 10, 20, 60, 300, 900)
#: A conversion that is held, or whose connection is paused, is looked at again after this.
HELD_S = 600
#: A delivery that our node doesn't see so long after it was asked for is a person's to look at.
LATE = timedelta(minutes=30)
#: Questions end after this; the conversion stays open, aged and alarming.
ASKED_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConversion:
    """Open the conversion of a receipt that a partner holds. Opening it twice is opening it."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, receipt_id: UUID, call: Call) -> datetime | None:
        """None: it stands, and its delivery is due."""
        with self.unit(call.scope, call=call) as work:
            receipt = work.receipts.get(receipt_id)
            if receipt.attempt_id is None or receipt.clearing_id is None:
                return None
            attempt = work.attempts.get(receipt.attempt_id)
            connection = work.connections.get(receipt.clearing_id)
            landing = cast(Delivers, self.providers.rail(connection)).landing()
            conversion = Conversion(
                id=work.new_id(),
                livemode=receipt.livemode,
                created=work.now,
                updated=work.now,
                direction=Direction.IN,
                connection_id=connection.id,
                business_id=receipt.business_id,
                source_id=receipt.id,
                network=landing.network,
                address=landing.address.lower(),
                fiat=receipt.amount,
                fee=zero(receipt.amount.asset),
                tokens=zero(landing.asset),
                reference=attempt.reference,
                order=attempt.provider_reference,
            )
            if work.conversions.add(conversion):
                due = Due(kind="conversion.deliver", subject_id=conversion.id, due_at=work.now, lane=connection.id)
                work.due.put(due)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A call about to be made."""

    conversion: Conversion
    connection: Connection
    order: DeliveryOrder
    reference_rate: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverConversion:
    """Have a conversion delivered, and ask about it until our node has seen it."""

    unit: OpenUnit
    providers: Providers
    insist: Insist = once
    deviation_bps: int = 200
    tolerance_bps: int = 100

    def __call__(self, conversion_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None when there is nothing more to do."""
        with self.unit(call.scope, call=call) as work:
            found = self._prepare(work, conversion_id)
        if not isinstance(found, Errand):
            return found
        if found.conversion.state is ConversionState.QUOTED:
            return self._begin(found, call)
        return self._ask(found, call)

    def _prepare(self, work: UnitOfWork, conversion_id: UUID) -> Errand | datetime | None:
        conversion = work.conversions.get(conversion_id, lock=True)
        if not conversion.is_open:
            return None
        connection = work.connections.get(conversion.connection_id)
        if connection.state is ConnectionState.PAUSED:
            return work.now + timedelta(seconds=HELD_S)
        if conversion.state is ConversionState.REQUESTED:
            # Found so after a crash: it may have been released. It is asked about before it is asked for again.
            conversion = work.conversions.save(conversion.take(ConversionStep.LOSE, work.now))
        if conversion.tx is not None:
            return self._wait_for_chain(work, conversion)
        if conversion.order is None or conversion.reference is None:
            work.alerts.raise_("conversion_stuck", conversion.id, "the partner's order isn't known")
            return work.now + timedelta(seconds=HELD_S)
        order = DeliveryOrder(
            reference=conversion.reference,
            provider_reference=conversion.order,
            network=conversion.network,
            address=conversion.address,
            asset=conversion.tokens.asset.code,
        )
        rate = work.conversions.last_price(conversion.tokens.asset.code, conversion.fiat.asset.code)
        return Errand(conversion=conversion, connection=connection, order=order, reference_rate=rate)

    def _wait_for_chain(self, work: UnitOfWork, conversion: Conversion) -> datetime | None:
        """Its transaction is named: our node has the last word. Long unseen, a person is told, once in a while."""
        if claim_from_suspense(work, conversion, self.tolerance_bps):
            return None
        age = work.now - conversion.created
        if age > LATE:
            work.alerts.raise_(
                "delivery_missing", conversion.id, "a partner names a transaction that brought us nothing"
            )
        return work.now + LATE if age < ASKED_FOR else None

    def _begin(self, errand: Errand, call: Call) -> datetime | None:
        """Look at the price, write down that we ask, and ask."""
        rate = self._quote(errand)
        with self.unit(call.scope, call=call) as work:
            conversion = work.conversions.get(errand.conversion.id, lock=True)
            if conversion.state is not ConversionState.QUOTED:
                return work.now
            if isinstance(rate, str):
                return self._hold(work, conversion, rate)
            conversion = work.conversions.save(
                conversion.take(
                    ConversionStep.REQUEST,
                    work.now,
                    tokens=conversion.tokens if rate is None else rate.get,
                    fee=conversion.fee if rate is None else rate.fee,
                    sends=conversion.sends + 1,
                    held_for=None,
                )
            )
        return self.insist(self._deliver(replace(errand, conversion=conversion), call))

    def _quote(self, errand: Errand) -> Rate | str | None:
        """The partner's price now; a word why not, when it can't be had or is out of line."""
        offer = self.providers.rail_capabilities(errand.connection.code)
        if Ability.QUOTE not in offer.abilities:
            return None
        try:
            rate = cast(Quotes, self.providers.rail(errand.connection)).quote_in(errand.conversion.fiat)
        except Misconfigured:
            return "set_up"
        except PortError as error:
            return f"no_quote {type(error).__name__}"
        except Exception as fault:
            # An adapter's own fault while it asked for a price: nothing was ordered.
            return f"no_quote {type(fault).__name__}"
        if rate.get.asset != errand.conversion.tokens.asset or not rate.get.units:
            return "quote_of_another_asset"
        price = (rate.give.units, rate.get.units)
        if errand.reference_rate is not None and deviates(price, errand.reference_rate, self.deviation_bps):
            return "rate_deviation"
        return rate

    def _hold(self, work: UnitOfWork, conversion: Conversion, why: str) -> datetime:
        work.conversions.save(conversion.take(ConversionStep.PUT_BACK, work.now, held_for=why))
        if why == "set_up":
            work.connections.pause(conversion.connection_id, "the partner refused our credentials", work.now)
            work.alerts.raise_("connection_paused", conversion.connection_id, "the partner refused our credentials")
        elif not why.startswith("no_quote"):
            work.alerts.raise_("conversion_held", conversion.id, f"held: {why}")
        return work.now + timedelta(seconds=30 if why.startswith("no_quote") else HELD_S)

    def _deliver(self, errand: Errand, call: Call) -> Callable[[], datetime | None]:
        said, word = self._called(errand, "deliver")
        return lambda: self._record(errand, "deliver", said, word, call)

    def _ask(self, errand: Errand, call: Call) -> datetime | None:
        said, word = self._called(errand, "look_up_delivery")
        return self._record(errand, "look_up_delivery", said, word, call)

    def _called(self, errand: Errand, operation: str) -> tuple[Delivery | None, str]:
        try:
            said: Delivery = getattr(self.providers.rail(errand.connection), operation)(errand.order)
        except PortError as error:
            return None, type(error).__name__
        except Exception as fault:
            # An adapter's own fault: a byte may have left.
            return None, f"fault {type(fault).__name__}"
        return said, said.state.value

    def _record(self, errand: Errand, operation: str, said: Delivery | None, word: str, call: Call) -> datetime | None:
        with self.unit(call.scope, call=call) as work:
            note(work, errand, operation, word)
            conversion = work.conversions.get(errand.conversion.id, lock=True)
            if not conversion.is_open:
                return None
            moved = self._moved(work, conversion, operation, said, word)
            work.conversions.save(moved)
            if moved.tx is not None and claim_from_suspense(work, work.conversions.get(moved.id), self.tolerance_bps):
                return None
            return work.now + timedelta(seconds=_wait_s(moved, word))

    def _moved(
        self, work: UnitOfWork, conversion: Conversion, operation: str, said: Delivery | None, word: str
    ) -> Conversion:
        """The conversion after an answer, or the want of one."""
        asked = {"look_ups": conversion.look_ups + 1}
        if said is not None and said.tx is not None and said.state is not DeliveryState.REFUSED:
            return self._named(work, conversion, said.tx, asked)
        if operation == "look_up_delivery":
            return self._looked_up(work, conversion, said, asked)
        if word == DeliveryState.PENDING.value or word in (AlreadyTaken.__name__, DeliveryState.SENT.value):
            return conversion.take(ConversionStep.EXECUTE, work.now)
        if word == NotSent.__name__:
            return conversion.take(ConversionStep.PUT_BACK, work.now)
        if word == Misconfigured.__name__:
            work.connections.pause(conversion.connection_id, "the partner refused our credentials", work.now)
            work.alerts.raise_("connection_paused", conversion.connection_id, "the partner refused our credentials")
            return conversion.take(ConversionStep.PUT_BACK, work.now)
        if word in (Refused.__name__, DeliveryState.REFUSED.value):
            detail = "refused" if said is None else said.detail
            work.alerts.raise_("conversion_held", conversion.id, f"the partner refuses to deliver: {detail}")
            return conversion.take(ConversionStep.PUT_BACK, work.now, held_for="refused")
        return conversion.take(ConversionStep.LOSE, work.now)

    def _looked_up(
        self, work: UnitOfWork, conversion: Conversion, said: Delivery | None, asked: dict[str, Any]
    ) -> Conversion:
        """A question changes little: nothing found of a lost request lets it be made once more, since it is safe."""
        if work.now > conversion.created + LATE:
            work.alerts.raise_("delivery_missing", conversion.id, "a partner holds money and hasn't delivered")
        nothing = said is not None and said.state is DeliveryState.NO_NEWS
        if nothing and conversion.state is ConversionState.UNKNOWN:
            back = conversion.take(ConversionStep.REQUEST, work.now, **asked)
            return back.take(ConversionStep.PUT_BACK, work.now)
        return replace(conversion, updated=work.now, **asked)

    def _named(self, work: UnitOfWork, conversion: Conversion, tx: str, asked: dict[str, Any]) -> Conversion:
        """The partner names a transaction. One that another conversion has is no delivery of this one."""
        if not work.conversions.names(conversion, tx):
            work.alerts.raise_("delivery_doubtful", conversion.id, "a partner names one transaction for two orders")
            return conversion.take(ConversionStep.LOSE, work.now, **asked)
        return conversion.take(ConversionStep.EXECUTE, work.now, tx=tx, **asked)


def note(work: UnitOfWork, errand: Errand, operation: str, word: str) -> None:
    """Keep that the partner was called, and what it came to."""
    work.evidence.add_exchange(
        ProviderExchange(
            id=work.new_id(),
            subject_kind="conversion",
            subject_id=errand.conversion.id,
            connection_id=errand.connection.id,
            operation=operation,
            started_at=work.now,
            ended_at=work.now,
            outcome=word,
        )
    )


def _wait_s(conversion: Conversion, word: str) -> int:
    if conversion.held_for is not None or word == Misconfigured.__name__:
        return HELD_S
    if conversion.tx is not None:
        return int(LATE.total_seconds())
    if word == OutcomeUnknown.__name__:
        return LADDER_S[0]
    return LADDER_S[min(conversion.look_ups, len(LADDER_S) - 1)]
