"""`POST /mpesa/reversal/v1/request`: gives a customer's payment back; not for payouts (Daraja portal, December 2025).

A part of an amount is undocumented: it is refused (25), unless a setting allows it.
"""

from dataclasses import replace
from typing import Any

from plugins.sandbox.mpesa import books, callbacks, clock, fields, tariffs
from plugins.sandbox.mpesa.gate import Call, Endpoint, Subject, amount_in
from plugins.sandbox.mpesa.orders import Kind, check_ends, check_operator, take
from plugins.sandbox.mpesa.payments import masked
from plugins.sandbox.mpesa.records import Order, Payment
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer, Money


def _about(sim: Simulator, body: dict[str, Any]) -> Subject:
    receipt = fields.plain(body, "TransactionID")
    payment = sim.payments.get(receipt)
    phone = payment.phone if payment else ""
    return Subject(
        reference=receipt, phone=phone, amount=amount_in(body), shortcode=fields.plain(body, "ReceiverParty")
    )


def _handle(sim: Simulator, call: Call, turn: Turn) -> tuple[Answer, str]:
    body = call.fields
    check_operator(body, ("TransactionReversal",))
    asked: dict[str, Any] = {
        "subject": fields.opaque(body, "TransactionID", 128),
        "amount": fields.whole(body, "Amount", 1, 10**9),
        "shortcode": fields.matching(body, "ReceiverParty", fields.SHORTCODE),
    }
    # The spelling is Safaricom's.
    fields.one_of(body, "RecieverIdentifierType", ("11",))
    asked |= check_ends(body)
    return take(sim, call, turn, {"reversal": REVERSAL_KIND}, kind="reversal", **asked), "reversal accepted"


def judge(sim: Simulator, order: Order) -> str:
    """The code that the world gives to a reversal."""
    payment = sim.payments.get(order.subject)
    if payment is None or payment.state != "paid" or not sim.acts_for(order.shortcode, payment.organisation):
        return "R000002"
    if payment.reversed_by:
        return "R000001"
    if order.amount > payment.amount or (order.amount < payment.amount and not sim.settings.partial_reversals):
        return "25"
    pocket = sim.world.shortcodes[payment.organisation].main_pocket
    return "1" if books.held(sim, payment.organisation, pocket) < order.amount * 100 else "0"


def carry_out(sim: Simulator, order: Order) -> Order:
    """Give the money back."""
    payment = sim.payments.get(order.subject)
    if payment is None:  # Never after `judge`.
        return order
    receipt = give_back(sim, payment, order.amount)
    return replace(order, receipt=receipt, subject=order.subject)


def give_back(sim: Simulator, payment: Payment, amount: int) -> str:
    """Move a payment's money back to the customer; the receipt of the reversal."""
    receipt = sim.ids.receipt(sim.now)
    organisation = sim.world.shortcodes[payment.organisation]
    customer = sim.subscriber(payment.phone)
    other = f"{masked(customer.phone)} - {customer.name}"
    books.enter(
        sim,
        organisation.number,
        organisation.main_pocket,
        -amount * 100,
        receipt=receipt,
        details=f"Reversal of {payment.receipt} to {other}",
        reason="Pay Bill Reversal" if not organisation.till_of else "Merchant Payment Reversal",
        other=other,
        linked=payment.receipt,
        account=payment.account,
    )
    balance = customer.balance + amount * 100
    if not customer.pinned:
        balance = min(balance, tariffs.CUSTOMER_BALANCE * 100)
    sim.subscribers.put(customer.phone, replace(customer, balance=balance))
    sim.keep_payment(replace(payment, reversed_by=receipt))
    what = {"receipt": receipt, "reference": payment.account, "phone": payment.phone, "amount": amount}
    linked = {"shortcode": organisation.number, "original": payment.receipt}
    sim.journal.add(sim.now, "effect", "reversal", effect="money given back", **what, **linked)
    sim.text(
        customer.phone,
        f"{receipt} Confirmed. Transaction {payment.receipt} has been reversed on {clock.sms_time(sim.now)}. "
        f"Ksh{amount:,}.00 is credited to your account. New M-PESA balance is Ksh{balance / 100:,.2f}.",
    )
    return receipt


def told(sim: Simulator, order: Order) -> str:
    """The result of a settled reversal."""
    payment = sim.payments.get(order.subject)
    if order.code != "0" or payment is None:
        return callbacks.order_failure(sim, order)
    organisation = sim.world.shortcodes[payment.organisation]
    held = Money(books.held(sim, organisation.number, organisation.main_pocket))
    account = books.ACCOUNTS[organisation.main_pocket]
    parameters: list[dict[str, Any]] = [
        {"Key": "DebitAccountBalance", "Value": f"{account}|KES|{held}|{held}|0.00|0.00"},
        {"Key": "Amount", "Value": Money(order.amount * 100)},
        {"Key": "TransCompletedTime", "Value": clock.stamp(order.done_ms or order.created_ms)},
        {"Key": "OriginalTransactionID", "Value": order.subject},
        {"Key": "Charge", "Value": 0},
        {"Key": "CreditPartyPublicName", "Value": f"{payment.phone} - {sim.subscriber(payment.phone).name}"},
        {"Key": "DebitPartyPublicName", "Value": f"{organisation.number} - {organisation.name}"},
    ]
    return callbacks.order_success(order, sim.ids.shuffled(parameters), [])


REVERSAL_KIND = Kind(judge=judge, carry_out=carry_out, told=told)
REVERSAL = Endpoint(name="reversal", method="POST", about=_about, handle=_handle)
