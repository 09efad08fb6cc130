"""The provider takes money back: booked once, owed, recovered; and our own refunds, which its statement shows too."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.application.interfaces import Json
from gateway.application.refunds import NewRefund
from gateway.application.reports import News
from gateway.application.resolutions import Word
from gateway.application.reversals import ReversalOutcome
from gateway.domain.errors import Conflict
from gateway.domain.reversals import SeenReversal
from ports.abilities import RefundOrder
from ports.errors import OutcomeUnknown
from ports.report import Grade, Report, Status
from tests.application.harness import ACT, FREE, World, id_of, kes
from tests.application.test_order_of_news import said_again, same_every_time
from tests.fakes.context import MORNING
from tests.fakes.refunds import FAKE_PARTS

MakeWorld = Callable[..., World]
_NUMBERS = count(1)


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world(rail_offers=FAKE_PARTS, collect=FREE)


def seen(world: World, payment: Json, number: str, units: int = 150_000, grade: Grade = Grade.FILE) -> Any:
    """A statement's line says that the payment was reversed."""
    receipt = world.see(payment)["receipts"][0]["receipt_number"]
    line = SeenReversal(
        namespace=world.rail.capabilities.receipt_namespace,
        receipt_number=receipt,
        reversal_number=number,
        amount=kes(units),
        happened_at=MORNING,
        grade=grade,
    )
    return world.operator.refunds.record_reversal(line, livemode=False)


def test_a_reversal_is_owed_and_what_is_available_goes_to_it(world: World) -> None:
    payment = world.paid()
    assert seen(world, payment, "RVX1") is ReversalOutcome.BOOKED
    assert world.balance() == {"available": 150_000, "owed": 150_000}
    world.settle()
    assert world.balance() == {}
    assert world.float_units(world.rail_float.id) == 0
    assert world.told(payment)[-1] == "payment.reversed"
    assert world.alerts() == ["payment_reversed"]
    assert world.see(payment)["receipts"][0]["amount_reversed"] == 150_000


def test_the_same_reversal_again_changes_nothing(world: World) -> None:
    payment = world.paid()
    told = [seen(world, payment, "RVX2") for _ in range(3)]
    assert told == [ReversalOutcome.BOOKED, ReversalOutcome.KNOWN, ReversalOutcome.KNOWN]
    world.settle()
    assert world.journals().count("reversal.booked") == 1


def test_weak_news_and_unknown_receipts_book_nothing(world: World) -> None:
    payment = world.paid()
    assert seen(world, payment, "RVX3", grade=Grade.SOLICITED) is ReversalOutcome.TOO_WEAK
    line = SeenReversal(
        namespace="fake-none",
        receipt_number="none",
        reversal_number="RVX4",
        amount=kes(1),
        happened_at=MORNING,
        grade=Grade.FILE,
    )
    assert world.operator.refunds.record_reversal(line, livemode=False) is ReversalOutcome.NO_RECEIPT
    assert world.balance() == {"available": 150_000}


def test_a_debtor_pays_nobody_and_later_receipts_go_to_the_debt(world: World) -> None:
    payment = world.paid()
    world.payout(100_000)
    world.settle()
    seen(world, payment, "RVX5")
    world.settle()
    assert world.balance() == {"reserved": 103_000, "owed": 103_000}
    tries: list[Callable[[], object]] = [lambda: world.payout(1_000), lambda: refund(world, payment)]
    for attempt in tries:
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "business_owes"
    world.paid(50_000)
    world.advance(61)
    assert world.balance() == {"reserved": 103_000, "owed": 53_000}
    world.paid(80_000)
    world.advance(61)
    assert world.balance() == {"reserved": 103_000, "available": 27_000}
    world.payout(1_000)
    assert "owed.sweep" not in world.due_kinds()


def test_a_refund_that_waits_is_not_sent_once_the_provider_took_the_money_back(world: World) -> None:
    payment = world.paid()
    world.paid()
    made = refund(world, payment)
    seen(world, payment, "RVX6")
    world.settle()
    assert world.see(made)["status"] == "failed"
    assert world.rail.orders == []
    assert world.balance() == {"available": 150_000}


def test_a_reversal_after_a_refund_that_failed_is_owed(world: World) -> None:
    payment = world.paid()
    made = refund(world, payment)
    world.settle()
    (attempt,) = world.see(made)["attempts"]
    world.rail.refuse("already")
    world.run("refund.look_up", id_of(attempt))
    world.settle()
    assert world.see(made)["status"] == "failed"
    assert seen(world, payment, "RVX7") is ReversalOutcome.BOOKED
    world.settle()
    assert world.balance() == {}


