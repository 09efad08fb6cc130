"""Rails: what is shown."""

from __future__ import annotations

from marshmallow import fields

from gateway.adapters.web.schemas.base import Shown, shown_flag, shown_moment, shown_text, shown_whole, shown_word


class RailRefundsSchema(Shown):
    """How money that came over it goes back."""

    supported = shown_flag("Whether it goes back over the same way; else a refund is paid out.")
    #: `partial` is a word of marshmallow's own.
    a_part = fields.Boolean(required=True, data_key="partial", metadata={"description": "Whether a part can."})
    destination = shown_word(("origin", "required", "none"), "Whether a refund goes back to its origin.")


class RailSchema(Shown):
    """One way to pay, or to be paid."""

    object = shown_word(("rail",))
    method = shown_text("The word for it: `payment_method.type`, or a payout's `destination.type`.")
    direction = shown_word(("collect", "pay_out"))
    currencies = fields.List(fields.String(), required=True)
    amount_min = shown_whole("Minor units.")
    amount_max = shown_whole("Minor units.")
    amount_granularity = shown_whole("Amounts are multiples of this.")
    callbacks = shown_word(("per_call", "per_connection", "none"), "How the provider tells what happened.")
    look_up = shown_word(("answers", "replies", "none"), "Whether the provider can be asked.")
    starts_by = shown_word(("prompt", "pay_to"), "By a prompt on the payer's phone, or by the payer.", null=True)
    fixed_amount = shown_flag("Whether exactly the amount asked is paid.")
    prompt_life_s = shown_whole("How long a prompt can be answered.", null=True)
    refunds = fields.Nested(RailRefundsSchema(), required=True, allow_none=True)
    destinations = fields.List(fields.String(), required=True, metadata={"description": "Kinds that are paid to."})
    status = shown_word(("available", "unavailable"))
    reason = shown_word(("paused", "maintenance", "not_answering"), "Why it takes nothing new.", null=True)
    until = shown_moment("When it is looked at again, where that is known.", null=True)


class RailListSchema(Shown):
    """All of them, in one page."""

    object = shown_word(("list",))
    data = fields.List(fields.Nested(RailSchema()), required=True)
    has_more = shown_flag()
    next_cursor = shown_text(null=True)
