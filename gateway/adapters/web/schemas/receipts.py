"""Receipts by themselves: what may be asked of them."""

from __future__ import annotations

from gateway.adapters.web.schemas.base import Body
from gateway.adapters.web.schemas.fields import Id
from gateway.domain.ids import Prefix


class AssignmentSchema(Body):
    """Whose the money is."""

    payment = Id(Prefix.PAYMENT, required=True)
