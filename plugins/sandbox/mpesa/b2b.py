"""`POST /mpesa/b2b/v1/paymentrequest`: from an organisation's Working account to a paybill, a till, or its own pockets.

`Reciever…` is misspelt on purpose: the right spelling is refused. A till is paid as identifier type 2, against the
portal's text; with 4 it is SFC_IC0003 (seen in production; Daraja portal, December 2025).
"""

from dataclasses import replace
from typing import Any

from plugins.sandbox.mpesa import books, callbacks, clock, fields, tariffs
from plugins.sandbox.mpesa.gate import Call, Endpoint, Subject, amount_in
from plugins.sandbox.mpesa.orders import Kind, check_ends, check_operator, take
from plugins.sandbox.mpesa.records import Order
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer, Money

PAY_BILL, BUY_GOODS, TO_BULK = "BusinessPayBill", "BusinessBuyGoods", "BusinessPayToBulk"
TO_UTILITY, FROM_UTILITY = "BusinessTransferFromMMFToUtility", "BusinessTransferFromUtilityToMMF"
# Each command with its words in the statement.
COMMANDS = {
    PAY_BILL: "Business Pay Bill",
    BUY_GOODS: "Business Buy Goods",
    TO_BULK: "Business Pay To Bulk",
    TO_UTILITY: "Organization Transfer from MMF to Utility Account",
    FROM_UTILITY: "Organization Transfer from Utility to MMF Account",
}


def _about(_sim: Simulator, body: dict[str, Any]) -> Subject:
    return Subject(
        reference=fields.plain(body, "AccountReference"),
        amount=amount_in(body),
        shortcode=fields.plain(body, "PartyA"),
    )


def _handle(sim: Simulator, call: Call, turn: Turn) -> tuple[Answer, str]:
    body = call.fields
    command = check_operator(body, tuple(COMMANDS))
    fields.one_of(body, "SenderIdentifierType", ("4",))
    fields.one_of(body, "RecieverIdentifierType", ("1", "2", "4"))
    asked: dict[str, Any] = {
        "amount": fields.whole(body, "Amount", 1, 10**9),
        "shortcode": fields.matching(body, "PartyA", fields.SHORTCODE),
        "subject": fields.matching(body, "PartyB", fields.SHORTCODE),
    }
    fields.text(body, "AccountReference", 1 if command == PAY_BILL else 0, 13)
    if fields.plain(body, "Requester"):
        fields.matching(body, "Requester", fields.MSISDN)
    asked |= check_ends(body)
    return take(sim, call, turn, {"b2b": B2B_KIND}, kind="b2b", **asked), "payment accepted"


def _judge(sim: Simulator, order: Order) -> str:
    command = fields.plain(order.request, "CommandID")
    if command == FROM_UTILITY:
        return "21"
    if order.amount > tariffs.B2B_MAX:
        return "3"
    if not _receives(sim, order, command):
        return "SFC_IC0003"
    cost = order.amount * 100 + (_fee(order) * 100 if sim.settings.charges_from == "account" else 0)
    return "1" if books.held(sim, order.shortcode, "working") < cost else "0"


def _receives(sim: Simulator, order: Order, command: str) -> bool:
    receiver = sim.world.shortcodes.get(order.subject)
    if receiver is None:
        return False
    if command == TO_UTILITY:
        return order.subject == order.shortcode
    if receiver.till_of:
        kind = fields.plain(order.request, "RecieverIdentifierType")
        return command == BUY_GOODS and sim.settings.b2b_till_type in ("any", kind)
    return fields.plain(order.request, "RecieverIdentifierType") == "4" and order.subject != order.shortcode


def _fee(order: Order) -> int:
    own = fields.plain(order.request, "CommandID") in (TO_UTILITY, TO_BULK)
    return 0 if own else tariffs.fee(tariffs.B2B, order.amount)


