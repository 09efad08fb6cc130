"""The balance, what moved it, and the business itself, as shown."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from gateway.adapters.web.schemas.base import (
    Shown,
    list_of,
    shown_flag,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.domain.ids import Prefix


class SumSchema(Shown):
    """A sum of one currency."""

    amount = shown_whole("In minor units.")
    currency = shown_text()


def _sums(about: str) -> fields.List[Any]:
    return fields.List(fields.Nested(SumSchema), required=True, metadata={"description": about})


class BalanceSchema(Shown):
    """The business's money in the key's mode, in six buckets."""

    object = shown_word(("balance",))
    livemode = shown_flag()
    business = shown_id(Prefix.BUSINESS)
    pending = _sums("Received, not available yet.")
    available = _sums("Can be paid out.")
    reserved = _sums("Payouts and refunds accepted, outcome open.")
    withheld = _sums("Held back: rolling reserve, disputes.")
    overpayments = _sums("Received above what was due; to be returned or accepted.")
    owed = _sums("Owed to us, after a reversal.")


class BalanceTransactionSchema(Shown):
    """One journal's effect on the balance."""

    id = shown_id(Prefix.BALANCE_TRANSACTION)
    object = shown_word(("balance_transaction",))
    livemode = shown_flag()
    business = shown_id(Prefix.BUSINESS)
    kind = shown_text("What happened: `receipt.booked`, `payout.accepted` …")
    created = shown_moment("When it was booked.")
    effective_at = shown_moment("When it happened, by the provider.")
    source = shown_text("The id of the receipt, payout … behind it.", null=True)
    currency = shown_text()
    amount = shown_whole("What moved: positive in, negative out; between your own buckets, the sum that moved.")
    fee = shown_whole("Taken by us in this move.")
    tax = shown_whole("Taxes on the fee in this move.")
    net = shown_whole("The change of all your money: amount less fee and tax.")
    buckets = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "The change of each bucket that changed."},
    )


TRANSACTIONS = list_of(BalanceTransactionSchema(), "BalanceTransactionList")


class BusinessSchema(Shown):
    """The business of the key."""

    id = shown_id(Prefix.BUSINESS)
    object = shown_word(("business",))
    created = shown_moment()
    updated = shown_moment()
    version = shown_whole()
    metadata = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    name = shown_text()
    shop_tag = shown_text("Begins every reference that a shopper reads.")
    statement_descriptor = shown_text()
    support_contact = shown_text(null=True)
    settlement = shown_text("`instant` or `T+n` working days.")
