"""Evidence as rows: where answers come to, what we asked, what providers said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from gateway.adapters.persistence import json_values as kept
from gateway.adapters.persistence.tables import provider_call, provider_callback, reply_to, report
from gateway.adapters.persistence.texts import changed
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import EvidenceLog, ProviderExchange, Replies, ReplyAddress, StoredCallback
from gateway.domain.proof import Evidence
from ports.report import Grade, MoneyIn, Report, Status

CALLBACK_BODY = "provider_callback.body"


class SqlReplies(Replies):
    """ReplyTo addresses of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, reply: ReplyAddress) -> None:
        row = {
            "id": reply.id,
            "created": reply.created,
            "secret_hash": reply.secret_hash,
            "connection_id": reply.connection_id,
            "subject_kind": reply.subject_kind,
            "subject_id": reply.subject_id,
            "purpose": reply.purpose,
        }
        self._tx.add(reply_to, row)


class SqlEvidenceLog(EvidenceLog):
    """What providers said and what we asked, of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add_report(
        self, subject_kind: str, subject_id: UUID, report_: Report, secret: UUID | None, at: datetime
    ) -> None:
        """One row for each sum that the report names; one row when it names none."""
        shared = {
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "at": at,
            "grade": report_.grade.value,
            "status": report_.status.value,
            "secret": secret,
            "failure": kept.failure_out(report_.failure),
            "found_nothing": report_.found_nothing,
            "asked": report_.asked,
            "unrecognised": report_.unrecognised,
        }
        for money in report_.money or (_payout_money(report_),):
            self._tx.add(report, {"id": self._tx.new_id(), **shared, **_money_columns(money)})

    def of(self, subject_kind: str, subject_id: UUID) -> Sequence[Evidence]:
        rows = self._tx.found(report, "id", subject_kind=subject_kind, subject_id=subject_id)
        return [_evidence(row) for row in rows]

    def add_exchange(self, exchange: ProviderExchange) -> None:
        row = {
            "id": exchange.id,
            "subject_kind": exchange.subject_kind,
            "subject_id": exchange.subject_id,
            "connection_id": exchange.connection_id,
            "operation": exchange.operation,
            "started_at": exchange.started_at,
            "ended_at": exchange.ended_at,
            "outcome": exchange.outcome,
            "detail": exchange.detail,
        }
        self._tx.add(provider_call, row)

    def callback(self, callback_id: UUID) -> StoredCallback:
        row = self._tx.get(provider_callback, callback_id, "callback")
        came_to = self._tx.get(reply_to, row.reply_id, "address", columns=[reply_to.c.purpose])
        body = self._tx.vault.open(row.body, column=CALLBACK_BODY, business_id=row.business_id)
        return StoredCallback(
            id=row.id,
            reply_id=row.reply_id,
            connection_id=row.connection_id,
            subject_kind=row.subject_kind,
            subject_id=row.subject_id,
            purpose=came_to.purpose,
            received_at=row.received_at,
            headers=row.headers,
            body=body,
            peer=row.peer,
            weighed=row.weighed_at is not None,
        )

    def weighed(self, callback_id: UUID, verdict: str) -> None:
        where = {**self._tx.whose(), "id": callback_id}
        changed(self._tx.raw, provider_callback, where, {"weighed_at": self._tx.now, "verdict": verdict})


def _payout_money(report_: Report) -> MoneyIn:
    """A payout's report tells its one sum without a list."""
    return MoneyIn(
        receipt_namespace="",
        receipt_number=report_.receipt_number,
        amount=report_.amount,
        happened_at=report_.happened_at,
    )


def _money_columns(money: MoneyIn) -> dict[str, Any]:
    return {
        "receipt_namespace": money.receipt_namespace or None,
        "receipt_number": money.receipt_number,
        "currency": money.amount.asset.code if money.amount else None,
        "amount_units": money.amount.units if money.amount else None,
        "happened_at": money.happened_at,
        "payer_hint": money.payer_hint,
    }


def _evidence(row: Row[Any]) -> Evidence:
    return Evidence(
        at=row.at,
        grade=Grade(row.grade),
        status=Status(row.status),
        secret=row.secret,
        receipt_number=row.receipt_number,
        amount=None if row.amount_units is None else kept.money(row.amount_units, row.currency),
        happened_at=row.happened_at,
        failure=kept.failure_in(row.failure),
        found_nothing=row.found_nothing,
        payer_hint=row.payer_hint,
    )
