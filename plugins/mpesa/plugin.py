"""M-Pesa's one door: what the plugin offers."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.mpesa.config import CHANNEL_SCHEMA, RAIL_SCHEMA
from plugins.mpesa.payout import B2C, MpesaB2c
from plugins.mpesa.rail import PUSH, MpesaPush
from plugins.mpesa.redact import redacted
from ports.hookspecs import hookimpl
from ports.payment_rail import PaymentRail
from ports.payout_channel import PayoutChannel
from ports.registration import Registration


@hookimpl
def register_payment_rails() -> Sequence[Registration[PaymentRail]]:
    """Offer the push to a paybill."""
    return [
        Registration(
            code="mpesa_push",
            method="mpesa",
            title="M-Pesa",
            capabilities=PUSH,
            build=MpesaPush.build,
            config_schema=RAIL_SCHEMA,
            redact=redacted,
        )
    ]


@hookimpl
def register_payout_channels() -> Sequence[Registration[PayoutChannel]]:
    """Offer payouts to M-Pesa phones."""
    return [
        Registration(
            code="mpesa_b2c",
            method="mpesa_phone",
            title="M-Pesa phone",
            capabilities=B2C,
            build=MpesaB2c.build,
            config_schema=CHANNEL_SCHEMA,
            redact=redacted,
        )
    ]
