"""The promises of ports.abilities.MovesOwn: our own money between our own pockets, ordered once, told at the ReplyTo.

A binding subclasses MoveOwnContract and gives a fixture `line`. Every test has a line of its own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from ports.abilities import MovesOwn, OwnTransfer
from ports.callback import Door, ReplyTo
from ports.errors import AlreadyTaken, OutcomeUnknown, Refused, Unreadable
from ports.money import Asset, Money
from ports.payout_channel import ChannelCapabilities, PayoutChannel
from ports.registration import Repeat
from ports.report import Grade, Report, Status
from tests.contract.asked import a_reference, at_least, called, nothing_outside


class MovingChannel(PayoutChannel, MovesOwn, Protocol):
    """A channel with the ability."""


class MoveOwnProvider(Protocol):
    """What the suite does on the provider's side."""

    def reply_to(self, name: str) -> ReplyTo:
        """The URL for what is called so."""

    def asked(self) -> int:
        """How often it was called to move, whatever came of it."""

    def moves(self) -> int:
        """How many moves it took."""

    def finish(self, *, well: bool = True) -> None:
        """Let time pass until every move has ended, well or badly, and all that is posted has been posted."""

    def posted(self, name: str) -> list[bytes]:
        """The bodies posted to that URL, in order."""

    def lose_the_answer(self) -> None:
        """The next move is taken, and the answer is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOwnLine:
    """A channel, the provider behind it, and two pockets between which money goes. `elsewhere` is no pocket."""

    channel: MovingChannel
    capabilities: ChannelCapabilities
    provider: MoveOwnProvider
    source: str
    target: str
    elsewhere: str = "nobody's"

    def transfer(self, number: int = 1, amount: Money | None = None) -> OwnTransfer:
        """The transfer of that number: the same number, the same transfer."""
        reference = a_reference(self.capabilities.reference_form, number)
        return OwnTransfer(
            reference=reference,
            amount=at_least(self.capabilities) if amount is None else amount,
            source=self.source,
            target=self.target,
            reply_to=self.provider.reply_to(reference),
        )

    def read(self, body: bytes) -> Report:
        """The one report in a callback."""
        (report,) = self.channel.read_callback(called(body)).reports
        return report

    def result(self, number: int = 1, *, well: bool = True) -> tuple[Report, bytes]:
        """Order a move and let it end; gives what the order said and what was posted."""
        transfer = self.transfer(number)
        ordered = self.channel.move_own(transfer)
        self.provider.finish(well=well)
        return ordered, self.provider.posted(transfer.reference)[-1]


class MoveOwnContract:
    """Each test is one promise of the ability."""

    def test_an_ordered_move_is_pending_and_says_whose_it_is(self, line: MoveOwnLine) -> None:
        report = line.channel.move_own(line.transfer())
        assert (report.status, report.grade) == (Status.PENDING, Grade.ANSWER)
        assert (report.reference, report.failure, report.receipt_number) == (line.transfer().reference, None, None)

    def test_the_same_move_twice_does_what_repeat_declares(self, line: MoveOwnLine) -> None:
        line.channel.move_own(line.transfer())
        if line.capabilities.repeat is Repeat.REFUSED:
            with pytest.raises(AlreadyTaken):
                line.channel.move_own(line.transfer())
        else:
            line.channel.move_own(line.transfer())
        assert line.provider.moves() == (2 if line.capabilities.repeat is Repeat.DOUBLES else 1)

    def test_after_a_lost_answer_the_same_move_is_made_once(self, line: MoveOwnLine) -> None:
        line.provider.lose_the_answer()
        with pytest.raises(OutcomeUnknown):
            line.channel.move_own(line.transfer())
        if line.capabilities.repeat is not Repeat.DOUBLES:
            with suppress(AlreadyTaken):
                line.channel.move_own(line.transfer())
        assert line.provider.moves() == 1

    def test_amounts_are_kept_to_at_both_edges(self, line: MoveOwnLine) -> None:
        said, asset = line.capabilities, line.capabilities.assets[0]
        for number, units in enumerate((said.amount_min, said.amount_max), start=1):
            report = line.channel.move_own(line.transfer(number, Money(units=units, asset=asset)))
            assert report.status is Status.PENDING
        outside = [said.amount_min - said.amount_granularity, said.amount_max + said.amount_granularity, 0]
        outside += [said.amount_min + 1] if said.amount_granularity > 1 else []
        for number, units in enumerate(outside, start=3):
            _refused_unsent(line, line.transfer(number, Money(units=units, asset=asset)))

    def test_pockets_and_assets_that_are_not_ours_are_refused_and_nothing_is_sent(self, line: MoveOwnLine) -> None:
        transfer = line.transfer()
        other = Money(units=transfer.amount.units, asset=Asset(code="XTS", scale=2))
        for wrong in (
            replace(transfer, source=line.elsewhere),
            replace(transfer, target=line.elsewhere),
            replace(transfer, target=line.source),
            replace(transfer, amount=other),
        ):
            _refused_unsent(line, wrong)

    def test_its_result_brings_a_receipt_and_the_amount(self, line: MoveOwnLine) -> None:
        ordered, body = line.result()
        report = line.read(body)
        assert (report.status, report.grade) == (Status.SUCCEEDED, Grade.SOLICITED)
        assert (report.amount, bool(report.receipt_number)) == (at_least(line.capabilities), True)
        assert report.money == ()
        _names(report, ordered)

    def test_a_failed_result_names_no_receipt(self, line: MoveOwnLine) -> None:
        ordered, body = line.result(well=False)
        report = line.read(body)
        assert (report.status, report.receipt_number, report.amount) == (Status.FAILED, None, None)
        assert report.failure is not None
        assert report.failure.provider_code
        _names(report, ordered)

    def test_a_result_is_read_without_any_connection_and_twice_the_same(
        self, line: MoveOwnLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, body = line.result()
        with nothing_outside(monkeypatch):
            assert line.read(body) == line.read(body)

    def test_a_result_by_the_connections_own_url_is_worth_no_more(self, line: MoveOwnLine) -> None:
        _, body = line.result()
        (report,) = line.channel.read_callback(called(body, Door.CONNECTION)).reports
        assert report.grade is Grade.ANNOUNCED

    def test_a_charge_is_told_of_its_own_move_alone(self, line: MoveOwnLine) -> None:
        for number, well in ((1, True), (2, False)):
            reading = line.channel.read_callback(called(line.result(number, well=well)[1]))
            (report,) = reading.reports
            assert {charge.number for charge in reading.charges} <= ({report.receipt_number} if well else set())
            assert {charge.amount.asset for charge in reading.charges} <= set(line.capabilities.assets)
            assert all(charge.amount for charge in reading.charges)

    def test_a_result_cut_short_is_unreadable(self, line: MoveOwnLine) -> None:
        body = line.result()[1].rstrip()
        for end in range(len(body)):
            with pytest.raises(Unreadable):
                line.channel.read_callback(called(body[:end]))


def _refused_unsent(line: MoveOwnLine, transfer: OwnTransfer) -> None:
    before = line.provider.asked()
    with pytest.raises(Refused):
        line.channel.move_own(transfer)
    assert line.provider.asked() == before


def _names(report: Report, ordered: Report) -> None:
    ours = report.reference is not None and report.reference == ordered.reference
    theirs = report.provider_reference is not None and report.provider_reference == ordered.provider_reference
    assert ours or theirs
