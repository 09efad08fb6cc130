"""Column types of our own: whole units, as `int` on this side and NUMERIC(38, 0) on the other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Dialect, Numeric
from sqlalchemy.types import TypeDecorator

from ports.money import UNITS_MAX, whole_units


class Units(TypeDecorator[int]):
    """NUMERIC(38, 0) that takes and gives `int` alone.

    Raises TypeError for a `bool`, `float`, `Decimal` or text, ValueError outside 38 digits; nothing is ever rounded.
    """

    impl = Numeric(38, 0, asdecimal=True)
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        if abs(whole_units(value)) > UNITS_MAX:
            raise ValueError("units have at most 38 digits")
        return Decimal(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> int | None:
        return None if value is None else int(value)
