"""The promises of ports.payment_rail for rails of which the payer sends by himself: nobody is called to begin with.

A binding subclasses PayToContract and gives a fixture `line`. Every test has a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pytest

from ports.callback import Door, ReplyTo
from ports.errors import Unreadable
from ports.money import Money
from ports.payment_rail import Collection, PaymentRail, Question, RailCapabilities, StartsBy
from ports.registration import LookUp
from ports.report import ActionKind, Grade, MoneyIn, Report, Status
from tests.contract.asked import EXPIRES, a_phone, a_reference, at_least, called, nothing_outside
from tests.fakes.context import MORNING


class PayToProvider(Protocol):
    """What the suite does on the provider's side."""

    def pay(self, number: int, reference: str, amount: Money) -> str:
        """The customer with `a_phone(number)` pays so much and types that reference; gives the receipt number."""

    def announced(self) -> list[bytes]:
        """The bodies posted to the connection's long-lived URL, in order."""

    def calls(self) -> int:
        """How often the provider was called over this line."""

    def reply_to(self, name: str) -> ReplyTo:
        """The URL for what is called so."""

    def finish(self) -> None:
        """Let time pass until all that is posted has been posted."""

    def posted(self, name: str) -> list[bytes]:
        """The bodies posted to that URL, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayToLine:
    """A rail whose addresses the provider knows, and the provider behind it. `nobody` is a receipt of no payment."""

    rail: PaymentRail
    capabilities: RailCapabilities
    provider: PayToProvider
    nobody: str

    def collection(self, number: int = 1) -> Collection:
        reference = a_reference(self.capabilities.reference_form, number)
        return Collection(
            reference=reference,
            amount=at_least(self.capabilities),
            payer=None,
            text="Order 2041",
            reply_to=self.provider.reply_to(reference),
            expires_at=EXPIRES,
        )

    def question(self, receipt_number: str | None, name: str = "question") -> Question:
        return Question(
            reference=self.collection().reference,
            provider_reference=None,
            receipt_number=receipt_number,
            started_at=MORNING,
            reply_to=self.provider.reply_to(name),
        )

    def paid(self, number: int = 1, units: int | None = None) -> tuple[str, Report]:
        """Somebody pays for the collection of that number; gives the receipt and what was announced."""
        said = self.capabilities
        amount = Money(units=units or said.amount_min, asset=said.assets[0])
        receipt = self.provider.pay(number, self.collection(number).reference, amount)
        return receipt, self.read(self.provider.announced()[-1])

    def read(self, body: bytes) -> Report:
        """The one report in an announcement."""
        (report,) = self.rail.read_callback(called(body, Door.CONNECTION)).reports
        return report

    def asked(self, receipt_number: str, name: str = "question") -> Report:
        """What a question is told in the end, at once or by its answer."""
        report = self.rail.look_up(self.question(receipt_number, name))
        if self.capabilities.look_up is not LookUp.REPLIES:
            return report
        assert (report.asked, report.status) == (True, Status.NO_NEWS)
        self.provider.finish()
        body = self.provider.posted(name)[-1]
        (answer,) = self.rail.read_callback(called(body, of_question=True)).reports
        return answer


class PayToContract:
    """Each test is one promise of the port."""

    def test_a_start_says_where_to_pay_and_calls_nobody(self, line: PayToLine, monkeypatch: pytest.MonkeyPatch) -> None:
        before = line.provider.calls()
        with nothing_outside(monkeypatch):
            report = line.rail.start(line.collection())
            assert line.rail.start(line.collection()) == report
        assert line.capabilities.starts_by is StartsBy.PAY_TO
        assert (report.status, report.grade, report.reference) == (
            Status.PENDING,
            Grade.ANSWER,
            line.collection().reference,
        )
        assert (report.asked, report.money, line.provider.calls()) == (False, (), before)

    def test_the_place_bears_our_reference_where_it_travels(self, line: PayToLine) -> None:
        action = line.rail.start(line.collection()).next_action
        assert action is not None
        assert action.kind is ActionKind.PAY_TO
        said = [value for _, value in action.pay_to]
        assert all(said)
        assert (line.collection().reference in said) is line.capabilities.reference_travels

    def test_money_is_announced_and_worth_no_more_than_that(self, line: PayToLine) -> None:
        receipt, report = line.paid()
        assert (report.status, report.grade, report.failure) == (Status.SUCCEEDED, Grade.ANNOUNCED, None)
        money = _only(report)
        assert (money.receipt_number, money.amount) == (receipt, at_least(line.capabilities))
        assert money.receipt_namespace == line.capabilities.receipt_namespace
        assert money.happened_at is None or money.happened_at.tzinfo is not None

    def test_what_was_typed_is_told_where_it_travels(self, line: PayToLine) -> None:
        _, report = line.paid()
        typed = line.collection().reference if line.capabilities.reference_travels else None
        assert _only(report).reference == typed
        # A word that a payer typed names no try of ours.
        assert report.reference is None

    def test_any_amount_is_announced_as_it_was_paid(self, line: PayToLine) -> None:
        units = line.capabilities.amount_min + 7 * line.capabilities.amount_granularity
        assert _only(line.paid(units=units)[1]).amount == Money(units=units, asset=line.capabilities.assets[0])

    def test_two_payments_have_two_receipts(self, line: PayToLine) -> None:
        assert line.paid(1)[0] != line.paid(2)[0]

    def test_an_announcement_is_read_without_any_connection_and_twice_the_same(
        self, line: PayToLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        line.paid()
        body = line.provider.announced()[-1]
        with nothing_outside(monkeypatch):
            assert line.read(body) == line.read(body)

    def test_an_announcement_cut_short_is_unreadable(self, line: PayToLine) -> None:
        line.paid()
        body = line.provider.announced()[-1].rstrip()
        for end in range(len(body)):
            with pytest.raises(Unreadable):
                line.read(body[:end])

    def test_a_payer_is_named_by_a_masked_hint_at_most(self, line: PayToLine) -> None:
        assert a_phone(1)[-9:] not in repr(line.paid())

    def test_a_receipt_can_be_asked_about(self, line: PayToLine) -> None:
        receipt, announced = line.paid()
        report = line.asked(receipt)
        assert report.status is Status.SUCCEEDED
        assert report.grade in (Grade.ANSWER, Grade.SOLICITED)
        told, asked = _only(announced), _only(report)
        assert (asked.receipt_number, asked.amount) == (told.receipt_number, told.amount)

    def test_a_receipt_of_nobodys_is_no_news_and_fails_nothing(self, line: PayToLine) -> None:
        report = line.asked(line.nobody)
        assert (report.status, report.failure, report.money) == (Status.NO_NEWS, None, ())

    def test_without_a_receipt_there_is_nothing_to_ask_with(self, line: PayToLine) -> None:
        before = line.provider.calls()
        report = line.rail.look_up(line.question(None))
        assert (report.status, report.asked, line.provider.calls()) == (Status.NO_NEWS, False, before)

    def test_a_look_up_never_writes(self, line: PayToLine) -> None:
        receipt, _ = line.paid()
        announced = line.provider.announced()
        assert line.asked(receipt, "first") == line.asked(receipt, "second")
        assert line.provider.announced() == announced


def _only(report: Report) -> MoneyIn:
    (money,) = report.money
    return money
