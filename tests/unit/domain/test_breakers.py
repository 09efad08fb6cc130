"""A connection's breaker: what opens it, what it lets through, and what closes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.breakers import AMONG_MAX, PROBE_AFTER_S, ROW_MAX, SEEN_MAX, Breaker, BreakerState, CallOutcome

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FAULT, FINE = CallOutcome.FAULT, CallOutcome.ANSWERED


def after(outcomes: str, breaker: Breaker | None = None, now: datetime = NOW) -> Breaker:
    breaker = breaker or Breaker()
    for one in outcomes:
        breaker = breaker.after(FAULT if one == "f" else FINE, now, "OutcomeUnknown")
    return breaker


def test_so_many_faults_in_a_row_open_it_and_one_less_does_not() -> None:
    assert after("f" * (ROW_MAX - 1)).state is BreakerState.CLOSED
    opened = after("f" * ROW_MAX)
    assert (opened.state, opened.probe_at) == (BreakerState.OPEN, NOW + timedelta(seconds=PROBE_AFTER_S[0]))
    assert opened.reason == "OutcomeUnknown"


def test_every_second_call_that_fails_opens_it_too() -> None:
    assert after("fa" * (AMONG_MAX - 1)).state is BreakerState.CLOSED
    assert after("fa" * (AMONG_MAX - 1) + "f").state is BreakerState.OPEN


def test_old_faults_are_forgotten() -> None:
    assert after("ffff" + "a" * SEEN_MAX) == Breaker()


def test_well_it_changes_with_nothing_that_is_answered() -> None:
    well = Breaker()
    assert well.after(FINE, NOW) is well
    assert well.after(CallOutcome.TURNED_AWAY, NOW) is well


def test_a_probe_that_succeeds_closes_it_and_one_that_fails_opens_it_for_longer() -> None:
    opened = after("f" * ROW_MAX)
    probing = Breaker(state=BreakerState.HALF_OPEN, opens=1, opened_at=NOW, probe_at=NOW)
    assert probing.after(FINE, NOW) == Breaker()
    assert opened.after(FINE, NOW) == Breaker(), "a call that was under way when it opened proves as much"
    again = probing.after(FAULT, NOW)
    assert (again.state, again.opens, again.opened_at) == (BreakerState.OPEN, 2, NOW)
    assert again.probe_at == NOW + timedelta(seconds=PROBE_AFTER_S[1])
    assert opened.after(FAULT, NOW + timedelta(seconds=5)) is opened, "nor does a late fault put the probe off"


@pytest.mark.parametrize("opens", [len(PROBE_AFTER_S) - 1, len(PROBE_AFTER_S), 40])
def test_the_wait_for_the_probe_has_an_end(opens: int) -> None:
    probing = Breaker(state=BreakerState.HALF_OPEN, opens=opens, opened_at=NOW, probe_at=NOW)
    assert probing.after(FAULT, NOW).probe_at == NOW + timedelta(seconds=PROBE_AFTER_S[-1])


def test_two_calls_that_hear_nothing_open_it_before_they_have_ended_and_a_slow_one_alone_does_not() -> None:
    one = Breaker().after(CallOutcome.QUIET, NOW).after(CallOutcome.SILENT, NOW, "silence")
    assert one.state is BreakerState.CLOSED
    assert one.after(CallOutcome.SILENT, NOW, "silence").state is BreakerState.OPEN
    assert one.after(FINE, NOW).state is BreakerState.CLOSED


def test_of_a_probe_silence_is_told_sooner_so_that_another_one_may_go() -> None:
    probing = Breaker(state=BreakerState.HALF_OPEN, opens=1, opened_at=NOW, probe_at=NOW + timedelta(seconds=75))
    again = probing.after(CallOutcome.QUIET, NOW, "silence")
    assert (again.state, again.probe_at) == (BreakerState.OPEN, NOW + timedelta(seconds=PROBE_AFTER_S[1]))
    assert probing.after(CallOutcome.SILENT, NOW) is probing, "an older call's: the probe itself was told of before"
    assert again.after(FINE, NOW) == Breaker()


def test_it_refuses_until_the_probe_is_due() -> None:
    opened = after("f" * ROW_MAX)
    assert opened.refuses_for_s(NOW) == PROBE_AFTER_S[0]
    assert opened.refuses_for_s(NOW + timedelta(seconds=PROBE_AFTER_S[0] - 0.5)) == 1
    assert opened.refuses_for_s(NOW + timedelta(seconds=PROBE_AFTER_S[0])) == 0
    assert Breaker().refuses_for_s(NOW) == 0


@given(st.text(alphabet="fa", max_size=80))
def test_whatever_comes_it_is_closed_after_an_answer_unless_faults_crowd(outcomes: str) -> None:
    breaker = after(outcomes)
    assert len(breaker.recent) <= SEEN_MAX
    if breaker.state is not BreakerState.CLOSED:
        assert after("a", breaker) == Breaker()
