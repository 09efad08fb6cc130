"""Contracts that were known when this was written, against which a configuration and Swypt's own list are held.

Token addresses: Swypt's documentation, July 2025; escrow addresses: the same, February to July 2025, and its checkout
SDK. A live connection uses listed tokens only; an escrow that isn't listed here is a warning, since Swypt has moved it
before and the operator's configuration is the pin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedToken:
    """A token contract by Swypt's symbol; the address in small letters."""

    address: str
    decimals: int


def _token(address: str, decimals: int) -> PinnedToken:
    return PinnedToken(address=address.lower(), decimals=decimals)


#: By (network, symbol in capitals). Base has no USDT here, and Polygon's USDC is the bridged one.
TOKENS: Mapping[tuple[str, str], PinnedToken] = {
    ("celo", "USDT"): _token("0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e", 6),
    ("celo", "USDC"): _token("0xcebA9300f2b948710d2653dD7B07f33A8B32118C", 6),
    ("celo", "CKES"): _token("0x456a3D042C0DbD3db53D5489e98dFb038553B0d0", 18),
    ("polygon", "USDT"): _token("0xc2132D05D31c914a87C6611C10748AEb04B58e8F", 6),
    ("polygon", "USDC"): _token("0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174", 6),
    ("base", "USDC"): _token("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", 6),
}

ESCROWS: Mapping[str, tuple[str, ...]] = {
    "celo": ("0x2816a02000b9845c464796b8c36b2d5d199525d5",),
    "polygon": ("0x980b2f387bbecd67d94b2b6eebd4fd238946466a", "0x5d3398142e393bb4bbff6f67a3778322d3f9d90b"),
    "base": ("0x5e5136b964e84c35e7b8f78b06b537ef80ee60e0",),
}
