"""What somebody posts to us in Swypt's name. Swypt sends nothing by itself, so it is a hint to look, never news."""

from __future__ import annotations

import re

from plugins.swypt import wire
from ports.callback import Door, Incoming, Reading
from ports.errors import Unreadable
from ports.report import Grade, Report, Status

_ORDER = re.compile(r"W?D-[A-Za-z0-9]{1,16}-[A-Za-z0-9]{1,8}")


def read_hint(incoming: Incoming) -> Reading:
    """PENDING about the order that is named, whatever else the body says. Raises Unreadable."""
    try:
        body = wire.parsed(incoming.body)
    except ValueError:
        raise Unreadable("not a JSON object") from None
    for place in (body, wire.objects(body.get("data"))):
        named = wire.text(place.get("orderID"))
        if _ORDER.fullmatch(named):
            grade = Grade.SOLICITED if incoming.door is Door.CALL else Grade.ANNOUNCED
            return Reading(reports=(Report(status=Status.PENDING, grade=grade, provider_reference=named),))
    raise Unreadable("no order is named")