def _carry_out(sim: Simulator, order: Order) -> Order:
    receipt, fee, cents = sim.ids.receipt(sim.now), _fee(order), order.amount * 100
    before = books.held(sim, order.shortcode, "working")
    reason = COMMANDS[fields.plain(order.request, "CommandID")]
    sender, receiver = sim.world.shortcodes[order.shortcode], sim.world.shortcodes[order.subject]
    account = fields.plain(order.request, "AccountReference")
    to, by = f"{receiver.number} - {receiver.name}", f"{sender.number} - {sender.name}"
    shared: dict[str, Any] = {"receipt": receipt, "reason": reason, "account": account, "started_ms": order.created_ms}
    books.enter(sim, sender.number, "working", -cents, details=f"{reason} to {to}", other=to, **shared)
    charged = f"{reason} Charge"
    books.charge(sim, sender.number, "working", fee * 100, receipt=receipt, reason=charged, other=to)
    pocket = "merchant" if receiver.till_of else "utility"
    books.enter(sim, receiver.number, pocket, cents, details=f"{reason} from {by}", other=by, **shared)
    what = {"receipt": receipt, "reference": account, "amount": order.amount, "conversation_id": order.conversation_id}
    parties = {"shortcode": sender.number, "receiver": receiver.number}
    sim.journal.add(sim.now, "effect", "b2b", effect="money moved", **what, **parties)
    return replace(order, receipt=receipt, fee=fee, balance_before=before)


def _told(sim: Simulator, order: Order) -> str:
    """The result: account balances as the text of a Java map, as M-Pesa prints them."""
    if order.code != "0":
        _failed(sim, order)
        return callbacks.order_failure(sim, order)
    receiver = sim.world.shortcodes[order.subject]
    left = Money(books.held(sim, order.shortcode, "working"))
    reason = COMMANDS[fields.plain(order.request, "CommandID")]
    charges = f"{reason} Charge|KES|{order.fee}.00" if order.fee else ""
    affected = f"Working Account|KES|{Money(order.balance_before)}|{left}|{Money(order.amount * 100)}|0.00"
    parameters: list[dict[str, Any]] = [
        {"Key": "DebitAccountBalance", "Value": java_map(left)},
        {"Key": "Amount", "Value": Money(order.amount * 100)},
        {"Key": "DebitPartyAffectedAccountBalance", "Value": affected},
        {"Key": "TransCompletedTime", "Value": clock.stamp(order.done_ms or order.created_ms)},
        {"Key": "DebitPartyCharges", "Value": charges},
        {"Key": "ReceiverPartyPublicName", "Value": f"{receiver.number} - {receiver.name}"},
        {"Key": "Currency", "Value": "KES"},
        {"Key": "InitiatorAccountCurrentBalance", "Value": java_map(left)},
    ]
    account = {"Key": "BillReferenceNumber", "Value": fields.plain(order.request, "AccountReference")}
    told = callbacks.order_success(order, sim.ids.shuffled(parameters), [account])
    # Everything is text in the portal's sample, and live results have numbers.
    return callbacks.as_texts(told) if sim.settings.status_shape == "portal" else told


def _failed(sim: Simulator, order: Order) -> None:
    """A refused payment stands in the statement too, and moved nothing."""
    if order.shortcode in sim.world.shortcodes and order.code in ("1", "3"):
        receiver = sim.world.shortcodes.get(order.subject)
        to = f"{order.subject} - {receiver.name}" if receiver else order.subject
        reason = COMMANDS[fields.plain(order.request, "CommandID")]
        books.enter(
            sim,
            order.shortcode,
            "working",
            -order.amount * 100,
            receipt=sim.ids.receipt(sim.now),
            details=f"{reason} to {to}",
            reason=reason,
            other=to,
            started_ms=order.created_ms,
            account=fields.plain(order.request, "AccountReference"),
            status="Failed",
        )


def java_map(held: Money) -> str:
    """`{Amount={CurrencyCode=KES, MinimumAmount=618683, BasicAmount=6186.83}}`."""
    return f"{{Amount={{CurrencyCode=KES, MinimumAmount={held.cents}, BasicAmount={held}}}}}"


B2B_KIND = Kind(judge=_judge, carry_out=_carry_out, told=_told)
B2B = Endpoint(name="b2b", method="POST", about=_about, handle=_handle)
