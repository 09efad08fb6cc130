"""Joins the simulated Swypt to the sandbox's local chains: which tokens it deals in there, by its own symbols."""

from __future__ import annotations

from typing import Any

from plugins.sandbox.chains.deployment import TOKENS, Deployed

#: Where Swypt's symbol isn't the first part of the token's code.
SYMBOLS = {"USDCe.polygon": "USDC"}


def network_settings(deployed: Deployed, rpc: str, key: str) -> dict[str, Any]:
    """What `networks` of the configuration, or `POST /control/chain`, says of one chain.

    `key` is of the wallet that sends: it holds the tokens, and it runs the escrow where refunds are to be given.
    """
    kinds = {kind.code: kind for kind in TOKENS[deployed.network]}
    return {
        "rpc": rpc,
        "key": key,
        "escrow": deployed.escrow.address,
        "tokens": [
            {
                "symbol": SYMBOLS.get(code, kinds[code].symbol),
                "decimals": kinds[code].decimals,
                "address": token.address,
                "name": kinds[code].name,
            }
            for code, token in deployed.tokens.items()
        ],
    }
