"""Quotes: what may be asked, and what is shown."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields

from gateway.adapters.web.schemas.base import (
    Body,
    Owned,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.adapters.web.schemas.fields import Choice, Word
from gateway.adapters.web.schemas.payments import AMOUNT_MAX, TaxSchema, currency_field
from gateway.domain.fees import Bearer
from gateway.domain.ids import Prefix
from gateway.domain.quotes import QuoteType

BEARERS = tuple(bearer.value for bearer in Bearer)
TYPES = tuple(type_.value for type_ in QuoteType)


def _amount(value: Any) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= AMOUNT_MAX
    if not whole and value != "max":
        raise ValidationError("must be a positive whole number of minor units, or `max` for a payout")


class NewQuoteSchema(Body):
    """What would it cost?"""

    type = Choice(TYPES, required=True)
    amount = fields.Raw(
        required=True,
        validate=_amount,
        metadata={
            "description": "In minor units; `max` for the largest payout that the balance covers.",
            "oneOf": [{"type": "integer", "minimum": 1, "maximum": AMOUNT_MAX}, {"const": "max"}],
        },
    )
    currency = currency_field()
    method = Word(metadata={"description": "How the shopper would pay, as `/v1/rails` names it; for payments."})
    destination = Choice(("mpesa_phone",), metadata={"description": "The kind of destination; for payouts."})
    bearer = Choice(BEARERS, metadata={"description": "Who bears the fee, when not as the price list says."})


class QuoteSchema(Owned):
    """A price, held until `expires_at`: name it when you confirm or pay out."""

    id = shown_id(Prefix.QUOTE)
    object = shown_word(("quote",))
    type = shown_word(TYPES)
    method = shown_text()
    amount = shown_whole("The order, or what the payee gets.")
    currency = shown_text()
    bearer = shown_word(BEARERS)
    fee = shown_whole("Our fee without its tax, the rounding in it.")
    tax = fields.List(fields.Nested(TaxSchema), required=True)
    customer_fee = shown_whole("The customer's part of fee and tax.")
    rounding = shown_whole("What rounding up to what the rail can move adds.")
    customer_total = shown_whole("What the customer pays: exactly `merchant_net` and all fee and tax.", null=True)
    merchant_net = shown_whole("What the business gets.", null=True)
    total = shown_whole("What a payout takes off the balance.", null=True)
    fee_schedule = shown_text("`fee_…@version`")
    expires_at = shown_moment()
