"""Payouts as a business asks for them: create, cancel, retry, refresh, read. Money is reserved at creation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.amounts import check_bounds, money_of
from gateway.application.answers import answered, refuse_other_request
from gateway.application.commands import ListQuery, NewPayout
from gateway.application.debts import refuse_debtors
from gateway.application.interfaces import AlreadyMade, Call, Due, Json, OpenUnit, Providers, UnitOfWork
from gateway.application.lists import listed, page_of
from gateway.application.payments import require_open
from gateway.application.windows import unavailable
from gateway.domain import postings
from gateway.domain.connections import Connection
from gateway.domain.errors import Conflict, IllegalStep, Invalid, StateRefused, Unprocessable
from gateway.domain.fees import FeeSchedule, charge_beside
from gateway.domain.maintenance import Halt, Hold
from gateway.domain.payouts import PAYOUT, Payout, PayoutAttemptState, PayoutAttemptStep, PayoutState, PayoutStep
from gateway.domain.phones import mask, to_e164
from gateway.domain.quotes import QuoteType
from ports.money import Money
from ports.payout_channel import Destination, DestinationKind
from ports.report import Failure, FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePayout:
    """Reserve amount and fee, and queue the payout: one transaction, refused when the balance doesn't cover it."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, command: NewPayout, call: Call) -> Json:
        """The payout, `queued`. Raises InsufficientFunds as the unit closes; nothing is left behind then."""
        amount = money_of(command.amount, command.currency)
        destination, masked = destination_of(command)
        try:
            with self.unit(call.scope, call=call) as work:
                require_open(work, call, "payouts")
                refuse_debtors(work)
                connection = self._some_channel_pays(work, command.destination_kind, amount)
                payout = _new_payout(work, command, amount, destination, masked, call)
                work.payouts.add(payout, call.idempotency)
                work.journal.post(postings.payout_accepted(payout))
                lane = connection.id
                work.due.put(Due(kind="payout.submit", subject_id=payout.id, due_at=work.now, lane=lane))
                view = shown.payout(payout)
                work.events.put("payout.created", payout.id, view)
                work.events.put("payout.queued", payout.id, view)
                return answered(work, 201, view)
        except AlreadyMade as made:
            refuse_other_request(made)
            with self.unit(call.scope, call=call) as work:
                return answered(work, 201, shown.payout(work.payouts.get(made.object_id)))

    def _some_channel_pays(self, work: UnitOfWork, kind: str, amount: Money) -> Connection:
        codes = self.providers.channel_codes(kind)
        connection = work.connections.for_method(codes) if codes else None
        if connection is None:
            raise Unprocessable(
                f"no channel that pays to {kind} is connected",
                code="destination_not_available",
                param="/destination/type",
            )
        if Halt.PAYOUTS.value in connection.halted:
            raise unavailable(Hold(reason="paused"), work.now)
        offer = self.providers.channel_capabilities(connection.code)
        check_bounds(amount, offer.amount_min, offer.amount_max, offer.amount_granularity)
        return connection


def destination_of(command: NewPayout) -> tuple[Destination, str]:
    """The destination and how it is shown. Raises Invalid naming the field."""
    try:
        kind = DestinationKind(command.destination_kind)
    except ValueError:
        kinds = ", ".join(k.value for k in DestinationKind)
        raise Invalid(
            f"destination type must be one of: {kinds}", code="destination_invalid", param="/destination/type"
        ) from None
    if kind is not DestinationKind.MPESA_PHONE:
        raise Unprocessable(
            "only mpesa_phone can be paid to for now", code="destination_not_available", param="/destination/type"
        )
    phone = to_e164(command.account, param="/destination/phone")
    return Destination(kind=kind, account=phone), mask(phone)


def _new_payout(
    work: UnitOfWork, command: NewPayout, amount: Money, destination: Destination, masked: str, call: Call
) -> Payout:
    charge = charge_beside(_schedule(work, command, amount), amount.units)
    return Payout(
        id=call.idempotency.object_id if call.idempotency else work.new_id(),
        business_id=call.business_id,
        livemode=call.livemode,
        created=work.now,
        updated=work.now,
        metadata=dict(command.metadata),
        amount=amount,
        charge=charge,
        destination=destination,
        destination_masked=masked,
        description=command.description,
        reference=command.reference,
    )


