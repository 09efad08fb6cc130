"""What connections may be asked at a time, joined from the plugins' offers and the settings."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.lines import Lines
from gateway.application.interfaces import LaneLimit


def limits_of(lines: Lines, calls_per_s: int) -> Sequence[LaneLimit]:
    """Calls in flight and calls a second of every offer; `calls_per_s` replaces what is declared, unless it is 0."""
    return [
        LaneLimit(
            code=code,
            in_flight=offer.capabilities.concurrency,
            calls_per_s=calls_per_s or offer.capabilities.calls_per_s,
        )
        for offers in (lines.rails, lines.channels)
        for code, offer in offers.items()
    ]
