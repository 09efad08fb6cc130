"""Polygon's one door: what the plugin offers."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.kit.evm.offer import offer_of
from plugins.polygon.facts import CHAINS
from ports.chain import ChainOffer
from ports.hookspecs import hookimpl


@hookimpl
def register_chains() -> Sequence[ChainOffer]:
    """Offer Polygon."""
    return [offer_of("polygon_rpc", CHAINS)]