def test_a_worker_can_tell_of_one_too(world: World) -> None:
    payment = world.paid()
    line = SeenReversal(
        namespace=world.rail.capabilities.receipt_namespace,
        receipt_number=world.see(payment)["receipts"][0]["receipt_number"],
        reversal_number="RVX8",
        amount=kes(150_000),
        happened_at=MORNING,
        grade=Grade.FILE,
    )
    assert world.worker.refunds.record_reversal(line, livemode=False) is ReversalOutcome.BOOKED
    world.settle()
    assert world.balance() == {}


@pytest.mark.parametrize(
    ("number", "status", "left"), [("RVX9", "succeeded", {}), (None, "failed", {"available": 150_000})]
)
def test_a_person_settles_an_unknown_refund(
    world: World, number: str | None, status: str, left: dict[str, int]
) -> None:
    world.rail.on_refund(OutcomeUnknown("silence"))
    made = refund(world, world.paid())
    world.settle()
    assert world.see(made)["status"] == "unknown"
    settled = world.operator.resolve_refund(id_of(made), Word(receipt_number=number), ACT)
    assert (settled["status"], settled["receipt_number"], world.balance()) == (status, number, left)
    with pytest.raises(Conflict):
        world.operator.resolve_refund(id_of(made), Word(receipt_number=number), ACT)


def refund(world: World, payment: Json) -> Json:
    return world.web.refunds.create(NewRefund(payment_id=id_of(payment)), world.call)


class GoingBack:
    """One refund that the provider does; its news comes as it is told to, by every door."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.forget_open_work()
        self.payment = world.paid()
        self.refund = refund(world, self.payment)
        self.say: dict[str, Callable[[], object]] = {
            "acknowledgement": self.acknowledged,
            "callback": self.callback,
            "look-up": lambda: world.run("refund.look_up", self.attempt_id),
            "statement": self.statement,
            "second worker": lambda: world.run("refund.submit", id_of(self.refund)),
            "time": lambda: world.advance(130),
        }

    @property
    def attempt_id(self) -> UUID:
        return id_of(self.world.see(self.refund)["attempts"][-1])

    def start(self, before: list[str], *, lost: bool) -> None:
        rail = self.world.rail
        real = rail.refund

        def during(order: RefundOrder) -> Report:
            rail.refund = real  # type: ignore[method-assign]
            try:
                return real(order)
            finally:
                rail.give()
                self.deliver(before)

        rail.refund = during  # type: ignore[method-assign]
        if lost:
            rail.on_refund(OutcomeUnknown("the answer was lost"))
        self.world.run("refund.submit", id_of(self.refund))

    def deliver(self, news: list[str]) -> None:
        for word in news:
            self.say[word]()
            self.world.clock.forward(3)

    def callback(self) -> None:
        told = said_again(self.world.rail.refund_result())
        self.world.call_back(told, self.world.rail.orders[-1].reply_to)
        self.world.settle()

    def acknowledged(self) -> None:
        known = self.world.rail.given[-1].provider_reference
        report = Report(status=Status.PENDING, grade=Grade.ANSWER, provider_reference=known)
        self.world.worker.refunds.record(self.attempt_id, News(report=report), self.world.call)

    def statement(self) -> None:
        number = self.world.rail.given[-1].number or ""
        assert seen(self.world, self.payment, number) in (ReversalOutcome.OUR_REFUND, ReversalOutcome.KNOWN)


NEWS = st.lists(
    st.sampled_from(["acknowledgement", "callback", "look-up", "statement", "second worker", "time"]), max_size=4
)


@settings(same_every_time, max_examples=50)
@given(news=NEWS, answered_after=st.integers(0, 4), lost=st.booleans())
@example(news=["statement", "callback"], answered_after=1, lost=True)
@example(news=["callback", "statement"], answered_after=0, lost=False)
@example(news=["look-up", "statement", "statement"], answered_after=0, lost=True)
@example(news=["statement", "look-up", "acknowledgement"], answered_after=3, lost=False)
def test_every_order_of_a_refund_s_news_ends_in_the_same_books(
    world: World, news: list[str], answered_after: int, lost: bool
) -> None:
    before = world.balance()
    going = GoingBack(world)
    going.start(news[:answered_after], lost=lost)
    going.deliver(news[answered_after:])
    # Whatever came so far: in the end the provider is asked, and the statement shows it.
    going.deliver(["look-up", "statement"])
    world.settle()
    shown = world.see(going.refund)
    assert (shown["status"], shown["needs_attention"]) == ("succeeded", False)
    assert shown["receipt_number"] == world.rail.given[-1].number
    assert world.balance() == before
    assert len([o for o in world.rail.orders if o.reference == shown["attempts"][0]["reference"]]) == 1
    assert world.told(going.refund).count("refund.succeeded") == 1
    assert "reversal.booked" not in world.journals()
