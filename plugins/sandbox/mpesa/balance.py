"""`POST /mpesa/accountbalance/v1/query`: acknowledged at once, and the pockets told later at its own ResultURL.

All pockets come as one string: accounts joined by `&`, fields by `|` (Daraja portal, December 2025).
"""

from typing import Any

from plugins.sandbox.mpesa import books, callbacks, clock, codes, fields, operators, wire
from plugins.sandbox.mpesa.gate import Call, Endpoint, Subject
from plugins.sandbox.mpesa.records import Due
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer, Money


def _about(_sim: Simulator, body: dict[str, Any]) -> Subject:
    return Subject(reference=fields.plain(body, "PartyA"), shortcode=fields.plain(body, "PartyA"))


def _handle(sim: Simulator, call: Call, _turn: Turn) -> tuple[Answer, str]:
    body = call.fields
    _check(body)
    originator = sim.ids.request_id(sim.settings.identifiers)
    conversation = sim.ids.conversation_id(sim.now)
    due_ms = sim.now + round(sim.settings.result_s * 1000)
    copies = call.plan.behaviour.copies
    sim.later(due_ms, "balance", originator, request=body, conversation=conversation, copies=copies)
    payload = {
        "OriginatorConversationID": originator,
        "ConversationID": conversation,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }
    return wire.answer(payload), "query accepted"


def _check(body: dict[str, Any]) -> None:
    fields.opaque(body, "Initiator", 100)
    fields.opaque(body, "SecurityCredential", 2000)
    fields.one_of(body, "CommandID", ("AccountBalance",))
    fields.matching(body, "PartyA", fields.SHORTCODE)
    fields.one_of(body, "IdentifierType", ("2", "4"))
    fields.text(body, "Remarks", 1, 100)
    fields.url(body, "QueueTimeOutURL")
    fields.url(body, "ResultURL")


def on_balance(sim: Simulator, due: Due, turn: Turn) -> None:
    """The answer to an accepted query: the pockets as they are now, or why the operator may not see them."""
    body: dict[str, Any] = due.load["request"]
    party = fields.plain(body, "PartyA")
    refused = operators.judge(
        sim,
        product="balance",
        shortcode=party,
        name=fields.plain(body, "Initiator"),
        credential=fields.plain(body, "SecurityCredential"),
    )
    done: dict[str, Any] = {"Key": "BOCompletedTime", "Value": clock.stamp(sim.now)}
    if refused:
        text = codes.b2c_text(refused)
        parameters = [{"Key": "ActionType", "Value": "AccountBalance"}, {"Key": "ErrorMsg", "Value": text}, done]
    else:
        text = codes.SUCCESS
        parameters = [{"Key": "AccountBalance", "Value": told(sim, party)}, done]
    envelope = callbacks.balance_result(
        code=refused or "0",
        text=text,
        originator=due.subject,
        conversation=due.load["conversation"],
        now_ms=sim.now,
        parameters=parameters,
    )
    if copies := due.load["copies"]:
        callbacks.post(
            sim, turn, "balance result", party, body["ResultURL"], envelope, sim.now, copies, shortcode=party
        )


def told(sim: Simulator, number: str) -> str:
    """The pockets as M-Pesa's one string: name, currency, current, available, reserved, uncleared.

    A store shows what its tills hold as its own merchant account, as an operator of the store would see it.
    """
    held = [(pocket, books.held(sim, number, pocket)) for pocket in books.pockets_in(sim, number)]
    if tills := sim.world.shortcodes[number].tills:
        held.insert(2, ("merchant", sum(books.held(sim, till, "merchant") for till in tills)))
    return "&".join(f"{books.ACCOUNTS[pocket]}|KES|{Money(cents)}|{Money(cents)}|0.00|0.00" for pocket, cents in held)


BALANCE = Endpoint(name="balance", method="POST", about=_about, handle=_handle)
