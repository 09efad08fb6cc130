"""What a provider sends us: stored at once as evidence, weighed afterwards by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.application.addresses_of_connections import CONNECTION_SUBJECT, VALIDATION, validated
from gateway.application.crowding import Crowding
from gateway.application.float_balances import BALANCE, line_of, record_told
from gateway.application.interfaces import (
    Call,
    CallbackStore,
    Doors,
    OpenUnit,
    Providers,
    ReplyFound,
    StoredCallback,
    UnitOfWork,
)
from gateway.application.money_in import RECORD_SUBJECT, RecordMoneyIn
from gateway.application.own_transfers_reports import OWN_SUBJECT, RecordOwnReport
from gateway.application.payout_reports import RecordPayoutReport
from gateway.application.provider_charges import book_charges
from gateway.application.refund_reports import REFUND_PAYOUT_SUBJECT, REFUND_SUBJECT, RecordRefundReport
from gateway.application.replies import LOOK_UP, secret_hash
from gateway.application.reports import News, RecordReport
from gateway.domain.connections import Connection
from gateway.domain.errors import NotFound
from gateway.domain.maintenance import Listed, Operation
from gateway.domain.own_transfers import OwnState
from gateway.domain.payouts import PayoutAttemptState
from gateway.domain.refunds import RefundAttemptState
from ports.callback import Door, Incoming, Reading
from ports.errors import BadSignature, Misconfigured, Unreadable
from ports.payment_rail import PaymentRail
from ports.payout_channel import PayoutChannel
from ports.report import Grade, Report, Status

#: The mark of a callback from an address that isn't on its connection's list; no header of HTTP can bear that name.
ELSEWHERE = ":elsewhere"

#: What a callback about incoming sums belongs to.
MONEY_SUBJECTS = (CONNECTION_SUBJECT, RECORD_SUBJECT)


def heard(found: ReplyFound, headers: Mapping[str, str], peer: str) -> Mapping[str, str]:
    """The headers as they are kept, with a mark where the peer isn't on the list. Raises NotFound where that is the
    rule: nothing is kept then."""
    operation = Operation.read(found.policy)
    if operation.listed is Listed.OFF or operation.knows(peer):
        return headers
    if operation.listed is Listed.ENFORCE:
        raise NotFound("nothing is expected at this address")
    return {**headers, ELSEWHERE: "1"}


def _tells_balance(stored: StoredCallback) -> bool:
    return stored.subject_kind == CONNECTION_SUBJECT and stored.purpose == BALANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveCallback:
    """Web's side: find whose it is by the secret's hash, keep it, answer. Nothing is believed here."""

    doors: Doors
    store: CallbackStore
    providers: Providers
    crowding: Crowding | None = None

    def __call__(
        self, tag: str, secret: str, *, body: bytes, headers: Mapping[str, str], peer: str
    ) -> tuple[bytes, str]:
        """The provider's acknowledgement: body and content type. Raises NotFound for a wrong tag or secret, TooMany
        where an address that was made for one call is told more than any provider says."""
        address = secret_hash(secret)
        if self.crowding is not None:
            self.crowding.refuse(address)
        found = self.doors.reply(address)
        if found is None or found.tag != tag:
            raise NotFound("nothing is expected at this address")
        if self.crowding is not None and found.subject_kind != CONNECTION_SUBJECT:
            self.crowding.note(address)
        headers = heard(found, headers, peer)
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
    record_own: RecordOwnReport

    def __call__(self, callback_id: UUID, call: Call) -> datetime | None:
        """None: a callback is weighed once. An unreadable one stays evidence and changes nothing.

        One unit: to read a callback is pure, so nothing is waited for inside it.
        """
        with self.unit(call.scope, call=call) as work:
            stored = work.evidence.callback(callback_id)
            if stored.weighed:
                return work.ends()
            connection = work.connections.get(stored.connection_id)
            reading, verdict = self._read(stored, connection)
            if stored.headers.get(ELSEWHERE):
                work.alerts.raise_("callback_from_elsewhere", connection.id, f"a callback came from {stored.peer}")
            if reading is not None and _tells_balance(stored):
                work.evidence.weighed(callback_id, record_told(work, connection, reading))
                return work.ends()
            for report in reading.reports if reading else ():
                news = News(report=report, secret=stored.reply_id, of_look_up=stored.purpose == LOOK_UP)
                if stored.subject_kind == OWN_SUBJECT:
                    verdict = self.record_own.within(work, stored.subject_id, news).value
                elif stored.subject_kind in MONEY_SUBJECTS:
                    verdict = self._money(work, stored, connection, report)
                elif stored.subject_kind == "attempt":
                    verdict = self.record.within(work, stored.subject_id, news).value
                elif stored.subject_kind in (REFUND_SUBJECT, REFUND_PAYOUT_SUBJECT):
                    verdict = self.record_refund.within(work, stored.subject_id, news).value
                else:
                    verdict = self.record_payout.within(work, stored.subject_id, news).value
            if reading is not None and reading.charges:
                self._charges(work, stored, reading)
            work.evidence.weighed(callback_id, verdict)
            return work.ends()

    def _charges(self, work: UnitOfWork, stored: StoredCallback, reading: Reading) -> None:
        """What the provider took for a try of ours that is proved by now."""
        livemode = work.scope.livemode
        if stored.subject_kind == "payout_attempt":
            paid = work.payout_attempts.get(stored.subject_id)
            if paid.state is PayoutAttemptState.SUCCEEDED:
                book_charges(work, paid.float_id, paid.receipt_number, reading.charges, livemode=livemode)
        elif stored.subject_kind in (REFUND_SUBJECT, REFUND_PAYOUT_SUBJECT):
            back = work.refund_attempts.get(stored.subject_id)
            if back.state is RefundAttemptState.SUCCEEDED:
                book_charges(work, back.float_id, back.receipt_number, reading.charges, livemode=livemode)
        elif stored.subject_kind == OWN_SUBJECT:
            moved = work.own_transfers.get(stored.subject_id)
            if moved.state is OwnState.SUCCEEDED:
                book_charges(work, moved.source_id, moved.receipt_number, reading.charges, livemode=livemode)

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
        long_lived = stored.subject_kind == CONNECTION_SUBJECT and stored.purpose != BALANCE
        incoming = Incoming(
            body=stored.body,
            door=Door.CONNECTION if long_lived else Door.CALL,
            of_question=stored.purpose == LOOK_UP,
            headers=stored.headers,
            peer=stored.peer,
        )
        try:
            if _tells_balance(stored):
                line = line_of(self.providers, connection)
                told = line.read_callback(incoming) if isinstance(line, PaymentRail | PayoutChannel) else None
                return told, "nothing"
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
