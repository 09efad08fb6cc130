"""How a provider is asked about one receipt: what an announcement alone doesn't prove."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.interfaces import Call, OpenUnit, Providers
from gateway.application.money_in import RECORD_SUBJECT, RecordMoneyIn
from gateway.application.provider_calls import asked, note_call
from gateway.application.replies import LOOK_UP, Replying
from gateway.domain.connections import Connection
from gateway.domain.external_records import ExternalRecord, RecordState
from ports.callback import ReplyTo
from ports.payment_rail import Question, RailCapabilities
from ports.report import Report, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class AskByReceipt:
    """Ask what became of a receipt number, on the ladder that the rail declares, until the sum is decided."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    record: RecordMoneyIn

    def __call__(self, record_id: UUID, call: Call) -> datetime | None:
        """When to ask again, or None."""
        with self.unit(call.scope, call=call) as work:
            record = work.records.get(record_id, lock=True)
            connection = work.connections.get(record.connection_id)
            offer = self.providers.rail_capabilities(connection.code)
            if record.state is not RecordState.ANNOUNCED:
                return None
            if work.now > record.created + timedelta(seconds=offer.look_up_life_s):
                work.alerts.raise_("money_unproved", record.id, "announced money that the provider doesn't confirm")
                return None
            record = work.records.save(replace(record, look_ups=record.look_ups + 1, updated=work.now))
            reply_to = self.replying.open(
                work, connection, subject_kind=RECORD_SUBJECT, subject_id=record.id, purpose=LOOK_UP
            )
            started = work.now
        report, word = self._ask(connection, record, reply_to)
        with self.unit(call.scope, call=call) as work:
            note_call(work, (RECORD_SUBJECT, record.id), connection.id, started, "look_up", word)
            if word == "Misconfigured":
                work.connections.pause(connection.id, "the provider refused our credentials", work.now)
                work.alerts.raise_("connection_paused", connection.id, "the provider refused our credentials")
            for money in report.money if report.status is Status.SUCCEEDED else ():
                if money.receipt_number == record.receipt_number:
                    self.record.within(work, connection, money, report.grade, None)
            return work.now + timedelta(seconds=_wait_s(record, offer))

    def _ask(self, connection: Connection, record: ExternalRecord, reply_to: ReplyTo) -> tuple[Report, str]:
        question = Question(
            reference=record.reference or "",
            provider_reference=None,
            receipt_number=record.receipt_number,
            started_at=record.created,
            reply_to=reply_to,
        )
        report, word = asked(lambda: self.providers.rail(connection).look_up(question))
        return report, "asked" if report.asked else word


def _wait_s(record: ExternalRecord, offer: RailCapabilities) -> int:
    """Seconds to the next question: soon at first, since somebody waits at a counter; then by the ladder."""
    soon, later = offer.woken_ladder_s, offer.look_up_ladder_s
    if record.look_ups < len(soon):
        return max(soon[record.look_ups], offer.floor_s)
    return later[min(record.look_ups - len(soon), len(later) - 1)]
