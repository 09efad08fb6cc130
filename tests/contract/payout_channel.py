"""The promises of ports.payout_channel, bound once for each adapter to its simulator, and to the fake.

A binding subclasses PayoutChannelContract, or AskedChannelContract where the provider calls nobody, and gives a fixture
`line`. Every test has a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from ports.callback import ReplyTo
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused, Unreadable
from ports.money import Money
from ports.payment_rail import Question
from ports.payout_channel import (
    Bundle,
    ChannelCapabilities,
    Destination,
    DestinationKind,
    Instruction,
    PayoutChannel,
)
from ports.registration import LookUp, LookUpBy, Repeat
from ports.report import Grade, Report, Status
from tests.contract.asked import a_phone, a_reference, at_least, called, nothing_outside
from tests.fakes.context import MORNING


def a_phone_of(number: int) -> Destination:
    """The destination of that number, where phones are paid."""
    return Destination(kind=DestinationKind.MPESA_PHONE, account=a_phone(number))


class ChannelSimulator(Protocol):
    """What the suite does on the provider's side. A name is a payout's reference or a question's own name."""

    def reply_to(self, name: str) -> ReplyTo:
        """The URL for what is called so."""

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        """Say beforehand how a payout will end; `claims` is the amount that its result names instead."""

    def finish(self) -> None:
        """Let time pass until every payout has ended and all that is posted has been posted."""

    def posted(self, name: str) -> list[bytes]:
        """The bodies posted to that URL, in order."""

    def payouts_of(self, reference: str) -> int:
        """How many payouts the provider took under that reference."""

    def payouts(self) -> int:
        """How many payouts the provider took."""

    def calls(self) -> int:
        """How often the provider was called, for whatever purpose."""

    def hang_up_after_accepting(self) -> None:
        """The next payout is taken, and the answer is lost."""

    def stop_listening(self) -> None:
        """Connections are refused from now on."""

    def refuse_credentials(self) -> None:
        """The connection's credentials are worth nothing from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLine:
    """A channel and the simulator behind it. `to` is where the payout of a number goes, a phone unless told otherwise.

    `codes` is every code of the provider's tables and what a result with it says; `paid` and `unpaid` are two of them,
    `invented` is none. `private` may stand in no message.
    """

    channel: PayoutChannel
    capabilities: ChannelCapabilities
    simulator: ChannelSimulator
    codes: Mapping[str, Status]
    paid: str
    unpaid: str
    invented: str
    private: tuple[str, ...]
    to: Callable[[int], Destination] = a_phone_of
    theirs: dict[int, str | None] = field(default_factory=dict)

    def reference(self, number: int) -> str:
        return a_reference(self.capabilities.reference_form, number)

    def instruction(self, number: int = 1, amount: Money | None = None) -> Instruction:
        reference = self.reference(number)
        return Instruction(
            reference=reference,
            amount=at_least(self.capabilities) if amount is None else amount,
            destination=self.to(number),
            text="Sales of Monday",
            reply_to=self.simulator.reply_to(reference),
        )

    def bundle(self, number: int = 1, amount: Money | None = None) -> Bundle:
        """The bundle of one of that number: the same number, the same bundle."""
        return Bundle(id=f"bundle-{number}", instructions=(self.instruction(number, amount),))

    def submit(self, number: int = 1, amount: Money | None = None) -> Report:
        """Submit a bundle of one; give its report."""
        (report,) = self.channel.submit(self.bundle(number, amount)).reports
        self.theirs[number] = report.provider_reference
        return report

    @property
    def by_theirs(self) -> bool:
        """Whether a question must name the provider's reference: ours is kept by nobody."""
        return self.capabilities.look_up_by is LookUpBy.PROVIDER_REFERENCE

    def names(self, report: Report, number: int = 1) -> bool:
        """Whether it is news of the payout of that number, by our reference or by the provider's."""
        if not self.by_theirs:
            return report.reference == self.reference(number)
        return report.provider_reference is not None and report.provider_reference == self.theirs[number]

    def question(self, number: int = 1, name: str = "question") -> Question:
        return Question(
            reference=self.reference(number),
            provider_reference=self.theirs.get(number, f"nobodys-{number}") if self.by_theirs else None,
            receipt_number=None,
            started_at=MORNING,
            reply_to=self.simulator.reply_to(name),
        )

    def ended(self, code: str, number: int = 1, *, claims: Money | None = None) -> list[bytes]:
        """Submit a payout, let it end with that code; give what was posted."""
        reference = self.reference(number)
        self.simulator.will_end(reference, code, claims=claims)
        self.submit(number)
        self.simulator.finish()
        return self.simulator.posted(reference)

    def asked(self, number: int = 1, name: str = "question") -> Report:
        """What a look-up says in the end, at once or by its answer."""
        report = self.channel.look_up(self.question(number, name))
        if self.capabilities.look_up is not LookUp.REPLIES:
            return report
        assert (report.asked, report.status) == (True, Status.NO_NEWS)
        self.simulator.finish()
        return self.read(self.simulator.posted(name)[-1])

    def read(self, body: bytes) -> Report:
        """The one report in a callback."""
        (report,) = self.channel.read_callback(called(body)).reports
        return report


