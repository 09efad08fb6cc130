"""Celo's two networks: ids, tokens, depths, fees.

Addresses are those of Celo's own pages on stablecoin contracts and fee currencies, signing domains those of public
payment packages, all read in November 2026. None of it is believed: the self-check reads it again from the chain.
"""

from __future__ import annotations

from plugins.kit.evm.facts import GWEI, Chains, Fees, Network
from plugins.kit.evm.words import address
from ports.chain import ChainCapabilities, Depth, Tag, Token
from ports.money import Asset

CELO = Asset(code="CELO", scale=18)
USDT = Asset(code="USDT.celo", scale=6)
USDC = Asset(code="USDC.celo", scale=6)
#: The Mento shilling: its issuer calls it KESm since 2025, and those who deliver it cKES.
CKES = Asset(code="cKES.celo", scale=18)

#: The sequencer doesn't take blocks back when Ethereum reorganises: `latest` is trust in it alone, `safe` is posted.
_DEPTHS = (
    Depth(tag=Tag.LATEST, behind=10, up_to_usd_cents=5_000),
    Depth(tag=Tag.SAFE, up_to_usd_cents=100_000),
    Depth(tag=Tag.FINALIZED),
)
#: The base fee has a floor; the charges for the layer below are set to nothing on Celo.
_FEES = Fees(tip_max=100 * GWEI, max_fee_min=25 * GWEI)
#: Ethereum's finality and the posting of a batch before it: 15 to 25 minutes.
_FINAL_LAG_S = 1_500

#: The first block of the live network, which every node of it shows.
_FIRST = (0, "0x19ea3339d3c8cda97235bc8293240d5b9dadcdfbb5d4b0b90ee731cac1bd11c3")


def _network(
    chain_id: int, tokens: tuple[Token, ...], currencies: dict[str, str], pinned: tuple[int, str] | None = None
) -> Network:
    said = ChainCapabilities(
        network="celo",
        chain_id=chain_id,
        native=CELO,
        tokens=tokens,
        block_time_s=1.0,
        depths=_DEPTHS,
        final_lag_s=_FINAL_LAG_S,
    )
    return Network(capabilities=said, fees=_FEES, fee_currencies=currencies, pinned=pinned)


_CKES_LIVE = address("0x456a3D042C0DbD3db53D5489e98dFb038553B0d0")
_CKES_TEST = address("0xC7e4635651E3e3Af82b61d3E23c159438daE3BbF")

CHAINS = Chains(
    title="Celo",
    live=_network(
        42220,
        (
            Token(
                asset=USDT,
                address=address("0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e"),
                domain=("Tether USD", "1"),
                dust_units=10_000,
            ),
            Token(
                asset=USDC,
                address=address("0xcebA9300f2b948710d2653dD7B07f33A8B32118C"),
                domain=("USDC", "2"),
                dust_units=10_000,
            ),
            Token(asset=CKES, address=_CKES_LIVE, dust_units=10**18),
        ),
        # Six-decimal tokens are named by an adapter, whose own balances are in another scale and never read.
        {
            USDT.code: address("0x0E2A3e05bc9A16F5292A6170456A710cb89C6f72"),
            USDC.code: address("0x2F25deB3848C207fc8E0c34035B3Ba7fC157602B"),
            CKES.code: _CKES_LIVE,
        },
        _FIRST,
    ),
    # Celo Sepolia; the older test network, Alfajores, is gone.
    test=_network(
        11142220,
        (
            Token(asset=USDT, address=address("0xd077A400968890Eacc75cdc901F0356c943e4fDb"), dust_units=10_000),
            Token(asset=USDC, address=address("0x01C5C0122039549AD1493B8220cABEdD739BC44E"), dust_units=10_000),
            Token(asset=CKES, address=_CKES_TEST, dust_units=10**18),
        ),
        {
            USDT.code: address("0xe19447B12cb0d0220B2a501D8382be2f61CcF92a"),
            USDC.code: address("0xbf1441Ea57f43f35f713431001f35742c88071c7"),
            CKES.code: _CKES_TEST,
        },
    ),
)
