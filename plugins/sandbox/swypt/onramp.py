"""The on-ramp: prompts, what becomes of them, and the tokens that `/deposit` releases."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from plugins.sandbox.mpesa import clock
from plugins.sandbox.swypt import quotes, shapes
from plugins.sandbox.swypt.behaviours import PAYS, Behaviour
from plugins.sandbox.swypt.chain import Chain, ChainTrouble, Signed
from plugins.sandbox.swypt.records import Due, Order
from plugins.sandbox.swypt.shapes import Refusal, Reply, answer, success
from plugins.sandbox.swypt.simulator import Simulator

PHONE = re.compile(r"254[17][0-9]{8}")
WORDS = {
    "PENDING": "Your deposit is being processed",
    "SUCCESS": "Deposit completed successfully",
    "CANCELLED": "Unknown transaction status",
}


def start(sim: Simulator, body: dict[str, Any], script: str, behaviour: Behaviour) -> tuple[Reply, str]:
    """POST /onramp-orders: each accepted call is a new prompt."""
    phone, wallet, token = (str(body.get(name, "")) for name in ("partyA", "userAddress", "tokenAddress"))
    amount = _shillings(body.get("amount"))
    network = next((one.name for one in sim.networks.values() if one.token(token)), None)
    if not PHONE.fullmatch(phone) or not amount or body.get("side") != "onramp" or not wallet or network is None:
        raise Refusal(400, "Failed to record the onramp transaction order")
    if not sim.settings.limit_in_min <= amount <= sim.settings.limit_in_max:
        raise Refusal(500, "Failed to initiate STK Push payment")
    day = clock.eat(sim.now)
    order = Order(
        order_id=sim.order_id("D"),
        phone=phone,
        amount=amount,
        wallet=wallet,
        token=token,
        network=network,
        created_ms=sim.now,
        ends_ms=sim.now + round(sim.settings.prompt_life_s * 1000),
        checkout_id=f"ws_CO_{day:%d%m%Y%H%M%S}{sim.position % 1000:03d}{phone[-9:]}",
        script=script,
        behaviour=behaviour,
    )
    if behaviour.end is not None:
        sim.later(sim.settings.late_s if behaviour.is_late else sim.settings.scripted_answer_s, "end", order.order_id)
        order = replace(order, is_answered=True, told=behaviour.first_word)
    elif sim.world.mpesa is None:
        sim.later(sim.settings.prompt_life_s, "prompt_over", order.order_id)
        if sim.settings.autopilot_ms is not None:
            sim.later(sim.settings.autopilot_ms / 1000, "autopilot", order.order_id)
    sim.orders.put(order.order_id, order)
    data = {"orderID": order.order_id, "message": "Success. Request accepted for processing"}
    return success(data, "STK Push initiated successfully"), "prompt sent"


def _shillings(value: Any) -> int:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return 0
    whole = not isinstance(value, bool) and found.is_finite() and found == found.to_integral_value()
    return int(found) if whole and 0 < found < 10**9 else 0


# What becomes of a prompt


def open_on(sim: Simulator, phone: str) -> Order | None:
    """The oldest prompt that waits on a phone."""
    waiting = (one for one in sim.orders.values() if one.phone == phone and one.state == "PENDING")
    return next((one for one in waiting if not one.is_answered and one.ends_ms > sim.now), None)


def decide(sim: Simulator, order: Order, action: str, pin: str) -> Order:
    """The payer's answer: `pin` (0000 is wrong), `cancel`, or `ignore`."""
    if action == "ignore":
        return order
    end = {"cancel": ("CANCELLED", "Transaction cancelled by user")}.get(action, (PAYS, ""))
    if action == "pin" and pin == "0000":
        end = ("FAILED", "The initiator information is invalid")
    behaviour = replace(order.behaviour, end=end[0], message=end[1])
    sim.later(sim.settings.settle_s, "end", order.order_id)
    sim.note("payer", "onramp", phone=order.phone, order=order.order_id, action=action)
    return sim.orders.put(order.order_id, replace(order, is_answered=True, behaviour=behaviour))


