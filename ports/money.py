"""Money as whole units of one asset: never a float, never negative, never divided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

#: The largest sum the ledger can hold: NUMERIC(38, 0).
UNITS_MAX = 10**38 - 1
#: More decimals, or zeros at the end, are no amount of anything; and their exact value could fill the memory.
_EXPONENT_MAX = 100


def whole_units(value: object) -> int:
    """Give `value` back if it is a plain `int`; `bool`, `float`, `Decimal` and text are refused with TypeError."""
    if type(value) is not int:
        raise TypeError(f"units are a whole int, not {type(value).__name__}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A unit that can be counted: a code and how many decimal places its smallest unit has.

    The same token on two chains is two assets (`USDC.celo`, `USDC.base`).
    """

    code: str
    scale: int

    def __str__(self) -> str:
        return self.code


KES = Asset(code="KES", scale=2)

#: Assets by code. Fiat follows ISO 4217; tokens arrive with their chains.
ASSETS: dict[str, Asset] = {KES.code: KES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """`units` of the smallest part of `asset`: KES 10.00 is 1000 units. Bounds: 0 to 10**38 - 1.

    Raises TypeError for anything but a plain int, ValueError outside the bounds or when assets are mixed.
    """

    units: int
    asset: Asset

    def __post_init__(self) -> None:
        if not 0 <= whole_units(self.units) <= UNITS_MAX:
            raise ValueError("units must lie between 0 and 10**38 - 1")

    def __add__(self, other: Money) -> Money:
        return Money(units=self.units + self._same(other).units, asset=self.asset)

    def __sub__(self, other: Money) -> Money:
        return Money(units=self.units - self._same(other).units, asset=self.asset)

    def __lt__(self, other: Money) -> bool:
        return self.units < self._same(other).units

    def __le__(self, other: Money) -> bool:
        return self.units <= self._same(other).units

    def __bool__(self) -> bool:
        return self.units > 0

    def __str__(self) -> str:
        return f"{self.asset.code} {self.to_decimal():,.{self.asset.scale}f}"

    def _same(self, other: Money) -> Money:
        if other.asset != self.asset:
            raise ValueError(f"{self.asset} and {other.asset} do not mix")
        return other

    def to_decimal(self) -> Decimal:
        """The amount in whole coins, exactly: for showing and for providers that ask for shillings."""
        # Built from digits: arithmetic would round to the 28 of the default context.
        return Decimal((0, tuple(int(digit) for digit in str(self.units)), -self.asset.scale))

    @classmethod
    def from_decimal(cls, amount: Decimal, asset: Asset) -> Money:
        """Read an amount in whole coins. A value that is not a whole number of units is a ValueError, never rounded."""
        if not isinstance(amount, Decimal) or not amount.is_finite():
            raise ValueError("an amount is a finite Decimal")
        if not -_EXPONENT_MAX <= int(amount.as_tuple().exponent) <= _EXPONENT_MAX:
            raise ValueError(f"an amount has at most {_EXPONENT_MAX} decimals")
        top, bottom = amount.as_integer_ratio()
        units, rest = divmod(top * 10**asset.scale, bottom)
        if rest:
            raise ValueError(f"{amount} is not a whole number of the smallest units of {asset}")
        return cls(units=units, asset=asset)


def zero(asset: Asset) -> Money:
    """Nothing, in that asset."""
    return Money(units=0, asset=asset)


def split(units: int, weights: Sequence[int]) -> list[int]:
    """Share `units` out by whole `weights`; the parts add up to exactly `units`.

    Largest remainders first, ties to the earlier share. Raises ValueError for no or negative weights.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    parts = [units * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(units * weights[i] % total), i))
    for i in order[: units - sum(parts)]:
        parts[i] += 1
    return parts
