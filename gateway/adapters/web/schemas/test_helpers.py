"""Test helpers: what may be asked, and what is shown."""

from __future__ import annotations

from gateway.adapters.web.schemas.base import Body, Shown, shown_moment, shown_word
from gateway.adapters.web.schemas.fields import Whole

_YEAR_S = 366 * 24 * 3600


class AdvanceSchema(Body):
    """How far to move the clock."""

    seconds = Whole(1, _YEAR_S, required=True)


class ClockSchema(Shown):
    """The installation's clock."""

    object = shown_word(("test_clock",))
    now = shown_moment()
