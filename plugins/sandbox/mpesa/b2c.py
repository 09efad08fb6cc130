"""`POST /mpesa/b2c/v3/paymentrequest`: takes a payout, refuses a repeated id, and reports later.

The acknowledgement says nothing about the money. Limits, credentials and balances are judged when the result is made
(Daraja portal, December 2025). The older `…/v1/…`, which most public clients still call, takes no id: M-Pesa makes one,
and a repeated call pays twice.
"""

from dataclasses import replace
from typing import Any

from plugins.sandbox.mpesa import books, callbacks, codes, fields, operators, tariffs, wire
from plugins.sandbox.mpesa.clock import eat, sms_time
from plugins.sandbox.mpesa.gate import Call, Endpoint, Refusal, Subject, amount_in, behaviour_of, duplicate_id
from plugins.sandbox.mpesa.records import Due, Payout
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer

COMMANDS = {
    "BusinessPayment": "Business Payment to Customer via API",
    "SalaryPayment": "Salary Payment via API",
    "PromotionPayment": "Promotion Payment via API",
}
SHAPES = ("absent", "object", "list")
DAY_MS = 24 * 3600 * 1000


def _about(_sim: Simulator, body: dict[str, Any]) -> Subject:
    return Subject(
        reference=fields.plain(body, "OriginatorConversationID"),
        phone=fields.plain(body, "PartyB"),
        shortcode=fields.plain(body, "PartyA"),
        amount=amount_in(body),
    )


def _about_v1(sim: Simulator, body: dict[str, Any]) -> Subject:
    return replace(_about(sim, body), reference="")


def _handle(sim: Simulator, call: Call, turn: Turn) -> tuple[Answer, str]:
    return _take(sim, call, turn, call.fields)


def _handle_v1(sim: Simulator, call: Call, turn: Turn) -> tuple[Answer, str]:
    own = sim.ids.request_id(sim.settings.identifiers)
    return _take(sim, call, turn, {**call.fields, "OriginatorConversationID": own})


def _take(sim: Simulator, call: Call, turn: Turn, body: dict[str, Any]) -> tuple[Answer, str]:
    asked = _checked(body)
    if sim.payouts.get(asked["originator_id"]) is not None:
        raise Refusal(duplicate_id(sim))
    payout = sim.keep_payout(
        Payout(
            conversation_id=sim.ids.conversation_id(sim.now),
            app=call.key,
            request=call.fields,
            created_ms=sim.now,
            script=call.plan.name,
            behaviour=behaviour_of(call),
            **asked,
        )
    )
    _begin(sim, payout, turn)
    payload = {
        "ConversationID": payout.conversation_id,
        "OriginatorConversationID": payout.originator_id,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }
    return wire.answer(payload), "payout accepted"


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    """The fields in the order in which Daraja blames them. Raises BadField."""
    originator = fields.opaque(body, "OriginatorConversationID", 128)
    fields.opaque(body, "InitiatorName", 100)
    fields.opaque(body, "SecurityCredential", 2000)
    asked = {
        "originator_id": originator,
        "command": fields.one_of(body, "CommandID", COMMANDS),
        "amount": fields.whole(body, "Amount", 1, 10**9),
        "shortcode": fields.matching(body, "PartyA", fields.SHORTCODE),
        "phone": fields.matching(body, "PartyB", fields.MSISDN),
    }
    fields.text(body, "Remarks", 2, 100)
    asked["timeout_url"] = fields.url(body, "QueueTimeOutURL")
    asked["result_url"] = fields.url(body, "ResultURL")
    for spelling in ("Occassion", "Occasion"):
        fields.text(body, spelling, 0, 100)
    return asked


def _begin(sim: Simulator, payout: Payout, turn: Turn) -> None:
    behaviour, settings = payout.behaviour, sim.settings
    if behaviour.before_ack:
        settle(sim, payout.originator_id, turn)
        return
    wait_s = settings.result_s if behaviour.settle_s is None else behaviour.settle_s
    if wait_s < 0:
        wait_s = settings.pending_s
    if behaviour.late_s is not None:
        wait_s = settings.late_s if behaviour.late_s < 0 else behaviour.late_s
    at_ms = sim.now + round(wait_s * 1000)
    if behaviour.waiting_first:
        body = callbacks.waiting(payout, sim.now)
        first_ms = sim.now + round(wait_s * 500)
        callbacks.post(
            sim, turn, "result", payout.originator_id, payout.result_url, body, first_ms, shortcode=payout.shortcode
        )
    sim.later(at_ms, "payout", payout.originator_id)


def on_payout(sim: Simulator, due: Due, turn: Turn) -> None:
    settle(sim, due.subject, turn)


