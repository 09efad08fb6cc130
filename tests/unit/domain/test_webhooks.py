"""The retry table of webhooks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.webhooks import EVENT_TYPES, RETRY_AFTER_S, next_try_s

#: Standard Webhooks' schedule, in the words of the product: 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
TABLE = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)


def test_ten_tries_over_about_75_hours() -> None:
    assert RETRY_AFTER_S == TABLE
    assert [next_try_s(tries, chance=0) for tries in range(11)] == [*TABLE, None]
    assert 75 <= sum(TABLE) / 3600 <= 76


@given(tries=st.integers(0, 9), chance=st.floats(0, 1, exclude_max=True))
def test_jitter_is_at_most_a_tenth(tries: int, chance: float) -> None:
    wait = next_try_s(tries, chance=chance)
    assert wait is not None
    assert TABLE[tries] <= wait <= TABLE[tries] * 1.1


@pytest.mark.parametrize(
    ("tries", "asked", "wait"),
    [(1, 3, 5), (1, 60, 60), (2, None, 300), (2, 0, 300), (1, 10**9, 86_400), (9, 10**9, 86_400)],
)
def test_retry_after_can_only_lengthen_and_not_for_ever(tries: int, asked: int | None, wait: int) -> None:
    assert next_try_s(tries, chance=0, retry_after_s=asked) == wait


@given(tries=st.integers(10, 100), asked=st.none() | st.integers(0, 10**6))
def test_the_table_ends(tries: int, asked: int | None) -> None:
    assert next_try_s(tries, chance=0.5, retry_after_s=asked) is None


def test_event_types_are_dotted_and_past() -> None:
    assert len(set(EVENT_TYPES)) == len(EVENT_TYPES)
    assert all(name.count(".") >= 1 and name == name.lower() for name in EVENT_TYPES)