def _schedule(work: UnitOfWork, command: NewPayout, amount: Money) -> FeeSchedule:
    if command.quote_id is None:
        return work.businesses.fee_schedule("payout", work.now, command.destination_kind)
    return work.quotes.get(command.quote_id).locked(QuoteType.PAYOUT, command.destination_kind, amount, work.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayout:
    """Cancel before anything was sent; the reservation goes back."""

    unit: OpenUnit

    def __call__(self, payout_id: UUID, call: Call) -> Json:
        """The payout, canceled. Raises StateRefused (`payout_not_cancelable`) once it may have been sent."""
        with self.unit(call.scope, call=call) as work:
            payout = work.payouts.get(payout_id, lock=True)
            if not PAYOUT.allows(payout.state, PayoutStep.CANCEL):
                raise not_cancelable(payout.state)
            canceled = payout.take(PayoutStep.CANCEL, work.now, waiting_for=None)
            if canceled.state is payout.state:
                return answered(work, 200, shown.payout(payout))
            if payout.needs_attention:
                raise Conflict(
                    "an earlier attempt of this payout may have been paid; it can't be canceled until that is settled",
                    code="payout_not_cancelable",
                )
            _end_unsent(work, payout)
            canceled = work.payouts.save(canceled)
            work.due.drop("payout.submit", payout.id)
            work.journal.post(postings.payout_not_paid(canceled, work.now))
            view = shown.payout(canceled)
            work.events.put("payout.canceled", payout.id, view)
            return answered(work, 200, view)


def not_cancelable(state: PayoutState) -> StateRefused:
    """Why it can't be canceled any more."""
    refusal = IllegalStep(state=state.value, step=PayoutStep.CANCEL.value, allowed=PAYOUT.allowed(state))
    return StateRefused(
        f"this payout is {state.value}; only a queued payout can be canceled", refusal, code="payout_not_cancelable"
    )


def _end_unsent(work: UnitOfWork, payout: Payout) -> None:
    """A try that was put back as not sent ends with the payout; one that may have been sent forbids canceling."""
    for attempt in work.payout_attempts.of(payout.id):
        if not attempt.is_open:
            continue
        if attempt.state is not PayoutAttemptState.CREATED:
            raise not_cancelable(payout.state)
        ended = attempt.take(PayoutAttemptStep.FAIL, work.now)
        work.payout_attempts.save(replace(ended, failure=Failure(kind=FailureKind.OTHER, detail="canceled unsent")))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPayout:
    """Hurry a queued payout. What is on its way, unknown or decided is never sent again."""

    unit: OpenUnit

    def __call__(self, payout_id: UUID, call: Call) -> Json:
        """The payout. Raises Conflict in any state but `queued`."""
        with self.unit(call.scope, call=call) as work:
            payout = work.payouts.get(payout_id, lock=True)
            if payout.state is PayoutState.UNKNOWN:
                raise Conflict(
                    "the outcome isn't known; sending again could pay twice: use refresh to ask",
                    code="payout_outcome_unknown",
                )
            if payout.state is not PayoutState.QUEUED:
                raise Conflict(
                    f"this payout is {payout.state.value} and can't be sent again; create a new one if need be",
                    code="payout_not_retryable",
                )
            if payout.needs_attention:
                raise Conflict(
                    "an earlier attempt of this payout may have been paid; sending again could pay twice",
                    code="payout_outcome_unknown",
                )
            work.due.put(Due(kind="payout.submit", subject_id=payout.id, due_at=work.now))
            return answered(work, 200, shown.payout(payout))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPayout:
    """Hurry the question about an open payout; the provider is asked by a worker."""

    unit: OpenUnit

    def __call__(self, payout_id: UUID, call: Call) -> Json:
        """The payout as it stands now."""
        with self.unit(call.scope, call=call) as work:
            payout = work.payouts.get(payout_id)
            for attempt in work.payout_attempts.of(payout_id):
                if attempt.is_open and attempt.state is not PayoutAttemptState.CREATED:
                    work.due.put(Due(kind="payout.look_up", subject_id=attempt.id, due_at=work.now))
            return answered(work, 200, shown.payout(payout))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPayouts:
    """Read payouts and their attempts."""

    unit: OpenUnit

    def get(self, payout_id: UUID, call: Call, expand: Sequence[str] = ()) -> Json:
        """One payout; `expand` may name `attempts`."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            payout = work.payouts.get(payout_id)
            attempts = work.payout_attempts.of(payout_id) if "attempts" in expand else None
            return shown.payout(payout, attempts=attempts)

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of payouts, newest first; attempts of the whole page come in one query."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found, more = work.payouts.page(page_of(query))
            wanted = "attempts" in query.expand and found
            tries = work.payout_attempts.of_many([p.id for p in found]) if wanted else None
            return listed(
                [shown.payout(p, attempts=None if tries is None else tries.get(p.id, ())) for p in found], more
            )

    def attempts(self, payout_id: UUID, call: Call) -> Json:
        """All attempts of a payout, oldest first."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.payouts.get(payout_id)
            return listed([shown.payout_attempt(a) for a in work.payout_attempts.of(payout_id)], False)

    def timeline(self, payout_id: UUID, call: Call) -> Json:
        """All that happened to a payout, oldest first."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.payouts.get(payout_id)
            return listed(list(work.timelines.of_payout(payout_id)), False)
