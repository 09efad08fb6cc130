"""Card numbers are never taken: a text that looks like one is refused before anybody keeps it."""

from __future__ import annotations

import re

#: 13 to 19 digits, with single blanks or dashes between them, that don't go on as a longer number or word: a UUID may
#: hold such a row of digits by chance.
_LOOKS = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9A-Za-z][-_])(?:[0-9][ .\u00a0\u2010-\u2015\u2212-]?){12,}[0-9]"
    r"(?![0-9A-Za-z])(?![-_][0-9A-Za-z])"
)
_DIGITS_MIN, _DIGITS_MAX = 13, 19
#: How the numbers of the card schemes begin, and how long they are (ISO/IEC 7812 and the schemes' own ranges).
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})$|5[1-5]\d{14}$|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$|3[47]\d{13}$"
    r"|3(?:0[0-5]|[689]\d)\d{11,13}$|35\d{14,17}$|(?:50|5[6-9]|6\d)\d{11,17}$"
)
GONE = "[card number]"


def holds_card_number(text: str) -> bool:
    """Whether somewhere in the text stands a number that a card could have: its issuer's first digits, the length and
    the check digit are right. Times in nanoseconds and telephone numbers begin otherwise."""
    return len(text) >= _DIGITS_MIN and any(_is_one(found.group()) for found in _LOOKS.finditer(text))


def without_card_numbers(text: str) -> str:
    """The text with a word in the place of each number that a card could have."""
    if len(text) < _DIGITS_MIN:
        return text
    return _LOOKS.sub(lambda found: GONE if _is_one(found.group()) else found.group(), text)


def _is_one(found: str) -> bool:
    """Whether a run of digits is one, or, where blanks part it, some of its groups in a row are."""
    edges, digits = [0], ""
    for group in re.split(r"[^0-9]", found):
        digits += group
        edges.append(len(digits))
    spans = ((a, b) for a in edges for b in edges if _DIGITS_MIN <= b - a <= _DIGITS_MAX)
    return any(_ISSUERS.match(digits[a:b]) is not None and _passes(digits[a:b]) for a, b in spans)


def _passes(digits: str) -> bool:
    """The check of Luhn. A row of one digit is nobody's card."""
    if len(set(digits)) == 1:
        return False
    total = 0
    for place, sign in enumerate(reversed(digits)):
        value = int(sign) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
