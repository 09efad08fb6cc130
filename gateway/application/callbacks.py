"""What a provider sends us: stored at once as evidence, weighed afterwards by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.application.addresses_of_connections import CONNECTION_SUBJECT, VALIDATION, validated
from gateway.application.interfaces import (
    Call,
    CallbackStore,
    Doors,
    OpenUnit,
    Providers,
    StoredCallback,
    UnitOfWork,
)
from gateway.application.money_in import RECORD_SUBJECT, RecordMoneyIn
from gateway.application.payout_reports import RecordPayoutReport
from gateway.application.refund_reports import REFUND_PAYOUT_SUBJECT, REFUND_SUBJECT, RecordRefundReport
from gateway.application.replies import LOOK_UP, secret_hash
from gateway.application.reports import News, RecordReport
from gateway.domain.connections import Connection
from gateway.domain.errors import NotFound
from ports.callback import Door, Incoming, Reading
from ports.errors import BadSignature, Misconfigured, Unreadable
from ports.report import Grade, Report, Status

#: What a callback about incoming sums belongs to.
MONEY_SUBJECTS = (CONNECTION_SUBJECT, RECORD_SUBJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveCallback:
    """Web's side: find whose it is by the secret's hash, keep it, answer. Nothing is believed here."""

    doors: Doors
    store: CallbackStore
    providers: Providers

    def __call__(
        self, tag: str, secret: str, *, body: bytes, headers: Mapping[str, str], peer: str
    ) -> tuple[bytes, str]:
        """The provider's acknowledgement: body and content type. Raises NotFound for a wrong tag or secret."""
        found = self.doors.reply(secret_hash(secret))
        if found is None or found.tag != tag:
            raise NotFound("nothing is expected at this address")
        if found.subject_kind == CONNECTION_SUBJECT and found.purpose == VALIDATION:
            answer = validated(self.providers, found, self.doors.wanted, body=body, peer=peer)
            return self.providers.acknowledgement(found.code) if answer is None else (answer, "application/json")
        self.store.store(found, body=body, headers=headers, peer=peer)
        return self.providers.acknowledgement(found.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighCallback:
    """A worker's side: read it with the connection's adapter, and record each report in it."""

    unit: OpenUnit
    providers: Providers
    record: RecordReport
    record_payout: RecordPayoutReport
    record_refund: RecordRefundReport
    record_money: RecordMoneyIn

    def __call__(self, callback_id: UUID, call: Call) -> datetime | None:
        """None: a callback is weighed once. An unreadable one stays evidence and changes nothing."""
        with self.unit(call.scope, call=call) as work:
            stored = work.evidence.callback(callback_id)
            connection = work.connections.get(stored.connection_id)
        if stored.weighed:
            return None
        reading, verdict = self._read(stored, connection)
        with self.unit(call.scope, call=call) as work:
            for report in reading.reports if reading else ():
                news = News(report=report, secret=stored.reply_id, of_look_up=stored.purpose == LOOK_UP)
                if stored.subject_kind in MONEY_SUBJECTS:
                    verdict = self._money(work, stored, connection, report)
                elif stored.subject_kind == "attempt":
                    verdict = self.record.within(work, stored.subject_id, news).value
                elif stored.subject_kind in (REFUND_SUBJECT, REFUND_PAYOUT_SUBJECT):
                    verdict = self.record_refund.within(work, stored.subject_id, news).value
                else:
                    verdict = self.record_payout.within(work, stored.subject_id, news).value
            work.evidence.weighed(callback_id, verdict)
        return None

    def _money(self, work: UnitOfWork, stored: StoredCallback, connection: Connection, report: Report) -> str:
        """Sums that no try of ours is asked about: announced, or the answer to a question about one receipt."""
        announced = stored.subject_kind == CONNECTION_SUBJECT
        expected = None if announced else work.records.get(stored.subject_id).receipt_number
        # However many addresses a connection has had, they are one door: two of them prove nothing together.
        secret = connection.id if announced else stored.reply_id
        weak = Grade.ANNOUNCED if announced else Grade.SOLICITED
        grade = Grade.SIGNED if report.grade is Grade.SIGNED else weak
        for money in report.money if report.status is Status.SUCCEEDED else ():
            if expected is None or money.receipt_number == expected:
                trusted = announced and connection.policy.trusts(stored.peer, money.amount)
                self.record_money.within(work, connection, money, grade, secret, trusted=trusted)
        return grade.value

    def _read(self, stored: StoredCallback, connection: Connection) -> tuple[Reading | None, str]:
        door = Door.CONNECTION if stored.subject_kind == CONNECTION_SUBJECT else Door.CALL
        incoming = Incoming(body=stored.body, door=door, headers=stored.headers, peer=stored.peer)
        try:
            if stored.subject_kind in ("attempt", REFUND_SUBJECT, *MONEY_SUBJECTS):
                return self.providers.rail(connection).read_callback(incoming), "nothing"
            return self.providers.channel(connection).read_callback(incoming), "nothing"
        except Unreadable:
            return None, "unreadable"
        except BadSignature:
            return None, "bad_signature"
        except Misconfigured:
            return None, "misconfigured"
        except Exception as fault:
            # An adapter's own fault must not stop the queue: the callback stays evidence, the look-up decides.
            return None, f"fault {type(fault).__name__}"
