"""Phone numbers: typed any way people type them, kept as E.164, shown masked."""

from __future__ import annotations

import re

import phonenumbers

from gateway.domain.errors import Invalid

_PLAUSIBLE = re.compile(r"^[+()\d\s.-]{7,24}$")


def to_e164(typed: str, *, param: str = "/phone") -> str:
    """`0712 345 678`, `712345678`, `254712…` and `+254712…` all give `+254712345678`.

    Raises Invalid with code `phone_invalid` for what is no Kenyan mobile number.
    """
    text = typed.strip()
    if _PLAUSIBLE.match(text):
        digits = re.sub(r"\D", "", text)
        candidate = "+" + digits if text.startswith("+") or digits.startswith("254") else digits
        try:
            number = phonenumbers.parse(candidate, "KE")
        except phonenumbers.NumberParseException:
            number = None
        if number is not None and number.country_code == 254 and phonenumbers.is_valid_number(number):
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            if re.fullmatch(r"\+254[17]\d{8}", e164):
                return e164
    raise Invalid(
        "this is no Kenyan mobile number; write it like 0712 345 678 or +254712345678",
        code="phone_invalid",
        param=param,
    )


def mask(e164: str) -> str:
    """`+254712345126` → `+2547•••••126`: enough to recognise one's own number, not to call it."""
    return f"{e164[:5]}•••••{e164[-3:]}"
