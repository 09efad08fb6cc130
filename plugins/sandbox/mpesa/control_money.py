"""The control API's money side: customers who pay by themselves, the desk that reverses, balances, C2B's switches."""

from collections.abc import Callable
from typing import Any

from plugins.sandbox.mpesa import books, config, fields, payments, reversal
from plugins.sandbox.mpesa.simulator import Simulator
from plugins.sandbox.mpesa.views import Body, Wrong, held_by


def pay(sim: Simulator, body: Body) -> Body:
    """A customer pays by himself: `phone`, `shortcode` or `till`, `amount` in shillings, `account` for a paybill.

    Returns once what it caused is posted; `state` is paid or rejected, or asked while a validation is out.
    """
    phone, number = str(body.get("phone")), str(body.get("till") or body.get("shortcode"))
    amount, account = body.get("amount"), body.get("account", "")
    if not fields.MSISDN.fullmatch(phone):
        raise Wrong("phone is 2547… or 2541…")
    if isinstance(amount, bool) or not isinstance(amount, int) or not isinstance(account, str | int):
        raise Wrong("amount is whole shillings, account a text")
    try:
        with sim.turn() as turn:
            account = str(account)[:20]
            payment = payments.pay(sim, turn, phone=phone, number=number, amount=amount, account=account)
    except payments.Declined as declined:
        raise Wrong(f"{declined} ({declined.code})") from declined
    turn.wait()
    with sim.look():
        return payments.shown(sim.payments.get(payment.receipt) or payment)


def reverse(sim: Simulator, body: Body) -> Body:
    """Safaricom's desk reverses a payment: `receipt`, and `amount` for a part. Nobody is told."""
    with sim.turn():
        payment = sim.payments.get(str(body.get("receipt")))
        if payment is None or payment.state != "paid":
            raise Wrong("no such payment", 404)
        if payment.reversed_by:
            raise Wrong("it is reversed already")
        amount = body.get("amount", payment.amount)
        if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount <= payment.amount:
            raise Wrong("amount is whole shillings, of the payment at most")
        return {"receipt": reversal.give_back(sim, payment, amount), "original": payment.receipt}


def set_balance(sim: Simulator, body: Body) -> Body:
    """Set `working`, `utility`, `merchant` or `charges` of a `shortcode`, in shillings; it becomes a row."""
    number = str(body.get("shortcode"))
    if number not in sim.world.shortcodes:
        raise Wrong("no such shortcode", 404)
    try:
        new = {name: config.cents(body[name]) for name in books.ACCOUNTS if name in body}
    except config.BadConfig as error:
        raise Wrong(str(error)) from error
    with sim.turn():
        for pocket, cents in new.items():
            if change := cents - books.held(sim, number, pocket):
                what: dict[str, Any] = {"details": "Balance set by hand", "reason": "Adjustment", "other": ""}
                books.enter(sim, number, pocket, change, receipt=sim.ids.receipt(sim.now), **what)
        return held_by(sim, number)


def switch_validation(sim: Simulator, body: Body) -> Body:
    """Whether M-Pesa asks before customers of a `shortcode` may pay: `on` true or false."""
    number, on = str(body.get("shortcode")), body.get("on", True)
    if number not in sim.world.shortcodes:
        raise Wrong("no such shortcode", 404)
    if not isinstance(on, bool):
        raise Wrong("on is true or false")
    with sim.turn():
        sim.facts.put(f"validates:{number}", {"on": on})
    return {"shortcode": number, "validates": on}


def delete_urls(sim: Simulator, body: Body) -> Body:
    """Forget the URLs of a `shortcode`, as its administrators do in the portal."""
    with sim.turn():
        return {"deleted": sim.urls.remove(str(body.get("shortcode"))) is not None}


CHANGE: dict[str, Callable[[Simulator, Body], dict[str, Any]]] = {
    "pay": pay,
    "reverse": reverse,
    "balances": set_balance,
    "validation": switch_validation,
    "urls/delete": delete_urls,
}
