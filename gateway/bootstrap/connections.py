"""What connections may be asked at a time, and when web sheds load: the plugins' offers and the settings, joined."""

from __future__ import annotations

import time
from collections.abc import Sequence

from gateway.adapters.lines import Lines
from gateway.adapters.persistence.breakers import SqlHealth
from gateway.application.interfaces import LaneLimit
from gateway.application.shedding import Shedding


def shedding_of(health: SqlHealth, after_s: int) -> Shedding:
    """Refuses new work in a web process while due work has waited for longer than `after_s`; 0: never."""
    return Shedding(after_s=after_s, backlog_s=health.backlog_s, monotonic=time.monotonic)


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
