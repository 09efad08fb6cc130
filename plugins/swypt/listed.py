"""Swypt's list of tokens held against what is configured. Addresses have changed; none is taken from the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plugins.kit.http import Budget
from plugins.swypt import wire
from plugins.swypt.asked import Guard
from plugins.swypt.config import Token
from plugins.swypt.pinned import ESCROWS
from ports.abilities import FindingState, SelfFinding
from ports.errors import PortError

_NAME = "listed token"


def check_assets(guard: Guard, budget: Budget) -> tuple[SelfFinding, ...]:
    """One finding: the token is listed as configured, differs (no money moves then), or couldn't be asked about."""
    try:
        listed = guard.service.assets(budget)
    except PortError as error:
        return (SelfFinding(name=_NAME, state=FindingState.WARNING, words=f"couldn't be read: {error}"),)
    wrong = _difference(listed, guard.token)
    guard.keep_pin(is_listed=wrong is None)
    if wrong is not None:
        guard.context.log.warning("swypt_token_differs", network=guard.token.network, symbol=guard.token.symbol)
        return (SelfFinding(name=_NAME, state=FindingState.WRONG, words=wrong),)
    words = f"{guard.token.symbol} on {guard.token.network} as configured"
    return (SelfFinding(name=_NAME, state=FindingState.OK, words=words),)


def _difference(listed: Mapping[str, Sequence[Mapping[str, object]]], token: Token) -> str | None:
    """What differs, in a sentence; None when the list has the configured token. A symbol alone proves nothing."""
    of_network = listed.get(token.network, ())
    same = [one for one in of_network if wire.plain_word(one.get("symbol")) == token.symbol.lower()]
    if not same:
        return f"{token.symbol} on {token.network} isn't listed any more"
    here = [one for one in same if wire.plain_word(one.get("address")) == token.contract]
    if not here or len(same) > 1:
        return f"{token.symbol} on {token.network} is listed with another contract"
    if wire.decimal(here[0].get("decimals")) != token.asset.scale:
        return f"{token.symbol} on {token.network} is listed with other decimals"
    return None


def check_escrow(network: str, escrow: str, *, is_live: bool) -> tuple[SelfFinding, ...]:
    """Whether the configured escrow is one that was known; only for real money."""
    if not is_live:
        return ()
    known = escrow in ESCROWS.get(network, ())
    words = "a known contract" if known else "not among the known contracts: make sure that it is Swypt's"
    return (SelfFinding(name="escrow", state=FindingState.OK if known else FindingState.WARNING, words=words),)
