"""Public ids: what encode writes decode reads, and nothing else is read."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ids import Prefix, decode, encode

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@given(st.uuids(), st.sampled_from(Prefix))
def test_what_is_written_is_read(uuid: UUID, prefix: Prefix) -> None:
    text = encode(prefix, uuid)
    head, _, signs = text.partition("_")
    assert head == prefix.value
    assert len(signs) == 26
    assert set(signs) <= set(ALPHABET)
    assert decode(prefix, text) == uuid
    assert decode(prefix, f"{head}_{signs.lower()}") == uuid


@given(st.uuids(), st.uuids())
def test_order_is_kept(one: UUID, other: UUID) -> None:
    assert (encode("pay", one) < encode("pay", other)) == (one < other)


def test_known_values() -> None:
    assert encode("pay", UUID(int=0)) == "pay_" + "0" * 26
    assert encode("pay", UUID(int=2**128 - 1)) == "pay_7" + "Z" * 25
    assert encode("biz", UUID(int=33)) == "biz_" + "0" * 24 + "11"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pay",
        "pay_",
        "0" * 26,
        "biz_" + "0" * 26,
        "PAY_" + "0" * 26,
        "pay_" + "0" * 25,
        "pay_" + "0" * 27,
        "pay_8" + "0" * 25,
        "pay_" + "0" * 25 + "U",
        "pay_" + "0" * 25 + "l",
        "pay_" + "0" * 25 + "O",
        "pay_" + "0" * 25 + "i",
        "pay_" + "0" * 25 + " ",
        "pay_" + "0" * 25 + "\N{FULLWIDTH DIGIT ONE}",
        "pay_" + "0" * 25 + "\x00",
        " pay_" + "0" * 26,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an id"):
        decode("pay", text)


@given(st.uuids(), st.integers(0, 25), st.characters(exclude_characters=ALPHABET + ALPHABET.lower()))
def test_a_foreign_sign_is_refused_wherever_it_stands(uuid: UUID, place: int, sign: str) -> None:
    signs = encode("po", uuid)[3:]
    with pytest.raises(ValueError, match="an id"):
        decode("po", f"po_{signs[:place]}{sign}{signs[place + 1 :]}")


def test_prefixes_are_distinct_words() -> None:
    words = [prefix.value for prefix in Prefix]
    assert len(set(words)) == len(Prefix.__members__)
    assert all(word.isascii() and word.islower() and word.isalpha() for word in words)
