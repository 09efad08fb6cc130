"""The promises of ports.abilities.Refunds: money goes back once, to the whole amount, and its fate can be asked for.

A binding subclasses RefundContract and gives a fixture `line`. Every test has a line of its own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import pytest

from ports.abilities import RefundOrder, Refunds
from ports.callback import Door, ReplyTo
from ports.errors import AlreadyTaken, OutcomeUnknown, Refused, Unreadable
from ports.money import Asset, Money
from ports.payment_rail import PaymentRail, Question, RailCapabilities
from ports.registration import Repeat
from ports.report import Grade, Report, Status
from tests.contract.asked import a_phone, called, nothing_outside
from tests.fakes.context import MORNING


class RefundingRail(PaymentRail, Refunds, Protocol):
    """A rail with the ability."""


class RefundProvider(Protocol):
    """What the suite does on the provider's side. A name is an order's or a question's own."""

    def receive(self, number: int, amount: Money) -> str:
        """A customer paid so much; gives the receipt number. The same number, the same payment."""

    def reply_to(self, name: str) -> ReplyTo:
        """The URL for what is called so."""

    def asked(self) -> int:
        """How often it was called about refunds, whatever came of it."""

    def orders_of(self, receipt_number: str) -> int:
        """How many orders to give that payment back it took."""

    def finish(self, *, well: bool = True) -> None:
        """Let time pass until every order has ended, well or badly, and all that is posted has been posted."""

    def posted(self, name: str) -> list[bytes]:
        """The bodies posted to that URL, in order."""

    def lose_the_answer(self) -> None:
        """The next order is taken, and the answer is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """A rail and the provider behind it."""

    rail: RefundingRail
    capabilities: RailCapabilities
    provider: RefundProvider

    @property
    def received(self) -> Money:
        """What each customer paid: several times the smallest amount."""
        return Money(units=self.capabilities.amount_min * 5, asset=self.capabilities.assets[0])

    def order(self, number: int = 1, amount: Money | None = None) -> RefundOrder:
        """The order of that number: the same number, the same order."""
        return RefundOrder(
            reference=f"re-{number}",
            amount=self.received if amount is None else amount,
            receipt_number=self.provider.receive(number, self.received),
            received=self.received,
            payer=a_phone(number),
            text="Goods came back",
            reply_to=self.provider.reply_to(f"refund {number}"),
        )

    def question(self, ordered: Report | None, number: int = 1, name: str = "question") -> Question:
        """The question about the order of that number, and what its answer said where it came."""
        return Question(
            reference=f"re-{number}",
            provider_reference=ordered.provider_reference if ordered else None,
            receipt_number=self.provider.receive(number, self.received),
            started_at=MORNING,
            reply_to=self.provider.reply_to(name),
        )

    def answer(self, question: Question, name: str = "question") -> Report:
        """What a question is told in the end, at once or by its answer."""
        report = self.rail.look_up_refund(question)
        if not report.asked:
            return report
        assert report.status is Status.NO_NEWS
        self.provider.finish()
        return self.read(self.provider.posted(name)[-1], of_question=True)

    def read(self, body: bytes, *, of_question: bool = False) -> Report:
        """The one report in a callback."""
        (report,) = self.rail.read_callback(called(body, of_question=of_question)).reports
        return report

    def result(self, number: int = 1, *, well: bool = True) -> tuple[Report, bytes]:
        """Order a refund and let it end; gives what the order said and what was posted."""
        ordered = self.rail.refund(self.order(number))
        self.provider.finish(well=well)
        return ordered, self.provider.posted(f"refund {number}")[-1]


class RefundContract:
    """Each test is one promise of the ability."""

    def test_an_order_is_pending_and_says_whose_it_is(self, line: RefundLine) -> None:
        report = line.rail.refund(line.order())
        assert (report.status, report.grade, report.reference) == (Status.PENDING, Grade.ANSWER, "re-1")
        assert (report.failure, report.receipt_number, report.money) == (None, None, ())

    def test_the_same_order_twice_does_what_refund_repeat_declares(self, line: RefundLine) -> None:
        line.rail.refund(line.order())
        repeat = line.capabilities.refund_repeat
        if repeat is Repeat.REFUSED:
            with pytest.raises(AlreadyTaken):
                line.rail.refund(line.order())
        else:
            line.rail.refund(line.order())
        assert line.provider.orders_of(line.order().receipt_number) == (2 if repeat is Repeat.DOUBLES else 1)

    def test_after_a_lost_answer_the_same_order_gives_back_once(self, line: RefundLine) -> None:
        line.provider.lose_the_answer()
        with pytest.raises(OutcomeUnknown):
            line.rail.refund(line.order())
        if line.capabilities.refund_repeat is not Repeat.DOUBLES:
            with suppress(AlreadyTaken):
                line.rail.refund(line.order())
        assert line.provider.orders_of(line.order().receipt_number) == 1

    def test_a_part_goes_back_where_it_is_declared_and_is_refused_where_not(self, line: RefundLine) -> None:
        part = Money(units=line.capabilities.amount_min, asset=line.received.asset)
        order = line.order(amount=part)
        if line.capabilities.partial_refunds:
            line.rail.refund(order)
            line.provider.finish()
            assert line.read(line.provider.posted("refund 1")[-1]).amount == part
        else:
            _refused_unsent(line, order)

    def test_what_can_not_be_given_back_is_refused_and_nothing_is_sent(self, line: RefundLine) -> None:
        order, units = line.order(), line.received.units
        other = Money(units=units, asset=Asset(code="XTS", scale=2))
        for wrong in (
            replace(order, amount=Money(units=units + line.capabilities.amount_min, asset=line.received.asset)),
            replace(order, amount=Money(units=0, asset=line.received.asset)),
            replace(order, amount=Money(units=0, asset=order.amount.asset), received=replace(line.received, units=0)),
            replace(order, amount=other),
            replace(order, amount=other, received=other),
            replace(order, receipt_number=""),
        ):
            _refused_unsent(line, wrong)

    def test_its_result_brings_a_receipt_and_the_amount(self, line: RefundLine) -> None:
        ordered, body = line.result()
        report = line.read(body)
        assert (report.status, report.grade, report.amount) == (Status.SUCCEEDED, Grade.SOLICITED, line.received)
        assert report.receipt_number not in (None, line.order().receipt_number)
        # It is no money that came in.
        assert report.money == ()
        _names(report, ordered)

    def test_a_failed_result_names_no_receipt(self, line: RefundLine) -> None:
        ordered, body = line.result(well=False)
        report = line.read(body)
        assert (report.status, report.receipt_number, report.amount) == (Status.FAILED, None, None)
        assert report.failure is not None
        assert report.failure.provider_code
        _names(report, ordered)

    def test_two_orders_have_two_receipts(self, line: RefundLine) -> None:
        first, second = (line.read(line.result(number)[1]).receipt_number for number in (1, 2))
        assert first != second

    def test_a_result_is_read_without_any_connection_and_twice_the_same(
        self, line: RefundLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, body = line.result()
        with nothing_outside(monkeypatch):
            assert line.read(body) == line.read(body)

    def test_a_result_by_the_connections_own_url_is_worth_no_more(self, line: RefundLine) -> None:
        _, body = line.result()
        try:
            reports = line.rail.read_callback(called(body, Door.CONNECTION)).reports
        except Unreadable:
            return
        assert [report.grade for report in reports] == [Grade.ANNOUNCED]

    def test_a_charge_is_told_of_its_own_refund_alone(self, line: RefundLine) -> None:
        for number, well in ((1, True), (2, False)):
            reading = line.rail.read_callback(called(line.result(number, well=well)[1]))
            (report,) = reading.reports
            assert {charge.number for charge in reading.charges} <= ({report.receipt_number} if well else set())
            assert {charge.amount.asset for charge in reading.charges} <= set(line.capabilities.assets)
            assert all(charge.amount for charge in reading.charges)

    def test_a_result_cut_short_is_unreadable(self, line: RefundLine) -> None:
        body = line.result()[1].rstrip()
        for end in range(len(body)):
            with pytest.raises(Unreadable):
                line.rail.read_callback(called(body[:end]))

    def test_a_question_tells_of_a_refund(self, line: RefundLine) -> None:
        ordered, body = line.result()
        result, report = line.read(body), line.answer(line.question(ordered))
        assert (report.status, report.amount) == (Status.SUCCEEDED, line.received)
        assert report.receipt_number == result.receipt_number
        assert report.grade in (Grade.ANSWER, Grade.SOLICITED)

    def test_a_question_never_tells_of_success_where_a_refund_failed(self, line: RefundLine) -> None:
        ordered, _ = line.result(well=False)
        report = line.answer(line.question(ordered))
        assert report.status in (Status.FAILED, Status.NO_NEWS)
        assert report.receipt_number is None

    def test_a_question_about_what_never_was_is_no_news_and_fails_nothing(self, line: RefundLine) -> None:
        never = Report(status=Status.PENDING, grade=Grade.ANSWER, provider_reference="nobody-knows-1")
        for known in (never, None):
            report = line.answer(line.question(known, 7))
            assert (report.status, report.failure, report.receipt_number) == (Status.NO_NEWS, None, None)

    def test_a_question_never_writes(self, line: RefundLine) -> None:
        ordered, _ = line.result()
        receipt, posted = line.order().receipt_number, line.provider.posted("refund 1")
        said = [line.answer(line.question(ordered, name=name), name) for name in ("first", "second")]
        assert said[0] == said[1]
        assert (line.provider.orders_of(receipt), line.provider.posted("refund 1")) == (1, posted)

    def test_a_customer_is_named_nowhere(self, line: RefundLine) -> None:
        ordered, body = line.result()
        said = f"{line.order()!r} {ordered!r} {line.read(body)!r} {line.answer(line.question(ordered))!r}"
        assert a_phone(1)[-9:] not in said


def _refused_unsent(line: RefundLine, order: RefundOrder) -> None:
    before = line.provider.asked()
    with pytest.raises(Refused):
        line.rail.refund(order)
    assert line.provider.asked() == before


def _names(report: Report, ordered: Report) -> None:
    """The result names the order: by our reference, or by the provider's that the order's answer gave."""
    ours = report.reference is not None and report.reference == ordered.reference
    theirs = report.provider_reference is not None and report.provider_reference == ordered.provider_reference
    assert ours or theirs
