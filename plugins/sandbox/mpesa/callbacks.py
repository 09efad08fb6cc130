"""The bodies that M-Pesa posts to us: push callbacks, B2C and status results, queue time-outs.

Sources: Daraja portal, December 2025, sections "Sample callback payload"; captures of failures in the sandbox,
6 October 2026.
"""

import json
import re
from typing import Any

from plugins.sandbox.mpesa import clock, codes, fields
from plugins.sandbox.mpesa.delivery import Parcel
from plugins.sandbox.mpesa.ids import Ids, placeholder
from plugins.sandbox.mpesa.journal import masked
from plugins.sandbox.mpesa.records import Due, Order, Payout, Pockets, Push, Subscriber
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Money, Raw, render

# A text that can be a number without losing anything: no zeros at its head.
NUMBER = re.compile(r"(0|[1-9]\d{0,14})(\.\d{1,2})?")
# Safaricom's own address behind each API: `b2c`, `b2b`, `ab`, `reversal`.
INTERNAL = "https://internalsandbox.safaricom.co.ke/mpesa/{}results/v1/submit"


def post(
    sim: Simulator,
    turn: Turn,
    what: str,
    reference: str,
    url: str,
    body: str,
    at_ms: int,
    copies: int = 1,
    **load: Any,
) -> None:
    """Post a body: after this very turn if its time has come, else when it is due.

    `load` may name the `shortcode` that it is about, and in `asks` the handler that wants to see the answer.
    """
    now, body = at_ms <= sim.now, dressed(body, sim.settings.callback_dress)
    due = sim.later(at_ms, "post", reference, queued=not now, news=what, url=url, body=body, copies=copies, **load)
    if now:
        send(sim, due, turn)


def send(sim: Simulator, due: Due, turn: Turn) -> None:
    """Write a due post into the journal and hand it over to be posted after this turn."""
    load = due.load
    body = json.loads(load["body"])
    sim.journal.add(
        sim.now,
        "callback",
        load["news"],
        reference=due.subject,
        url=load["url"],
        copies=load["copies"],
        body=masked(body),
        **({"shortcode": load["shortcode"]} if "shortcode" in load else {}),
    )
    turn.parcels.append(
        Parcel(
            due=due.no,
            journal_no=sim.journal.last,
            url=load["url"],
            body=load["body"],
            copies=load["copies"],
            asks="asks" in load,
        )
    )


def dressed(body: str, dress: str) -> str:
    """A body whose numbers became texts (`texts`), or whose texts of digits became numbers (`numbers`)."""
    if dress == "texts":
        return as_texts(body)
    if dress == "numbers":
        return render(_as_numbers(json.loads(body, parse_float=Raw)))
    return body


def as_texts(body: str) -> str:
    """A body whose every number is a text."""
    return render(json.loads(body, parse_float=str, parse_int=str))


def _as_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_numbers(one) for one in value]
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return Raw(value)
    return value


def push_result(push: Push, *, code: str, amount: int, phone_style: str = "number", prefix: str = "") -> str:
    """`Body.stkCallback`: metadata only on success, a Balance without value, the time as an EAT number."""
    told: dict[str, Any] = {
        "MerchantRequestID": push.merchant_id,
        "CheckoutRequestID": push.checkout_id,
        "ResultCode": codes.number(code),
        "ResultDesc": prefix + codes.push_text(code),
    }
    if code == "0":
        items: list[dict[str, Any]] = [
            {"Name": "Amount", "Value": Money(amount * 100)},
            {"Name": "MpesaReceiptNumber", "Value": push.receipt},
            {"Name": "Balance"},
            {"Name": "TransactionDate", "Value": clock.stamp(push.done_ms or push.created_ms)},
        ]
        if phone_style == "masked":
            items.append({"Name": "PhoneNumber", "Value": f"{push.payer[:4]} ***** {push.payer[-3:]}"})
        elif phone_style == "number":
            items.append({"Name": "PhoneNumber", "Value": int(push.payer)})
        told["CallbackMetadata"] = {"Item": items}
    return render({"Body": {"stkCallback": told}})


def _result(
    *, code: str, text: str, originator: str, conversation: str, transaction: str, result_type: int = 0
) -> dict[str, Any]:
    return {
        "ResultType": result_type,
        "ResultCode": codes.number(code),
        "ResultDesc": text,
        "OriginatorConversationID": originator,
        "ConversationID": conversation,
        "TransactionID": transaction,
    }


def _envelope(result: dict[str, Any], parameters: Any, reference: dict[str, Any] | list[dict[str, Any]]) -> str:
    if parameters is not None:
        result["ResultParameters"] = {"ResultParameter": parameters}
    result["ReferenceData"] = {"ReferenceItem": reference}
    return render({"Result": result})


def b2c_success(payout: Payout, receiver: Subscriber, held: Pockets, ids: Ids) -> str:
    """A paid payout; the order of its parameters varies, as it does in the field."""
    parameters = [
        {"Key": "TransactionAmount", "Value": payout.amount},
        {"Key": "TransactionReceipt", "Value": payout.receipt},
        {"Key": "ReceiverPartyPublicName", "Value": f"{receiver.phone} - {receiver.name}"},
        {"Key": "TransactionCompletedDateTime", "Value": clock.dotted(payout.done_ms or payout.created_ms)},
        {"Key": "B2CUtilityAccountAvailableFunds", "Value": Money(held.utility)},
        {"Key": "B2CWorkingAccountAvailableFunds", "Value": Money(held.working)},
        {"Key": "B2CRecipientIsRegisteredCustomer", "Value": "Y"},
        {"Key": "B2CChargesPaidAccountAvailableFunds", "Value": Money(held.charges)},
    ]
    result = _result(
        code="0",
        text=codes.SUCCESS,
        originator=payout.originator_id,
        conversation=payout.conversation_id,
        transaction=payout.receipt or "",
    )
    return _envelope(result, ids.shuffled(parameters), _internal("b2c"))


