"""Fees and settlement: a schedule is frozen on a payment at confirm, and from then on arithmetic decides alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

BPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRule:
    """A tax on the fee: `rate_bps` of it; `inclusive` = inside the fee, else on top."""

    code: str
    rate_bps: int
    inclusive: bool = True


class Bearer(Enum):
    """Who pays the fee of a collection: the business, the customer on top of the order, or both."""

    MERCHANT = "merchant"
    CUSTOMER = "customer"
    SPLIT = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSchedule:
    """Flat units plus `bps` of the sum, at most `cap_units` and at least `min_units`; `version` counts changes.

    `method` is the way to pay that it is for, None for every way. With `split` the customer bears `customer_bps` of
    the whole charge.
    """

    id: UUID
    version: int
    flat_units: int = 0
    bps: int = 0
    cap_units: int | None = None
    min_units: int = 0
    taxes: tuple[TaxRule, ...] = ()
    method: str | None = None
    bearer: Bearer = Bearer.MERCHANT
    customer_bps: int = 0

    @property
    def customer_share_bps(self) -> int:
        """The customer's part of the charge, in hundredths of a percent."""
        return {Bearer.MERCHANT: 0, Bearer.CUSTOMER: BPS, Bearer.SPLIT: self.customer_bps}[self.bearer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What is taken from the business: our revenue, and each tax. `total` is exactly their sum."""

    revenue_units: int
    taxes: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> int:
        """All of it, in units."""
        return self.revenue_units + sum(units for _, units in self.taxes)

    def __add__(self, other: Charge) -> Charge:
        lines = dict(self.taxes)
        for code, units in other.taxes:
            lines[code] = lines.get(code, 0) + units
        return Charge(revenue_units=self.revenue_units + other.revenue_units, taxes=tuple(lines.items()))

    def less(self, before: Charge) -> Charge:
        """What is still to be charged when `before` has been charged already; no line is negative.

        Two taxes can round up at the same unit and leave a line one unit lower than before: the line then waits,
        and the difference is taken off the others, so that the total is always exact.
        """
        taken = dict(before.taxes)
        wanted = [("", self.revenue_units - before.revenue_units)]
        wanted += [(code, units - taken.get(code, 0)) for code, units in self.taxes]
        short = -sum(units for _, units in wanted if units < 0)
        lines: list[tuple[str, int]] = []
        for code, units in wanted:
            cut = min(short, max(units, 0))
            short -= cut
            lines.append((code, max(units, 0) - cut))
        return Charge(revenue_units=lines[0][1], taxes=tuple(lines[1:]))


NO_CHARGE = Charge(revenue_units=0)


class SettlementKind(Enum):
    """When money that came in becomes available."""

    INSTANT = "instant"
    T_PLUS = "t_plus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """`days` are Nairobi banking days after the receipt, with T_PLUS."""

    kind: SettlementKind = SettlementKind.INSTANT
    days: int = 0

    def __str__(self) -> str:
        return "instant" if self.kind is SettlementKind.INSTANT else f"T+{self.days}"

    @classmethod
    def parse(cls, text: str) -> Settlement:
        """Read `instant` or `T+n` (1 to 30). Raises ValueError for anything else."""
        if text == "instant":
            return cls()
        if text.startswith("T+") and text[2:].isdecimal() and 1 <= int(text[2:]) <= 30:
            return cls(kind=SettlementKind.T_PLUS, days=int(text[2:]))
        raise ValueError("settlement is `instant` or `T+n`, n from 1 to 30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a payment froze at its first confirm; nothing that changes later touches it.

    Where the customer bears a part, `full` is the whole charge (the rounding in it) on an order of `base_units`. What
    is short of what is due by at most `under_units` is taken as paid.
    """

    fee: FeeSchedule
    settlement: Settlement
    full: Charge | None = None
    base_units: int | None = None
    under_units: int = 0


def forgiven(tolerance: int, due_units: int) -> int:
    """How much a payment may be short: at most a tenth of what is due, or small ones would be given away."""
    return min(tolerance, due_units // 10)


def half_up(numerator: int, denominator: int) -> int:
    """The whole number nearest to the fraction, halves upwards."""
    return (2 * numerator + denominator) // (2 * denominator)


def charge_beside(schedule: FeeSchedule, units: int) -> Charge:
    """The whole charge that is paid beside `units` (a payout's): nothing on nothing; it may exceed `units`."""
    if units <= 0:
        return NO_CHARGE
    return _with_taxes(schedule, _fee_of(schedule, units))


def charge_on(schedule: FeeSchedule, units: int) -> Charge:
    """The whole charge that is taken off `units` (a receipt's): at most `units`, nothing on nothing."""
    beside = charge_beside(schedule, units)
    if beside.total <= units:
        return beside
    return _bounded(_with_taxes(schedule, min(_fee_of(schedule, units), units)), units)


def _fee_of(schedule: FeeSchedule, units: int) -> int:
    fee = max(schedule.flat_units + half_up(units * schedule.bps, BPS), schedule.min_units)
    return fee if schedule.cap_units is None else min(fee, schedule.cap_units)


def _with_taxes(schedule: FeeSchedule, fee: int) -> Charge:
    """Each tax is rounded half up by itself."""
    inside = [(t.code, half_up(fee * t.rate_bps, BPS + t.rate_bps)) for t in schedule.taxes if t.inclusive]
    on_top = [(t.code, half_up(fee * t.rate_bps, BPS)) for t in schedule.taxes if not t.inclusive]
    revenue = fee - sum(tax for _, tax in inside)
    return Charge(revenue_units=revenue, taxes=tuple(inside + on_top))


def _bounded(charge: Charge, units: int) -> Charge:
    """Give way in our own revenue first: a charge can't exceed what came in."""
    over = max(charge.total - units, 0)
    from_revenue = min(over, charge.revenue_units)
    over -= from_revenue
    taxes: list[tuple[str, int]] = []
    for code, tax in reversed(charge.taxes):
        cut = min(over, tax)
        over -= cut
        taxes.insert(0, (code, tax - cut))
    return Charge(revenue_units=charge.revenue_units - from_revenue, taxes=tuple(taxes))


def bounded(charge: Charge, units: int) -> Charge:
    """At most `units` of a charge: an outside fact is booked whatever we would have liked to take of it."""
    return charge if charge.total <= units else _bounded(charge, units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What an order of `units` costs: `due_units` = `units` + `customer_units` + `rounding_units` is what is asked.

    `charge` is the whole of our fee and its tax, the rounding in it; what is left of `due_units` is the business's.
    """

    units: int
    due_units: int
    customer_units: int
    rounding_units: int
    charge: Charge

    @property
    def net_units(self) -> int:
        """The business's."""
        return self.due_units - self.charge.total


def price_of(schedule: FeeSchedule, units: int, granularity: int) -> Price:
    """The price of collecting `units`; what is asked is rounded up to what the rail can move, and that is revenue."""
    if not schedule.customer_share_bps:
        charge = charge_on(schedule, units)
        return Price(units=units, due_units=units, customer_units=0, rounding_units=0, charge=charge)
    whole = charge_beside(schedule, units)
    customer = half_up(whole.total * schedule.customer_share_bps, BPS)
    whole = bounded(whole, units + customer)
    due = -(-(units + customer) // granularity) * granularity
    rounding = due - units - customer
    charge = Charge(revenue_units=whole.revenue_units + rounding, taxes=whole.taxes)
    return Price(units=units, due_units=due, customer_units=customer, rounding_units=rounding, charge=charge)


def charge_after(terms: Terms, received: int, due_units: int) -> Charge:
    """The whole charge on `received` (at most what is due); where it all came, exactly what was frozen.

    Where the customer bears a part, each shilling bears the same share of what was frozen: the total is rounded down,
    and so is each tax, so that no receipt is ever charged more than it brought.
    """
    if terms.full is None:
        return charge_on(terms.fee, received)
    total = terms.full.total * received // due_units
    taxes = tuple((code, units * received // due_units) for code, units in terms.full.taxes)
    return Charge(revenue_units=total - sum(units for _, units in taxes), taxes=taxes)


def charge_on_more(terms: Terms, before: int, more: int) -> Charge:
    """The charge on `more` beyond the `before` that was charged: an excess that the business keeps."""
    return bounded(charge_on(terms.fee, before + more).less(charge_on(terms.fee, before)), more)


def largest_beside(schedule: FeeSchedule, available: int, granularity: int, maximum: int) -> int:
    """The largest multiple of `granularity`, at most `maximum`, that `available` covers together with its charge."""
    low, high = 0, max(min(available, maximum), 0) // granularity
    while low < high:
        middle = (low + high + 1) // 2
        units = middle * granularity
        if units + charge_beside(schedule, units).total <= available:
            low = middle
        else:
            high = middle - 1
    return low * granularity
