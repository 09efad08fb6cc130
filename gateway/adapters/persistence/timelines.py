"""All that happened to one object, in causal order, from every table that remembers a part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, select, text

from gateway.adapters.persistence import tables
from gateway.adapters.persistence.balances import recorded
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Json, Timelines
from gateway.application.representations import moment
from gateway.domain.ids import Prefix, encode

#: What one unit writes bears one time. Within it: what was asked and heard, what was made of it, what was booked, who
#: was told.
_RANK = {"call": 0, "callback": 0, "report": 1, "event": 2, "journal": 3, "delivery": 4}

#: By the beginning of the key: every journal's key names the object that it is about.
_JOURNALS = text(
    "SELECT w.name, j.uid, j.kind, j.recorded_at, j.effective_at, j.meta"
    " FROM unnest(CAST(:names AS text[]), CAST(:starts AS text[]), CAST(:ends AS text[])) AS w (name, first, past)"
    " JOIN ledger.journal j ON j.idem_key >= w.first AND j.idem_key < w.past"
    " WHERE j.business_id = :business AND j.livemode = :livemode ORDER BY j.id"
)
#: Objects whose journals' keys begin with their kind and id.
_BOOKED = {Prefix.RECEIPT: "receipt", Prefix.PAYOUT: "payout"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One line of a timeline, and where it stands."""

    at: datetime
    kind: str
    order: int
    shown: Json


