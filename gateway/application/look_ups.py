"""How workers ask what became of an attempt: on the rail's ladder, or at once when woken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.attempts import PAUSED_S, Errand, can_ask, note, pause
from gateway.application.interfaces import Call, OpenUnit, Providers, UnitOfWork
from gateway.application.provider_calls import asked
from gateway.application.replies import LOOK_UP, Replying
from gateway.application.reports import News, RecordReport
from gateway.domain.attempts import ASKABLE, DOUBTED, Attempt
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.proof import Verdict
from ports.payment_rail import PaymentRail, Question, RailCapabilities
from ports.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpAttempt:
    """Ask the provider what became of a try, on the ladder that the rail declares."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    record: RecordReport

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """When to ask again, or None when there is nothing more to ask."""
        with self.unit(call.scope, call=call) as work:
            errand = self._prepare(work, attempt_id)
        if not isinstance(errand, Errand):
            return errand
        report, word = ask(self.providers.rail, errand)
        if word == "Misconfigured":
            pause(self.unit, errand.connection.id, "the provider refused our credentials", call)
        with self.unit(call.scope, call=call) as work:
            note(work, errand, "look_up", word)
            verdict = self.record.within(work, attempt_id, News(report=report))
            return work.ends(self._next(work, attempt_id, verdict))

    def _prepare(self, work: UnitOfWork, attempt_id: UUID) -> Errand | datetime | None:
        attempt = work.attempts.get(attempt_id, lock=True)
        offer = self.providers.rail_capabilities(attempt.rail)
        if not may_ask(attempt) or not can_ask(attempt, offer) or is_over(attempt, offer, work.now):
            return None
        floor = timedelta(seconds=offer.floor_s)
        if attempt.looked_up_at is not None and is_too_soon(attempt.looked_up_at, work.now, floor):
            return attempt.looked_up_at + floor
        connection = work.connections.get(attempt.connection_id)
        if connection.state is ConnectionState.PAUSED:
            # Questions with wrong credentials would lock the operator's account.
            return work.now + timedelta(seconds=PAUSED_S)
        woken = None if attempt.woken is None else attempt.woken + 1
        attempt = work.attempts.save(
            replace(attempt, look_ups=attempt.look_ups + 1, looked_up_at=work.now, woken=woken)
        )
        reply_to = self.replying.open(work, connection, subject_kind="attempt", subject_id=attempt.id, purpose=LOOK_UP)
        return Errand(attempt=attempt, connection=connection, reply_to=reply_to, started=work.now)

    def _next(self, work: UnitOfWork, attempt_id: UUID, verdict: Verdict) -> datetime | None:
        attempt = work.attempts.get(attempt_id)
        offer = self.providers.rail_capabilities(attempt.rail)
        doubted = attempt.state in DOUBTED and verdict is Verdict.ASK
        if attempt.state not in ASKABLE and not doubted:
            return None
        again = work.now + timedelta(seconds=next_question_s(attempt, offer))
        if not is_over(attempt, offer, again):
            return again
        if doubted:
            work.alerts.raise_("payment_conflict", attempt.payment_id, "a try that failed is reported paid")
        return None


def is_too_soon(asked: datetime, now: datetime, floor: timedelta) -> bool:
    """Whether a question comes too soon after the last one. One far in the future was asked by a wrong clock."""
    return abs(now - asked) < floor


def may_ask(attempt: Attempt) -> bool:
    """Whether its outcome may still change: it is open, or it ended without money and weak news calls it paid."""
    return attempt.state in ASKABLE or (attempt.state in DOUBTED and attempt.woken is not None)


def is_over(attempt: Attempt, offer: RailCapabilities, at: datetime) -> bool:
    """Whether the questions' life has passed; unconfirmed weak news keeps them alive for the woken ladder."""
    if attempt.woken is not None and attempt.woken <= len(offer.woken_ladder_s):
        return False
    if attempt.state in DOUBTED:
        return True
    started = attempt.submitted_at or attempt.created
    return at > started + timedelta(seconds=offer.look_up_life_s)


def next_question_s(attempt: Attempt, offer: RailCapabilities) -> int:
    """Seconds to the next question: by the woken ladder after weak news, else by the ordinary one."""
    if attempt.woken is not None and attempt.woken < len(offer.woken_ladder_s):
        return offer.woken_ladder_s[attempt.woken]
    return offer.look_up_ladder_s[min(attempt.look_ups, len(offer.look_up_ladder_s) - 1)]


def ask(rail: Callable[[Connection], PaymentRail], errand: Errand) -> tuple[Report, str]:
    """Put the question; a question without an answer is no news."""
    attempt = errand.attempt
    question = Question(
        reference=attempt.reference,
        provider_reference=attempt.provider_reference,
        receipt_number=None,
        started_at=attempt.submitted_at or attempt.created,
        reply_to=errand.reply_to,
    )
    return asked(lambda: rail(errand.connection).look_up(question))
