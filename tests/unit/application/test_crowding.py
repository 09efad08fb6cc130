"""An address made for one call takes what any provider would say, and no flood."""

from __future__ import annotations

import pytest

from gateway.application.crowding import MOST, WINDOW_S, Crowding
from gateway.domain.errors import TooMany


class Watch:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_after_its_share_it_is_refused_until_the_minute_is_over_and_others_are_not() -> None:
    watch = Watch()
    crowding = Crowding(monotonic=watch)
    for _ in range(MOST):
        crowding.refuse(b"one")
        crowding.note(b"one")
    watch.now += 10
    with pytest.raises(TooMany) as told:
        crowding.refuse(b"one")
    assert told.value.retry_after_s == WINDOW_S - 10 + 1
    crowding.refuse(b"other")
    watch.now += WINDOW_S
    crowding.refuse(b"one")
    crowding.note(b"one")
    crowding.refuse(b"one")


def test_five_copies_of_one_callback_are_far_below() -> None:
    assert MOST >= 4 * 5


def test_addresses_whose_minute_is_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.application.crowding._KNOWN_MAX", 10)
    watch = Watch()
    crowding = Crowding(monotonic=watch)
    for n in range(10):
        crowding.note(bytes([n]))
    watch.now += WINDOW_S + 1
    crowding.note(b"new")
    assert set(crowding._counts) == {b"new"}
