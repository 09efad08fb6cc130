"""Nairobi days: when a banking day begins, and which days are none."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

NAIROBI = timezone(timedelta(hours=3), "EAT")

#: Public holidays with a fixed date (Public Holidays Act, cap. 110, as amended): month and day. When one falls on a
#: Sunday the next day is free. Moving feasts and gazetted days are added by year.
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


def is_banking_day(day: date) -> bool:
    """Monday to Friday, and no public holiday that the calendar knows."""
    if day.weekday() >= 5:
        return False
    if (day.month, day.day) in _FIXED:
        return False
    sunday = day - timedelta(days=1)
    if day.weekday() == 0 and (sunday.month, sunday.day) in _FIXED:
        return False
    feast = easter(day.year)
    return day not in (feast - timedelta(days=2), feast + timedelta(days=1))


def banking_day_after(moment: datetime, days: int) -> datetime:
    """The start (00:00 in Nairobi, given in UTC) of the `days`-th banking day after the day of `moment`."""
    day = moment.astimezone(NAIROBI).date()
    left = days
    while left > 0:
        day += timedelta(days=1)
        if is_banking_day(day):
            left -= 1
    return datetime.combine(day, time(0), NAIROBI).astimezone(UTC)
