"""Swypt's one door: what the plugin offers."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.swypt.channel import OFFRAMP, SwyptOfframp
from plugins.swypt.config import CHANNEL_SCHEMA, RAIL_SCHEMA
from plugins.swypt.rail import ONRAMP, SwyptOnramp
from plugins.swypt.redact import redacted
from ports.hookspecs import hookimpl
from ports.payment_rail import PaymentRail
from ports.payout_channel import PayoutChannel
from ports.registration import Registration


@hookimpl
def register_payment_rails() -> Sequence[Registration[PaymentRail]]:
    """Offer the on-ramp. To a shopper it is a prompt of M-Pesa's like any other."""
    return [
        Registration(
            code="swypt_onramp",
            method="mpesa",
            title="M-Pesa",
            capabilities=ONRAMP,
            build=SwyptOnramp.build,
            config_schema=RAIL_SCHEMA,
            redact=redacted,
        )
    ]


@hookimpl
def register_payout_channels() -> Sequence[Registration[PayoutChannel]]:
    """Offer the off-ramp. To a business it is a payout to a telephone like any other."""
    return [
        Registration(
            code="swypt_offramp",
            method="mpesa_phone",
            title="M-Pesa phone",
            capabilities=OFFRAMP,
            build=SwyptOfframp.build,
            config_schema=CHANNEL_SCHEMA,
            redact=redacted,
        )
    ]
