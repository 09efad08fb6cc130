"""Whose a reference is that a person typed: exact after spelling is evened out, never by likeness."""

from __future__ import annotations

import re

#: Our references hold no I, L and O, so that who types them meant the digit.
_DIGITS = str.maketrans({"O": "0", "I": "1", "L": "1"})
#: A run of digits so long may be somebody's telephone or identity number.
_LONG_NUMBER = re.compile(r"\d{7,}")


def plain_reference(typed: str) -> str:
    """A reference as it is compared; the database's `plain_reference` says the same."""
    return " ".join(typed.split()).upper().translate(_DIGITS)


def masked_reference(typed: str | None) -> str | None:
    """What of it a business may read: long numbers are cut to their last three digits."""
    if typed is None or not typed.strip():
        return None
    return _LONG_NUMBER.sub(lambda found: "…" + found.group()[-3:], " ".join(typed.split()))[:60]
