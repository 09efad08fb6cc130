"""Businesses, as a platform sends them."""

from __future__ import annotations

from gateway.adapters.web.schemas.balance import BusinessSchema
from gateway.adapters.web.schemas.base import Body, list_of
from gateway.adapters.web.schemas.fields import Metadata, Text

_DESCRIPTOR_MAX = 22


class BusinessChangeSchema(Body):
    """What may change. The shop tag stays: it stands on shoppers' statements."""

    name = Text(200)
    statement_descriptor = Text(_DESCRIPTOR_MAX)
    support_contact = Text(200, allow_none=True)
    settlement = Text(8, metadata={"description": "`instant` or `T+n` working days. For the platform's keys."})
    metadata = Metadata()


class NewBusinessSchema(Body):
    """A new business."""

    name = Text(200, required=True)
    shop_tag = Text(5, required=True, metadata={"description": "2 to 5 capital letters, of this business alone."})
    statement_descriptor = Text(_DESCRIPTOR_MAX)
    support_contact = Text(200)
    settlement = Text(8, load_default="instant")
    metadata = Metadata()


BUSINESSES = list_of(BusinessSchema(), "BusinessList")
