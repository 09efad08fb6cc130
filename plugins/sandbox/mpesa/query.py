"""`POST /mpesa/stkpushquery/v1/query`: what became of a push, without receipt, amount or phone.

While a prompt stands open it answers HTTP 500 "The transaction is being processed"; between the payer's answer and the
result, and in a long silence, HTTP 200 with 4999. Both forms are seen in the field.
"""

from typing import Any

from plugins.sandbox.mpesa import codes, fields, wire
from plugins.sandbox.mpesa.gate import Call, Endpoint, Refusal, Subject
from plugins.sandbox.mpesa.push import merchant
from plugins.sandbox.mpesa.records import Push
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer


def _about(sim: Simulator, body: dict[str, Any]) -> Subject:
    checkout_id = fields.plain(body, "CheckoutRequestID")
    push = sim.pushes.get(checkout_id)
    if push is None:
        return Subject(reference=checkout_id)
    return Subject(reference=push.account, phone=push.phone, amount=push.amount)


def _handle(sim: Simulator, call: Call, _turn: Turn) -> tuple[Answer, str]:
    body = call.fields
    number = fields.matching(body, "BusinessShortCode", fields.SHORTCODE)
    fields.opaque(body, "Password", 500)
    fields.matching(body, "Timestamp", fields.TIMESTAMP)
    checkout_id = fields.opaque(body, "CheckoutRequestID", 128)
    merchant(sim, body, number)
    push = sim.pushes.get(checkout_id)
    if push is None or push.shortcode != number or push.behaviour.query == "unknown":
        raise fields.BadField("CheckoutRequestID")
    if push.behaviour.query == "blocked":
        raise Refusal(wire.blocked(403, sim.ids.incident()))
    return _told(push)


def _told(push: Push) -> tuple[Answer, str]:
    says = push.behaviour.query
    if push.state != "done":
        form = says if says in ("500", "4999") else "500" if push.state == "open" else "4999"
        if form == "500":
            return wire.error(500, "500.001.1001", "The transaction is being processed", push.checkout_id), "pending"
        return _answer(push, *codes.PENDING_QUERY), "pending"
    code = push.code or "0" if says in ("truth", "500", "4999") else says
    return _answer(push, code, codes.push_text(code, in_query=True)), f"told {code}"


def _answer(push: Push, code: str, text: str) -> Answer:
    return wire.answer(
        {
            "ResponseCode": "0",
            "ResponseDescription": "The service request has been accepted successfully",
            "MerchantRequestID": push.merchant_id,
            "CheckoutRequestID": push.checkout_id,
            "ResultCode": code,
            "ResultDesc": text,
        }
    )


QUERY = Endpoint(name="query", method="POST", about=_about, handle=_handle)