def settle(sim: Simulator, originator_id: str, turn: Turn) -> None:
    """M-Pesa is done with a payout: money moves or not, and the result goes out."""
    payout = sim.payouts.get(originator_id)
    if payout is None or payout.state == "done":
        return
    behaviour = payout.behaviour
    if behaviour.queue_timeout:
        body = callbacks.queue_timeout(payout, sim.now, sim.settings.queue_timeout_body)
        callbacks.post(sim, turn, "timeout", originator_id, payout.timeout_url, body, sim.now)
        if behaviour.queue_timeout == "unpaid":
            return
    code = behaviour.code if behaviour.code is not None else "0"
    code = _judged(sim, payout) if code == "0" else code
    if code == "0":
        payout = _pay(sim, payout)
    elif code in ("1", "4", "8", "2040") and payout.shortcode in sim.world.shortcodes:
        _book(sim, payout, sim.ids.receipt(sim.now), 0, "Failed")  # It stands in the statement, and moved nothing.
    payout = sim.keep_payout(replace(payout, state="done", code=code, done_ms=sim.now))
    if behaviour.copies > 0:
        at_ms = sim.now + round(behaviour.callback_s * 1000)
        body = result_body(sim, payout)
        callbacks.post(sim, turn, "result", originator_id, payout.result_url, body, at_ms, behaviour.copies)


def result_body(sim: Simulator, payout: Payout) -> str:
    """The result of a settled payout."""
    receiver = sim.subscriber(payout.phone)
    code = payout.code or "0"
    if code == "0":
        return callbacks.b2c_success(payout, receiver, sim.pockets_of(payout.shortcode), sim.ids)
    shape = payout.behaviour.shape or sim.settings.failure_shape
    shape = sim.ids.choice(SHAPES) if shape == "varied" else shape
    return callbacks.b2c_failure(payout, receiver, code, sim.now, shape, sim.ids)


def _judged(sim: Simulator, payout: Payout) -> str:
    """The code that the world gives: operator, product, limits, recipient, balance, in this order."""
    refused = operators.judge(
        sim,
        product="b2c",
        shortcode=payout.shortcode,
        name=fields.plain(payout.request, "InitiatorName"),
        credential=fields.plain(payout.request, "SecurityCredential"),
    )
    if refused:
        return refused
    if payout.amount < tariffs.B2C_MIN:
        return "2"
    if payout.amount > tariffs.B2C_MAX:
        return "3"
    receiver = sim.subscriber(payout.phone)
    if not receiver.registered:
        return "2040"
    if receiver.pinned:
        today = sim.finder.received_since(payout.phone, sim.now - DAY_MS)
        if today + payout.amount > tariffs.CUSTOMER_DAILY:
            return "4"
        if receiver.balance // 100 + payout.amount > tariffs.CUSTOMER_BALANCE:
            return "8"
    return "1" if sim.pockets_of(payout.shortcode).utility < payout.amount * 100 else "0"


def _pay(sim: Simulator, payout: Payout) -> Payout:
    receipt = sim.ids.receipt(sim.now)
    fee = tariffs.fee(tariffs.B2C, payout.amount)
    receiver = sim.subscriber(payout.phone)
    _book(sim, payout, receipt, fee)
    balance = receiver.balance + payout.amount * 100
    if not receiver.pinned:  # An unpinned customer always has room.
        balance = min(balance, tariffs.CUSTOMER_BALANCE * 100)
    sim.subscribers.put(receiver.phone, replace(receiver, balance=balance))
    sim.journal.add(
        sim.now,
        "effect",
        "b2c",
        effect="money moved",
        receipt=receipt,
        reference=payout.originator_id,
        phone=payout.phone,
        amount=payout.amount,
        shortcode=payout.shortcode,
        conversation_id=payout.conversation_id,
    )
    name = sim.world.shortcodes[payout.shortcode].name
    sim.text(
        payout.phone,
        f"{receipt} Confirmed. You have received Ksh{payout.amount:,}.00 from {name} on "
        f"{sms_time(sim.now)}. New M-PESA balance is Ksh{balance / 100:,.2f}.",
    )
    return replace(payout, receipt=receipt, fee=fee)


def _book(sim: Simulator, payout: Payout, receipt: str, fee: int, status: str = "Completed") -> None:
    reason = COMMANDS[payout.command]
    to = f"{payout.phone} - {sim.subscriber(payout.phone).name}"
    books.enter(
        sim,
        payout.shortcode,
        "utility",
        -payout.amount * 100,
        receipt=receipt,
        details=f"{reason} to {to}",
        reason=reason,
        other=to,
        started_ms=payout.created_ms,
        status=status,
    )
    charged = "Business Payment to Customer Charge"
    books.charge(sim, payout.shortcode, "utility", fee * 100, receipt=receipt, reason=charged, other=to)


def shown(payout: Payout) -> dict[str, Any]:
    """A payout as the control API shows it."""
    return {
        "originator_conversation_id": payout.originator_id,
        "conversation_id": payout.conversation_id,
        "phone": payout.phone,
        "amount": payout.amount,
        "fee": payout.fee,
        "result_url": payout.result_url,
        "timeout_url": payout.timeout_url,
        "state": payout.state,
        "result_code": payout.code,
        "result_text": codes.b2c_text(payout.code) if payout.code else None,
        "receipt": payout.receipt,
        "script": payout.script,
        "created": eat(payout.created_ms).isoformat(timespec="milliseconds"),
    }


B2C = Endpoint(name="b2c", method="POST", about=_about, handle=_handle)
B2C_V1 = Endpoint(name="b2c", method="POST", about=_about_v1, handle=_handle_v1)