class AskedChannelContract:
    """Each test is one promise of the port, kept also by a channel whose provider calls nobody."""

    def test_a_submitted_payout_is_pending_and_says_whose_it_is(self, line: ChannelLine) -> None:
        report = line.submit()
        assert (report.status, report.grade, report.reference) == (Status.PENDING, Grade.ANSWER, line.reference(1))

    def test_the_same_reference_twice_does_what_repeat_declares(self, line: ChannelLine) -> None:
        line.submit()
        line.simulator.finish()
        if line.capabilities.repeat is Repeat.REFUSED:
            with pytest.raises(AlreadyTaken):
                line.submit()
        else:
            # Where a repeat is safe the provider may say that it has it already.
            with suppress(AlreadyTaken):
                line.submit()
        doubles = line.capabilities.repeat is Repeat.DOUBLES
        assert line.simulator.payouts_of(line.reference(1)) == (2 if doubles else 1)

    def test_an_answer_lost_after_acceptance_is_unknown_and_not_sent_again(self, line: ChannelLine) -> None:
        line.simulator.hang_up_after_accepting()
        with pytest.raises(OutcomeUnknown):
            line.submit()
        assert line.simulator.payouts_of(line.reference(1)) == 1

    def test_after_a_lost_answer_the_same_reference_is_paid_once(self, line: ChannelLine) -> None:
        line.simulator.hang_up_after_accepting()
        with pytest.raises(OutcomeUnknown):
            line.submit()
        if line.capabilities.repeat is not Repeat.DOUBLES:
            with suppress(AlreadyTaken):
                line.submit()
            assert line.simulator.payouts_of(line.reference(1)) == 1

    def test_a_refused_connection_is_not_sent(self, line: ChannelLine) -> None:
        line.simulator.stop_listening()
        with pytest.raises(NotSent):
            line.submit()
        assert line.simulator.payouts() == 0

    def test_wrong_credentials_are_misconfigured_after_one_call(self, line: ChannelLine) -> None:
        line.simulator.refuse_credentials()
        before = line.simulator.calls()
        with pytest.raises(Misconfigured):
            line.submit()
        assert (line.simulator.calls() - before, line.simulator.payouts()) == (1, 0)

    def test_a_look_up_tells_of_a_failure(self, line: ChannelLine) -> None:
        line.ended(line.unpaid)
        report = line.asked()
        assert (report.status, line.names(report)) == (Status.FAILED, True)

    def test_a_look_up_after_a_lost_answer_finds_the_payout(self, line: ChannelLine) -> None:
        line.simulator.will_end(line.reference(1), line.paid)
        line.simulator.hang_up_after_accepting()
        with pytest.raises(OutcomeUnknown):
            line.submit()
        line.simulator.finish()
        if not line.by_theirs or line.question().funding is not None:
            assert line.asked().status is Status.SUCCEEDED
            return
        # The name to ask by was in the answer: nothing is asked, and nothing is said.
        line.theirs[1] = None
        report = line.channel.look_up(line.question())
        assert (report.status, report.asked, report.found_nothing) == (Status.NO_NEWS, False, False)

    def test_a_look_up_of_what_never_was_found_nothing_and_fails_nothing(self, line: ChannelLine) -> None:
        report = line.asked(7)
        assert (report.status, report.found_nothing, report.failure) == (Status.NO_NEWS, True, None)

    def test_a_look_up_never_writes(self, line: ChannelLine) -> None:
        posted = line.ended(line.paid)
        before = line.simulator.payouts()
        assert line.asked(name="first") == line.asked(name="second")
        assert line.simulator.payouts() == before
        assert line.simulator.posted(line.reference(1)) == posted

    def test_amounts_are_kept_to_at_both_edges(self, line: ChannelLine) -> None:
        said = line.capabilities

        def amount(units: int) -> Money:
            return Money(units=units, asset=said.assets[0])

        for number, units in enumerate((said.amount_min, said.amount_max), start=1):
            assert line.submit(number, amount(units)).status is Status.PENDING
        outside = [said.amount_min - said.amount_granularity, said.amount_max + said.amount_granularity]
        outside += [said.amount_min + 1] if said.amount_granularity > 1 else []
        for number, units in enumerate(outside, start=3):
            with pytest.raises(Refused):
                line.submit(number, amount(units))
        assert line.simulator.payouts() == 2

    def test_a_bundle_is_no_larger_than_declared(self, line: ChannelLine) -> None:
        several = tuple(line.instruction(number) for number in range(1, line.capabilities.max_items + 2))
        with pytest.raises(Refused):
            line.channel.submit(Bundle(id="too-many", instructions=several))
        assert line.simulator.payouts() == 0

    def test_a_destination_that_is_not_declared_is_refused(self, line: ChannelLine) -> None:
        other = next((kind for kind in DestinationKind if kind not in line.capabilities.destinations), None)
        if other is None:
            assert set(line.capabilities.destinations) == set(DestinationKind)
            return
        asked = line.instruction()
        elsewhere = Instruction(
            reference=asked.reference,
            amount=asked.amount,
            destination=Destination(kind=other, account="123456"),
            text=asked.text,
            reply_to=asked.reply_to,
        )
        with pytest.raises(Refused):
            line.channel.submit(Bundle(id="elsewhere", instructions=(elsewhere,)))
        assert line.simulator.payouts() == 0

    def test_no_message_of_an_error_holds_anything_secret_or_personal(self, line: ChannelLine) -> None:
        caught: list[PortError] = []

        def catch(number: int, amount: Money | None = None) -> None:
            with pytest.raises(PortError) as error:
                line.submit(number, amount)
            caught.append(error.value)

        line.simulator.hang_up_after_accepting()
        catch(1)
        catch(2, Money(units=line.capabilities.amount_max + 1, asset=line.capabilities.assets[0]))
        line.simulator.refuse_credentials()
        catch(3)
        line.simulator.stop_listening()
        catch(4)
        with pytest.raises(Unreadable) as unreadable:
            line.channel.read_callback(called(f'{{"receiver": "{a_phone(1)}"'.encode()))
        caught.append(unreadable.value)
        private = (*line.private, *(a_phone(number)[-9:] for number in range(1, 5)))
        private += tuple(line.simulator.reply_to(line.reference(number)).url for number in range(1, 5))
        said = [f"{error} {error!r} {error.__cause__}" for error in caught]
        assert [(word, text) for word in private for text in said if word in text] == []


