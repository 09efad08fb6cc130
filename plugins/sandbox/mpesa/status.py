"""`POST /mpesa/transactionstatus/v1/query`: acknowledged at once, answered later at its own ResultURL.

ResultCode 0 says that the query worked; the payment's own state is `TransactionStatus`. The portal's sample names
DebitPartyName twice (December 2025), so flattening the list loses one.
"""

from dataclasses import dataclass
from typing import Any

from plugins.sandbox.mpesa import callbacks, clock, codes, fields, operators, wire
from plugins.sandbox.mpesa.b2c import COMMANDS
from plugins.sandbox.mpesa.gate import Call, Endpoint, Subject
from plugins.sandbox.mpesa.records import Due, Payout, Push
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer

# What a scripted failure is called; every other failed transaction was Declined.
ENDINGS = {"1032": "Cancelled", "1019": "Expired", "1031": "Expired", "1037": "Expired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A transaction as its status tells it."""

    debit_party: str
    credit_party: str
    originator_id: str
    conversation_id: str
    account_type: str
    charges: str
    reason: str
    status: str
    amount: int
    receipt: str
    started_ms: int
    ended_ms: int | None


def _about(sim: Simulator, body: dict[str, Any]) -> Subject:
    asked = fields.plain(body, "OriginalConversationID") or fields.plain(body, "TransactionID")
    payout = _payout(sim, asked)
    return Subject(reference=asked, phone=payout.phone if payout else "", amount=payout.amount if payout else 0)


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
    found = None if refused else _find(sim, body)
    code, text = (refused, codes.b2c_text(refused)) if refused else codes.NOT_FOUND
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
    if copies := due.load["copies"]:
        callbacks.post(sim, turn, "status result", asked, body["ResultURL"], told, sim.now, copies)


def _payout(sim: Simulator, asked: str) -> Payout | None:
    return sim.payouts.get(asked) or sim.payouts.get(sim.finder.payout_of.get(asked, ""))


def _find(sim: Simulator, body: dict[str, Any]) -> Found | None:
    """The transaction that the caller's shortcode may see."""
    party = fields.plain(body, "PartyA")
    for name in ("OriginalConversationID", "TransactionID"):
        asked = fields.plain(body, name)
        payout = _payout(sim, asked) if asked else None
        if payout is not None:
            return _of_payout(sim, payout) if payout.shortcode == party and _visible(sim, payout) else None
    push = sim.pushes.get(sim.finder.push_of_receipt.get(fields.plain(body, "TransactionID"), ""))
    return _of_push(sim, push) if push is not None and push.shortcode == party else None


def _visible(sim: Simulator, payout: Payout) -> bool:
    behaviour = payout.behaviour
    blind_s = behaviour.status_blind_s if behaviour.status_blind_s >= 0 else sim.settings.status_blind_s
    if sim.now < payout.created_ms + round(blind_s * 1000) or behaviour.queue_timeout == "unpaid":
        return False
    return payout.code not in codes.NO_TRANSACTION


def _of_payout(sim: Simulator, payout: Payout) -> Found:
    status = "Initiated" if payout.state != "done" else ENDINGS.get(payout.code or "", "Declined")
    return Found(
        debit_party=_organisation(sim, payout.shortcode),
        credit_party=f"{payout.phone} - {sim.subscriber(payout.phone).name}",
        originator_id=payout.originator_id,
        conversation_id=payout.conversation_id,
        account_type="Utility Account",
        charges=f"Fee For B2C Payment|KES|{payout.fee}.00" if payout.receipt else "",
        reason=COMMANDS[payout.command],
        status="Completed" if payout.receipt else status,
        amount=payout.amount,
        receipt=payout.receipt or "",
        started_ms=payout.created_ms,
        ended_ms=payout.done_ms,
    )


def _of_push(sim: Simulator, push: Push) -> Found:
    return Found(
        debit_party=f"{push.payer} - {sim.subscriber(push.payer).name}",
        credit_party=_organisation(sim, push.shortcode),
        originator_id=push.merchant_id,
        conversation_id="",
        account_type="MMF Account For Customer",
        charges="",
        reason="Pay Bill Online",
        status="Completed",
        amount=push.amount,
        receipt=push.receipt or "",
        started_ms=push.created_ms,
        ended_ms=push.done_ms,
    )


def _organisation(sim: Simulator, number: str) -> str:
    return f"{number} - {sim.world.shortcodes[number].name}"


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
