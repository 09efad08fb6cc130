"""The promises of ports.abilities.KnowsHolders: a name, or that there is no such account; never a guess.

A binding subclasses HolderNameContract and gives a fixture `line`. Every test has a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ports.abilities import KnowsHolders
from ports.errors import Refused
from ports.payout_channel import ChannelCapabilities, Destination, DestinationKind
from tests.contract.asked import a_phone

#: Longer names are nobody's.
NAME_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderNameLine:
    """A channel, destinations that the provider knows with their names, and one of each kind that it doesn't know.

    `asked` counts the provider's calls for a name, `done` what it did.
    """

    channel: KnowsHolders
    capabilities: ChannelCapabilities
    known: tuple[tuple[Destination, str], ...]
    unknown: tuple[Destination, ...]
    asked: Callable[[], int]
    done: Callable[[], int]


class HolderNameContract:
    """Each test is one promise of the ability."""

    def test_a_known_account_has_its_holders_name(self, line: HolderNameLine) -> None:
        assert line.known
        for destination, name in line.known:
            assert line.channel.holder_name(destination).name == name

    def test_an_unknown_account_has_none(self, line: HolderNameLine) -> None:
        assert line.unknown
        for destination in line.unknown:
            assert line.channel.holder_name(destination).name is None

    def test_every_kind_that_is_declared_can_be_asked_about(self, line: HolderNameLine) -> None:
        kinds = {destination.kind for destination, _ in line.known}
        assert kinds == set(line.capabilities.destinations)

    def test_a_destination_that_is_not_declared_is_refused_and_not_asked_about(self, line: HolderNameLine) -> None:
        accounts = {DestinationKind.MPESA_PHONE: a_phone(1)}
        for kind in set(DestinationKind) - set(line.capabilities.destinations):
            with pytest.raises(Refused):
                line.channel.holder_name(Destination(kind=kind, account=accounts.get(kind, "123456")))
        assert line.asked() == 0

    def test_an_account_of_another_form_is_never_asked_about_under_another_name(self, line: HolderNameLine) -> None:
        for destination, _ in line.known:
            odd = Destination(kind=destination.kind, account=f"{destination.account}?&x=/")
            with pytest.raises(Refused):
                line.channel.holder_name(odd)
        assert line.asked() == 0

    def test_a_question_changes_nothing_and_is_answered_the_same_again(self, line: HolderNameLine) -> None:
        for destination, _ in line.known:
            assert line.channel.holder_name(destination) == line.channel.holder_name(destination)
        assert (line.asked(), line.done()) == (2 * len(line.known), 0)

    def test_a_name_is_short_and_on_one_line(self, line: HolderNameLine) -> None:
        for destination, _ in line.known:
            name = line.channel.holder_name(destination).name or ""
            assert 0 < len(name) <= NAME_MAX
            assert name == " ".join(name.split())
