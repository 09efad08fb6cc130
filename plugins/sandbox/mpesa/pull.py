"""Pull, `/pulltransactions/v1/…`: customers' payments of the last 48 hours, for what callbacks lost.

Rows come in a list inside a list, with lower-case keys; nothing found is 1001 without `Response` in the field, and also
documented as `[[]]` (Daraja portal, December 2025; one capture). The Z of `trxDate` is decoration: times are EAT.
"""

from datetime import datetime
from typing import Any

from plugins.sandbox.mpesa import clock, fields, wire
from plugins.sandbox.mpesa.announcements import number_told
from plugins.sandbox.mpesa.gate import Call, Endpoint, Subject
from plugins.sandbox.mpesa.records import Payment
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer, Money

MEMORY_MS = 48 * 3600 * 1000
NOTHING = "No records found or Organization Name not available"


def _about(_sim: Simulator, body: dict[str, Any]) -> Subject:
    return Subject(reference=fields.plain(body, "ShortCode"), shortcode=fields.plain(body, "ShortCode"))


def _register(sim: Simulator, call: Call, _turn: Turn) -> tuple[Answer, str]:
    body = call.fields
    number = fields.matching(body, "ShortCode", fields.SHORTCODE)
    fields.one_of(body, "RequestType", ("Pull",))
    nominated = fields.matching(body, "NominatedNumber", fields.MSISDN)
    url = fields.url(body, "CallBackURL")
    known = sim.world.shortcodes.get(number)
    if known is None or "pull" not in known.products:
        raise fields.BadField("ShortCode")
    before = sim.facts.get(f"pull:{number}")
    if before is None:
        sim.facts.put(f"pull:{number}", {"nominated": nominated, "url": url})
    status, text = ("1001", "ShortCode already Registered") if before else ("1000", "ShortCode Registered Successfully")
    spaced = sim.settings.pull_spelling == "spaced"
    payload = {
        "ResponseRefID": sim.ids.request_id(sim.settings.identifiers),
        "Response Status" if spaced else "ResponseStatus": status,
        "ShortCode": number,
        "Response Description" if spaced else "ResponseDescription": text,
    }
    return wire.answer(payload), "pull registered"


def _query(sim: Simulator, call: Call, _turn: Turn) -> tuple[Answer, str]:
    body = call.fields
    number = fields.matching(body, "ShortCode", fields.SHORTCODE)
    since_ms, until_ms = _moment(body, "StartDate"), _moment(body, "EndDate")
    offset = fields.whole(body, "OffSetValue", 0, 10**9)
    found: list[Payment] = []
    if sim.facts.get(f"pull:{number}") is not None:
        since_ms = max(since_ms, sim.now - MEMORY_MS)
        seen_ms = min(until_ms + 999, sim.now - round(sim.settings.pull_lag_s * 1000))
        found = [one for one in _paid_to(sim, number) if since_ms <= (one.paid_ms or 0) <= seen_ms]
    rows = found[offset : offset + round(sim.settings.pull_page)]
    return _told(sim, rows), f"{len(rows)} rows"


def _paid_to(sim: Simulator, number: str) -> list[Payment]:
    """What customers paid to a paybill, or to a store's tills, oldest first."""
    known = sim.world.shortcodes.get(number)
    tills = known.tills if known else ()
    found = [one for each in (number, *tills) for one in sim.finder.paid_to(each)]
    return sorted(found, key=lambda one: one.paid_ms or 0)


def _moment(body: dict[str, Any], name: str) -> int:
    try:
        moment = datetime.strptime(fields.plain(body, name), "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.EAT)
    except ValueError as error:
        raise fields.BadField(name) from error
    return round(moment.timestamp() * 1000)


def _told(sim: Simulator, rows: list[Payment]) -> Answer:
    request_id = sim.ids.request_id(sim.settings.identifiers)
    if not rows and sim.settings.pull_empty == "live":
        return wire.answer({"RequestID": request_id, "ResponseCode": "1001", "ResponseMessage": NOTHING})
    listed: Any = [[_row(sim, one) for one in rows]]
    if not rows and sim.settings.pull_empty == "text":
        listed = "[[]]"
    code, text = ("1000", "Success") if rows else ("1001", NOTHING)
    return wire.answer({"ResponseRefID": request_id, "ResponseCode": code, "ResponseMessage": text, "Response": listed})


def _row(sim: Simulator, payment: Payment) -> dict[str, Any]:
    organisation = sim.world.shortcodes[payment.organisation]
    row: dict[str, Any] = {
        "transactionId": payment.receipt,
        "trxDate": clock.eat(payment.paid_ms or payment.created_ms).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "msisdn": int(payment.phone),
        "sender": "MPESA",
        "transactiontype": "c2b-buy-goods-debit" if organisation.till_of else "c2b-pay-bill-debit",
        "billreference": payment.account,
        "amount": str(Money(payment.amount * 100)),
        "organizationname": organisation.name,
    }
    if sim.settings.callback_phone == "masked":
        row["msisdn"] = number_told(payment.phone, "v2")
    elif sim.settings.callback_phone == "absent":
        del row["msisdn"]
    return row


# The portal's prose says GET, and its sample has a body; POST works as well.
ENDPOINTS = {
    "/pulltransactions/v1/register": Endpoint(
        name="pull_register", product="pull", method="POST", about=_about, handle=_register
    ),
    "/pulltransactions/v1/query": Endpoint(name="pull", method="POST GET", about=_about, handle=_query),
}
