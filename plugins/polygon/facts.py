"""Polygon PoS and its test network: ids, tokens, depths, fees.

Addresses are those of public token lists, read in November 2026. None of it is believed: the self-check reads it again
from the chain.
"""

from __future__ import annotations

from plugins.kit.evm.facts import GWEI, Chains, Fees, Network
from plugins.kit.evm.words import address
from ports.chain import ChainCapabilities, Depth, Tag, Token
from ports.money import Asset

POL = Asset(code="POL", scale=18)
USDT = Asset(code="USDT.polygon", scale=6)
#: The bridged one: another asset than Circle's own on this chain.
USDCE = Asset(code="USDCe.polygon", scale=6)

#: Ordering is final at once, but a backup producer can replace blocks until the milestone: only `finalized` counts,
#: and it comes within seconds.
_DEPTHS = (Depth(tag=Tag.FINALIZED),)
#: Nodes turn away a tip below 25 gwei, and have suggested less than that themselves (PIP-35).
_FEES = Fees(tip_min=30 * GWEI, tip_max=500 * GWEI, tip_from_history=True)
#: Milestones come every 2 to 5 seconds, and headers are told in whole ones.
_FINAL_LAG_S = 10

#: The first block of the live network, which every node of it shows.
_FIRST = (0, "0xa9c28ce2141b56c474f1dc504bee9b01eb1bd7d1a507580d5519d4437a97de1b")


def _network(chain_id: int, tokens: tuple[Token, ...], pinned: tuple[int, str] | None = None) -> Network:
    said = ChainCapabilities(
        network="polygon",
        chain_id=chain_id,
        native=POL,
        tokens=tokens,
        block_time_s=1.75,
        depths=_DEPTHS,
        final_lag_s=_FINAL_LAG_S,
    )
    return Network(capabilities=said, fees=_FEES, pinned=pinned)


CHAINS = Chains(
    title="Polygon",
    live=_network(
        137,
        (
            # Renamed by its issuer in 2025 at the same address: no signing domain is pinned.
            Token(asset=USDT, address=address("0xc2132D05D31c914a87C6611C10748AEb04B58e8F"), dust_units=10_000),
            # Its signing domain has a salt in place of a chain id.
            Token(asset=USDCE, address=address("0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174"), dust_units=10_000),
        ),
        _FIRST,
    ),
    # Amoy has neither token.
    test=_network(80002, ()),
)
