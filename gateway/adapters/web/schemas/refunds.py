"""Refunds and kept excess: what may be asked, and what is shown."""

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
from gateway.adapters.web.schemas.fields import Id, Metadata, Part, Text, Whole
from gateway.adapters.web.schemas.payments import AMOUNT_MAX, FailureSchema
from gateway.adapters.web.schemas.payouts import DestinationSchema, NewDestinationSchema
from gateway.domain.ids import Prefix
from gateway.domain.refunds import RefundAttemptState, RefundState, Way

REFUND_STATES = tuple(state.value for state in RefundState)


def part_field(about: str) -> Whole:
    """An amount that may be left out."""
    return Whole(1, AMOUNT_MAX, code="amount_invalid", allow_none=True, metadata={"description": about})


class NewRefundSchema(Body):
    """Money of a payment back to who paid it."""

    payment = Id(Prefix.PAYMENT, required=True)
    amount = part_field("In minor units. Left out: the excess of an overpaid payment, else all that is left.")
    destination = Part(
        NewDestinationSchema,
        allow_none=True,
        metadata={"description": "Only where the rail can't send it back to where it came from."},
    )
    reason = Text(500, allow_none=True)
    metadata = Metadata(allow_none=True)


class KeptExcessSchema(Body):
    """What was paid too much, kept."""

    amount = part_field("In minor units; all of the excess when left out.")


class RefundAttemptSchema(Owned):
    """One order to give one receipt's money back, with a reference of its own."""

    id = shown_id(Prefix.REFUND_ATTEMPT)
    object = shown_word(("refund_attempt",))
    refund = shown_id(Prefix.REFUND)
    number = shown_whole("1 for the first order.")
    status = shown_word(tuple(state.value for state in RefundAttemptState))
    way = shown_word(tuple(way.value for way in Way), "Over the rail itself, or by a payout to the payer's number.")
    receipt = shown_id(Prefix.RECEIPT)
    reference = shown_text()
    amount = shown_whole()
    currency = shown_text()
    submitted_at = shown_moment(null=True)
    receipt_number = shown_text(null=True)
    error = fields.Nested(FailureSchema, required=True, allow_none=True)


class RefundPartSchema(Shown):
    """One receipt that a refund draws on."""

    receipt = shown_id(Prefix.RECEIPT)
    amount = shown_whole()


class RefundSchema(Owned):
    """Money on its way back; decided once, never sent twice."""

    id = shown_id(Prefix.REFUND)
    object = shown_word(("refund",))
    payment = shown_id(Prefix.PAYMENT)
    amount = shown_whole("In minor units.")
    amount_of_excess = shown_whole("Of it, drawn from overpayments.")
    amount_sent = shown_whole("Of it, proved to have gone.")
    currency = shown_text()
    parts = fields.List(fields.Nested(RefundPartSchema), required=True)
    destination = fields.Nested(DestinationSchema, required=True, allow_none=True)
    status = shown_word(REFUND_STATES)
    waiting_for = shown_text("Why a pending refund waits.", null=True)
    reason = shown_text(null=True)
    receipt_number = shown_text("The provider's.", null=True)
    needs_attention = shown_flag("A person looks at it.")
    succeeded_at = shown_moment(null=True)
    error = fields.Nested(FailureSchema, required=True, allow_none=True)
    attempts = fields.List(fields.Nested(RefundAttemptSchema), metadata={"description": "With `expand[]=attempts`."})


REFUNDS = list_of(RefundSchema(), "RefundList")
