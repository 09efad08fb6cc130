"""Phone numbers, typed as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import Invalid
from gateway.domain.phones import mask, to_e164


@pytest.mark.parametrize(
    "typed",
    [
        "0712345678",
        "712345678",
        "254712345678",
        "+254712345678",
        "0712 345 678",
        " 0712-345-678 ",
        "(0712) 345678",
        "+254 712 345 678",
        "+254-712-345.678",
        "+254 (0)712 345 678",
    ],
)
def test_one_number_many_spellings(typed: str) -> None:
    assert to_e164(typed) == "+254712345678"


@pytest.mark.parametrize("typed", ["0112345678", "+254 110 000 000", "0799999999", "0100000000"])
def test_other_mobile_numbers(typed: str) -> None:
    assert to_e164(typed).startswith("+254")
    assert len(to_e164(typed)) == 13


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "07",
        "071234567",
        "07123456789",
        "0202345678",  # a landline of Nairobi
        "0812345678",
        "+255712345678",  # Tanzania
        "+1 650 253 0000",
        "255712345678",
        "0712345678x",
        "tel:0712345678",
        "0712345678\x00",
        "0712345678;ext=1",
        "07 1234 5678 07 1234 5678",
        "+",
        "0712\n345678; DROP",
    ],
)
def test_what_is_no_kenyan_mobile_number_is_refused_by_field(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        to_e164(typed, param="/customer/phone")
    assert (refused.value.code, refused.value.param) == ("phone_invalid", "/customer/phone")
    assert len(typed) < 5 or typed not in refused.value.detail


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(typed: str) -> None:
    try:
        found = to_e164(typed)
    except Invalid:
        return
    assert found.startswith("+254")
    assert found[1:].isascii()
    assert found[1:].isdigit()
    assert to_e164(found) == found


@given(st.from_regex(r"7[0-9]{8}", fullmatch=True))
def test_spellings_agree(tail: str) -> None:
    def reading(typed: str) -> str | None:
        try:
            return to_e164(typed)
        except Invalid:
            return None

    assert len({reading(f"{prefix}{tail}") for prefix in ("0", "", "254", "+254", "+254 ")}) == 1


def test_a_mask_shows_enough_to_recognise_and_not_to_call() -> None:
    assert mask("+254712345126") == "+2547•••••126"
