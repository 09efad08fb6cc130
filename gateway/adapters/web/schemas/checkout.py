"""Checkout sessions: what may be asked, and what is shown."""

from __future__ import annotations

from marshmallow import fields, validate

from gateway.adapters.web.schemas.base import (
    Body,
    Owned,
    Shown,
    list_of,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.adapters.web.schemas.fields import Metadata, Part, Several, Text, Whole
from gateway.adapters.web.schemas.payments import (
    AMOUNT_MAX,
    PAYMENT_STATES,
    amount_field,
    currency_field,
    life_field,
)
from gateway.domain.checkout import SessionState
from gateway.domain.ids import Prefix

LINES_MAX = 100


class LineItemSchema(Body):
    """One line on the page; lines are only shown, the session's amount is what counts."""

    name = Text(200, required=True)
    amount = Whole(0, AMOUNT_MAX, code="amount_invalid", required=True)


class NewCheckoutSessionSchema(Body):
    """A hosted page for one payment."""

    amount = amount_field()
    currency = currency_field()
    description = Text(500, allow_none=True)
    reference = Text(100, allow_none=True)
    metadata = Metadata(allow_none=True)
    success_url = Text(2000, allow_none=True, metadata={"description": "Where the shopper goes after paying."})
    cancel_url = Text(2000, allow_none=True, metadata={"description": "Where the shopper goes after canceling."})
    line_items = Several(Part(LineItemSchema), allow_none=True, validate=validate.Length(max=LINES_MAX))
    expires_in = life_field("30 minutes")


class ShownLineItemSchema(Shown):
    """One line on the page."""

    name = shown_text()
    amount = shown_whole()


class CheckoutSessionSchema(Owned):
    """A hosted page for one payment; its status follows the payment's."""

    id = shown_id(Prefix.CHECKOUT_SESSION)
    object = shown_word(("checkout.session",))
    status = shown_word(tuple(state.value for state in SessionState))
    payment = shown_id(Prefix.PAYMENT)
    payment_status = shown_word(PAYMENT_STATES)
    amount = shown_whole()
    currency = shown_text()
    description = shown_text(null=True)
    reference = shown_text(null=True)
    line_items = fields.List(fields.Nested(ShownLineItemSchema), required=True)
    success_url = shown_text(null=True)
    cancel_url = shown_text(null=True)
    expires_at = shown_moment()
    url = shown_text("The page; shown once, in the answer that creates the session.", null=True)


SESSIONS = list_of(CheckoutSessionSchema(), "CheckoutSessionList")
