"""Payouts: what may be asked, and what is shown."""

from __future__ import annotations

from marshmallow import fields

from gateway.adapters.web.schemas.base import (
    Body,
    Owned,
    Shown,
    list_of,
    shown_flag,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.adapters.web.schemas.fields import Choice, Id, Metadata, Part, Text
from gateway.adapters.web.schemas.payments import FailureSchema, TaxSchema, amount_field, currency_field
from gateway.domain.ids import Prefix
from gateway.domain.payouts import PayoutAttemptState, PayoutState
from ports.payout_channel import DestinationKind

PAYOUT_STATES = tuple(state.value for state in PayoutState)


class NewDestinationSchema(Body):
    """Where the money goes."""

    type = Choice(("mpesa_phone",), required=True)
    phone = Text(40, required=True, metadata={"description": "A Kenyan mobile number, as people type it."})


class NewPayoutSchema(Body):
    """Money out of the available balance; amount and fee are reserved at once."""

    amount = amount_field()
    currency = currency_field()
    destination = Part(NewDestinationSchema, required=True)
    quote = Id(Prefix.QUOTE, allow_none=True, metadata={"description": "The quote whose price is to hold."})
    description = Text(500, allow_none=True)
    reference = Text(100, allow_none=True, metadata={"description": "Your own name of the payout."})
    metadata = Metadata(allow_none=True)


class DestinationSchema(Shown):
    """Where the money goes, masked."""

    type = shown_word(tuple(kind.value for kind in DestinationKind))
    account = shown_text("Masked.")


class PayoutAttemptSchema(Owned):
    """One instruction to a channel, with a reference of its own."""

    id = shown_id(Prefix.PAYOUT_ATTEMPT)
    object = shown_word(("payout_attempt",))
    payout = shown_id(Prefix.PAYOUT)
    number = shown_whole("1 for the first instruction.")
    status = shown_word(tuple(state.value for state in PayoutAttemptState))
    reference = shown_text()
    amount = shown_whole()
    currency = shown_text()
    submitted_at = shown_moment(null=True)
    receipt_number = shown_text(null=True)
    error = fields.Nested(FailureSchema, required=True, allow_none=True)


class PayoutSchema(Owned):
    """Money on its way to a phone; decided once, never sent twice."""

    id = shown_id(Prefix.PAYOUT)
    object = shown_word(("payout",))
    amount = shown_whole("In minor units.")
    currency = shown_text()
    fee = shown_whole("Reserved beside the amount.")
    tax = fields.List(fields.Nested(TaxSchema), required=True)
    destination = fields.Nested(DestinationSchema, required=True)
    status = shown_word(PAYOUT_STATES)
    waiting_for = shown_text("Why a queued payout waits.", null=True)
    description = shown_text(null=True)
    reference = shown_text(null=True)
    receipt_number = shown_text("The provider's.", null=True)
    needs_attention = shown_flag("A person looks at it.")
    paid_at = shown_moment(null=True)
    error = fields.Nested(FailureSchema, required=True, allow_none=True)
    attempts = fields.List(fields.Nested(PayoutAttemptSchema), metadata={"description": "With `expand[]=attempts`."})


PAYOUTS = list_of(PayoutSchema(), "PayoutList")
PAYOUT_ATTEMPTS = list_of(PayoutAttemptSchema(), "PayoutAttemptList")
