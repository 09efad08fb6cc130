"""`POST /mpesa/transactionstatus/v1/query`: acknowledged at once, answered later at its own ResultURL.

ResultCode 0 says that the query worked; the payment's own state is `TransactionStatus`. The portal's sample names
DebitPartyName twice (December 2025), so flattening the list loses one.
"""

import re
from typing import Any

from plugins.sandbox.mpesa import callbacks, clock, codes, fields, operators, wire
from plugins.sandbox.mpesa.found import Found, find, payout_of
from plugins.sandbox.mpesa.gate import Call, Endpoint, Subject
from plugins.sandbox.mpesa.records import Due
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer

RECEIPT = re.compile(r"[A-Z0-9]{10}")


def _about(sim: Simulator, body: dict[str, Any]) -> Subject:
    asked = fields.plain(body, "OriginalConversationID") or fields.plain(body, "TransactionID")
    about = payout_of(sim, asked) or sim.payments.get(asked)
    return Subject(
        reference=asked,
        phone=about.phone if about else "",
        amount=about.amount if about else 0,
        shortcode=fields.plain(body, "PartyA"),
    )


def _handle(sim: Simulator, call: Call, _turn: Turn) -> tuple[Answer, str]:
    body = call.fields
    _check(body)
    originator = sim.ids.request_id(sim.settings.identifiers)
    conversation = sim.ids.conversation_id(sim.now)
    delay_ms = round(sim.settings.result_s * 1000)
    sim.later(sim.now + delay_ms, "status", originator, request=body, conversation=conversation, copies=_copies(call))
    payload = {
        "OriginatorConversationID": originator,
        "ConversationID": conversation,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }
    return wire.answer(payload), "query accepted"


def _copies(call: Call) -> int:
    return call.plan.behaviour.copies


def _check(body: dict[str, Any]) -> None:
    fields.opaque(body, "Initiator", 100)
    fields.opaque(body, "SecurityCredential", 2000)
    fields.one_of(body, "CommandID", ("TransactionStatusQuery",))
    if not fields.plain(body, "OriginalConversationID"):
        fields.opaque(body, "TransactionID", 128)
    fields.one_of(body, "IdentifierType", ("1", "2", "4"))
    fields.matching(body, "PartyA", fields.SHORTCODE)
    fields.url(body, "ResultURL")
    fields.url(body, "QueueTimeOutURL")
    fields.text(body, "Remarks", 1, 100)
    fields.text(body, "Occasion", 0, 100)


def on_status(sim: Simulator, due: Due, turn: Turn) -> None:
    """The answer to an accepted query, as things stand now."""
    body: dict[str, Any] = due.load["request"]
    refused = operators.judge(
        sim,
        product="status",
        shortcode=fields.plain(body, "PartyA"),
        name=fields.plain(body, "Initiator"),
        credential=fields.plain(body, "SecurityCredential"),
    )
    found = None if refused else find(sim, body)
    malformed = not fields.plain(body, "OriginalConversationID") and not RECEIPT.fullmatch(
        fields.plain(body, "TransactionID")
    )
    code, text = codes.MALFORMED if malformed else codes.NOT_FOUND
    if refused:
        code, text = refused, codes.b2c_text(refused)
    if found is not None:
        code, text = "0", codes.SUCCESS
    told = callbacks.status_result(
        code=code,
        text=text,
        originator=due.subject,
        conversation=due.load["conversation"],
        now_ms=sim.now,
        parameters=_parameters(found, sim.settings.status_shape) if found else None,
        occasion=fields.plain(body, "Occasion"),
    )
    asked = fields.plain(body, "OriginalConversationID") or fields.plain(body, "TransactionID")
    party = fields.plain(body, "PartyA")
    if copies := due.load["copies"]:
        callbacks.post(sim, turn, "status result", asked, body["ResultURL"], told, sim.now, copies, shortcode=party)


def _parameters(found: Found, shape: str) -> list[dict[str, Any]]:
    """The portal's shape: texts, and DebitPartyName twice; the live one: numbers, and CreditPartyName."""
    live = shape == "live"

    def value(number: int) -> int | str:
        return number if live else str(number)

    def keyed(name: str, text: int | str) -> dict[str, Any]:
        return {"Key": name, "Value": text} if text != "" else {"Key": name}

    return [
        keyed("DebitPartyName", found.debit_party),
        keyed("CreditPartyName" if live else "DebitPartyName", found.credit_party),
        keyed("OriginatorConversationID", found.originator_id),
        keyed("InitiatedTime", value(clock.stamp(found.started_ms))),
        keyed("DebitAccountType", found.account_type),
        keyed("DebitPartyCharges", found.charges),
        keyed("TransactionReason", ""),
        keyed("ReasonType", found.reason),
        keyed("TransactionStatus", found.status),
        keyed("FinalisedTime", "" if found.ended_ms is None else value(clock.stamp(found.ended_ms))),
        keyed("Amount", value(found.amount)),
        keyed("ConversationID", found.conversation_id),
        keyed("ReceiptNo", found.receipt),
    ]


STATUS = Endpoint(name="status", method="POST", about=_about, handle=_handle)
