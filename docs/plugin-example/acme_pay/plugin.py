"""Acme Pay's one door: what the plugin offers."""

from __future__ import annotations

from collections.abc import Sequence

from acme_pay.config import SCHEMA
from acme_pay.rail import PROMPT, AcmePay
from acme_pay.wire import redacted
from ports.hookspecs import hookimpl
from ports.payment_rail import PaymentRail
from ports.registration import Registration


@hookimpl
def register_payment_rails() -> Sequence[Registration[PaymentRail]]:
    """Offer the prompt. A business asks for it by the method."""
    return [
        Registration(
            code="acme_prompt",
            method="acme_pay",
            title="Acme Pay",
            capabilities=PROMPT,
            build=AcmePay.build,
            config_schema=SCHEMA,
            redact=redacted,
        )
    ]
