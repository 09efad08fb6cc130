"""Payment links: what may be asked, and what is shown."""

from __future__ import annotations

from gateway.adapters.web.schemas.base import (
    Body,
    Owned,
    list_of,
    shown_flag,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.adapters.web.schemas.fields import Flag, Metadata, Moment, Text, Whole
from gateway.adapters.web.schemas.payments import AMOUNT_MAX, currency_field
from gateway.domain.ids import Prefix

USES_MAX = 1_000_000


def _units(about: str) -> Whole:
    return Whole(1, AMOUNT_MAX, code="amount_invalid", allow_none=True, metadata={"description": about})


class LinkTermsSchema(Body):
    """What may be said of a link at any time."""

    description = Text(500, allow_none=True)
    max_uses = Whole(1, USES_MAX, allow_none=True, metadata={"description": "It makes so many payments, no more."})
    expires_at = Moment(allow_none=True)
    success_url = Text(2000, allow_none=True, metadata={"description": "Where the visitor goes after paying."})
    metadata = Metadata(allow_none=True)


class NewPaymentLinkSchema(LinkTermsSchema):
    """An address that makes a new payment each time that somebody pays."""

    amount = _units("Minor units; leave it out, and the visitor types the sum.")
    amount_min = _units("The least that a visitor may type.")
    amount_max = _units("The most that a visitor may type.")
    currency = currency_field()


class PaymentLinkChangeSchema(LinkTermsSchema):
    """What to change; what isn't sent stays, and null takes a bound away."""

    active = Flag()


class PaymentLinkSchema(Owned):
    """An address that makes a new payment each time that somebody pays."""

    id = shown_id(Prefix.PAYMENT_LINK)
    object = shown_word(("payment_link",))
    amount = shown_whole("Minor units; null where the visitor types the sum.", null=True)
    amount_min = shown_whole(null=True)
    amount_max = shown_whole(null=True)
    currency = shown_text()
    description = shown_text(null=True)
    max_uses = shown_whole(null=True)
    uses = shown_whole("How many payments it made.")
    expires_at = shown_moment(null=True)
    active = shown_flag()
    status = shown_word(("open", "inactive", "expired", "used_up"))
    success_url = shown_text(null=True)
    url = shown_text("The public page. It is no secret: hand it to whoever may pay.")


PAYMENT_LINKS = list_of(PaymentLinkSchema(), "PaymentLinkList")
