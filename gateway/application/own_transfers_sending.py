"""What workers do about moves of our own money: send, and ask. Booked as on its way before the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from gateway.application.attempts import PAUSED_S, built
from gateway.application.interfaces import (
    Call,
    Due,
    Insist,
    OpenUnit,
    Providers,
    UnitOfWork,
    once,
)
from gateway.application.own_transfers_reports import OWN_SUBJECT, RecordOwnReport, can_ask, come_back
from gateway.application.provider_calls import asked, note_call
from gateway.application.replies import LOOK_UP, Replying
from gateway.application.reports import News
from gateway.application.windows import wait_s
from gateway.domain import postings
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.ids import Prefix, encode
from gateway.domain.maintenance import Halt
from gateway.domain.own_transfers import OwnState, OwnTransfer
from ports.abilities import MovesOwn
from ports.abilities import OwnTransfer as Order
from ports.callback import ReplyTo
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.payment_rail import Question
from ports.report import Failure, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnErrand:
    """What a worker carries from the first transaction to the provider."""

    transfer: OwnTransfer
    connection: Connection
    reply_to: ReplyTo
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOwn:
    """Send one transfer: its money booked as on the way and `submitting` committed, then the call, then its answer."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    record: RecordOwnReport
    insist: Insist = once

    def __call__(self, transfer_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None. Found `submitting` (a crash), it is unknown and never sent again."""
        with self.unit(call.scope, call=call) as work:
            claimed = self._claim(work, transfer_id)
        if not isinstance(claimed, OwnErrand):
            return claimed
        return self.insist(self._call(claimed, call))

    def _claim(self, work: UnitOfWork, transfer_id: UUID) -> OwnErrand | datetime | None:
        transfer = work.own_transfers.get(transfer_id, lock=True)
        connection = work.connections.get(transfer.connection_id)
        if transfer.state is OwnState.SUBMITTING:
            self._lose(work, transfer, connection)
            return None
        if transfer.state is not OwnState.CREATED:
            return None
        if (held := connection.hold(Halt.PAYOUTS, work.now)) is not None:
            return work.now + timedelta(seconds=wait_s(held, work.now, PAUSED_S))
        if not transfer.sends:
            name = encode(Prefix.OWN_TRANSFER, transfer.id)
            work.journal.post(
                postings.own_sent(
                    name, transfer.source_id, transfer.amount.units, livemode=transfer.livemode, at=work.now
                )
            )
        sent = replace(transfer, state=OwnState.SUBMITTING, sends=transfer.sends + 1, updated=work.now)
        sent = work.own_transfers.save(sent)
        reply_to = self.replying.open(
            work, connection, subject_kind=OWN_SUBJECT, subject_id=transfer.id, purpose="submit"
        )
        return OwnErrand(transfer=sent, connection=connection, reply_to=reply_to, started=work.now)

    def _call(self, errand: OwnErrand, call: Call) -> Callable[[], datetime | None]:
        """Call the provider; gives what is to be recorded."""
        transfer = errand.transfer
        order = Order(
            reference=transfer.reference,
            amount=transfer.amount,
            source=transfer.source_pocket,
            target=transfer.target_pocket,
            reply_to=errand.reply_to,
        )
        try:
            line = built(self.providers.channel, errand.connection)
            if not isinstance(line, MovesOwn):
                raise Misconfigured("the adapter declares moves of our own money and has none")
            report = line.move_own(order)
        except Refused as refused:
            return partial(self._refused, errand, refused.failure, call)
        except (NotSent, Misconfigured) as unsent:
            wait = unsent.retry_after_s if isinstance(unsent, NotSent) else PAUSED_S
            return partial(self._put_back, errand, unsent, wait, call)
        except AlreadyTaken as taken:
            return partial(self._lost, errand, "AlreadyTaken", taken.provider_reference, call)
        except OutcomeUnknown:
            return partial(self._lost, errand, "OutcomeUnknown", None, call)
        except Exception as fault:
            # An adapter's own fault: a byte may have left, so it is unknown like any silence.
            return partial(self._lost, errand, f"fault {type(fault).__name__}", None, call)
        return partial(self._answered, errand, report, call)

    def _answered(self, errand: OwnErrand, report: Report, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            note_own(work, errand, "move_own", report.status.value)
            self.record.within(work, errand.transfer.id, News(report=report, of_start=True))

    def _refused(self, errand: OwnErrand, failure: Failure, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            note_own(work, errand, "move_own", "Refused")
            come_back(work, work.own_transfers.get(errand.transfer.id, lock=True), failure)

    def _put_back(self, errand: OwnErrand, why: PortError, after_s: int, call: Call) -> datetime | None:
        with self.unit(call.scope, call=call) as work:
            note_own(work, errand, "move_own", type(why).__name__)
            transfer = work.own_transfers.get(errand.transfer.id, lock=True)
            if transfer.state is not OwnState.SUBMITTING or transfer.sends != errand.transfer.sends:
                return None
            if isinstance(why, Misconfigured):
                work.connections.pause(errand.connection.id, str(why), work.now)
                work.alerts.raise_("connection_paused", errand.connection.id, str(why))
            work.own_transfers.save(replace(transfer, state=OwnState.CREATED, updated=work.now))
            return work.now + timedelta(seconds=after_s)

    def _lost(self, errand: OwnErrand, word: str, provider_reference: str | None, call: Call) -> None:
        with self.unit(call.scope, call=call) as work:
            note_own(work, errand, "move_own", word)
            transfer = work.own_transfers.get(errand.transfer.id, lock=True)
            if transfer.provider_reference is None and provider_reference is not None:
                transfer = replace(transfer, provider_reference=provider_reference)
            self._lose(work, transfer, errand.connection)

    def _lose(self, work: UnitOfWork, transfer: OwnTransfer, connection: Connection) -> None:
        """Silence: unknown, a person is told, and it is never sent again."""
        if transfer.state is not OwnState.SUBMITTING:
            return
        lost = work.own_transfers.save(replace(transfer, state=OwnState.UNKNOWN, updated=work.now))
        offer = self.providers.channel_capabilities(connection.code)
        if can_ask(lost, offer):
            first = timedelta(seconds=offer.look_up_ladder_s[0])
            work.due.put(Due(kind="own.look_up", subject_id=lost.id, due_at=work.now + first))
        detail = "a move of our own money has no known outcome; settle it by the statement"
        work.alerts.raise_("own_transfer_unknown", lost.id, detail)


def note_own(work: UnitOfWork, errand: OwnErrand, operation: str, outcome: str) -> None:
    """Keep evidence of a call we made."""
    note_call(work, (OWN_SUBJECT, errand.transfer.id), errand.connection.id, errand.started, operation, outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpOwn:
    """Ask what became of a transfer."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    record: RecordOwnReport

    def __call__(self, transfer_id: UUID, call: Call) -> datetime | None:
        """When to ask again, or None once the outcome is known or the questions' life is over."""
        with self.unit(call.scope, call=call) as work:
            transfer = work.own_transfers.get(transfer_id, lock=True)
            connection = work.connections.get(transfer.connection_id)
            offer = self.providers.channel_capabilities(connection.code)
            if not transfer.is_open or not can_ask(transfer, offer):
                return None
            if connection.state is ConnectionState.PAUSED:
                return work.now + timedelta(seconds=PAUSED_S)
            if (work.now - transfer.created).total_seconds() > offer.look_up_life_s:
                detail = "a move of our own money has no known outcome; settle it by the statement"
                work.alerts.raise_("own_transfer_unknown", transfer.id, detail)
                return None
            transfer = work.own_transfers.save(replace(transfer, look_ups=transfer.look_ups + 1))
            reply_to = self.replying.open(
                work, connection, subject_kind=OWN_SUBJECT, subject_id=transfer.id, purpose=LOOK_UP
            )
            errand = OwnErrand(transfer=transfer, connection=connection, reply_to=reply_to, started=work.now)
        report, word = self._ask(errand)
        with self.unit(call.scope, call=call) as work:
            note_own(work, errand, "look_up", word)
            self.record.within(work, transfer_id, News(report=report))
            if not work.own_transfers.get(transfer_id).is_open:
                return None
            step = offer.look_up_ladder_s[min(transfer.look_ups, len(offer.look_up_ladder_s) - 1)]
            return work.now + timedelta(seconds=step)

    def _ask(self, errand: OwnErrand) -> tuple[Report, str]:
        transfer = errand.transfer
        question = Question(
            reference=transfer.reference,
            provider_reference=transfer.provider_reference,
            receipt_number=transfer.receipt_number,
            started_at=transfer.created,
            reply_to=errand.reply_to,
        )
        report, word = asked(lambda: self.providers.channel(errand.connection).look_up(question))
        return report, "asked" if report.asked else word
