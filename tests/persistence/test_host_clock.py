"""A machine whose clock is hours away from the database's does no due work; right again, it goes on at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.adapters.persistence.host_clock import APART_MAX_S, HostClock
from gateway.application.look_ups import is_too_soon
from gateway.domain.due import QUEUES
from tests.persistence.shop import Shop

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Host:
    """A machine's two clocks: the one that jumps and the one that counts."""

    def __init__(self) -> None:
        self.off, self.counted = timedelta(0), 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off

    def monotonic(self) -> float:
        return self.counted


@pytest.mark.parametrize("hours", [-48, 2])
def test_a_jump_stops_the_work_at_once_and_its_end_lets_it_go_on(shop: Shop, hours: int) -> None:
    host = Host()
    clock = HostClock(engine=shop.engine("worker"), system=host.now, monotonic=host.monotonic)
    doors = replace(shop.doors, clock_is_wrong=clock.is_wrong)
    shop.payment()
    rooms = dict.fromkeys(QUEUES, 10)
    assert not clock.is_wrong()
    host.off = timedelta(hours=hours)
    assert clock.is_wrong(), "without waiting for the next look"
    assert doors.claim_due(rooms) == []
    host.off = timedelta(0)
    assert not clock.is_wrong()


def test_some_minutes_apart_are_borne_and_no_more_is_asked_than_needed(shop: Shop) -> None:
    host = Host()
    host.off = timedelta(seconds=APART_MAX_S - 60)
    clock = HostClock(engine=shop.engine("worker"), system=host.now, monotonic=host.monotonic)
    assert not clock.is_wrong()
    asked = clock._asked
    assert not clock.is_wrong()
    assert clock._asked is asked


def test_a_question_that_was_asked_in_the_future_keeps_none_back() -> None:
    floor = timedelta(seconds=2)
    assert is_too_soon(NOW - timedelta(seconds=1), NOW, floor)
    assert is_too_soon(NOW + timedelta(seconds=1), NOW, floor)
    assert not is_too_soon(NOW - floor, NOW, floor)
    assert not is_too_soon(NOW + timedelta(hours=2), NOW, floor)
