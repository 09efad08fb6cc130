"""The hooks by which pluggy finds plugins: who is here, and what do they offer?"""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from ports.chain import ChainOffer
from ports.payment_rail import PaymentRail
from ports.payout_channel import PayoutChannel
from ports.registration import Registration

PROJECT = "african_payment_gateway"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_payment_rails() -> Sequence[Registration[PaymentRail]]:  # type: ignore[empty-body]
    """Offer payment rails. Called once, at start-up."""


@hookspec
def register_payout_channels() -> Sequence[Registration[PayoutChannel]]:  # type: ignore[empty-body]
    """Offer payout channels. Called once, at start-up."""


@hookspec
def register_chains() -> Sequence[ChainOffer]:  # type: ignore[empty-body]
    """Offer chains. Called once, at start-up."""
