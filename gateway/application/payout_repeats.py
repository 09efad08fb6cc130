"""An instruction whose sender died: asked about once, and then sent once more where the channel makes that harmless.

A process that ends between `submitting` and the answer leaves an instruction of which nobody knows whether it left.
Where the same reference sent twice is refused, or safe, the second call tells: it is taken now, or it is there already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from gateway.application.attempts import PAUSED_S, Spaced, as_told, built, pause
from gateway.application.interfaces import Call, Due, Insist, OpenUnit, Providers, UnitOfWork, once
from gateway.application.payout_attempts import (
    PayoutErrand,
    bundle_of,
    can_ask_about,
    funding_of,
    lock_payout,
    lose_payout,
    note_payout,
)
from gateway.application.payout_reports import News, RecordPayoutReport
from gateway.application.replies import Replying
from gateway.domain.connections import ConnectionState
from gateway.domain.payouts import Payout, PayoutAttempt, PayoutAttemptState
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.payout_channel import ChannelCapabilities
from ports.registration import Repeat
from ports.report import Report, Status

#: An answer to the question may come later, at its ReplyTo: so long is it waited for.
ANSWER_S = 30


def may_repeat(attempt: PayoutAttempt, offer: ChannelCapabilities) -> bool:
    """Whether the same call twice does no harm, and there is something to ask with first."""
    return offer.repeat in (Repeat.SAFE, Repeat.REFUSED) and can_ask_about(attempt, offer)


def lose_after_crash(work: UnitOfWork, payout: Payout, attempt: PayoutAttempt, offer: ChannelCapabilities) -> None:
    """Found `submitting`: unknown, asked about, and after that sent once more where it is harmless."""
    lose_payout(work, payout, attempt, offer)
    if may_repeat(attempt, offer):
        first = timedelta(seconds=offer.look_up_ladder_s[0] + ANSWER_S)
        lane = attempt.connection_id
        work.due.put(Due(kind="payout.repeat", subject_id=attempt.id, due_at=work.now + first, lane=lane))


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatPayout:
    """Send the same instruction under the same reference once more. Nothing that it says fails the payout."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    record: RecordPayoutReport
    insist: Insist = once
    spaced: Spaced = as_told

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None. Run twice, as after a crash of its own, it is as harmless as run once."""
        with self.unit(call.scope, call=call) as work:
            errand = self._prepare(work, attempt_id)
        if not isinstance(errand, PayoutErrand):
            return errand
        return self.insist(self._call(errand, call))

    def _prepare(self, work: UnitOfWork, attempt_id: UUID) -> PayoutErrand | datetime | None:
        payout, attempt = lock_payout(work, attempt_id)
        offer = self.providers.channel_capabilities(attempt.channel)
        if attempt.state is not PayoutAttemptState.UNKNOWN or not may_repeat(attempt, offer):
            return None
        connection = work.connections.get(attempt.connection_id)
        if connection.state is ConnectionState.PAUSED:
            return work.now + timedelta(seconds=PAUSED_S)
        if attempt.looked_up_at is None or work.now < attempt.looked_up_at + timedelta(seconds=ANSWER_S):
            # First the question, and time for its answer.
            asked = attempt.looked_up_at or work.now
            return asked + timedelta(seconds=ANSWER_S)
        attempt = work.payout_attempts.save(replace(attempt, sends=attempt.sends + 1, updated=work.now))
        reply_to = self.replying.open(
            work, connection, subject_kind="payout_attempt", subject_id=attempt.id, purpose="submit"
        )
        return PayoutErrand(
            payout=payout,
            attempt=attempt,
            connection=connection,
            reply_to=reply_to,
            started=work.now,
            funding=funding_of(work, attempt),
        )

    def _call(self, errand: PayoutErrand, call: Call) -> Callable[[], datetime | None]:
        try:
            submission = built(self.providers.channel, errand.connection).submit(bundle_of(errand))
        except NotSent as not_sent:
            after_s = self.spaced(errand.connection.id, not_sent.retry_after_s)
            return partial(self._noted, errand, "NotSent", call, again_s=after_s)
        except Misconfigured as wrong:
            pause(self.unit, errand.connection.id, str(wrong), call)
            return partial(self._noted, errand, "Misconfigured", call, again_s=PAUSED_S)
        except AlreadyTaken as taken:
            return partial(self._noted, errand, "AlreadyTaken", call, provider_reference=taken.provider_reference)
        except (Refused, OutcomeUnknown) as silent:
            # A refusal of the second call says nothing of the first.
            return partial(self._noted, errand, type(silent).__name__, call)
        except Exception as fault:
            # An adapter's own fault: a byte may have left.
            return partial(self._noted, errand, f"fault {type(fault).__name__}", call)
        return partial(self._answered, errand, submission.reports[0], call)

    def _answered(self, errand: PayoutErrand, report: Report, call: Call) -> None:
        if report.status is Status.FAILED:
            self._noted(errand, "Refused", call)
            return
        with self.unit(call.scope, call=call) as work:
            note_payout(work, errand, "submit", report.status.value)
            self.record.within(work, errand.attempt.id, News(report=report, of_start=True))

    def _noted(
        self,
        errand: PayoutErrand,
        word: str,
        call: Call,
        *,
        provider_reference: str | None = None,
        again_s: int | None = None,
    ) -> datetime | None:
        """Keep what it came to; it stays unknown, and the questions go on."""
        with self.unit(call.scope, call=call) as work:
            note_payout(work, errand, "submit", word)
            _, attempt = lock_payout(work, errand.attempt.id)
            if attempt.provider_reference is None and provider_reference is not None:
                work.payout_attempts.save(replace(attempt, provider_reference=provider_reference))
            if attempt.state is PayoutAttemptState.UNKNOWN:
                work.due.put(Due(kind="payout.look_up", subject_id=attempt.id, due_at=work.now))
            return None if again_s is None else work.now + timedelta(seconds=again_s)