class PayoutChannelContract(AskedChannelContract):
    """The promises about callbacks, beside all others."""

    def test_every_code_has_a_row(self, line: ChannelLine) -> None:
        for number, (code, status) in enumerate(sorted(line.codes.items()), start=1):
            report = line.read(line.ended(code, number)[-1])
            assert (code, report.status, report.unrecognised) == (code, status, None)
            assert (report.failure is not None) == (status is Status.FAILED), code
            assert report.failure is None or report.failure.provider_code == code

    def test_an_invented_code_is_pending_and_unrecognised(self, line: ChannelLine) -> None:
        report = line.read(line.ended(line.invented)[-1])
        assert (report.status, report.unrecognised, report.receipt_number) == (Status.PENDING, line.invented, None)

    def test_a_paid_result_brings_its_receipt_and_amount(self, line: ChannelLine) -> None:
        report = line.read(line.ended(line.paid)[-1])
        assert (report.status, report.grade, line.names(report)) == (Status.SUCCEEDED, Grade.SOLICITED, True)
        assert report.amount == at_least(line.capabilities)
        assert report.receipt_number

    def test_a_failed_result_names_no_receipt(self, line: ChannelLine) -> None:
        report = line.read(line.ended(line.unpaid)[-1])
        assert (report.status, report.receipt_number, report.amount) == (Status.FAILED, None, None)
        assert line.names(report)

    def test_a_result_before_the_acknowledgement_reads_the_same(self, line: ChannelLine) -> None:
        line.simulator.will_end(line.reference(1), line.paid)
        line.simulator.hang_up_after_accepting()
        with pytest.raises(OutcomeUnknown):
            line.submit()
        line.simulator.finish()
        assert line.read(line.simulator.posted(line.reference(1))[-1]).status is Status.SUCCEEDED

    def test_a_result_twice_reads_the_same(self, line: ChannelLine) -> None:
        (body, *_) = line.ended(line.paid)
        assert line.channel.read_callback(called(body)) == line.channel.read_callback(called(body))

    def test_results_in_reverse_read_the_same(self, line: ChannelLine) -> None:
        bodies = [line.ended(line.paid, 1)[-1], line.ended(line.unpaid, 2)[-1]]
        forwards = [line.read(body) for body in bodies]
        backwards = [line.read(body) for body in reversed(bodies)]
        assert forwards == backwards[::-1]
        assert [report.status for report in forwards] == [Status.SUCCEEDED, Status.FAILED]

    def test_a_result_cut_short_is_unreadable(self, line: ChannelLine) -> None:
        body = line.ended(line.paid)[-1].rstrip()
        for end in range(len(body)):
            with pytest.raises(Unreadable):
                line.channel.read_callback(called(body[:end]))

    def test_a_result_for_someone_else_does_not_name_our_try(self, line: ChannelLine) -> None:
        ours = line.read(line.ended(line.unpaid, 1)[-1])
        theirs = line.read(line.ended(line.paid, 2)[-1])
        assert (line.names(ours, 1), line.names(theirs, 2)) == (True, True)
        assert ours.provider_reference != theirs.provider_reference

    def test_a_result_for_another_amount_reports_that_amount(self, line: ChannelLine) -> None:
        step = line.capabilities.amount_granularity
        claims = Money(units=line.capabilities.amount_min + step, asset=line.capabilities.assets[0])
        assert line.read(line.ended(line.paid, claims=claims)[-1]).amount == claims

    def test_a_look_up_tells_of_a_payment(self, line: ChannelLine) -> None:
        result = line.read(line.ended(line.paid)[-1])
        report = line.asked()
        assert (report.status, line.names(report)) == (Status.SUCCEEDED, True)
        assert (report.receipt_number, report.amount) == (result.receipt_number, result.amount)

    def test_a_result_is_read_without_any_connection(self, line: ChannelLine, monkeypatch: pytest.MonkeyPatch) -> None:
        posted = line.ended(line.paid)
        calls = line.simulator.calls()
        with nothing_outside(monkeypatch):
            assert line.read(posted[-1]).status is Status.SUCCEEDED
        assert line.simulator.calls() == calls
