"""Orders that an API operator gives, answered later at their own ResultURL: B2B payments and reversals.

Neither carries an id of the caller's, so a repeated call is a second order (Daraja portal, December 2025).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from plugins.sandbox.mpesa import callbacks, codes, fields, operators, wire
from plugins.sandbox.mpesa.clock import eat
from plugins.sandbox.mpesa.gate import Call, behaviour_of
from plugins.sandbox.mpesa.records import Due, Order
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of order is judged, carried out and told."""

    judge: Callable[[Simulator, Order], str]  # The code that the world gives; "0" lets it happen.
    carry_out: Callable[[Simulator, Order], Order]  # Moves the money; the order then has its receipt.
    told: Callable[[Simulator, Order], str]  # The body of its result.


def take(sim: Simulator, call: Call, turn: Turn, kinds: dict[str, Kind], *, kind: str, **asked: Any) -> Answer:
    """Accept an order whose fields are checked, and set its life going."""
    order = sim.keep_order(
        Order(
            originator_id=sim.ids.request_id(sim.settings.identifiers),
            conversation_id=sim.ids.conversation_id(sim.now),
            kind=kind,
            app=call.key,
            request=call.fields,
            created_ms=sim.now,
            script=call.plan.name,
            behaviour=behaviour_of(call),
            **asked,
        )
    )
    _begin(sim, order, turn, kinds)
    payload = {
        "OriginatorConversationID": order.originator_id,
        "ConversationID": order.conversation_id,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }
    return wire.answer(payload)


def _begin(sim: Simulator, order: Order, turn: Turn, kinds: dict[str, Kind]) -> None:
    behaviour, settings = order.behaviour, sim.settings
    if behaviour.before_ack:
        settle(sim, order.originator_id, turn, kinds)
        return
    wait_s = settings.result_s if behaviour.settle_s is None else behaviour.settle_s
    wait_s = settings.pending_s if wait_s < 0 else wait_s
    if behaviour.late_s is not None:
        wait_s = settings.late_s if behaviour.late_s < 0 else behaviour.late_s
    if behaviour.waiting_first:
        first_ms = sim.now + round(wait_s * 500)
        body = callbacks.waiting(order, sim.now)
        callbacks.post(sim, turn, "result", order.subject, order.result_url, body, first_ms, shortcode=order.shortcode)
    sim.later(sim.now + round(wait_s * 1000), "order", order.originator_id)


def on_order(kinds: dict[str, Kind]) -> Callable[[Simulator, Due, Turn], None]:
    """The handler that settles orders of these kinds."""

    def fire(sim: Simulator, due: Due, turn: Turn) -> None:
        settle(sim, due.subject, turn, kinds)

    return fire


def settle(sim: Simulator, originator_id: str, turn: Turn, kinds: dict[str, Kind]) -> None:
    """M-Pesa is done with an order: money moves or not, and the result goes out."""
    order = sim.orders.get(originator_id)
    if order is None or order.state == "done":
        return
    behaviour, kind = order.behaviour, kinds[order.kind]
    if behaviour.queue_timeout:
        body = callbacks.queue_timeout(order, sim.now, sim.settings.queue_timeout_body)
        callbacks.post(sim, turn, "timeout", order.subject, order.timeout_url, body, sim.now, shortcode=order.shortcode)
        if behaviour.queue_timeout == "unpaid":
            return
    code = behaviour.code if behaviour.code is not None else "0"
    code = (_refused(sim, order) or kind.judge(sim, order)) if code == "0" else code
    if code == "0":
        order = kind.carry_out(sim, order)
    order = sim.keep_order(replace(order, state="done", code=code, done_ms=sim.now))
    if behaviour.copies > 0:
        at_ms = sim.now + round(behaviour.callback_s * 1000)
        told = kind.told(sim, order)
        callbacks.post(
            sim,
            turn,
            "result",
            order.subject,
            order.result_url,
            told,
            at_ms,
            behaviour.copies,
            shortcode=order.shortcode,
        )


def _refused(sim: Simulator, order: Order) -> str | None:
    return operators.judge(
        sim,
        product=order.kind,
        shortcode=order.shortcode,
        name=fields.plain(order.request, "Initiator"),
        credential=fields.plain(order.request, "SecurityCredential"),
    )


def check_operator(body: dict[str, Any], commands: tuple[str, ...]) -> str:
    """The fields that every order begins with; the command. Raises BadField."""
    fields.opaque(body, "Initiator", 100)
    fields.opaque(body, "SecurityCredential", 2000)
    return fields.one_of(body, "CommandID", commands)


def check_ends(body: dict[str, Any]) -> dict[str, str]:
    """The fields that every order ends with. Raises BadField."""
    fields.text(body, "Remarks", 2, 100)
    timeout = fields.url(body, "QueueTimeOutURL")
    return {"timeout_url": timeout, "result_url": fields.url(body, "ResultURL")}


def shown(order: Order) -> dict[str, Any]:
    """An order as the control API shows it."""
    return {
        "kind": order.kind,
        "originator_conversation_id": order.originator_id,
        "conversation_id": order.conversation_id,
        "shortcode": order.shortcode,
        "subject": order.subject,
        "amount": order.amount,
        "result_url": order.result_url,
        "timeout_url": order.timeout_url,
        "state": order.state,
        "result_code": order.code,
        "result_text": codes.b2c_text(order.code) if order.code else None,
        "receipt": order.receipt,
        "script": order.script,
        "created": eat(order.created_ms).isoformat(timespec="milliseconds"),
    }
