"""The search itself: it finds what is there, in every form, and nothing else."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from tests.secrets.needles import found, phone, secret


@pytest.mark.parametrize(
    "text",
    ["254712345678", "+254712345678", "x254712345678y", "0712345678", "712 345 678", "712-345-678", "=712345678;",
     "712%20345%20678", "876543217452", " 876543217 ", base64.b64encode(b"tel 0712345678.").decode(),
     b"+254712345678".hex().upper()],
)  # fmt: skip
def test_a_number_is_found_in_every_form(text: str) -> None:
    assert found([phone("p", "254712345678")], {"here": text.encode()})


def test_a_masked_or_another_number_is_not_found() -> None:
    others = "254712345679 0712345679 07•• ••• 678 17123456780 a712345678f"
    assert found([phone("p", "254712345678")], {"here": others.encode()}) == []


def test_a_secret_is_found_in_every_encoding() -> None:
    text = 'a+b/c"d!0123456789'
    needle, raw = secret("s", text), text.encode()
    encoded = [raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), quote(text, safe="").encode()]
    encoded += [base64.b64encode(b"user:"[:n] + raw + b"tail"[:m]) for n in range(6) for m in range(5)]
    encoded += [base64.urlsafe_b64encode(b"user:"[:n] + raw) for n in range(6)]
    for one in encoded:
        assert found([needle], {"here": b"before " + one + b" after"}), one
    assert found([needle], {"here": b"a+b/c d!0123456780"}) == []
