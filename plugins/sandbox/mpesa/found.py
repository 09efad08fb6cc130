"""A transaction as Transaction Status finds it: payouts, orders and customers' payments, by receipt or conversation."""

from dataclasses import dataclass
from typing import Any

from plugins.sandbox.mpesa import b2b, b2c, books, codes, fields
from plugins.sandbox.mpesa.behaviours import Behaviour
from plugins.sandbox.mpesa.records import Order, Payment, Payout
from plugins.sandbox.mpesa.simulator import Simulator

# What a scripted failure is called; every other failed transaction was Declined.
ENDINGS = {"1032": "Cancelled", "1019": "Expired", "1031": "Expired", "1037": "Expired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A transaction as its status tells it."""

    debit_party: str
    credit_party: str
    originator_id: str
    conversation_id: str
    account_type: str
    charges: str
    reason: str
    status: str
    amount: int
    receipt: str
    started_ms: int
    ended_ms: int | None


def payout_of(sim: Simulator, asked: str) -> Payout | None:
    """The payout with this id, receipt or conversation."""
    return sim.payouts.get(asked) or sim.payouts.get(sim.finder.payout_of.get(asked, ""))


def find(sim: Simulator, body: dict[str, Any]) -> Found | None:
    """The transaction that the caller's shortcode may see."""
    party = fields.plain(body, "PartyA")
    for name in ("OriginalConversationID", "TransactionID"):
        asked = fields.plain(body, name)
        if asked and (found := _one(sim, party, asked)) is not None:
            return found
    return None


def _one(sim: Simulator, party: str, asked: str) -> Found | None:
    payout = payout_of(sim, asked)
    if payout is not None:
        mine = payout.shortcode == party
        return _of_payout(sim, payout) if mine and _visible(sim, payout, payout.behaviour) else None
    order = sim.orders.get(asked) or sim.orders.get(sim.finder.order_of.get(asked, ""))
    if order is not None:
        mine = sim.acts_for(party, order.shortcode)
        return _of_order(sim, order) if mine and _visible(sim, order, order.behaviour) else None
    payment = sim.payments.get(asked)
    if payment is None or payment.state != "paid" or not sim.acts_for(party, payment.organisation):
        return None
    return _of_payment(sim, payment)


def _visible(sim: Simulator, one: Payout | Order, behaviour: Behaviour) -> bool:
    blind_s = behaviour.status_blind_s if behaviour.status_blind_s >= 0 else sim.settings.status_blind_s
    if sim.now < one.created_ms + round(blind_s * 1000) or behaviour.queue_timeout == "unpaid":
        return False
    return one.code not in codes.NO_TRANSACTION


def _state(one: Payout | Order) -> str:
    if one.receipt:
        return "Completed"
    return "Initiated" if one.state != "done" else ENDINGS.get(one.code or "", "Declined")


def _of_payout(sim: Simulator, payout: Payout) -> Found:
    return Found(
        debit_party=organisation(sim, payout.shortcode),
        credit_party=customer(sim, payout.phone),
        originator_id=payout.originator_id,
        conversation_id=payout.conversation_id,
        account_type="Utility Account",
        charges=f"Fee For B2C Payment|KES|{payout.fee}.00" if payout.receipt else "",
        reason=b2c.COMMANDS[payout.command],
        status=_state(payout),
        amount=payout.amount,
        receipt=payout.receipt or "",
        started_ms=payout.created_ms,
        ended_ms=payout.done_ms,
    )


def _of_order(sim: Simulator, order: Order) -> Found:
    if order.kind == "b2b":
        credit, pocket = organisation(sim, order.subject), "working"
        reason = b2b.COMMANDS[fields.plain(order.request, "CommandID")]
    else:
        payment = sim.payments.get(order.subject)
        credit = customer(sim, payment.phone) if payment else ""
        pocket = sim.world.shortcodes[payment.organisation].main_pocket if payment else "working"
        reason = f"Reversal of {order.subject}"
    return Found(
        debit_party=organisation(sim, order.shortcode),
        credit_party=credit,
        originator_id=order.originator_id,
        conversation_id=order.conversation_id,
        account_type=books.ACCOUNTS[pocket],
        charges=f"{reason} Charge|KES|{order.fee}.00" if order.fee else "",
        reason=reason,
        status=_state(order),
        amount=order.amount,
        receipt=order.receipt or "",
        started_ms=order.created_ms,
        ended_ms=order.done_ms,
    )


def _of_payment(sim: Simulator, payment: Payment) -> Found:
    is_till = bool(sim.world.shortcodes[payment.organisation].till_of)
    reason = "Merchant Payment" if is_till else "Pay Bill"
    return Found(
        debit_party=customer(sim, payment.phone),
        credit_party=organisation(sim, payment.organisation),
        originator_id=payment.originator_id,
        conversation_id="",
        account_type="MMF Account For Customer",
        charges="",
        reason=f"{reason} Online" if payment.origin == "push" else reason,
        status="Completed",
        amount=payment.amount,
        receipt=payment.receipt,
        started_ms=payment.created_ms,
        ended_ms=payment.paid_ms,
    )


def organisation(sim: Simulator, number: str) -> str:
    """`600992 - NAME`; the bare number of one that doesn't exist."""
    known = sim.world.shortcodes.get(number)
    return f"{number} - {known.name}" if known else number


def customer(sim: Simulator, phone: str) -> str:
    """`2547… - NAME`."""
    return f"{phone} - {sim.subscriber(phone).name}"
