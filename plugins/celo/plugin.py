"""Celo's one door: what the plugin offers."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.celo.facts import CHAINS
from plugins.kit.evm.offer import offer_of
from ports.chain import ChainOffer
from ports.hookspecs import hookimpl


@hookimpl
def register_chains() -> Sequence[ChainOffer]:
    """Offer Celo."""
    return [offer_of("celo_rpc", CHAINS)]
