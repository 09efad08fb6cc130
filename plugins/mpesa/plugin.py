"""M-Pesa's one door: what the plugin offers."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.mpesa.b2b import B2B, MpesaB2b
from plugins.mpesa.c2b import PAYBILL, TILL, C2bValidator, MpesaCollects
from plugins.mpesa.config import B2B_SCHEMA, CHANNEL_SCHEMA, PAYBILL_SCHEMA, RAIL_SCHEMA, TILL_SCHEMA
from plugins.mpesa.payout import B2C, MpesaB2c
from plugins.mpesa.rail import PUSH, MpesaPush
from plugins.mpesa.redact import redacted
from ports.hookspecs import hookimpl
from ports.payment_rail import PaymentRail
from ports.payout_channel import PayoutChannel
from ports.registration import Registration


@hookimpl
def register_payment_rails() -> Sequence[Registration[PaymentRail]]:
    """Offer the push, and money that customers send by themselves to a paybill or a till."""
    return [
        Registration(
            code="mpesa_push",
            method="mpesa",
            title="M-Pesa",
            capabilities=PUSH,
            build=MpesaPush.build,
            config_schema=RAIL_SCHEMA,
            redact=redacted,
        ),
        Registration(
            code="mpesa_paybill",
            method="mpesa_paybill",
            title="M-Pesa paybill",
            capabilities=PAYBILL,
            build=MpesaCollects.paybill,
            config_schema=PAYBILL_SCHEMA,
            redact=redacted,
            validator=C2bValidator(),
        ),
        Registration(
            code="mpesa_till",
            method="mpesa_till",
            title="M-Pesa till",
            capabilities=TILL,
            build=MpesaCollects.till,
            config_schema=TILL_SCHEMA,
            redact=redacted,
            validator=C2bValidator(),
        ),
    ]


@hookimpl
def register_payout_channels() -> Sequence[Registration[PayoutChannel]]:
    """Offer payouts to M-Pesa phones, and to paybills and tills."""
    return [
        Registration(
            code="mpesa_b2c",
            method="mpesa_phone",
            title="M-Pesa phone",
            capabilities=B2C,
            build=MpesaB2c.build,
            config_schema=CHANNEL_SCHEMA,
            redact=redacted,
        ),
        Registration(
            code="mpesa_b2b",
            method="mpesa_b2b",
            title="M-Pesa paybill or till",
            capabilities=B2B,
            build=MpesaB2b.build,
            config_schema=B2B_SCHEMA,
            redact=redacted,
        ),
    ]
