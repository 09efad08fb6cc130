"""What M-Pesa posts about customers' payments: validation before, confirmation after; both in one shape.

C2B v1 gives the payer's number as a SHA-256 digest, v2 masked with blanks (Daraja portal, December 2025). There is no
ResultCode: a confirmation is the money.
"""

import hashlib
from typing import Any

from plugins.sandbox.mpesa import callbacks, clock
from plugins.sandbox.mpesa.records import Due, Payment, Urls
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Money, render

APART_MS = 1000  # Between a confirmation and the earlier one that it overtook.


def urls_of(sim: Simulator, payment: Payment) -> Urls | None:
    """Where this payment is announced: at the till's own URLs, else at its store's."""
    store = sim.world.shortcodes[payment.organisation].till_of
    return sim.urls.get(payment.organisation) or sim.urls.get(store)


def body(sim: Simulator, payment: Payment, urls: Urls) -> str:
    """A validation while the payment is asked, a confirmation once it is paid."""
    organisation = sim.world.shortcodes[payment.organisation]
    number = organisation.till_of if sim.settings.till_shortcode == "store" else ""
    told: dict[str, Any] = {
        "TransactionType": "Buy Goods" if organisation.till_of else "Pay Bill",
        "TransID": payment.receipt,
        "TransTime": str(clock.stamp(payment.paid_ms or payment.created_ms)),
        "TransAmount": str(Money(payment.amount * 100)),
        "BusinessShortCode": number or organisation.number,
        "BillRefNumber": "" if organisation.till_of else payment.account,
        "InvoiceNumber": "",
        "OrgAccountBalance": str(Money(payment.balance)) if payment.state == "paid" else "",
        "ThirdPartyTransID": payment.third_party_id,
        "MSISDN": number_told(payment.phone, urls.version),
        **_names(sim, payment.phone),
    }
    return render(told)


def number_told(phone: str, version: str) -> str:
    """The payer's number as this version of the interface tells it."""
    if version == "v1":
        return hashlib.sha256(phone.encode()).hexdigest()
    return f"{phone[:4]} ***** {phone[-3:]}"


def _names(sim: Simulator, phone: str) -> dict[str, str | None]:
    first, *rest = sim.subscriber(phone).name.split(" ")
    match sim.settings.c2b_names:
        case "first":
            return {"FirstName": first, "MiddleName": "", "LastName": ""}
        case "full":
            middle, last = (rest[0], rest[-1]) if len(rest) > 1 else ("", rest[0] if rest else "")
            return {"FirstName": first, "MiddleName": middle, "LastName": last}
        case "null":
            return {"FirstName": None, "MiddleName": None, "LastName": None}
    return {"FirstName": "", "MiddleName": "", "LastName": ""}


def confirm(sim: Simulator, turn: Turn, payment: Payment) -> None:
    """Announce a paid payment, as its behaviour has it: once, never, often, late, or after the next one."""
    urls, behaviour = urls_of(sim, payment), payment.behaviour
    if urls is None:
        return
    copies = behaviour.confirm_copies
    if copies is None:
        copies = behaviour.copies if payment.origin == "c2b" else 1
    after_s = behaviour.confirm_s if payment.origin == "push" or behaviour.confirm_s else behaviour.callback_s
    if not copies:
        return
    wait_ms = round((sim.settings.late_s if after_s < 0 else after_s) * 1000)
    if behaviour.overtaken:
        sim.facts.put(f"overtaken:{urls.shortcode}", {"receipt": payment.receipt})
        sim.later(sim.now + round(sim.settings.late_s * 1000), "overtaken", urls.shortcode, receipt=payment.receipt)
        return
    send(sim, turn, payment, urls, sim.now + wait_ms, copies)
    _let_go(sim, turn, urls.shortcode, sim.now + wait_ms + APART_MS)


def send(sim: Simulator, turn: Turn, payment: Payment, urls: Urls, at_ms: int, copies: int = 1) -> None:
    """Post a confirmation."""
    told = body(sim, payment, urls)
    callbacks.post(
        sim,
        turn,
        "confirmation",
        payment.account,
        urls.confirmation,
        told,
        at_ms,
        copies,
        shortcode=payment.organisation,
    )


def _let_go(sim: Simulator, turn: Turn, shortcode: str, at_ms: int) -> None:
    """Post the confirmation that was waiting to be overtaken, if there is one."""
    waiting = sim.facts.remove(f"overtaken:{shortcode}")
    payment = sim.payments.get(waiting["receipt"]) if waiting else None
    if payment is not None and (urls := urls_of(sim, payment)) is not None:
        send(sim, turn, payment, urls, at_ms)


def on_overtaken(sim: Simulator, due: Due, turn: Turn) -> None:
    """Nothing overtook it: post it all the same."""
    waiting = sim.facts.get(f"overtaken:{due.subject}")
    if waiting and waiting["receipt"] == due.load["receipt"]:
        _let_go(sim, turn, due.subject, sim.now)
