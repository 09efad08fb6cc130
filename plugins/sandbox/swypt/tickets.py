"""Tickets: kept, answered with an id, and never heard of again. The same one twice is two."""

from __future__ import annotations

from typing import Any

from plugins.sandbox.swypt import shapes
from plugins.sandbox.swypt.records import Ticket
from plugins.sandbox.swypt.shapes import Refusal, Reply, success
from plugins.sandbox.swypt.simulator import Simulator

FULL = ("phone", "amount", "description", "side", "userAddress", "symbol", "tokenAddress", "chain")
MISSING = (
    "Please provide all required inputs: phone, amount, description, side, userAddress, symbol, tokenAddress, and chain"
)


def onramp(sim: Simulator, body: dict[str, Any]) -> tuple[Reply, str]:
    """POST /onramp-ticket: for a failed order by its name, else in the full form."""
    if body.get("orderID"):
        order = sim.orders.get(str(body["orderID"]))
        if order is None or (order.told or order.state) not in ("FAILED", "CANCELLED"):
            raise Refusal(404, "No failed transaction found with this orderID")
        known = {"phone": order.phone, "amount": str(order.amount), "userAddress": order.wallet, "chain": order.network}
        return _keep(sim, {**known, "tokenAddress": order.token, **body}, "on-ramp")
    return _full(sim, body, "on-ramp")


def offramp(sim: Simulator, body: dict[str, Any]) -> tuple[Reply, str]:
    """POST /offramp-ticket: for a failed or pending order by its name, else in the full form."""
    if body.get("orderID"):
        made = sim.withdrawals.get(str(body["orderID"]))
        if made is None or (made.told or made.state) not in ("FAILED", "PENDING"):
            raise Refusal(404, "No failed or pending transaction found with this orderID")
        known = {"phone": made.phone, "amount": str(made.units), "userAddress": made.wallet, "chain": made.network}
        return _keep(sim, {**known, "tokenAddress": made.token, **body}, "off-ramp")
    return _full(sim, {"side": "off-ramp", **body}, "off-ramp")


def _full(sim: Simulator, body: dict[str, Any], side: str) -> tuple[Reply, str]:
    if any(not body.get(name) for name in FULL):
        raise Refusal(400, MISSING)
    if body["side"] != side:
        raise Refusal(400, f"ValidationError: side: {body['side']} is not a valid enum value")
    return _keep(sim, body, side)


def _keep(sim: Simulator, fields: dict[str, Any], side: str) -> tuple[Reply, str]:
    ticket = Ticket(id=sim.mongo_id(), side=side, fields=fields, created_ms=sim.now)
    sim.tickets.put(ticket.id, ticket)
    refund = {
        "PhoneNumber": fields.get("phone"),
        "Amount": fields.get("amount"),
        "Description": fields.get("description", ""),
        "Side": side,
        "userAddress": fields.get("userAddress"),
        "symbol": fields.get("symbol", ""),
        "tokenAddress": fields.get("tokenAddress"),
        "chain": fields.get("chain"),
        "_id": ticket.id,
        "createdAt": shapes.utc(sim.now),
    }
    return success({"refund": refund}), "ticket kept"
