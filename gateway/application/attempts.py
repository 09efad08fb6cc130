"""What workers do about attempts: send, ask, watch the window, give up. Two transactions, the world between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.interfaces import (
    Call,
    Due,
    Insist,
    OpenUnit,
    Providers,
    UnitOfWork,
    once,
)
from gateway.application.pay_to import StartPayTo
from gateway.application.provider_calls import note_call
from gateway.application.replies import Replying
from gateway.application.reports import News, RecordReport, fail
from gateway.application.unsent import fail_unsent, unsent_until
from gateway.domain.attempts import ASKABLE, Attempt, AttemptState, AttemptStep
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.payments import Payment, PaymentState, PaymentStep, PromptAction
from ports.callback import ReplyTo
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.payment_rail import Collection, RailCapabilities
from ports.registration import LookUpBy
from ports.report import Failure, FailureKind, Report, Status

#: A paused connection's work is looked at again after this.
PAUSED_S = 30
#: An outcome that nobody told for so long is a person's.
GIVE_UP_S = 24 * 3600

#: An adapter of either port.
Line = TypeVar("Line")
#: Seconds to a repeat over a connection, of those that its adapter named.
Spaced = Callable[[UUID, int], int]


def as_told(_: UUID, wait_s: int) -> int:
    """As the adapter says."""
    return wait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a worker carries from the first transaction to the provider."""

    attempt: Attempt
    connection: Connection
    reply_to: ReplyTo
    payer: str | None = None
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitAttempt:
    """Send a prompt: `submitting` is committed, then the provider is called, then the answer is recorded."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    record: RecordReport
    insist: Insist = once
    spaced: Spaced = as_told

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None. Found `submitting` (a crash), the try becomes unknown and is never resent."""
        with self.unit(call.scope, call=call) as work:
            payment, attempt = lock(work, attempt_id)
            claimed = None if attempt.pay_to else self._claim(work, payment, attempt)
        if attempt.pay_to:
            starter = StartPayTo(unit=self.unit, providers=self.providers, replying=self.replying)
            return starter(attempt_id, call)
        if not isinstance(claimed, Errand):
            return claimed
        return self.insist(self._call(claimed, call))

    def _call(self, claimed: Errand, call: Call) -> Callable[[], datetime | None]:
        """Call the provider; gives what is to be recorded. Its answer is in nobody's memory but ours, so the caller
        insists on writing it down, also while the database is away."""
        try:
            report = built(self.providers.rail, claimed.connection).start(self._collection(claimed))
        except Refused as refused:
            return partial(self._refused, claimed, refused.failure, call)
        except NotSent as not_sent:
            after_s = self.spaced(claimed.connection.id, not_sent.retry_after_s)
            return partial(self._put_back, claimed, after_s, "NotSent", str(not_sent), call)
        except Misconfigured as wrong:
            return partial(self._misconfigured, claimed, wrong, call)
        except AlreadyTaken as taken:
            theirs = taken.provider_reference
            return partial(self._lost, claimed, "AlreadyTaken", str(taken), call, provider_reference=theirs)
        except OutcomeUnknown as unknown:
            return partial(self._lost, claimed, "OutcomeUnknown", str(unknown), call)
        except Exception as fault:
            # An adapter's own fault: a byte may have left, so it is unknown like any silence.
            return partial(self._lost, claimed, "fault", type(fault).__name__, call)
        return partial(self._answered, claimed, report, call)

    def _claim(self, work: UnitOfWork, payment: Payment, attempt: Attempt) -> Errand | datetime | None:
        if attempt.state is AttemptState.SUBMITTING:
            lose(work, payment, attempt, self.providers.rail_capabilities(attempt.rail))
            return None
        if attempt.state is not AttemptState.CREATED:
            return None
        connection = work.connections.get(attempt.connection_id)
        offer = self.providers.rail_capabilities(attempt.rail)
        if fail_unsent(work, payment, attempt, offer):
            return None
        if connection.state is ConnectionState.PAUSED:
            return work.now + timedelta(seconds=PAUSED_S)
        payer = work.customers.get(attempt.customer_id).phone if attempt.customer_id else None
        reply_to = self.replying.open(work, connection, subject_kind="attempt", subject_id=attempt.id, purpose="start")
        return Errand(
            attempt=_claimed(work, payment, attempt, offer),
            connection=connection,
            reply_to=reply_to,
            payer=payer,
            started=work.now,
        )

    def _collection(self, errand: Errand) -> Collection:
        attempt = errand.attempt
        return Collection(
            reference=attempt.reference,
            amount=attempt.amount,
            payer=errand.payer,
            text=attempt.reference,
            reply_to=errand.reply_to,
            expires_at=attempt.prompt_until or errand.started,
        )

    def _answered(self, errand: Errand, report: Report, call: Call) -> None:
        if report.status is Status.FAILED:
            self._refused(errand, report.failure or Failure(kind=FailureKind.OTHER), call)
            return
        with self.unit(call.scope, call=call) as work:
            note(work, errand, "start", report.status.value)
            self.record.within(work, errand.attempt.id, News(report=report, of_start=True))
            work.ends()

    def _refused(self, errand: Errand, failure: Failure, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            note(work, errand, "start", "Refused", failure.provider_code)
            payment, attempt = lock(work, errand.attempt.id)
            fail(work, payment, attempt, failure)
            work.ends()

    def _put_back(self, errand: Errand, after_s: int, word: str, detail: str, call: Call) -> datetime | None:
        with self.unit(call.scope, call=call) as work:
            note(work, errand, "start", word, detail)
            payment, attempt = lock(work, errand.attempt.id)
            if attempt.sends != errand.attempt.sends:
                # Written down before, and sent once more since: that call is another's.
                return None
            if attempt.woken is not None:
                # News of this very call came: whatever the adapter says, it may have been sent.
                lose(work, payment, attempt, self.providers.rail_capabilities(attempt.rail))
                return None
            back = attempt.take(AttemptStep.PUT_BACK, work.now)
            if back.state is not AttemptState.CREATED:
                return None
            work.attempts.save(replace(back, submitted_at=None, prompt_until=None, blocks_until=None))
            work.due.drop("attempt.give_up", attempt.id)
            until = unsent_until(attempt, self.providers.rail_capabilities(attempt.rail))
            work.due.put(Due(kind="attempt.window", subject_id=attempt.id, due_at=until))
            return work.now + timedelta(seconds=after_s)

    def _misconfigured(self, errand: Errand, wrong: Misconfigured, call: Call) -> datetime | None:
        again = self._put_back(errand, PAUSED_S, "Misconfigured", str(wrong), call)
        pause(self.unit, errand.connection.id, str(wrong), call)
        return again

    def _lost(
        self, errand: Errand, word: str, detail: str, call: Call, *, provider_reference: str | None = None
    ) -> None:
        with self.unit(call.scope, call=call) as work:
            note(work, errand, "start", word, detail)
            payment, attempt = lock(work, errand.attempt.id)
            if attempt.provider_reference is None and provider_reference is not None:
                attempt = replace(attempt, provider_reference=provider_reference)
            lose(work, payment, attempt, self.providers.rail_capabilities(attempt.rail))


def built(build: Callable[[Connection], Line], connection: Connection) -> Line:
    """A connection's adapter. A fault in building it lies before the first byte: raises NotSent then."""
    try:
        return build(connection)
    except PortError:
        raise
    except Exception as fault:
        raise NotSent(f"the adapter can't be built: {type(fault).__name__}", retry_after_s=PAUSED_S) from fault


def lock(work: UnitOfWork, attempt_id: UUID) -> tuple[Payment, Attempt]:
    """Payment first, attempt second: one order everywhere."""
    return work.attempts.locked(attempt_id)


def _claimed(work: UnitOfWork, payment: Payment, attempt: Attempt, offer: RailCapabilities) -> Attempt:
    """Commit to the send: from now on a crash means unknown."""
    prompt_until = work.now + timedelta(seconds=offer.prompt_life_s)
    blocks_until = prompt_until + timedelta(seconds=offer.grace_s)
    attempt = work.attempts.save(
        attempt.take(
            AttemptStep.CLAIM,
            work.now,
            submitted_at=work.now,
            prompt_until=prompt_until,
            blocks_until=blocks_until,
            sends=attempt.sends + 1,
        )
    )
    if payment.state is PaymentState.REQUIRES_ACTION:
        action = PromptAction(expires_at=prompt_until, resend_after=blocks_until)
        work.payments.save(replace(payment, next_action=action, updated=work.now))
    work.due.put(
        Due(kind="attempt.window", subject_id=attempt.id, due_at=prompt_until),
        Due(kind="attempt.give_up", subject_id=attempt.id, due_at=work.now + timedelta(seconds=GIVE_UP_S)),
    )
    return attempt


def lose(work: UnitOfWork, payment: Payment, attempt: Attempt, offer: RailCapabilities) -> None:
    """Silence: the try is unknown, and asked about where there is something to ask with."""
    lost = attempt.take(AttemptStep.LOSE, work.now)
    attempt = work.attempts.save(lost)
    if attempt.state is AttemptState.UNKNOWN and not payment.outcome_unknown:
        work.payments.save(replace(payment, outcome_unknown=True, updated=work.now))
    if attempt.state in ASKABLE and can_ask(attempt, offer):
        first = timedelta(seconds=offer.look_up_ladder_s[0])
        work.due.put(Due(kind="attempt.look_up", subject_id=attempt.id, due_at=work.now + first))


def can_ask(attempt: Attempt, offer: RailCapabilities) -> bool:
    """Whether we hold what the rail's question must name."""
    return offer.look_up_by is LookUpBy.OUR_REFERENCE or attempt.provider_reference is not None


def note(work: UnitOfWork, errand: Errand, operation: str, outcome: str, detail: str | None = None) -> None:
    """Keep evidence of a call we made."""
    subject = ("attempt", errand.attempt.id)
    note_call(work, subject, errand.connection.id, errand.started, operation, outcome, detail)


def pause(unit: OpenUnit, connection_id: UUID, reason: str, call: Call) -> None:
    """Stop new work on a connection, and tell a person: a retry loop would lock the operator's account."""
    with unit(call.scope, call=call) as work:
        work.connections.pause(connection_id, reason, work.now)
        work.alerts.raise_("connection_paused", connection_id, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchWindow:
    """The prompt's window: when it closes the payment is processing; when its grace ends the try is unknown."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None. A timer asserts nothing: it never fails a try."""
        with self.unit(call.scope, call=call) as work:
            payment, attempt = lock(work, attempt_id)
            if attempt.state is AttemptState.CREATED and not attempt.pay_to:
                offer = self.providers.rail_capabilities(attempt.rail)
                return None if fail_unsent(work, payment, attempt, offer) else unsent_until(attempt, offer)
            if attempt.state not in ASKABLE or attempt.prompt_until is None or attempt.blocks_until is None:
                return None
            if work.now < attempt.prompt_until:
                return attempt.prompt_until
            payment = self._close(work, payment, attempt)
            if work.now < attempt.blocks_until:
                return attempt.blocks_until
            lose(work, payment, attempt, self.providers.rail_capabilities(attempt.rail))
            return None

    def _close(self, work: UnitOfWork, payment: Payment, attempt: Attempt) -> Payment:
        """A window that is closed late says nothing of a newer prompt."""
        over = payment.take(PaymentStep.WINDOW_OVER, work.now)
        if over.state is payment.state or work.attempts.of(payment.id)[-1].id != attempt.id:
            return payment
        over = work.payments.save(over)
        work.events.put("payment.processing", over.id, shown.payment(over))
        return over


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUpOnAttempt:
    """After a day without an outcome: a person, a statement or late news must settle it."""

    unit: OpenUnit

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """None: there is nothing more to time."""
        with self.unit(call.scope, call=call) as work:
            payment, attempt = lock(work, attempt_id)
            if attempt.state not in ASKABLE:
                return None
            if not payment.outcome_unknown:
                work.payments.save(replace(payment, outcome_unknown=True, updated=work.now))
            if attempt.state is AttemptState.SUBMITTING:
                attempt = attempt.take(AttemptStep.LOSE, work.now)
            given_up = attempt.take(AttemptStep.GIVE_UP, work.now)
            if given_up.state is not attempt.state:
                work.attempts.save(given_up)
                work.alerts.raise_("attempt_unresolved", attempt.id, "no outcome for a day; settle it by statement")
            return None
