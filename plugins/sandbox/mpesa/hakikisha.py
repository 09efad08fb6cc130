"""`POST /sfcverify/v1/query/info` ("Hakikisha"): whose a paybill or till is, answered at once.

The code of a name found is 4000 in the portal's sample and 0 in its table (December 2025); a setting chooses. What an
unknown number gets is undocumented, and ours.
"""

from typing import Any

from plugins.sandbox.mpesa import fields, wire
from plugins.sandbox.mpesa.gate import Call, Endpoint, Subject
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer


def _about(_sim: Simulator, body: dict[str, Any]) -> Subject:
    return Subject(reference=fields.plain(body, "Identifier"))


def _handle(sim: Simulator, call: Call, _turn: Turn) -> tuple[Answer, str]:
    kind = fields.one_of(call.fields, "IdentifierType", ("2", "4"))
    known = sim.world.shortcodes.get(fields.matching(call.fields, "Identifier", fields.SHORTCODE))
    if known is None or (kind == "2") is not bool(known.till_of):
        return wire.answer({"ResponseCode": "4001", "ResponseMessage": "Organization not found"}), "not found"
    payload = {
        "ResponseCode": sim.settings.hakikisha_code,
        "ResponseMessage": "Success",
        "OrganizationName": known.name,
    }
    return wire.answer(payload), "name told"


HAKIKISHA = Endpoint(name="hakikisha", method="POST", about=_about, handle=_handle)