def on_autopilot(sim: Simulator, due: Due) -> None:
    """Nobody is there: the prompt is paid by itself."""
    order = sim.orders.get(due.subject)
    if order is not None and order.state == "PENDING" and not order.is_answered:
        decide(sim, order, "pin", "1234")


def on_prompt_over(sim: Simulator, due: Due) -> None:
    """Nobody answered."""
    order = sim.orders.get(due.subject)
    if order is not None and order.state == "PENDING" and not order.is_answered:
        sim.orders.put(
            order.order_id,
            replace(order, state="FAILED", message="DS timeout user cannot be reached", done_ms=sim.now),
        )


def on_end(sim: Simulator, due: Due) -> None:
    """An order ends as its behaviour says."""
    order = sim.orders.get(due.subject)
    if order is None or order.state != "PENDING":
        return
    end = order.behaviour.end or PAYS
    if end == "CANCELLED":
        end = sim.settings.cancelled
    receipt = sim.receipt() if end == PAYS else ""
    message = "" if end == PAYS else order.behaviour.message
    done = replace(order, state=end, told="", receipt=receipt, message=message, done_ms=sim.now)
    sim.orders.put(order.order_id, done)
    if end == PAYS:
        sim.note("effect", "onramp", effect="collected", phone=order.phone, order=order.order_id, amount=order.amount)


def status(sim: Simulator, order_id: str) -> Reply:
    """GET /onramp-order-status/:orderID."""
    if not order_id:
        raise Refusal(400, "orderID is required")
    order = sim.orders.get(order_id)
    if order is None:
        raise Refusal(404, f"Transaction {order_id} not found")
    settings = sim.settings
    state = order.told or order.state
    is_paid = state == PAYS and order.behaviour.has_receipt
    message = WORDS.get(state, order.message or order.behaviour.message or "Transaction failed")
    details: dict[str, Any] = {
        "phoneNumber": shapes.phone(settings, order.phone),
        "mpesaReceipt": order.receipt if is_paid else order.checkout_id,
        "transactionDate": shapes.east_african(settings, order.done_ms or order.created_ms),
        "resultDescription": order.message or "Transaction initiated",
    }
    if settings.details_of_april:
        tx, tokens = (order.tx, _tokens_text(sim, order)) if order.is_delivered else ("", "")
        details |= {"cryptoAmount": tokens, "symbol": "", "transactionHash": tx, "chain": ""}
    data = {
        "status": shapes.word(settings, state),
        "message": message,
        "orderID": order_id,
        "details": details,
    }
    return success(data)


# The second step


def deposit(sim: Simulator, body: dict[str, Any]) -> tuple[Reply, str]:
    """POST /deposit: releases what was collected, once for each order."""
    order_id, address, chain = (str(body.get(name) or "") for name in ("orderID", "address", "chain"))
    if not order_id or not address:
        raise Refusal(400, "Missing required parameters: address or orderID")
    order = sim.orders.get(order_id)
    if order is None:
        raise Refusal(404, f"No transaction found for orderID: {order_id}")
    network = sim.networks.get(chain.lower())
    if network is None:
        raise Refusal(400, f"Invalid chain: {chain}")
    if order.is_delivered:
        raise Refusal(400, f"Transaction {order_id} has already been processed")
    if order.state == "PENDING":
        raise Refusal(400, f"Transaction {order_id}: STK push payment is being processed")
    if order.state != PAYS:
        raise Refusal(400, f"Transaction {order_id}: Payment failed")
    token = network.token(order.token)
    if token is None:
        raise Refusal(400, f"{chain} chain is not supported")
    price = quotes.rate(sim.settings, token, inwards=True, is_drifted=True)
    right = int(shapes.floored(Decimal(order.amount) / price, token.decimals).scaleb(token.decimals))
    units = right * order.behaviour.permille // 1000
    order = replace(order, is_delivered=True, units=units, delivered_ms=sim.now, rate=f"{price:f}")
    order, effect = _deliver(sim, order, address)
    sim.orders.put(order_id, order)
    payload: dict[str, Any] = {
        "status": 200,
        "message": "Transaction processed successfully",
        "createdAt": shapes.utc(order.created_ms),
        "updatedAt": shapes.utc(sim.now),
    }
    if order.behaviour.delivery != "no_hash":
        payload["hash"] = order.tx
    return answer(payload), effect


