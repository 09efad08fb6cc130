"""The off-ramp: shillings to a phone for what a transaction put into the escrow, once for each transaction."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from plugins.sandbox.swypt import quotes, shapes
from plugins.sandbox.swypt.behaviours import PAYS, Behaviour
from plugins.sandbox.swypt.chain import ChainTrouble
from plugins.sandbox.swypt.onramp import PHONE
from plugins.sandbox.swypt.records import Due, Escrowed, Withdrawal
from plugins.sandbox.swypt.shapes import Refusal, Reply, success
from plugins.sandbox.swypt.simulator import Simulator

HASH = re.compile(r"0x[0-9a-fA-F]{64}")
WORDS = {
    "PENDING": "Your withdrawal is being processed",
    "SUCCESS": "Withdrawal completed successfully",
    "FAILED": "Withdrawal failed",
}
NAMES = ("Akinyi Otieno", "Baraka Mwangi", "Chebet Koech", "Dalmas Wekesa")


def order(
    sim: Simulator, body: dict[str, Any], *, wants_wallet: bool, script: str, behaviour: Behaviour
) -> tuple[Reply, str]:
    """POST /offramp-orders."""
    tx, phone, token = (str(body.get(name) or "") for name in ("hash", "partyB", "tokenAddress"))
    if (
        not HASH.fullmatch(tx)
        or not PHONE.fullmatch(phone)
        or not token
        or (wants_wallet and not body.get("userAddress"))
    ):
        raise Refusal(400, "Missing required parameters: tokenAddress, hash, or phone number")
    chain = str(body.get("chain") or "").lower()
    network = sim.networks.get(chain)
    if network is None:
        raise Refusal(400, f"Unsupported blockchain: {body.get('chain')}")
    tx = tx.lower()
    known = next((one for one in sim.withdrawals.values() if one.tx == tx), None)
    if known is not None:
        message = "This blockchain transaction has already been processed"
        raise Refusal(sim.settings.duplicate_code, message, {"orderID": known.order_id})
    found = _in_escrow(sim, chain, tx)
    if found is None or found.token.lower() != token.lower():
        # What is answered to a transaction that put nothing there is documented nowhere.
        raise Refusal(404, "Transaction not found in escrow")
    made = _withdrawal(sim, found, phone, script, behaviour)
    sim.withdrawals.put(made.order_id, made)
    late = sim.settings.late_s if behaviour.is_late else sim.settings.payout_s
    sim.later(late, "payout", made.order_id)
    return success({"orderID": made.order_id}, "Withdrawal payment initiated successfully"), "payout accepted"


def _in_escrow(sim: Simulator, chain: str, tx: str) -> Escrowed | None:
    node = sim.chains.get(chain)
    if node is None:
        return sim.escrowed.get(tx)
    try:
        found = node.escrowed(tx)
    except ChainTrouble as trouble:
        raise Refusal(500, f"Failed to read transaction: {trouble}") from None
    if found is None:
        return None
    return Escrowed(tx=tx, network=chain, token=found.token, wallet=found.wallet, units=found.units)


def _withdrawal(sim: Simulator, found: Escrowed, phone: str, script: str, behaviour: Behaviour) -> Withdrawal:
    token = sim.networks[found.network].token(found.token)
    if token is None:
        raise Refusal(400, "Missing required parameters: tokenAddress, hash, or phone number")
    price = quotes.rate(sim.settings, token, inwards=False, is_drifted=True)
    gross = Decimal(found.units).scaleb(-token.decimals) * price
    fee = quotes.out_fee(gross)
    net = gross - fee if sim.settings.fee_from == "amount" else gross
    size = shapes.rounded(max(net, Decimal(0)) * behaviour.permille / 1000, 2)
    return Withdrawal(
        order_id=sim.order_id("WD"),
        tx=found.tx,
        network=found.network,
        wallet=found.wallet,
        phone=phone,
        token=token.address,
        units=found.units,
        size=f"{size:f}",
        fee=f"{fee:f}",
        fee_tokens=f"{shapes.rounded(fee / price, 6):f}",
        rate=f"{price:f}",
        created_ms=sim.now,
        told=behaviour.first_word,
        script=script,
        behaviour=behaviour,
    )


def on_payout(sim: Simulator, due: Due) -> None:
    """A payout ends as its behaviour says; without one it is paid."""
    made = sim.withdrawals.get(due.subject)
    if made is None or made.state != "PENDING":
        return
    end = made.behaviour.end or PAYS
    if end == PAYS:
        done = replace(made, state=PAYS, told="", receipt=sim.receipt(), done_ms=sim.now)
        sim.note("effect", "offramp", effect="paid out", phone=made.phone, order=made.order_id, amount=made.size)
    else:
        done = replace(
            made, state=end, told="", reason=made.behaviour.message, code=made.behaviour.code, done_ms=sim.now
        )
        if made.behaviour.refund:
            done = refund(sim, done)
    sim.withdrawals.put(made.order_id, done)


def refund(sim: Simulator, made: Withdrawal) -> Withdrawal:
    """Give the tokens back from the escrow: on the chain, or invented without one."""
    node = sim.chains.get(made.network)
    if node is None:
        sim.note("effect", "offramp", effect="refund invented", order=made.order_id, units=str(made.units))
        return replace(made, refund_tx=sim.hash())
    try:
        tx = node.refund(made.wallet, made.token, made.units)
    except ChainTrouble as trouble:
        sim.note("effect", "offramp", effect="refund failed", order=made.order_id, why=str(trouble))
        return made
    sim.note("effect", "offramp", effect="refunded", order=made.order_id, units=str(made.units), tx=tx)
    return replace(made, refund_tx=tx)


def _name(phone: str) -> str:
    return f"{phone} - {NAMES[int(phone[-4:]) % len(NAMES)]}"


def status(sim: Simulator, order_id: str) -> Reply:
    """GET /offramp-order-status/:orderID."""
    if not order_id:
        raise Refusal(400, "orderID ID is required")
    made = sim.withdrawals.get(order_id)
    if made is None:
        raise Refusal(404, f"Transaction with the following {order_id} the not found")
    settings, state = sim.settings, made.told or made.state
    details: dict[str, Any] = {
        "phoneNumber": shapes.phone(settings, made.phone),
        "ReceiverPartyPublicName": _name(made.phone),
        "transactionSize": shapes.number(settings, Decimal(made.size), as_text=True, digits=2),
        "transactionSide": "withdraw",
        "initiatedAt": shapes.utc(made.created_ms),
    }
    if state == PAYS:
        details |= {"mpesaReceipt": made.receipt, "completedAt": shapes.east_african(settings, made.done_ms)}
    elif state == "FAILED":
        details |= {
            "failureReason": made.reason or made.behaviour.message or "Transaction timeout",
            "resultCode": made.code or "1234",
        }
    message = WORDS.get(state, "Your withdrawal is being processed")
    told = {"status": shapes.word(settings, state), "message": message, "orderID": order_id, "details": details}
    return success(told)


def history_row(sim: Simulator, made: Withdrawal, no: int) -> dict[str, Any]:
    """A row of /withdrawal-transactions."""
    settings = sim.settings
    return {
        "id": no,
        "TransactionAmount": shapes.number(settings, Decimal(made.size), as_text=False),
        "TransactionReceipt": made.receipt,
        "ReceiverPartyPublicName": _name(made.phone),
        "TransactionCompletedDateTime": shapes.east_african(settings, made.done_ms) if made.done_ms else "",
        "transactionID": made.tx,
        "transactionSize": shapes.number(settings, Decimal(made.size), as_text=True, digits=2),
        "transactionFee": made.fee_tokens,
        "transactionSide": "withdraw",
        "exchangeRate": made.rate,
        "createdAt": shapes.utc(made.created_ms),
        "chain": made.network,
        "isSent": made.state == PAYS,
        "orderID": made.order_id,
        "PhoneNumber": made.phone,
        "resultDescription": made.reason or "Transaction initiated",
    }
