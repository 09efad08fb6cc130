"""An amount in words, where words help against a misread digit."""

from __future__ import annotations

from gateway.adapters.web.wording import Lang
from ports.money import KES

# fmt: off
_EN_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SW_SMALL = ("", "moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa")
_SW_TENS = (
    "", "kumi", "ishirini", "thelathini", "arobaini", "hamsini", "sitini", "sabini", "themanini", "tisini",
)
# fmt: on

_FROM = 1_000
#: Above this, spoken Swahili is ambiguous: `elfu kumi na moja` is 11,000 and 10,001 alike.
_SW_BELOW = 10_000
_EN_BELOW = 1_000_000


def in_words(units: int, currency: str, lang: Lang) -> str | None:
    """Whole shillings in words; None where words wouldn't help: cents, small sums, sums that words blur."""
    shillings, cents = divmod(units, 10**KES.scale)
    if currency != KES.code or cents or shillings < _FROM:
        return None
    if lang is Lang.SW:
        return f"shilingi {_swahili(shillings)}" if shillings < _SW_BELOW else None
    return f"{_english(shillings)} shillings" if shillings < _EN_BELOW else None


def _english(number: int) -> str:
    if number < 20:
        return _EN_SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _EN_TENS[tens] + (f"-{_EN_SMALL[ones]}" if ones else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    head, rest = divmod(number, size)
    joint = " and " if 0 < rest < 100 else " "
    return f"{_english(head)} {name}" + (joint + _english(rest) if rest else "")


def _swahili(number: int) -> str:
    """From 1,000 to 9,999. `na` stands once, before what comes last, unless that is a round hundred."""
    thousands, rest = divmod(number, 1000)
    hundreds, rest = divmod(rest, 100)
    tens, ones = divmod(rest, 10)
    first = f"elfu {_SW_SMALL[thousands]}" + (f" mia {_SW_SMALL[hundreds]}" if hundreds else "")
    if tens and ones:
        return f"{first} {_SW_TENS[tens]} na {_SW_SMALL[ones]}"
    last = _SW_TENS[tens] or _SW_SMALL[ones]
    return f"{first} na {last}" if last else first