def _deliver(sim: Simulator, order: Order, address: str) -> tuple[Order, str]:
    way = order.behaviour.delivery
    if way == "foreign_hash":
        return replace(order, tx=sim.hash()), "claimed a hash of nobody's"
    if way == "never":
        return replace(order, tx=sim.hash()), "claimed, and sends nothing"
    if way == "late":
        sim.later(sim.settings.late_s, "deliver", order.order_id)
        return order, "will be sent later"
    return _send(sim, order, address)


def _send(sim: Simulator, order: Order, address: str) -> tuple[Order, str]:
    chain = sim.chains.get(order.network)
    if chain is None:
        sim.note("effect", "deposit", effect="tokens invented", order=order.order_id, units=str(order.units))
        return replace(order, tx=sim.hash(), sent_units=order.units), "tokens invented: no chain is attached"
    try:
        order = _sent(sim, chain, order, address)
    except ChainTrouble as trouble:
        raise Refusal(500, f"Failed to process {order.network} transaction: {trouble}") from None
    sim.note("effect", "deposit", effect="tokens sent", order=order.order_id, units=str(order.units), tx=order.tx)
    return replace(order, sent_units=order.units), "tokens sent"


def _sent(sim: Simulator, chain: Chain, order: Order, address: str) -> Order:
    """Signed bytes are kept before they leave: after an answer that got lost the same ones are sent again."""
    kept = sim.orders.get(order.order_id)
    if kept is not None and kept.raw:
        order = replace(order, raw=kept.raw, tx=kept.tx, units=kept.units, rate=kept.rate)
        try:
            chain.send(Signed(tx=kept.tx, raw=kept.raw))
        except ChainTrouble as trouble:
            if "nonce too low" not in str(trouble):
                raise
            # They were never taken, and another transaction has their number.
        else:
            return order
    signed = chain.transfer(order.token, address, order.units, order.order_id)
    order = replace(order, tx=signed.tx, raw=signed.raw)
    sim.orders.put(order.order_id, replace(order, is_delivered=False, delivered_ms=0))
    sim.keep()
    chain.send(signed)
    return order


def on_deliver(sim: Simulator, due: Due) -> None:
    """What was promised for later is sent."""
    order = sim.orders.get(due.subject)
    if order is None or order.sent_units:
        return
    try:
        sent, _ = _send(sim, order, order.wallet)
    except Refusal:
        sim.later(5, "deliver", order.order_id)
        return
    sim.orders.put(order.order_id, sent)


def _tokens_text(sim: Simulator, order: Order) -> str:
    network = sim.networks[order.network]
    token = network.token(order.token)
    return f"{Decimal(order.units).scaleb(-(token.decimals if token else 0)):f}"


def history_row(sim: Simulator, order: Order, no: int) -> dict[str, Any]:
    """A row of /deposit-transactions. `cryptoAmount` has all sixteen digits of the quotient."""
    settings = sim.settings
    token = sim.networks[order.network].token(order.token)
    tokens = f"{shapes.quotient(Decimal(order.amount), Decimal(order.rate)):f}" if order.rate else "0"
    if order.behaviour.permille != 1000:
        tokens = _tokens_text(sim, order)
    is_sent = (order.is_delivered and order.behaviour.delivery != "late") or bool(order.sent_units)
    return {
        "id": no,
        "MpesaReceiptNumber": order.receipt or order.checkout_id,
        "TransactionDate": shapes.east_african(settings, order.done_ms or order.created_ms),
        "cryptoAmount": tokens,
        "feeAmount": settings.fee_in,
        "side": "onramp",
        "symbol": token.symbol if token else "",
        "isSent": is_sent,
        "createdAt": shapes.utc(order.created_ms),
        "Amount": shapes.number(settings, Decimal(order.amount), as_text=False),
        "orderID": order.order_id,
        "transactionID": order.tx if is_sent else "",
        "PhoneNumber": order.phone if settings.numbers == "texts" else int(order.phone),
        "resultDescription": order.message or "Transaction initiated",
    }
