"""A watched call: what is noted while it waits, and what its own end still says then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gateway.application.breakers import _noting
from gateway.domain.breakers import PROBE_SILENT_S, SILENT_S, CallOutcome
from ports.errors import OutcomeUnknown


@dataclass
class Waiting:
    """A call that hears nothing for a while; alarms ring as its clock passes them."""

    noted: list[CallOutcome] = field(default_factory=list)
    now: float = 0.0
    alarms: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    is_probe: bool = False

    def alarm(self, after_s: float, do: Callable[[], None]) -> Callable[[], None]:
        one = (self.now + after_s, do)
        self.alarms.append(one)
        return lambda: self.alarms.remove(one) if one in self.alarms else None

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while due := sorted(one for one in self.alarms if one[0] <= until):
            self.alarms.remove(due[0])
            self.now = due[0][0]
            due[0][1]()
        self.now = until

    def call(self, seconds: float, fault: Exception | None = None) -> list[CallOutcome]:
        def hears(_: object) -> str:
            self.wait(seconds)
            if fault is not None:
                raise fault
            return "news"

        def note(outcome: CallOutcome, *_: object) -> bool:
            self.noted.append(outcome)
            return outcome is not CallOutcome.QUIET or self.is_probe

        _noting(hears, note, self.alarm)("question")
        assert self.alarms == [], "no alarm outlives its call"
        return self.noted


def test_a_quick_call_is_noted_once() -> None:
    assert Waiting().call(1) == [CallOutcome.ANSWERED]


def test_a_slow_answer_is_an_answer_in_the_end() -> None:
    assert Waiting().call(PROBE_SILENT_S) == [CallOutcome.QUIET, CallOutcome.ANSWERED]
    assert Waiting().call(SILENT_S) == [CallOutcome.QUIET, CallOutcome.SILENT, CallOutcome.ANSWERED]


def test_of_a_probe_silence_is_told_once() -> None:
    probe = Waiting(is_probe=True)
    with pytest.raises(OutcomeUnknown):
        probe.call(SILENT_S + 20, OutcomeUnknown("nothing came back"))
    assert probe.noted == [CallOutcome.QUIET]
    assert Waiting(is_probe=True).call(SILENT_S) == [CallOutcome.QUIET, CallOutcome.ANSWERED]


@pytest.mark.parametrize(
    ("seconds", "noted"),
    [
        (1, [CallOutcome.FAULT]),
        (PROBE_SILENT_S, [CallOutcome.QUIET, CallOutcome.FAULT]),
        (SILENT_S + 20, [CallOutcome.QUIET, CallOutcome.SILENT]),
    ],
)
def test_silence_that_was_told_isn_t_told_again_at_its_end(seconds: float, noted: list[CallOutcome]) -> None:
    waiting = Waiting()
    with pytest.raises(OutcomeUnknown):
        waiting.call(seconds, OutcomeUnknown("nothing came back"))
    assert waiting.noted == noted
    assert waiting.alarms == []