def b2c_failure(payout: Payout, receiver: Subscriber, code: str, now_ms: int, shape: str, ids: Ids) -> str:
    """A failed payout in one of the shapes seen: no parameters, one object, or a list; a placeholder or a hollow id."""
    hollow = shape == "absent" and ids.choice((True, False))
    result = _result(
        code=code,
        text=codes.b2c_text(code),
        originator=payout.originator_id,
        conversation=payout.conversation_id,
        transaction=ids.receipt(now_ms) if hollow else placeholder(now_ms),
    )
    reference = _internal("b2c")
    if shape == "absent":
        return _envelope(result, None, reference)
    if shape == "object":
        party = {"Key": "CreditPartyName", "Value": f"{receiver.phone} - {receiver.name}"}
        return _envelope(result, party, reference)
    parameters = [
        {"Key": "ActionType", "Value": payout.command},
        {"Key": "ErrorMsg", "Value": codes.b2c_text(code) + " "},
        {"Key": "BOCompletedTime", "Value": clock.stamp(now_ms)},
    ]
    return _envelope(result, parameters, [{"Key": "QueueTimeoutURL"}, {"Key": "Occassion"}])


def waiting(payout: Payout | Order, now_ms: int) -> str:
    """A result of type 1: more messages follow, and nothing is decided."""
    result = _result(
        code="0",
        text="The service request has been accepted successfully.",
        originator=payout.originator_id,
        conversation=payout.conversation_id,
        transaction=placeholder(now_ms),
        result_type=1,
    )
    return _envelope(result, None, _internal(payout.kind if isinstance(payout, Order) else "b2c"))


def queue_timeout(payout: Payout | Order, now_ms: int, style: str) -> str:
    """What QueueTimeOutURL gets: our own request back, as Safaricom's support describes it, or a Result envelope."""
    if style == "request":
        return render(payout.request)
    result = _result(
        code="1",
        text="The service request timed out in the queue.",
        originator=payout.originator_id,
        conversation=payout.conversation_id,
        transaction=placeholder(now_ms),
    )
    return _envelope(result, None, _internal(payout.kind if isinstance(payout, Order) else "b2c"))


def status_result(
    *, code: str, text: str, originator: str, conversation: str, now_ms: int, parameters: Any, occasion: str
) -> str:
    """The answer to a status query; the outer ids are the query's own, the outer TransactionID a placeholder."""
    result = _result(
        code=code, text=text, originator=originator, conversation=conversation, transaction=placeholder(now_ms)
    )
    reference = {"Key": "Occasion", "Value": occasion} if occasion else {"Key": "Occasion"}
    return _envelope(result, parameters, reference)


def balance_result(
    *, code: str, text: str, originator: str, conversation: str, now_ms: int, parameters: list[dict[str, Any]]
) -> str:
    """The answer to a balance query; a failure's reference has no Value, as a live one showed."""
    result = _result(
        code=code, text=text, originator=originator, conversation=conversation, transaction=placeholder(now_ms)
    )
    reference = {"Key": "QueueTimeoutURL"} if code != "0" else _internal("ab")
    return _envelope(result, parameters, reference)


def order_success(order: Order, parameters: list[dict[str, Any]], reference: list[dict[str, Any]]) -> str:
    """A B2B payment or a reversal that was carried out."""
    result = _result(
        code="0",
        text=codes.SUCCESS,
        originator=order.originator_id,
        conversation=order.conversation_id,
        transaction=order.receipt or "",
    )
    internal = _internal(order.kind)
    return _envelope(result, parameters, [*reference, internal] if reference else internal)


def order_failure(sim: Simulator, order: Order) -> str:
    """A B2B payment or a reversal that was refused, in one of the shapes seen of failures."""
    code, shape = order.code or "17", order.behaviour.shape or sim.settings.failure_shape
    shape = sim.ids.choice(("absent", "object", "list")) if shape == "varied" else shape
    result = _result(
        code=code,
        text=codes.b2c_text(code),
        originator=order.originator_id,
        conversation=order.conversation_id,
        transaction=placeholder(sim.now),
    )
    done: dict[str, Any] = {"Key": "BOCompletedTime", "Value": clock.stamp(sim.now)}
    kind = {"Key": "ActionType", "Value": order.request.get("CommandID", "")}
    listed = [kind, {"Key": "ErrorMsg", "Value": codes.b2c_text(code)}, done]
    parameters: Any = {"list": listed, "object": done}.get(shape)
    return _envelope(result, parameters, _references(order, shape))


def _references(order: Order, shape: str) -> dict[str, Any] | list[dict[str, Any]]:
    """One object in the portal's samples; B2B's live failures list it, between the account and an empty occasion."""
    if order.kind != "b2b" or shape == "object":
        return _internal(order.kind)
    account = fields.plain(order.request, "AccountReference")
    told = Raw(account) if NUMBER.fullmatch(account) else account
    named = [{"Key": "BillReferenceNumber", "Value": told}] if account else []
    return [*named, _internal(order.kind), {"Key": "Occassion"}]


def _internal(api: str) -> dict[str, Any]:
    return {"Key": "QueueTimeoutURL", "Value": INTERNAL.format(api)}
