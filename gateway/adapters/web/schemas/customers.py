"""Customers: what may be asked, and what is shown."""

from __future__ import annotations

from gateway.adapters.web.schemas.base import Body, Owned, list_of, shown_id, shown_text, shown_word
from gateway.adapters.web.schemas.fields import Metadata, Text
from gateway.domain.ids import Prefix


class NewCustomerSchema(Body):
    """A shopper: one customer per phone number, however it is typed."""

    phone = Text(40, required=True, metadata={"description": "A Kenyan mobile number, as people type it."})
    name = Text(200, allow_none=True)
    email = Text(320, allow_none=True)
    metadata = Metadata(allow_none=True)


class CustomerSchema(Owned):
    """A shopper, the number masked."""

    id = shown_id(Prefix.CUSTOMER)
    object = shown_word(("customer",))
    phone = shown_text("Masked: +2547•••••126.")
    name = shown_text(null=True)
    email = shown_text(null=True)


CUSTOMERS = list_of(CustomerSchema(), "CustomerList")
