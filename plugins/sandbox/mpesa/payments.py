"""Customers' payments to paybills and tills, by hand or by prompt: asked about, paid, announced.

Money lands in a paybill's Working account and in a till's Merchant account. Where M-Pesa validates for a shortcode, it
asks first and waits about 8 s; without a word in time the registered ResponseType decides (Daraja portal, December
2025). A payment by prompt isn't validated here.
"""

import json
from dataclasses import replace
from typing import Any

from plugins.sandbox.mpesa import announcements, books, callbacks, scripts, tariffs
from plugins.sandbox.mpesa.clock import sms_time
from plugins.sandbox.mpesa.config import Shortcode
from plugins.sandbox.mpesa.records import Due, Payment
from plugins.sandbox.mpesa.simulator import Simulator, Turn


class Declined(Exception):
    """The customer's phone says no, and nothing happened; `code` is M-Pesa's."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def pay(sim: Simulator, turn: Turn, *, phone: str, number: str, amount: int, account: str) -> Payment:
    """A customer pays by himself. Raises Declined."""
    organisation = sim.world.shortcodes.get(number)
    if organisation is None:
        raise Declined("SFC_IC0003", "no such paybill or till")
    if not tariffs.PUSH_MIN <= amount <= tariffs.PUSH_MAX:
        raise Declined("2" if amount < tariffs.PUSH_MIN else "3", "the amount is outside M-Pesa's limits")
    payer = sim.subscriber(phone)
    if payer.pinned and payer.balance < amount * 100:
        raise Declined("1", "the customer has too little money")
    plan = scripts.choose(sim, "c2b", phone, amount, account)
    scripts.spend(sim, plan)
    payment = sim.keep_payment(
        Payment(
            receipt=sim.ids.receipt(sim.now),
            organisation=number,
            amount=amount,
            phone=phone,
            account="" if organisation.till_of else account,
            created_ms=sim.now,
            script=plan.name,
            behaviour=plan.behaviour,
        )
    )
    store = sim.world.shortcodes.get(organisation.till_of, organisation)
    asks = sim.facts.get(f"validates:{store.number}") or {"on": store.validated}
    urls = announcements.urls_of(sim, payment)
    if not asks["on"] or urls is None or not urls.validation:
        return complete(sim, turn, payment)
    callbacks.post(
        sim,
        turn,
        "validation",
        payment.account,
        urls.validation,
        announcements.body(sim, payment, urls),
        sim.now,
        shortcode=number,
        asks="validated",
        receipt=payment.receipt,
    )
    return payment


def on_validated(sim: Simulator, due: Due, turn: Turn) -> None:
    """The word came, or the time for it is over."""
    payment = sim.payments.get(due.load["receipt"])
    if payment is None or payment.state != "asked":
        return
    code, third_party_id = _word(due.load["reply"])
    urls = announcements.urls_of(sim, payment)
    if code is None:
        code = "0" if urls is not None and urls.response_type == "Completed" else "cancelled"
    facts = {"reference": payment.account, "phone": payment.phone, "amount": payment.amount}
    word = {"shortcode": payment.organisation, "receipt": payment.receipt, "word": code}
    sim.journal.add(sim.now, "validation", "c2b", **facts, **word)
    if code == "0":
        complete(sim, turn, replace(payment, third_party_id=third_party_id))
        return
    sim.keep_payment(replace(payment, state="rejected", code=code))
    name = sim.world.shortcodes[payment.organisation].name
    sim.text(payment.phone, f"Failed. Your payment of Ksh{payment.amount:,}.00 to {name} was not accepted.")


def _word(reply: dict[str, Any]) -> tuple[str | None, str]:
    """The code in a validation's answer, and the id to give back; no code if there was no answer that can be read."""
    try:
        told = json.loads(reply.get("text", "")) if reply.get("status") == 200 else None
    except ValueError:
        told = None
    if not isinstance(told, dict) or "ResultCode" not in told:
        return None, ""
    return str(told["ResultCode"]).strip(), str(told.get("ThirdPartyTransID") or "")


def complete(sim: Simulator, turn: Turn, payment: Payment, **facts: Any) -> Payment:
    """The money moves, and whoever registered for it is told; `facts` go into the journal."""
    organisation = sim.world.shortcodes[payment.organisation]
    payer = sim.subscriber(payment.phone)
    balance = payer.balance - payment.amount * 100
    if balance < 0 and not payer.pinned:
        balance += (payment.amount + 50_000) * 100  # An unpinned customer has always just been paid.
    sim.subscribers.put(payer.phone, replace(payer, balance=max(balance, 0)))
    _book(sim, organisation, payment)
    payment = sim.keep_payment(
        replace(
            payment,
            state="paid",
            code="0",
            paid_ms=sim.now,
            balance=books.held(sim, organisation.number, organisation.main_pocket),
        )
    )
    what: dict[str, Any] = {
        "effect": "money moved",
        "receipt": payment.receipt,
        "reference": payment.account,
        "phone": payment.phone,
        "amount": payment.amount,
        **facts,
        "shortcode": organisation.number,
    }
    sim.journal.add(sim.now, "effect", payment.origin, **what)
    _tell_payer(sim, organisation, payment, max(balance, 0))
    announcements.confirm(sim, turn, payment)
    return payment


def _book(sim: Simulator, organisation: Shortcode, payment: Payment) -> None:
    till, pocket = bool(organisation.till_of), organisation.main_pocket
    other = f"{masked(payment.phone)} - {sim.subscriber(payment.phone).name}"
    reason = ("Merchant Payment" if till else "Pay Bill") + (" Online" if payment.origin == "push" else "")
    details = f"{reason} from {other}" + (f" Acc. {payment.account}" if payment.account else "")
    books.enter(
        sim,
        organisation.number,
        pocket,
        payment.amount * 100,
        receipt=payment.receipt,
        started_ms=payment.created_ms,
        details=details,
        reason=reason,
        other=other,
        account=payment.account,
    )
    fee = tariffs.till_fee(payment.amount) if till else tariffs.fee(tariffs.PAYBILL, payment.amount) * 100
    charged = "Merchant Payment Charge" if till else "Pay Bill Charge"
    books.charge(sim, organisation.number, pocket, fee, receipt=payment.receipt, reason=charged, other=other)


def _tell_payer(sim: Simulator, organisation: Shortcode, payment: Payment, balance: int) -> None:
    account = f" for account {payment.account}" if payment.account else ""
    sent = "paid" if organisation.till_of else "sent"
    sim.text(
        payment.phone,
        f"{payment.receipt} Confirmed. Ksh{payment.amount:,}.00 {sent} to {organisation.name}{account} on "
        f"{sms_time(sim.now)}. New M-PESA balance is Ksh{balance / 100:,.2f}. Transaction cost, Ksh0.00.",
    )


def masked(phone: str) -> str:
    """A number as organisations see it since March 2026."""
    return f"{phone[:4]}*****{phone[-3:]}"


def shown(payment: Payment) -> dict[str, Any]:
    """A payment as the control API shows it."""
    return {
        "receipt": payment.receipt,
        "state": payment.state,
        "result_code": payment.code,
        "shortcode": payment.organisation,
        "amount": payment.amount,
        "phone": payment.phone,
        "account": payment.account,
        "origin": payment.origin,
        "reversed_by": payment.reversed_by,
        "script": payment.script,
    }
