"""The promises of ports.abilities.ChecksItself: what a connection knows of its own age, before it lapses.

A binding subclasses SelfCheckContract and gives a fixture `line`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from ports.abilities import ChecksItself, FindingState, SelfFinding
from tests.contract.asked import nothing_outside

_WORSE = [FindingState.OK, FindingState.WARNING, FindingState.WRONG]
_NOTICE = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCheckLine:
    """An adapter whose credentials are fresh at `fresh_at`; `lapses` is when which of them is worth nothing."""

    adapter: ChecksItself
    fresh_at: datetime
    lapses: Mapping[str, datetime]
    private: tuple[str, ...]

    def at(self, now: datetime) -> dict[str, SelfFinding]:
        """The findings by name."""
        return {one.name: one for one in self.adapter.self_check(now)}


class SelfCheckContract:
    """Each test is one promise of the ability."""

    def test_it_asks_nobody_and_says_the_same_again(self, line: SelfCheckLine, monkeypatch: pytest.MonkeyPatch) -> None:
        with nothing_outside(monkeypatch):
            assert line.adapter.self_check(line.fresh_at) == line.adapter.self_check(line.fresh_at)

    def test_every_finding_has_a_name_of_its_own_and_a_sentence(self, line: SelfCheckLine) -> None:
        found = line.adapter.self_check(line.fresh_at)
        assert len({one.name for one in found}) == len(found) > 0
        assert all(one.name and one.words and "\n" not in one.words for one in found)

    def test_what_is_fresh_is_well_and_says_when_it_lapses(self, line: SelfCheckLine) -> None:
        assert line.lapses
        found = line.at(line.fresh_at)
        for name, lapses in line.lapses.items():
            assert (found[name].state, found[name].due) == (FindingState.OK, lapses)

    def test_notice_is_given_before_it_lapses_and_it_is_wrong_after(self, line: SelfCheckLine) -> None:
        for name, lapses in line.lapses.items():
            assert line.at(lapses - _NOTICE)[name].state is FindingState.WARNING
            assert line.at(lapses)[name].state is FindingState.WRONG
            assert line.at(lapses + 400 * _NOTICE)[name].state is FindingState.WRONG

    def test_nothing_mends_itself(self, line: SelfCheckLine) -> None:
        end = max(line.lapses.values()) + 2 * _NOTICE
        days = range((end - line.fresh_at).days + 1)
        for name in line.lapses:
            states = [_WORSE.index(line.at(line.fresh_at + day * _NOTICE)[name].state) for day in days]
            assert states == sorted(states)

    def test_nothing_secret_is_said(self, line: SelfCheckLine) -> None:
        said = repr([line.adapter.self_check(line.fresh_at + days * _NOTICE) for days in (0, 80, 400)])
        assert [word for word in line.private if word in said] == []
