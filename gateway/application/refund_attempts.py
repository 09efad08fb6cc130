"""What workers do about refunds: promise the float, send one order, ask. Two transactions, the world between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from gateway.application.attempts import PAUSED_S, Spaced, as_told, built, pause
from gateway.application.interfaces import (
    Call,
    Chance,
    Due,
    Insist,
    OpenUnit,
    Providers,
    UnitOfWork,
    once,
)
from gateway.application.look_ups import is_too_soon
from gateway.application.payout_attempts import SHORT_S, reference_of
from gateway.application.provider_calls import asked, next_question_s, note_call
from gateway.application.refund_orders import give_back, look_up
from gateway.application.refund_reports import Held, RecordRefundReport, end_failed, hold, offer_of, subject_of
from gateway.application.refund_ways import payer_of, way_of
from gateway.application.replies import LOOK_UP, Replying
from gateway.application.reports import News
from gateway.application.windows import wait_s
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.maintenance import Halt
from gateway.domain.payments import Payment
from gateway.domain.receipts import Receipt
from gateway.domain.refunds import (
    Part,
    Refund,
    RefundAttempt,
    RefundAttemptState,
    RefundAttemptStep,
    RefundState,
    RefundStep,
    Way,
)
from ports.callback import ReplyTo
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.registration import Capabilities
from ports.report import Failure, FailureKind, Report, Status

_TAKEN_BACK = Failure(kind=FailureKind.OTHER, detail="the provider has taken this payment back itself")
_NO_WAY = Failure(
    kind=FailureKind.DESTINATION_INVALID,
    detail="the rail gives nothing back and the payer's number isn't known, or no channel pays to it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundErrand:
    """What a worker carries from the first transaction to the provider."""

    refund: Refund
    attempt: RefundAttempt
    receipt: Receipt
    payer: str | None
    connection: Connection
    reply_to: ReplyTo
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRefund:
    """Send one order: float promised and `submitting` committed, then the call, then its answer recorded."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    chance: Chance
    record: RecordRefundReport
    insist: Insist = once
    spaced: Spaced = as_told

    def __call__(self, refund_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None. Found `submitting` (a crash), it becomes unknown and is asked about."""
        with self.unit(call.scope, call=call) as work:
            claimed = self._claim(work, refund_id)
        if not isinstance(claimed, RefundErrand):
            return claimed
        return self.insist(self._call(claimed, call))

    def _call(self, errand: RefundErrand, call: Call) -> Callable[[], datetime | None]:
        """Call the provider; gives what is to be recorded."""
        try:
            line = self.providers.rail if errand.attempt.way is Way.RAIL else self.providers.channel
            report = give_back(
                built(line, errand.connection),  # type: ignore[arg-type]
                errand.refund,
                errand.attempt,
                errand.receipt,
                errand.payer,
                errand.reply_to,
            )
        except Refused as refused:
            return partial(self._refused, errand, refused.failure, call)
        except NotSent as not_sent:
            after_s = self.spaced(errand.connection.id, not_sent.retry_after_s)
            return partial(self._put_back, errand, after_s, "NotSent", str(not_sent), call)
        except Misconfigured as wrong:
            return partial(self._misconfigured, errand, wrong, call)
        except AlreadyTaken as taken:
            return partial(self._lost, errand, "AlreadyTaken", taken.provider_reference, call)
        except OutcomeUnknown:
            return partial(self._lost, errand, "OutcomeUnknown", None, call)
        except Exception as fault:
            # An adapter's own fault: a byte may have left, so it is unknown like any silence.
            return partial(self._lost, errand, f"fault {type(fault).__name__}", None, call)
        return partial(self._answered, errand, report, call)

    def _claim(self, work: UnitOfWork, refund_id: UUID) -> RefundErrand | datetime | None:
        payment = work.payments.get(work.refunds.get(refund_id).payment_id, lock=True)
        refund = work.refunds.get(refund_id, lock=True)
        tries = list(work.refund_attempts.of(refund_id))
        live = next((a for a in tries if a.is_open), None)
        if live is not None and live.state is RefundAttemptState.SUBMITTING:
            held = Held(payment=payment, refund=refund, attempt=work.refund_attempts.get(live.id, lock=True))
            lose_refund(work, held, offer_of(self.providers, live))
            return None
        if refund.state is not RefundState.PENDING:
            return None
        if refund.needs_attention:
            # An earlier order may have been done: whether another one goes out is a person's to say.
            return _wait(work, refund, "attention", SHORT_S)
        return self._order(work, refund, payment, tries, live)

    def _order(
        self, work: UnitOfWork, refund: Refund, payment: Payment, tries: list[RefundAttempt], live: RefundAttempt | None
    ) -> RefundErrand | datetime | None:
        gone = {a.receipt_id for a in tries if a.state is RefundAttemptState.SUCCEEDED}
        part = next(p for p in refund.parts if p.receipt_id not in gone)
        receipt = work.receipts.get(part.receipt_id, lock=True)
        if receipt.refunded_units + receipt.reversed_units > receipt.amount.units:
            self._end(work, refund, payment, live, _TAKEN_BACK)
            return None
        way = (live.way, work.connections.get(live.connection_id)) if live else None
        way = way or way_of(work, self.providers, refund, part, receipt, tries)
        if way is None:
            self._end(work, refund, payment, live, refund.failure or _NO_WAY)
            return None
        if (held := way[1].hold(Halt.PAYOUTS, work.now)) is not None:
            return _wait(work, refund, held.reason, wait_s(held, work.now, PAUSED_S))
        attempt = live or self._new_attempt(work, refund, part, *way)
        if not work.refund_attempts.promise(attempt.float_id, refund.id, attempt.amount.units):
            work.alerts.raise_("float_low", attempt.float_id, "a refund waits for the float")
            return _wait(work, refund, "insufficient_channel_float", SHORT_S)
        return self._commit_to(work, refund, attempt, receipt, way[1], fresh=live is None)

    def _end(
        self, work: UnitOfWork, refund: Refund, payment: Payment, live: RefundAttempt | None, failure: Failure
    ) -> None:
        if live is not None:
            ended = work.refund_attempts.get(live.id, lock=True).take(RefundAttemptStep.FAIL, work.now)
            work.refund_attempts.save(replace(ended, failure=failure))
        end_failed(work, refund, payment, failure)

    def _new_attempt(
        self, work: UnitOfWork, refund: Refund, part: Part, way: Way, connection: Connection
    ) -> RefundAttempt:
        offer: Capabilities = (
            self.providers.rail_capabilities(connection.code)
            if way is Way.RAIL
            else self.providers.channel_capabilities(connection.code)
        )
        return RefundAttempt(
            id=work.new_id(),
            refund_id=refund.id,
            business_id=refund.business_id,
            livemode=refund.livemode,
            created=work.now,
            updated=work.now,
            number=refund.attempts + 1,
            way=way,
            connection_id=connection.id,
            code=connection.code,
            float_id=connection.float_id,
            receipt_id=part.receipt_id,
            reference=reference_of(work, offer.reference_form, self.chance),
            amount=replace(refund.amount, units=part.units),
        )

    def _commit_to(
        self,
        work: UnitOfWork,
        refund: Refund,
        attempt: RefundAttempt,
        receipt: Receipt,
        connection: Connection,
        *,
        fresh: bool,
    ) -> RefundErrand:
        claimed = attempt.take(RefundAttemptStep.CLAIM, work.now, submitted_at=work.now, sends=attempt.sends + 1)
        if fresh:
            work.refund_attempts.add(claimed)
        else:
            claimed = work.refund_attempts.save(claimed)
        refund = work.refunds.save(refund.take(RefundStep.SUBMIT, work.now, waiting_for=None, attempts=claimed.number))
        reply_to = self.replying.open(
            work, connection, subject_kind=subject_of(claimed), subject_id=claimed.id, purpose="submit"
        )
        named = None if refund.destination is None else refund.destination.account
        return RefundErrand(
            refund=refund,
            attempt=claimed,
            receipt=receipt,
            payer=named or payer_of(work, receipt),
            connection=connection,
            reply_to=reply_to,
            started=work.now,
        )

    def _answered(self, errand: RefundErrand, report: Report, call: Call) -> None:
        if report.status is Status.FAILED and report.grade.is_strong:
            self._refused(errand, report.failure or Failure(kind=FailureKind.OTHER), call)
            return
        with self.unit(call.scope, call=call) as work:
            _note(work, errand, "submit", report.status.value)
            self.record.within(work, errand.attempt.id, News(report=report, of_start=True))

    def _refused(self, errand: RefundErrand, failure: Failure, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            _note(work, errand, "submit", "Refused", failure.provider_code)
            self.record.failed(work, hold(work, errand.attempt.id), failure)

    def _put_back(self, errand: RefundErrand, after_s: int, word: str, detail: str, call: Call) -> datetime | None:
        with self.unit(call.scope, call=call) as work:
            _note(work, errand, "submit", word, detail)
            held = hold(work, errand.attempt.id)
            if held.attempt.sends != errand.attempt.sends:
                # Written down before, and sent once more since: that call is another's.
                return None
            if held.attempt.woken is not None:
                # News of this very call came: whatever the adapter says, it may have been sent.
                lose_refund(work, held, offer_of(self.providers, held.attempt))
                return None
            back = held.attempt.take(RefundAttemptStep.PUT_BACK, work.now)
            if back.state is not RefundAttemptState.CREATED:
                return None
            work.refund_attempts.save(replace(back, submitted_at=None))
            work.refunds.save(held.refund.take(RefundStep.PUT_BACK, work.now, waiting_for="channel_unavailable"))
            return work.now + timedelta(seconds=after_s)

    def _misconfigured(self, errand: RefundErrand, wrong: Misconfigured, call: Call) -> datetime | None:
        again = self._put_back(errand, PAUSED_S, "Misconfigured", str(wrong), call)
        pause(self.unit, errand.connection.id, str(wrong), call)
        return again

    def _lost(self, errand: RefundErrand, word: str, provider_reference: str | None, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            _note(work, errand, "submit", word)
            held = hold(work, errand.attempt.id)
            attempt = held.attempt
            named = provider_reference is not None and not self.record.is_anothers(work, attempt, provider_reference)
            if attempt.provider_reference is None and named:
                attempt = replace(attempt, provider_reference=provider_reference)
            lose_refund(work, replace(held, attempt=attempt), offer_of(self.providers, attempt))


def _wait(work: UnitOfWork, refund: Refund, reason: str, seconds: int) -> datetime:
    if refund.waiting_for != reason:
        work.refunds.save(replace(refund, waiting_for=reason, updated=work.now))
    return work.now + timedelta(seconds=seconds)


def lose_refund(work: UnitOfWork, held: Held, offer: Capabilities) -> None:
    """Silence: unknown, asked about, and never sent again."""
    attempt = work.refund_attempts.save(held.attempt.take(RefundAttemptStep.LOSE, work.now))
    work.refunds.save(held.refund.take(RefundStep.LOSE, work.now))
    if attempt.state is RefundAttemptState.UNKNOWN:
        first = timedelta(seconds=offer.look_up_ladder_s[0])
        work.due.put(Due(kind="refund.look_up", subject_id=attempt.id, due_at=work.now + first))


def _note(work: UnitOfWork, errand: RefundErrand, operation: str, outcome: str, detail: str | None = None) -> None:
    """Keep evidence of a call we made."""
    subject = (subject_of(errand.attempt), errand.attempt.id)
    note_call(work, subject, errand.connection.id, errand.started, operation, outcome, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpRefund:
    """Ask what became of an order; where the answer comes later, its ReplyTo is a secret of its own."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    record: RecordRefundReport

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """When to ask again, or None when the outcome is known."""
        with self.unit(call.scope, call=call) as work:
            errand = self._prepare(work, attempt_id)
        if not isinstance(errand, RefundErrand):
            return errand
        report, word = self._ask(errand)
        if word == "Misconfigured":
            pause(self.unit, errand.connection.id, "the provider refused our credentials", call)
        with self.unit(call.scope, call=call) as work:
            _note(work, errand, "look_up", "asked" if report.asked else word)
            # A question that was taken says nothing of the refund itself.
            report = replace(report, status=Status.NO_NEWS) if report.asked else report
            self.record.within(work, attempt_id, News(report=report))
            return self._next(work, attempt_id)

    def _prepare(self, work: UnitOfWork, attempt_id: UUID) -> RefundErrand | datetime | None:
        held = hold(work, attempt_id)
        attempt = held.attempt
        offer = offer_of(self.providers, attempt)
        if not may_ask_about(attempt, offer):
            return None
        floor = timedelta(seconds=offer.floor_s)
        if attempt.looked_up_at is not None and is_too_soon(attempt.looked_up_at, work.now, floor):
            return attempt.looked_up_at + floor
        connection = work.connections.get(attempt.connection_id)
        if connection.state is ConnectionState.PAUSED:
            # Questions with wrong credentials would lock the operator's account.
            return work.now + timedelta(seconds=PAUSED_S)
        woken = None if attempt.woken is None else attempt.woken + 1
        attempt = work.refund_attempts.save(
            replace(attempt, look_ups=attempt.look_ups + 1, looked_up_at=work.now, woken=woken)
        )
        reply_to = self.replying.open(
            work, connection, subject_kind=subject_of(attempt), subject_id=attempt.id, purpose=LOOK_UP
        )
        return RefundErrand(
            refund=held.refund,
            attempt=attempt,
            receipt=work.receipts.get(attempt.receipt_id),
            payer=None,
            connection=connection,
            reply_to=reply_to,
            started=work.now,
        )

    def _ask(self, errand: RefundErrand) -> tuple[Report, str]:
        line = self.providers.rail if errand.attempt.way is Way.RAIL else self.providers.channel
        return asked(lambda: look_up(line(errand.connection), errand.attempt, errand.receipt, errand.reply_to))

    def _next(self, work: UnitOfWork, attempt_id: UUID) -> datetime | None:
        attempt = work.refund_attempts.get(attempt_id)
        offer = offer_of(self.providers, attempt)
        if not may_ask_about(attempt, offer):
            return None
        return work.now + timedelta(seconds=next_question_s(attempt, offer, work.now))


def may_ask_about(attempt: RefundAttempt, offer: Capabilities) -> bool:
    """Whether its outcome may still change: it was sent and is open, or it failed and weak news calls it done."""
    if attempt.state is RefundAttemptState.FAILED:
        return attempt.woken is not None and attempt.woken < len(offer.woken_ladder_s)
    return attempt.is_open and attempt.state is not RefundAttemptState.CREATED
