"""What M-Pesa says when it is asked whose a paybill or till is.

Source: Daraja portal, December 2025. What an unknown number gets isn't written there, so it is told by the words.
"""

from __future__ import annotations

import re

from plugins.kit.http import Answer
from plugins.mpesa import wire
from plugins.mpesa.codes import shown
from plugins.mpesa.faults import fault_of
from plugins.mpesa.mapping import question_error
from plugins.mpesa.orders import body_of
from ports.abilities import Holder
from ports.errors import OutcomeUnknown

_NOBODY = re.compile(r"not found|not exist|no (such )?(organi[sz]ation|record)", re.IGNORECASE)
_NAME_MAX = 100


def holder_told(answer: Answer) -> Holder:
    """The name, or that there is no such number where that is what the words say. Raises as other questions do."""
    if answer.status != 200:
        raise question_error("holder", fault_of(answer))
    found = body_of(answer)
    words = wire.said(found.get("ResponseMessage")).strip()
    if words.lower() == "success":
        name = " ".join(wire.said(found.get("OrganizationName")).split())
        if not name:
            raise OutcomeUnknown("holder: success without a name")
        return Holder(name=name[:_NAME_MAX])
    if _NOBODY.search(words):
        return Holder(name=None)
    # Anything else, a page in HTML too, says nothing of the number.
    raise OutcomeUnknown(f"holder: {shown(wire.code(found.get('ResponseCode')) or 'no code')}")
