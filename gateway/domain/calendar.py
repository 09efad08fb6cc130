"""Nairobi days: when a banking day begins, and which days are none."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

NAIROBI = timezone(timedelta(hours=3), "EAT")

#: Public holidays with a fixed date (Public Holidays Act, cap. 110, as amended): month and day. Days of the moon's
#: calendar and days declared in the Gazette for one year are not known here.
_FIXED = ((1, 1), (5, 1), (6, 1), (10, 10), (10, 20), (12, 12), (12, 25), (12, 26))


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous computus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """The public holidays of that year.

    Where one falls on a Sunday, the first day after it that is no holiday itself is free (section 4 of the Act): a
    Christmas on a Sunday makes the 27th of December free.
    """
    feast = easter(year)
    kept = {date(year, month, day) for month, day in _FIXED} | {feast - timedelta(days=2), feast + timedelta(days=1)}
    for sunday in sorted(day for day in kept if day.weekday() == 6):
        instead = sunday
        while instead in kept:
            instead += timedelta(days=1)
        kept.add(instead)
    return frozenset(kept)


def is_banking_day(day: date) -> bool:
    """Monday to Friday, and no public holiday that the calendar knows."""
    return day.weekday() < 5 and day not in holidays(day.year)


def banking_day_after(moment: datetime, days: int) -> datetime:
    """The start (00:00 in Nairobi, given in UTC) of the `days`-th banking day after the day of `moment`."""
    day = moment.astimezone(NAIROBI).date()
    left = days
    while left > 0:
        day += timedelta(days=1)
        if is_banking_day(day):
            left -= 1
    return datetime.combine(day, time(0), NAIROBI).astimezone(UTC)