class SqlTimelines(Timelines):
    """Timelines of the unit's business and mode. Nothing personal and no body is in them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of_payment(self, payment_id: UUID) -> Sequence[Json]:
        tries = self._ids(tables.attempt, tables.attempt.c.payment_id == payment_id)
        receipts = self._ids(tables.receipt, tables.receipt.c.payment_id == payment_id)
        sessions = self._ids(tables.checkout_session, tables.checkout_session.c.payment_id == payment_id)
        names = {
            payment_id: encode(Prefix.PAYMENT, payment_id),
            **{i: encode(Prefix.ATTEMPT, i) for i in tries},
            **{i: encode(Prefix.RECEIPT, i) for i in receipts},
            **{i: encode(Prefix.CHECKOUT_SESSION, i) for i in sessions},
        }
        return self._timeline(names)

    def of_payout(self, payout_id: UUID) -> Sequence[Json]:
        tries = self._ids(tables.payout_attempt, tables.payout_attempt.c.payout_id == payout_id)
        names = {
            payout_id: encode(Prefix.PAYOUT, payout_id),
            **{i: encode(Prefix.PAYOUT_ATTEMPT, i) for i in tries},
        }
        return self._timeline(names)

    def _timeline(self, names: Mapping[UUID, str]) -> Sequence[Json]:
        steps = [
            *self._calls(names),
            *self._callbacks(names),
            *self._reports(names),
            *self._events(names),
            *self._journals(names),
        ]
        steps.sort(key=lambda step: (step.at, _RANK[step.kind], step.order))
        return [step.shown for step in steps]

    def _calls(self, names: Mapping[UUID, str]) -> Iterator[_Step]:
        for n, row in enumerate(self._about(tables.provider_call, names)):
            took = round((row.ended_at - row.started_at).total_seconds() * 1000)
            detail = {"operation": row.operation, "outcome": row.outcome, "duration_ms": took, "note": row.detail}
            said = f"asked the provider to {row.operation.replace('_', ' ')}: {row.outcome}"
            yield _step(row.started_at, "call", n, names[row.subject_id], said, detail)

    def _callbacks(self, names: Mapping[UUID, str]) -> Iterator[_Step]:
        table = tables.provider_callback
        columns = [table.c.id, table.c.subject_id, table.c.received_at, table.c.weighed_at, table.c.verdict]
        for n, row in enumerate(self._about(table, names, columns)):
            detail = {"verdict": row.verdict, "weighed_at": moment(row.weighed_at)}
            yield _step(row.received_at, "callback", n, names[row.subject_id], "the provider called back", detail)

    def _reports(self, names: Mapping[UUID, str]) -> Iterator[_Step]:
        for n, row in enumerate(self._about(tables.report, names)):
            detail = {
                "status": row.status,
                "grade": row.grade,
                "receipt_number": row.receipt_number,
                "amount": None if row.amount_units is None else int(row.amount_units),
                "currency": row.currency,
                "failure": row.failure["kind"] if row.failure else None,
                "provider_code": row.failure["provider_code"] if row.failure else None,
                "unrecognised": row.unrecognised,
                "found_nothing": row.found_nothing,
            }
            said = f"the provider's word: {row.status}, as {row.grade}"
            yield _step(row.at, "report", n, names[row.subject_id], said, detail)

    def _events(self, names: Mapping[UUID, str]) -> Iterator[_Step]:
        table = tables.event
        stmt = select(table).where(self._tx.own(table), table.c.object_id.in_(names)).order_by(table.c.id)
        rows = self._tx.conn.execute(stmt).all()
        for n, row in enumerate(rows):
            request = row.payload["request"]["id"]
            detail = {"event": encode(Prefix.EVENT, row.id), "type": row.type, "sequence": row.sequence}
            yield _step(row.created, "event", n, names[row.object_id], row.type, detail, request=request)
        yield from self._deliveries({row.id: row for row in rows}, names)

    def _deliveries(self, events: Mapping[UUID, Row[Any]], names: Mapping[UUID, str]) -> Iterator[_Step]:
        told, tries = tables.delivery, tables.delivery_try
        stmt = (
            select(told.c.event_id, told.c.endpoint_id, tries.c.number, tries.c.at, tries.c.status, tries.c.error)
            .join(tries, tries.c.delivery_id == told.c.id)
            .where(self._tx.own(told), told.c.event_id.in_(events))
            .order_by(tries.c.at, tries.c.id)
        )
        for n, row in enumerate(self._tx.conn.execute(stmt)):
            event = events[row.event_id]
            detail = {
                "event": encode(Prefix.EVENT, row.event_id),
                "type": event.type,
                "webhook_endpoint": encode(Prefix.WEBHOOK_ENDPOINT, row.endpoint_id),
                "try": row.number,
                "status": row.status,
                "error": row.error,
            }
            said = f"told the business of {event.type}: {row.status or row.error}"
            yield _step(row.at, "delivery", n, names[event.object_id], said, detail)

    def _journals(self, names: Mapping[UUID, str]) -> Iterator[_Step]:
        keys = {f"{_BOOKED[p]}:{name}": name for name in names.values() for p in _BOOKED if name.startswith(f"{p}_")}
        values = {
            "business": self._tx.scope.business_id,
            "livemode": self._tx.scope.livemode,
            "names": list(keys.values()),
            "starts": [f"{key}:" for key in keys],
            "ends": [f"{key};" for key in keys],  # the sign after the colon
        }
        for n, row in enumerate(self._tx.conn.execute(_JOURNALS, values)):
            detail = {
                "journal_entry": encode(Prefix.JOURNAL_ENTRY, row.uid),
                "kind": row.kind,
                "effective_at": moment(row.effective_at),
            }
            yield _step(recorded(row), "journal", n, row.name, f"booked {row.kind}", detail)

    def _ids(self, table: Table, criterion: Any) -> Sequence[UUID]:
        return self._tx.conn.scalars(select(table.c.id).where(self._tx.own(table), criterion)).all()

    def _about(
        self, table: Table, names: Mapping[UUID, str], columns: Sequence[Any] | None = None
    ) -> Sequence[Row[Any]]:
        stmt = select(*(columns or table.c)).where(self._tx.own(table), table.c.subject_id.in_(names))
        return self._tx.conn.execute(stmt.order_by(table.c.id)).all()


def _step(
    at: datetime, kind: str, order: int, object_: str, summary: str, detail: Json, *, request: str | None = None
) -> _Step:
    shown = {"at": moment(at), "kind": kind, "object": object_, "summary": summary, "detail": detail}
    return _Step(at=at, kind=kind, order=order, shown={**shown, "request_id": request})
