"""Nairobi's banking days."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.calendar import NAIROBI, banking_day_after, easter, holidays, is_banking_day


@pytest.mark.parametrize(
    ("year", "day"),
    [
        (1999, (4, 4)),
        (2000, (4, 23)),
        (2008, (3, 23)),
        (2016, (3, 27)),
        (2024, (3, 31)),
        (2025, (4, 20)),
        (2026, (4, 5)),
        (2038, (4, 25)),
        (2049, (4, 18)),
        (2100, (3, 28)),
    ],
)
def test_easter(year: int, day: tuple[int, int]) -> None:
    assert easter(year) == date(year, *day)


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2026, 3, 2), True),  # a Monday
        (date(2026, 3, 7), False),  # a Saturday
        (date(2026, 3, 8), False),
        (date(2026, 4, 3), False),  # Good Friday
        (date(2026, 4, 6), False),  # Easter Monday
        (date(2026, 4, 7), True),
        (date(2026, 1, 1), False),
        (date(2026, 5, 1), False),
        (date(2026, 6, 1), False),
        (date(2025, 10, 10), False),
        (date(2026, 10, 20), False),
        (date(2025, 12, 12), False),
        (date(2026, 12, 25), False),
        (date(2025, 12, 26), False),
        (date(2023, 1, 2), False),  # New Year fell on a Sunday
        (date(2025, 6, 2), False),  # Madaraka Day fell on a Sunday
        (date(2025, 6, 3), True),
        (date(2026, 10, 12), True),  # a holiday on a Saturday moves nothing
        (date(2021, 12, 27), False),  # Boxing Day fell on a Sunday
        (date(2021, 12, 28), True),
        # Christmas fell on a Sunday and Monday was Boxing Day: Gazette notices of December 2016 and 2022.
        (date(2016, 12, 27), False),
        (date(2022, 12, 26), False),
        (date(2022, 12, 27), False),
        (date(2022, 12, 28), True),
    ],
)
def test_days(day: date, open_: bool) -> None:
    assert is_banking_day(day) is open_


@given(year=st.integers(2000, 2200))
def test_a_year_has_ten_holidays_and_one_for_each_sunday(year: int) -> None:
    kept = holidays(year)
    assert len(kept) == 10 + sum(day.weekday() == 6 for day in kept)
    assert all(day.year == year for day in kept)


@pytest.mark.parametrize(
    ("moment", "days", "opens"),
    [
        (datetime(2026, 3, 2, 9, tzinfo=UTC), 1, date(2026, 3, 3)),
        (datetime(2026, 3, 6, 9, tzinfo=UTC), 1, date(2026, 3, 9)),  # over a weekend
        (datetime(2026, 4, 2, 9, tzinfo=UTC), 1, date(2026, 4, 7)),  # over Easter
        (datetime(2026, 3, 2, 20, 59, tzinfo=UTC), 1, date(2026, 3, 3)),  # 23:59 in Nairobi
        (datetime(2026, 3, 2, 21, 0, tzinfo=UTC), 1, date(2026, 3, 4)),  # midnight there: another day
        (datetime(2026, 3, 2, 9, tzinfo=UTC), 5, date(2026, 3, 9)),
        (datetime(2022, 12, 23, 9, tzinfo=UTC), 1, date(2022, 12, 28)),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), 0, date(2026, 3, 2)),
    ],
)
def test_the_banking_day_after(moment: datetime, days: int, opens: date) -> None:
    found = banking_day_after(moment, days)
    assert found.tzinfo is UTC
    assert found.astimezone(NAIROBI) == datetime(opens.year, opens.month, opens.day, tzinfo=NAIROBI)


@given(
    moment=st.integers(1_577_836_800, 2_208_988_800).map(lambda second: datetime.fromtimestamp(second, UTC)),
    days=st.integers(1, 30),
)
def test_it_is_a_banking_day_and_so_many_lie_between(moment: datetime, days: int) -> None:
    found = banking_day_after(moment, days).astimezone(NAIROBI)
    assert is_banking_day(found.date())
    begin = moment.astimezone(NAIROBI).date()
    between = [date.fromordinal(n) for n in range(begin.toordinal() + 1, found.toordinal() + 1)]
    assert sum(is_banking_day(day) for day in between) == days
