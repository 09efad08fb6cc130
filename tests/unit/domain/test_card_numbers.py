"""What looks like a card's number, and what only has as many digits."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from gateway.domain.card_numbers import holds_card_number, without_card_numbers

#: The schemes' own published test numbers.
CARDS = [
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
    "6304000000000000",
    "6200000000000005",
]


@pytest.mark.parametrize("card", CARDS)
def test_cards_in_their_dresses(card: str) -> None:
    grouped = " ".join(card[n : n + 4] for n in range(0, len(card), 4))
    for text in (card, f"card: {card}!", grouped, grouped.replace(" ", "-"), f"pay with {grouped} please"):
        assert holds_card_number(text), text
        assert card[-8:] not in without_card_numbers(text).replace(" ", "").replace("-", "")


@pytest.mark.parametrize(
    "text",
    [
        "1764500000000000018",  # a time in nanoseconds
        "254712345678",
        "0712 345 678",
        "0000000000000000",
        "ORDER-2026-11-24-0001",
        "41111111111111112222",
    ],
)
def test_other_numbers(text: str) -> None:
    assert not holds_card_number(text)
    assert without_card_numbers(text) == text


def test_uuids_are_no_cards() -> None:
    chance = random.Random(7)
    for _ in range(200_000):
        text = str(UUID(int=chance.getrandbits(128), version=4))
        assert not holds_card_number(text), text
