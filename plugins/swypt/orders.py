"""Orders, deliveries and history rows as Swypt words them, read into plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from plugins.swypt import wire
from ports.money import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a status answer says. `word` is the status in capitals, empty when there is none; `receipt` only what is in
    the form of one; `amount` in shillings; `tx` a transaction that is named as delivering it."""

    word: str
    order_id: str | None
    message: str = ""
    receipt: str | None = None
    amount: Decimal | None = None
    payer_hint: str | None = None
    reason: str = ""
    code: str = ""
    tx: str | None = None
    tokens: Decimal | None = None


def read_order(data: Mapping[str, object]) -> Order:
    """Read the inside of a status answer."""
    details = wire.objects(data.get("details"))
    return Order(
        word=wire.status_word(data.get("status")),
        order_id=wire.opaque(data.get("orderID")),
        message=wire.text(data.get("message")),
        receipt=wire.receipt_number(details.get("mpesaReceipt")),
        amount=wire.decimal(details.get("transactionSize")),
        payer_hint=wire.payer_hint(details.get("phoneNumber")),
        reason=wire.harmless(details.get("failureReason")),
        code=_code(details.get("resultCode")),
        tx=wire.tx_hash(details.get("transactionHash")),
        tokens=wire.decimal(details.get("cryptoAmount")),
    )


def _code(value: object) -> str:
    found = wire.opaque(value) or ""
    return found if len(found) <= 12 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited:
    """What `/deposit` answered: the transaction, where it names one, and how many tokens it says that it sent."""

    tx: str | None
    tokens: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """A row of either history. `printed` lies (see `wire.printed_time`); `is_sent` None when the row doesn't say."""

    order_id: str | None
    receipt: str | None
    amount: Decimal | None
    fee: Decimal | None
    phone: str | None
    is_sent: bool | None
    tx: str | None
    tokens: Decimal | None
    printed: datetime | None


def read_row(row: Mapping[str, object]) -> HistoryRow:
    """Read a row; what can't be read is None."""
    sent = row.get("isSent")
    return HistoryRow(
        order_id=wire.opaque(row.get("orderID")),
        receipt=wire.receipt_number(row.get("MpesaReceiptNumber", row.get("TransactionReceipt"))),
        amount=_first(row, "Amount", "TransactionAmount", "transactionSize"),
        fee=wire.decimal(row.get("feeAmount")),
        phone=wire.phone_number(row.get("PhoneNumber")),
        is_sent=_truth(sent),
        tx=wire.tx_hash(row.get("transactionID")),
        tokens=wire.decimal(row.get("cryptoAmount")),
        printed=wire.printed_time(row.get("createdAt", row.get("TransactionDate"))),
    )


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(wire.plain_word(value))


def _first(row: Mapping[str, object], *names: str) -> Decimal | None:
    found = (wire.decimal(row.get(name)) for name in names)
    return next((one for one in found if one is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """One page, newest first; `has_more` when there is another."""

    rows: tuple[HistoryRow, ...]
    has_more: bool


def token_units(tokens: Decimal | None, asset: Asset) -> int | None:
    """Tokens in whole units, rounded down: sixteen digits come for a token of six."""
    if tokens is None or tokens < 0:
        return None
    return int(tokens.scaleb(asset.scale).to_integral_value(rounding=ROUND_FLOOR))
