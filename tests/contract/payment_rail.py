"""The promises of ports.payment_rail, bound once for each adapter to its simulator, and to the fake.

A binding subclasses PaymentRailContract, or AskedRailContract where the provider calls nobody, and gives a fixture
`line`. Every test has a line of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import pytest

from ports.callback import ReplyTo
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused, Unreadable
from ports.money import Money
from ports.payment_rail import Collection, PaymentRail, Question, RailCapabilities, StartsBy
from ports.registration import LookUpBy, Repeat
from ports.report import Grade, Report, Status
from tests.contract.asked import EXPIRES, a_phone, a_reference, at_least, called, nothing_outside
from tests.fakes.context import MORNING


class RailSimulator(Protocol):
    """What the suite does on the provider's side."""

    def reply_to(self, reference: str) -> ReplyTo:
        """The URL for the collection of that reference."""

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        """Say beforehand how a collection will end; `claims` is the amount that its callback names instead."""

    def finish(self) -> None:
        """Let time pass until every collection has ended and all that is posted has been posted."""

    def posted(self, reference: str) -> list[bytes]:
        """The bodies posted to that collection's URL, in order."""

    def collections_of(self, reference: str) -> int:
        """How often the payer was asked under that reference."""

    def calls(self) -> int:
        """How often the provider was called, for whatever purpose."""

    def collections(self) -> int:
        """How often any payer was asked."""

    def hang_up_after_accepting(self) -> None:
        """The next collection takes effect, and its answer is lost."""

    def stop_listening(self) -> None:
        """Connections are refused from now on."""

    def refuse_credentials(self) -> None:
        """The connection's credentials are worth nothing from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RailLine:
    """A rail and the simulator behind it.

    `codes` is every code of the provider's tables and what it says; `paid` and `unpaid` are two of them, `invented` is
    none. `private` may stand in no message.
    """

    rail: PaymentRail
    capabilities: RailCapabilities
    simulator: RailSimulator
    codes: Mapping[str, Status]
    paid: str
    unpaid: str
    invented: str
    private: tuple[str, ...]

    def reference(self, number: int) -> str:
        return a_reference(self.capabilities.reference_form, number)

    def collection(self, number: int = 1, amount: Money | None = None) -> Collection:
        """The collection of that number: the same number, the same collection."""
        reference = self.reference(number)
        return Collection(
            reference=reference,
            amount=at_least(self.capabilities) if amount is None else amount,
            payer=a_phone(number),
            text="Order 2041",
            reply_to=self.simulator.reply_to(reference),
            expires_at=EXPIRES,
        )

    def question(self, started: Report) -> Question:
        """The question about a collection that was started."""
        assert started.reference is not None
        return Question(
            reference=started.reference,
            provider_reference=started.provider_reference,
            receipt_number=None,
            started_at=MORNING,
            reply_to=self.simulator.reply_to(started.reference),
        )

    def ended(self, code: str, number: int = 1, *, claims: Money | None = None) -> tuple[Report, list[bytes]]:
        """Start a collection, let it end with that code; give what start said and what was posted."""
        reference = self.reference(number)
        self.simulator.will_end(reference, code, claims=claims)
        started = self.rail.start(self.collection(number))
        self.simulator.finish()
        return started, self.simulator.posted(reference)

    def read(self, body: bytes) -> Report:
        """The one report in a callback."""
        (report,) = self.rail.read_callback(called(body)).reports
        return report


class AskedRailContract:
    """Each test is one promise of the port, kept also by a rail whose provider calls nobody."""

    def test_a_started_collection_is_pending_and_says_whose_it_is(self, line: RailLine) -> None:
        report = line.rail.start(line.collection())
        assert (report.status, report.grade, report.reference) == (Status.PENDING, Grade.ANSWER, line.reference(1))
        assert report.next_action is not None
        if line.capabilities.look_up_by is LookUpBy.PROVIDER_REFERENCE:
            assert report.provider_reference

    def test_the_same_reference_twice_does_what_repeat_declares(self, line: RailLine) -> None:
        for _ in range(2):
            with suppress(AlreadyTaken):
                line.rail.start(line.collection())
            line.simulator.finish()
        doubles = line.capabilities.repeat is Repeat.DOUBLES
        assert line.simulator.collections_of(line.reference(1)) == (2 if doubles else 1)

    def test_an_answer_lost_after_acceptance_is_unknown_and_not_sent_again(self, line: RailLine) -> None:
        line.simulator.hang_up_after_accepting()
        with pytest.raises(OutcomeUnknown):
            line.rail.start(line.collection())
        assert line.simulator.collections_of(line.reference(1)) == 1

    def test_a_refused_connection_is_not_sent(self, line: RailLine) -> None:
        line.simulator.stop_listening()
        with pytest.raises(NotSent):
            line.rail.start(line.collection())
        assert line.simulator.collections() == 0

    def test_wrong_credentials_are_misconfigured_after_one_call(self, line: RailLine) -> None:
        line.simulator.refuse_credentials()
        before = line.simulator.calls()
        with pytest.raises(Misconfigured):
            line.rail.start(line.collection())
        assert (line.simulator.calls() - before, line.simulator.collections()) == (1, 0)

    def test_every_code_has_a_row(self, line: RailLine) -> None:
        for number, (code, status) in enumerate(sorted(line.codes.items()), start=1):
            started, _ = line.ended(code, number)
            report = line.rail.look_up(line.question(started))
            assert (code, report.status, report.unrecognised) == (code, status, None)
            assert (report.failure is not None) == (status is Status.FAILED), code
            assert report.failure is None or report.failure.provider_code == code

    def test_an_invented_code_is_pending_and_unrecognised(self, line: RailLine) -> None:
        started, posted = line.ended(line.invented)
        for report in (line.rail.look_up(line.question(started)), *map(line.read, posted)):
            assert (report.status, report.unrecognised, report.money) == (Status.PENDING, line.invented, ())

    def test_a_look_up_tells_success_and_failure_by_an_answer(self, line: RailLine) -> None:
        for number, (code, status) in enumerate(((line.paid, Status.SUCCEEDED), (line.unpaid, Status.FAILED)), start=1):
            started, _ = line.ended(code, number)
            report = line.rail.look_up(line.question(started))
            assert (report.status, report.grade, report.reference) == (status, Grade.ANSWER, started.reference)

    def test_a_look_up_never_writes(self, line: RailLine) -> None:
        started, posted = line.ended(line.paid)
        before = line.simulator.collections()
        first = line.rail.look_up(line.question(started))
        line.simulator.finish()
        assert line.rail.look_up(line.question(started)) == first
        assert line.simulator.collections() == before
        assert line.simulator.posted(line.reference(1)) == posted

    def test_a_look_up_without_their_reference_is_no_news(self, line: RailLine) -> None:
        lost = Report(status=Status.PENDING, grade=Grade.ANSWER, reference=line.reference(1))
        if line.capabilities.look_up_by is LookUpBy.PROVIDER_REFERENCE:
            assert line.rail.look_up(line.question(lost)).status is Status.NO_NEWS
            assert line.simulator.calls() == 0

    def test_amounts_are_kept_to_at_both_edges(self, line: RailLine) -> None:
        said = line.capabilities

        def asked(number: int, units: int) -> Collection:
            return line.collection(number, Money(units=units, asset=said.assets[0]))

        for number, units in enumerate((said.amount_min, said.amount_max), start=1):
            assert line.rail.start(asked(number, units)).status is Status.PENDING
        accepted = line.simulator.collections()
        outside = [said.amount_min - said.amount_granularity, said.amount_max + said.amount_granularity]
        outside += [said.amount_min + 1] if said.amount_granularity > 1 else []
        for number, units in enumerate(outside, start=3):
            with pytest.raises(Refused):
                line.rail.start(asked(number, units))
        assert accepted == line.simulator.collections() == (2 if said.starts_by is StartsBy.PROMPT else 0)

    def test_no_message_of_an_error_holds_anything_secret_or_personal(self, line: RailLine) -> None:
        caught: list[PortError] = []

        def catch(number: int, amount: Money | None = None) -> None:
            with pytest.raises(PortError) as error:
                line.rail.start(line.collection(number, amount))
            caught.append(error.value)

        line.simulator.hang_up_after_accepting()
        catch(1)
        catch(2, Money(units=line.capabilities.amount_max + 1, asset=line.capabilities.assets[0]))
        line.simulator.refuse_credentials()
        catch(3)
        line.simulator.stop_listening()
        catch(4)
        with pytest.raises(Unreadable) as unreadable:
            line.rail.read_callback(called(f'{{"payer": "{a_phone(1)}"'.encode()))
        caught.append(unreadable.value)
        private = (*line.private, *(a_phone(number)[-9:] for number in range(1, 5)))
        private += tuple(line.simulator.reply_to(line.reference(number)).url for number in range(1, 5))
        said = [f"{error} {error!r} {error.__cause__}" for error in caught]
        assert [(word, text) for word in private for text in said if word in text] == []


class PaymentRailContract(AskedRailContract):
    """The promises about callbacks, beside all others."""

    def test_a_paid_collection_brings_its_receipt_and_amount(self, line: RailLine) -> None:
        started, posted = line.ended(line.paid)
        report = line.read(posted[-1])
        assert (report.status, report.grade) == (Status.SUCCEEDED, Grade.SOLICITED)
        assert report.provider_reference == started.provider_reference
        (money,) = report.money
        assert (money.amount, money.receipt_namespace) == (
            at_least(line.capabilities),
            line.capabilities.receipt_namespace,
        )
        assert money.receipt_number

    def test_a_payer_is_named_by_a_masked_hint_at_most(self, line: RailLine) -> None:
        _, posted = line.ended(line.paid)
        assert a_phone(1)[-9:] not in repr(line.read(posted[-1]).money)

    def test_two_collections_have_two_receipts(self, line: RailLine) -> None:
        receipts = {line.read(line.ended(line.paid, number)[1][-1]).money[0].receipt_number for number in (1, 2)}
        assert len(receipts) == 2

    def test_a_callback_before_the_acknowledgement_reads_the_same(self, line: RailLine) -> None:
        line.simulator.will_end(line.reference(1), line.paid)
        line.simulator.hang_up_after_accepting()
        with pytest.raises(OutcomeUnknown):
            line.rail.start(line.collection())
        line.simulator.finish()
        assert line.read(line.simulator.posted(line.reference(1))[-1]).status is Status.SUCCEEDED

    def test_a_callback_twice_reads_the_same(self, line: RailLine) -> None:
        _, posted = line.ended(line.paid)
        assert line.rail.read_callback(called(posted[-1])) == line.rail.read_callback(called(posted[-1]))

    def test_callbacks_in_reverse_read_the_same(self, line: RailLine) -> None:
        bodies = [line.ended(line.paid, 1)[1][-1], line.ended(line.unpaid, 2)[1][-1]]
        forwards = [line.read(body) for body in bodies]
        backwards = [line.read(body) for body in reversed(bodies)]
        assert forwards == backwards[::-1]
        assert [report.status for report in forwards] == [Status.SUCCEEDED, Status.FAILED]

    def test_a_callback_cut_short_is_unreadable(self, line: RailLine) -> None:
        body = line.ended(line.paid)[1][-1].rstrip()
        for end in range(len(body)):
            with pytest.raises(Unreadable):
                line.rail.read_callback(called(body[:end]))

    def test_a_callback_for_someone_else_does_not_name_our_try(self, line: RailLine) -> None:
        ours, _ = line.ended(line.unpaid, 1)
        theirs = line.read(line.ended(line.paid, 2)[1][-1])
        assert theirs.reference != ours.reference
        assert theirs.provider_reference != ours.provider_reference

    def test_a_callback_for_another_amount_reports_that_amount(self, line: RailLine) -> None:
        step = line.capabilities.amount_granularity
        claims = Money(units=line.capabilities.amount_min + step, asset=line.capabilities.assets[0])
        report = line.read(line.ended(line.paid, claims=claims)[1][-1])
        assert [money.amount for money in report.money] == [claims]

    def test_a_callback_is_read_without_any_connection(self, line: RailLine, monkeypatch: pytest.MonkeyPatch) -> None:
        _, posted = line.ended(line.paid)
        calls = line.simulator.calls()
        with nothing_outside(monkeypatch):
            assert line.read(posted[-1]).status is Status.SUCCEEDED
        assert line.simulator.calls() == calls
