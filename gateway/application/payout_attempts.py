"""What workers do about payouts: promise the float, send, ask. Two transactions, the world between."""

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
from gateway.application.payout_reports import News, RecordPayoutReport, fail_payout
from gateway.application.provider_calls import asked, next_question_s, note_call
from gateway.application.replies import LOOK_UP, Replying
from gateway.application.windows import wait_s
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.maintenance import Halt
from gateway.domain.payouts import (
    Payout,
    PayoutAttempt,
    PayoutAttemptState,
    PayoutAttemptStep,
    PayoutState,
    PayoutStep,
)
from ports.callback import ReplyTo
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.payment_rail import Question
from ports.payout_channel import Bundle, ChannelCapabilities, Instruction, PaysFrom
from ports.registration import LookUp, LookUpBy, ReferenceForm
from ports.report import Failure, FailureKind, Report, Status

#: What is done about an instruction that was found `submitting`.
AfterCrash = Callable[[UnitOfWork, Payout, PayoutAttempt, ChannelCapabilities], None]

#: A payout that waits for float is looked at again after this.
SHORT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutErrand:
    """What a worker carries from the first transaction to the provider."""

    payout: Payout
    attempt: PayoutAttempt
    connection: Connection
    reply_to: ReplyTo
    started: datetime
    funding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitPayout:
    """Send one instruction: float promised and `submitting` committed, then the call, then its answer recorded."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    chance: Chance
    record: RecordPayoutReport
    after_crash: AfterCrash
    insist: Insist = once
    spaced: Spaced = as_told

    def __call__(self, payout_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None. Found `submitting` (a crash), it becomes unknown and is asked about."""
        with self.unit(call.scope, call=call) as work:
            claimed = self._claim(work, payout_id)
        if not isinstance(claimed, PayoutErrand):
            return claimed
        return self.insist(self._call(claimed, call))

    def _call(self, claimed: PayoutErrand, call: Call) -> Callable[[], datetime | None]:
        """Call the provider; gives what is to be recorded. Its answer is in nobody's memory but ours, so the caller
        insists on writing it down, also while the database is away."""
        try:
            submission = built(self.providers.channel, claimed.connection).submit(bundle_of(claimed))
        except Refused as refused:
            return partial(self._refused, claimed, refused.failure, call)
        except NotSent as not_sent:
            after_s = self.spaced(claimed.connection.id, not_sent.retry_after_s)
            return partial(self._put_back, claimed, after_s, "NotSent", str(not_sent), call)
        except Misconfigured as wrong:
            return partial(self._misconfigured, claimed, wrong, call)
        except AlreadyTaken as taken:
            return partial(self._lost, claimed, "AlreadyTaken", taken.provider_reference, call)
        except OutcomeUnknown:
            return partial(self._lost, claimed, "OutcomeUnknown", None, call)
        except Exception as fault:
            # An adapter's own fault: a byte may have left, so it is unknown like any silence.
            return partial(self._lost, claimed, f"fault {type(fault).__name__}", None, call)
        return partial(self._answered, claimed, submission.reports[0], call)

    def _claim(self, work: UnitOfWork, payout_id: UUID) -> PayoutErrand | datetime | None:
        payout = work.payouts.get(payout_id, lock=True)
        live = next((a for a in work.payout_attempts.of(payout_id) if a.is_open), None)
        if payout.state is PayoutState.SUBMITTING and live is not None:
            self.after_crash(work, payout, work.payout_attempts.get(live.id, lock=True), self._offer(live.channel))
            return None
        if payout.state is not PayoutState.QUEUED:
            return None
        if payout.needs_attention:
            # An earlier attempt may have been paid: whether another one goes out is a person's to say.
            self._wait(work, payout, "attention", SHORT_S)
            return None
        connection = self._connection(work, payout, live)
        if connection is None:
            return self._wait(work, payout, "channel_unavailable", PAUSED_S)
        if (held := connection.hold(Halt.PAYOUTS, work.now)) is not None:
            return self._wait(work, payout, held.reason, wait_s(held, work.now, PAUSED_S))
        attempt = live or self._new_attempt(work, payout, connection)
        if self._offer(connection.code).pays_from is PaysFrom.CHAIN:
            return self._claim_funded(work, payout, attempt, connection, fresh=live is None)
        if not work.payout_attempts.promise(attempt.float_id, payout.id, payout.amount.units):
            short = work.refund_attempts.short_of(attempt.float_id)
            work.alerts.raise_("float_low", attempt.float_id, f"payouts wait: {short} minor units are missing")
            return self._wait(work, payout, "insufficient_channel_float", SHORT_S)
        return self._commit_to(work, payout, attempt, connection, fresh=live is None)

    def _claim_funded(
        self, work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, connection: Connection, *, fresh: bool
    ) -> PayoutErrand | datetime | None:
        """A channel that pays from a chain is told once final transactions of ours have paid for it."""
        if fresh:
            work.payout_attempts.add(attempt)
            payout = work.payouts.save(
                replace(payout, attempts=attempt.number, waiting_for="funding", updated=work.now)
            )
        conversion = work.conversions.of_source(attempt.id)
        if conversion is not None and conversion.tx is not None:
            errand = self._commit_to(work, payout, attempt, connection, fresh=False)
            return replace(errand, funding=conversion.tx)
        if conversion is None:
            work.due.put(Due(kind="payout.fund", subject_id=attempt.id, due_at=work.now, lane=connection.id))
        return self._wait(work, payout, "funding", SHORT_S)

    def _offer(self, code: str) -> ChannelCapabilities:
        return self.providers.channel_capabilities(code)

    def _connection(self, work: UnitOfWork, payout: Payout, live: PayoutAttempt | None) -> Connection | None:
        if live is not None:
            return work.connections.get(live.connection_id)
        found = work.connections.for_method(self.providers.channel_codes(payout.destination.kind.value))
        return None if found is None else work.connections.get(found.id)

    def _wait(self, work: UnitOfWork, payout: Payout, reason: str, seconds: int) -> datetime:
        if payout.waiting_for != reason:
            work.payouts.save(replace(payout, waiting_for=reason, updated=work.now))
        return work.now + timedelta(seconds=seconds)

    def _new_attempt(self, work: UnitOfWork, payout: Payout, connection: Connection) -> PayoutAttempt:
        offer = self._offer(connection.code)
        return PayoutAttempt(
            id=work.new_id(),
            payout_id=payout.id,
            business_id=payout.business_id,
            livemode=payout.livemode,
            created=work.now,
            updated=work.now,
            number=payout.attempts + 1,
            connection_id=connection.id,
            channel=connection.code,
            float_id=connection.float_id,
            reference=reference_of(work, offer.reference_form, self.chance),
            amount=payout.amount,
        )

    def _commit_to(
        self, work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, connection: Connection, *, fresh: bool
    ) -> PayoutErrand:
        claimed = attempt.take(PayoutAttemptStep.CLAIM, work.now, submitted_at=work.now, sends=attempt.sends + 1)
        if fresh:
            work.payout_attempts.add(claimed)
        else:
            claimed = work.payout_attempts.save(claimed)
        payout = work.payouts.save(payout.take(PayoutStep.CLAIM, work.now, waiting_for=None, attempts=claimed.number))
        reply_to = self.replying.open(
            work, connection, subject_kind="payout_attempt", subject_id=claimed.id, purpose="submit"
        )
        return PayoutErrand(payout=payout, attempt=claimed, connection=connection, reply_to=reply_to, started=work.now)

    def _answered(self, errand: PayoutErrand, report: Report, call: Call) -> None:
        if report.status is Status.FAILED and report.grade.is_strong:
            self._refused(errand, report.failure or Failure(kind=FailureKind.OTHER), call)
            return
        with self.unit(call.scope, call=call) as work:
            note_payout(work, errand, "submit", report.status.value)
            self.record.within(work, errand.attempt.id, News(report=report, of_start=True))

    def _refused(self, errand: PayoutErrand, failure: Failure, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            note_payout(work, errand, "submit", "Refused", failure.provider_code)
            payout, attempt = lock_payout(work, errand.attempt.id)
            fail_payout(work, payout, attempt, failure)

    def _put_back(self, errand: PayoutErrand, after_s: int, word: str, detail: str, call: Call) -> datetime | None:
        with self.unit(call.scope, call=call) as work:
            note_payout(work, errand, "submit", word, detail)
            payout, attempt = lock_payout(work, errand.attempt.id)
            if attempt.sends != errand.attempt.sends:
                # Written down before, and sent once more since: that call is another's.
                return None
            if attempt.woken is not None:
                # News of this very call came: whatever the adapter says, it may have been sent.
                lose_payout(work, payout, attempt, self._offer(attempt.channel))
                return None
            back = attempt.take(PayoutAttemptStep.PUT_BACK, work.now)
            if back.state is not PayoutAttemptState.CREATED:
                return None
            work.payout_attempts.save(replace(back, submitted_at=None))
            work.payouts.save(payout.take(PayoutStep.PUT_BACK, work.now, waiting_for="channel_unavailable"))
            return work.now + timedelta(seconds=after_s)

    def _misconfigured(self, errand: PayoutErrand, wrong: Misconfigured, call: Call) -> datetime | None:
        again = self._put_back(errand, PAUSED_S, "Misconfigured", str(wrong), call)
        pause(self.unit, errand.connection.id, str(wrong), call)
        return again

    def _lost(self, errand: PayoutErrand, word: str, provider_reference: str | None, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            note_payout(work, errand, "submit", word)
            payout, attempt = lock_payout(work, errand.attempt.id)
            named = provider_reference is not None and not self.record.is_anothers(work, attempt, provider_reference)
            if attempt.provider_reference is None and named:
                attempt = replace(attempt, provider_reference=provider_reference)
            lose_payout(work, payout, attempt, self._offer(attempt.channel))


def reference_of(work: UnitOfWork, form: ReferenceForm, chance: Chance) -> str:
    """A reference in the form that the channel declares; never one of our object ids."""
    return str(work.new_id()) if form.uuid else chance.pick(form.alphabet, form.max_length)


def bundle_of(errand: PayoutErrand) -> Bundle:
    """The instruction as the channel takes it: the same bytes whenever it is sent."""
    attempt = errand.attempt
    instruction = Instruction(
        reference=attempt.reference,
        amount=attempt.amount,
        destination=errand.payout.destination,
        text=errand.payout.reference or "Payout",
        reply_to=errand.reply_to,
    )
    return Bundle(id=attempt.reference, instructions=(instruction,), funding=errand.funding)


def funding_of(work: UnitOfWork, attempt: PayoutAttempt) -> str | None:
    """The final transaction that paid for an attempt, where its channel pays from a chain."""
    conversion = work.conversions.of_source(attempt.id)
    return None if conversion is None else conversion.tx


def lock_payout(work: UnitOfWork, attempt_id: UUID) -> tuple[Payout, PayoutAttempt]:
    """Payout first, attempt second: one order everywhere."""
    payout = work.payouts.get(work.payout_attempts.get(attempt_id).payout_id, lock=True)
    return payout, work.payout_attempts.get(attempt_id, lock=True)


def lose_payout(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, offer: ChannelCapabilities) -> None:
    """Silence: unknown, asked about where there is something to ask with, and never sent again."""
    attempt = work.payout_attempts.save(attempt.take(PayoutAttemptStep.LOSE, work.now))
    work.payouts.save(payout.take(PayoutStep.LOSE, work.now))
    if attempt.state is PayoutAttemptState.UNKNOWN and can_ask_about(attempt, offer):
        first = timedelta(seconds=offer.look_up_ladder_s[0])
        work.due.put(Due(kind="payout.look_up", subject_id=attempt.id, due_at=work.now + first))


def may_ask_about(attempt: PayoutAttempt, offer: ChannelCapabilities) -> bool:
    """Whether its outcome may still change: it was sent and is open, or it failed and weak news calls it paid."""
    if attempt.state is PayoutAttemptState.FAILED:
        return attempt.woken is not None and attempt.woken < len(offer.woken_ladder_s)
    return attempt.is_open and attempt.state is not PayoutAttemptState.CREATED


def can_ask_about(attempt: PayoutAttempt, offer: ChannelCapabilities) -> bool:
    """Whether the channel answers questions and we hold what its question must name."""
    if offer.look_up is LookUp.NONE:
        return False
    if offer.pays_from is PaysFrom.CHAIN:
        # The transaction that paid for it names it.
        return True
    return offer.look_up_by is LookUpBy.OUR_REFERENCE or attempt.provider_reference is not None


def note_payout(
    work: UnitOfWork, errand: PayoutErrand, operation: str, outcome: str, detail: str | None = None
) -> None:
    """Keep evidence of a call we made."""
    subject = ("payout_attempt", errand.attempt.id)
    note_call(work, subject, errand.connection.id, errand.started, operation, outcome, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpPayout:
    """Ask what became of an instruction; where the answer comes later, its ReplyTo is a secret of its own."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    record: RecordPayoutReport

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """When to ask again, or None when the outcome is known."""
        with self.unit(call.scope, call=call) as work:
            errand = self._prepare(work, attempt_id)
        if not isinstance(errand, PayoutErrand):
            return errand
        report, word = self._ask(errand)
        if word == "Misconfigured":
            pause(self.unit, errand.connection.id, "the provider refused our credentials", call)
        with self.unit(call.scope, call=call) as work:
            note_payout(work, errand, "look_up", "asked" if report.asked else word)
            self.record.within(work, attempt_id, News(report=report))
            return self._next(work, attempt_id)

    def _prepare(self, work: UnitOfWork, attempt_id: UUID) -> PayoutErrand | datetime | None:
        payout, attempt = lock_payout(work, attempt_id)
        offer = self.providers.channel_capabilities(attempt.channel)
        if not may_ask_about(attempt, offer) or not can_ask_about(attempt, offer):
            return None
        floor = timedelta(seconds=offer.floor_s)
        if attempt.looked_up_at is not None and is_too_soon(attempt.looked_up_at, work.now, floor):
            return attempt.looked_up_at + floor
        connection = work.connections.get(attempt.connection_id)
        if connection.state is ConnectionState.PAUSED:
            # Questions with wrong credentials would lock the operator's account.
            return work.now + timedelta(seconds=PAUSED_S)
        woken = None if attempt.woken is None else attempt.woken + 1
        attempt = work.payout_attempts.save(
            replace(attempt, look_ups=attempt.look_ups + 1, looked_up_at=work.now, woken=woken)
        )
        reply_to = self.replying.open(
            work, connection, subject_kind="payout_attempt", subject_id=attempt.id, purpose=LOOK_UP
        )
        return PayoutErrand(
            payout=payout,
            attempt=attempt,
            connection=connection,
            reply_to=reply_to,
            started=work.now,
            funding=funding_of(work, attempt),
        )

    def _ask(self, errand: PayoutErrand) -> tuple[Report, str]:
        attempt = errand.attempt
        question = Question(
            reference=attempt.reference,
            provider_reference=attempt.provider_reference,
            receipt_number=attempt.receipt_number,
            started_at=attempt.submitted_at or attempt.created,
            reply_to=errand.reply_to,
            funding=errand.funding,
        )
        return asked(lambda: self.providers.channel(errand.connection).look_up(question))

    def _next(self, work: UnitOfWork, attempt_id: UUID) -> datetime | None:
        attempt = work.payout_attempts.get(attempt_id)
        offer = self.providers.channel_capabilities(attempt.channel)
        if not may_ask_about(attempt, offer):
            return None
        return work.now + timedelta(seconds=next_question_s(attempt, offer, work.now))
