"""Tickets: a written request to Swypt's people. Nothing tells what becomes of one, and a second call makes a second.

An order that was paid and not delivered is not taken by its name alone (July 2025: failed ones are), so it goes in the
full form.
"""

from __future__ import annotations

import re

from plugins.kit.http import Budget
from plugins.swypt import wire
from plugins.swypt.config import Token
from plugins.swypt.service import SwyptApiService
from ports.abilities import TicketAbout, TicketOrder
from ports.context import Context
from ports.errors import AlreadyTaken, OutcomeUnknown, PortError

KEY_LIFE_S = 90 * 86_400
_LOCK_S = 90
_ASKED, _FREE = "asked", ""


def write_ticket(
    order: TicketOrder, *, token: Token, service: SwyptApiService, context: Context, is_onramp: bool, budget: Budget
) -> str:
    """Ask once for a key; the same key again gives the same ticket. Raises AlreadyTaken where the answer got lost."""
    key = f"swypt:{context.connection}:ticket:{order.key}"
    with context.shared.only_one(f"{key}:lock", life_s=_LOCK_S) as is_mine:
        known = context.shared.get(key)
        if not is_mine or known == _ASKED:
            raise AlreadyTaken("ticket: this case was brought up already")
        if known:
            return known
        context.shared.put(key, _ASKED, life_s=KEY_LIFE_S)
        try:
            found = service.ticket(is_onramp=is_onramp, body=_body(order, token, is_onramp), budget=budget)
        except OutcomeUnknown:
            raise
        except PortError:
            # Nobody has read it: the case may be brought up again.
            context.shared.put(key, _FREE, life_s=1)
            raise
        context.shared.put(key, found, life_s=KEY_LIFE_S)
        return found


def _body(order: TicketOrder, token: Token, is_onramp: bool) -> dict[str, str]:
    if order.provider_reference and not (is_onramp and order.about is TicketAbout.UNDELIVERED):
        return {"orderID": order.provider_reference, "description": _words(order)}
    return {
        "phone": wire.phone_number(order.party) or "",
        "amount": _amount(order),
        "description": _words(order),
        "side": "on-ramp" if is_onramp else "off-ramp",
        "userAddress": token.wallet,
        "symbol": token.symbol,
        "tokenAddress": token.address,
        "chain": token.network,
    }


def _amount(order: TicketOrder) -> str:
    written = f"{order.amount.to_decimal():f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _words(order: TicketOrder) -> str:
    """Our text in plain letters, with the order that it is about."""
    said = " ".join(re.sub(r"[^A-Za-z0-9 ,.:-]+", " ", order.text).split())[:300]
    return f"{said} (order {order.provider_reference})" if order.provider_reference else said
