"""The promises of ports.abilities.ReadsBalance: every pocket to the smallest unit, at once or at the ReplyTo.

A binding subclasses BalanceContract and gives a fixture `line`. Every test has a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import pytest

from ports.abilities import ReadsBalance
from ports.callback import Incoming, Reading, ReplyTo
from ports.errors import Unreadable
from ports.registration import Capabilities
from ports.report import Pocket
from tests.contract.asked import called, nothing_outside


class BalanceLineAdapter(ReadsBalance, Protocol):
    """An adapter with the ability: of either port."""

    def read_callback(self, incoming: Incoming) -> Reading:
        """As the ports have it."""


class BalanceProvider(Protocol):
    """What the suite does on the provider's side."""

    def reply_to(self, name: str) -> ReplyTo:
        """The URL for what is called so."""

    def held(self) -> Mapping[str, int]:
        """The units in each pocket, by the name that the adapter tells it by; below zero what is owed."""

    def finish(self) -> None:
        """Let time pass until all that is posted has been posted."""

    def posted(self, name: str) -> list[bytes]:
        """The bodies posted to that URL, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceLine:
    """An adapter and the provider behind it, which holds some money and owes some.

    `spoiled` makes of an answer that comes later one in which a single pocket can't be read, in several ways; none for
    an adapter that answers at once.
    """

    adapter: BalanceLineAdapter
    capabilities: Capabilities
    provider: BalanceProvider
    spoiled: Callable[[bytes], tuple[bytes, ...]] | None = None

    def ask(self, name: str = "balance") -> tuple[tuple[Pocket, ...], bytes | None]:
        """The pockets as they are told in the end, and the body they came in, where they came later."""
        told = self.adapter.balance(self.provider.reply_to(name))
        if told is not None:
            return told, None
        self.provider.finish()
        body = self.provider.posted(name)[-1]
        return self.adapter.read_callback(called(body, of_question=True)).pockets, body


class BalanceContract:
    """Each test is one promise of the ability."""

    def test_every_pocket_is_told_to_the_smallest_unit(self, line: BalanceLine) -> None:
        pockets, _ = line.ask()
        told = {one.name: -one.balance.units if one.is_owed else one.balance.units for one in pockets}
        assert told == dict(line.provider.held())
        assert min(told.values()) < 0 < max(told.values())

    def test_every_pocket_is_told_once_and_in_an_asset_of_the_connection(self, line: BalanceLine) -> None:
        pockets, _ = line.ask()
        names = [one.name for one in pockets]
        assert all(names)
        assert len(names) == len(set(names))
        assert {one.balance.asset for one in pockets} <= set(line.capabilities.assets)
        assert all(one.happened_at is None or one.happened_at.tzinfo is not None for one in pockets)

    def test_a_question_moves_nothing_and_is_told_the_same_again(self, line: BalanceLine) -> None:
        before = dict(line.provider.held())
        told = [{(one.name, one.balance, one.is_owed) for one in line.ask(name)[0]} for name in ("first", "second")]
        assert told[0] == told[1]
        assert dict(line.provider.held()) == before

    def test_an_answer_that_comes_later_is_read_whole_or_not_at_all(
        self, line: BalanceLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pockets, body = line.ask()
        if body is None:
            return
        with nothing_outside(monkeypatch):
            read = line.adapter.read_callback(called(body, of_question=True))
        # It is no news of any money that moved.
        assert (read.pockets, read.reports, read.charges) == (pockets, (), ())
        assert line.spoiled is not None
        spoiled = line.spoiled(body)
        assert body not in spoiled
        for wrong in (*spoiled, *(body[:end] for end in range(len(body.rstrip())))):
            with pytest.raises(Unreadable):
                line.adapter.read_callback(called(wrong, of_question=True))
