"""Base and its test network: ids, tokens, depths, fees.

Addresses are those of Circle's list, signing domains those of public payment packages, read in November 2026. None of
it is believed: the self-check reads it again from the chain.
"""

from __future__ import annotations

from plugins.kit.evm.facts import GWEI, Chains, Fees, Network
from plugins.kit.evm.words import address
from ports.chain import ChainCapabilities, Depth, Tag, Token
from ports.money import Asset

ETH = Asset(code="ETH", scale=18)
USDC = Asset(code="USDC.base", scale=6)

#: A batch is on Ethereum after about two minutes (`safe`), and Ethereum-final after about twenty.
_DEPTHS = (
    Depth(tag=Tag.LATEST, behind=5, up_to_usd_cents=5_000),
    Depth(tag=Tag.SAFE, up_to_usd_cents=100_000),
    Depth(tag=Tag.FINALIZED),
)
#: The contract that every OP-stack chain has at this place; what it tells is in no estimate.
GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000f"
_FEES = Fees(tip_max=5 * GWEI, max_fee_min=200_000, l1_oracle=GAS_PRICE_ORACLE)
_FINAL_LAG_S = 1_200

#: The first block of the live network, which every node of it shows.
_FIRST = (0, "0xf712aa9241cc24369b143cf6dce85f0902a9731e70d66818a3a5845b296c73dd")


def _network(chain_id: int, token: Token, pinned: tuple[int, str] | None = None) -> Network:
    said = ChainCapabilities(
        network="base",
        chain_id=chain_id,
        native=ETH,
        tokens=(token,),
        block_time_s=2.0,
        depths=_DEPTHS,
        final_lag_s=_FINAL_LAG_S,
    )
    return Network(capabilities=said, fees=_FEES, pinned=pinned)


CHAINS = Chains(
    title="Base",
    live=_network(
        8453,
        Token(
            asset=USDC,
            address=address("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
            domain=("USD Coin", "2"),
            dust_units=10_000,
        ),
        _FIRST,
    ),
    test=_network(
        84532,
        # The same token under another name of its signing domain.
        Token(
            asset=USDC,
            address=address("0x036CbD53842c5426634e7929541eC2318f3dCF7e"),
            domain=("USDC", "2"),
            dust_units=10_000,
        ),
    ),
)
