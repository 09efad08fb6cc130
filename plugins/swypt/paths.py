"""Where each operation of Swypt's API lives, in the two generations of paths that are in use.

v2 as in Swypt's documentation since July 2025, v1 as in the one of April to July 2025. Bodies are the same but for the
wallet that v2 wants in an off-ramp order, and the two histories, which v1 doesn't have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

LIVE_URL = "https://pool.swypt.io/api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """One generation. A status path is followed by `/` and the order; a history's by `/` and the wallet."""

    quote: str
    assets: str
    onramp: str
    onramp_status: str
    deposit: str
    offramp: str
    offramp_status: str
    onramp_ticket: str
    offramp_ticket: str
    deposits: str | None
    withdrawals: str | None
    offramp_names_wallet: bool


PROFILES: Mapping[str, Paths] = MappingProxyType(
    {
        "v2": Paths(
            quote="/fx-quotes",
            assets="/listed-assets",
            onramp="/onramp-orders",
            onramp_status="/onramp-order-status",
            deposit="/deposit",
            offramp="/offramp-orders",
            offramp_status="/offramp-order-status",
            onramp_ticket="/onramp-ticket",
            offramp_ticket="/offramp-ticket",
            deposits="/deposit-transactions",
            withdrawals="/withdrawal-transactions",
            offramp_names_wallet=True,
        ),
        "v1": Paths(
            quote="/swypt-quotes",
            assets="/swypt-supported-assets",
            onramp="/swypt-onramp",
            onramp_status="/order-onramp-status",
            deposit="/swypt-deposit",
            offramp="/swypt-order-offramp",
            offramp_status="/order-offramp-status",
            onramp_ticket="/user-onramp-ticket",
            offramp_ticket="/create-offramp-ticket",
            deposits=None,
            withdrawals=None,
            offramp_names_wallet=False,
        ),
    }
)
