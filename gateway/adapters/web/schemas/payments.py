"""Payments, attempts and receipts: what may be asked, and what is shown."""

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
from gateway.adapters.web.schemas.fields import Flag, Id, Metadata, Part, Text, Whole, Word
from gateway.application.amounts import LIFE_BOUNDS_S
from gateway.domain.attempts import AttemptState
from gateway.domain.ids import Prefix
from gateway.domain.payments import ExceptionStatus, PaymentState, SettlementStatus
from ports.money import ASSETS
from ports.report import FailureKind, TryAgain

#: Far above every rail and channel, far below what a JSON reader rounds (2**53): KES 10,000,000,000.00.
AMOUNT_MAX = 10**12

RECEIPT_STATES = ("booked", "unmatched")
PAYMENT_STATES = tuple(state.value for state in PaymentState)


def amount_field() -> Whole:
    """An amount that is asked for."""
    return Whole(
        1,
        AMOUNT_MAX,
        code="amount_invalid",
        required=True,
        metadata={"description": "In minor units: 150000 is KES 1,500.00."},
    )


def currency_field() -> Text:
    """ISO 4217."""
    return Text(3, shortest=3, required=True, metadata={"description": "ISO 4217.", "enum": sorted(ASSETS)})


def life_field(ordinary: str) -> Whole:
    """Seconds until the object expires."""
    about = f"Seconds until it expires; {ordinary} by default."
    return Whole(*LIFE_BOUNDS_S, code="expires_in_invalid", allow_none=True, metadata={"description": about})


class NewPaymentSchema(Body):
    """An order's promise."""

    amount = amount_field()
    currency = currency_field()
    description = Text(500, allow_none=True)
    reference = Text(
        100, allow_none=True, metadata={"description": "Your own name of the order; unique in your business and mode."}
    )
    metadata = Metadata(allow_none=True)
    expires_in = life_field("24 hours")


class PaymentMethodSchema(Body):
    """How the shopper pays."""

    type = Word(
        required=True,
        metadata={
            "description": "A `method` of `/v1/rails`: which ones there are depends on what the operator connected."
        },
    )
    phone = Text(
        40,
        allow_none=True,
        metadata={
            "description": "A Kenyan mobile number, as people type it: 0712 345 678. A prompt needs it; where the"
            " shopper sends by himself it may be left out."
        },
    )


class ConfirmationSchema(Body):
    """Send the prompt."""

    payment_method = Part(PaymentMethodSchema, required=True)
    quote = Id(Prefix.QUOTE, allow_none=True, metadata={"description": "The quote whose price is to hold."})
    acknowledge_unknown_attempt = Flag(
        load_default=False,
        metadata={"description": "An earlier prompt may still be paid, and you ask again all the same."},
    )


class FailureSchema(Shown):
    """Why a try failed."""

    code = shown_word(tuple(kind.value for kind in FailureKind))
    provider_code = shown_text("The provider's own code.", null=True)
    try_again = shown_word(tuple(word.value for word in TryAgain))
    after_s = shown_whole("Seconds to wait, with `after`.", null=True)


class NextActionSchema(Shown):
    """What the shopper must do."""

    type = shown_word(("prompt", "pay_to"), "A prompt is on the phone; or the shopper sends to a place by himself.")
    expires_at = shown_moment("The prompt's life ends; its outcome may be known later.")
    resend_after = shown_moment("From then on another prompt may be asked for.", null=True)
    pay_to = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "With `pay_to`: where, as names and values, such as `paybill` and `account`."},
    )
    amount_left = shown_whole("What is still due.")


class SettlementSchema(Shown):
    """When the money becomes available."""

    policy = shown_text("`instant` or `T+n` working days; null until the first confirm.", null=True)
    status = shown_word(tuple(status.value for status in SettlementStatus))
    available_on = shown_moment(null=True)


class AttemptSchema(Owned):
    """One try to collect a payment, with a reference of its own."""

    id = shown_id(Prefix.ATTEMPT)
    object = shown_word(("attempt",))
    payment = shown_id(Prefix.PAYMENT)
    number = shown_whole("1 for the first try.")
    status = shown_word(tuple(state.value for state in AttemptState))
    method = shown_text()
    amount = shown_whole()
    currency = shown_text()
    reference = shown_text("What the shopper reads on the phone.")
    payer = shown_text("The number, masked.", null=True)
    submitted_at = shown_moment(null=True)
    prompt_until = shown_moment(null=True)
    blocks_until = shown_moment("Another prompt must wait until then.", null=True)
    error = fields.Nested(FailureSchema, required=True, allow_none=True)


class TaxSchema(Shown):
    """One tax on a fee."""

    code = shown_text()
    amount = shown_whole()


class ReceiptSchema(Owned):
    """Money that arrived: one confirmed fact."""

    id = shown_id(Prefix.RECEIPT)
    object = shown_word(("receipt",))
    status = shown_word(RECEIPT_STATES, "`unmatched`: it bears your tag and is in suspense until you assign it.")
    payment = shown_id(Prefix.PAYMENT, allow_none=True)
    attempt = shown_id(Prefix.ATTEMPT, allow_none=True)
    receipt_number = shown_text("The provider's; it may be learnt later.", null=True)
    typed_reference = shown_text("While unmatched: what the payer typed, long numbers masked.", null=True)
    amount = shown_whole()
    currency = shown_text()
    amount_to_payment = shown_whole()
    amount_overpaid = shown_whole()
    amount_refunded = shown_whole("Of it, refunded or being refunded.")
    amount_reversed = shown_whole("Of it, taken back by the provider.")
    fee = shown_whole()
    tax = fields.List(fields.Nested(TaxSchema), required=True)
    happened_at = shown_moment()
    available_on = shown_moment(null=True)


class PaymentSchema(Owned):
    """An order's promise of money, kept by any number of attempts."""

    id = shown_id(Prefix.PAYMENT)
    object = shown_word(("payment",))
    amount = shown_whole("In minor units.")
    currency = shown_text()
    amount_due = shown_whole()
    amount_received = shown_whole("The sum of its receipts.")
    amount_refunded = shown_whole()
    status = shown_word(PAYMENT_STATES)
    exception_status = shown_word(
        tuple(status.value for status in ExceptionStatus), "What is unusual about the money.", null=True
    )
    outcome_unknown = shown_flag("A prompt was sent and nobody knows its outcome yet.")
    description = shown_text(null=True)
    reference = shown_text(null=True)
    customer = shown_id(Prefix.CUSTOMER, allow_none=True)
    checkout_session = shown_id(Prefix.CHECKOUT_SESSION, allow_none=True)
    expires_at = shown_moment()
    succeeded_at = shown_moment(null=True)
    next_action = fields.Nested(NextActionSchema, required=True, allow_none=True)
    settlement = fields.Nested(SettlementSchema, required=True)
    fee_schedule = shown_text("Frozen at the first confirm: `fee_…@version`.", null=True)
    last_error = fields.Nested(FailureSchema, required=True, allow_none=True)
    attempts = fields.List(fields.Nested(AttemptSchema), metadata={"description": "With `expand[]=attempts`."})
    receipts = fields.List(fields.Nested(ReceiptSchema), metadata={"description": "With `expand[]=receipts`."})
    refunds = fields.List(
        fields.Dict(keys=fields.String()),
        metadata={"description": "With `expand[]=refunds`: as `/v1/refunds` shows them."},
    )


PAYMENTS = list_of(PaymentSchema(), "PaymentList")
ATTEMPTS = list_of(AttemptSchema(), "AttemptList")
RECEIPTS = list_of(ReceiptSchema(), "ReceiptList")
