"""Acknowledgement, callback and look-up in every order, repeated, lost and late: the same money, the same Receipts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.application.interfaces import Json
from gateway.application.reports import News
from ports.callback import Incoming
from ports.errors import OutcomeUnknown
from ports.payment_rail import Collection
from ports.payout_channel import Bundle
from ports.report import Grade, Report, Status
from tests.application.harness import World, a_phone, id_of

#: The same examples at every run.
same_every_time = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_SPACES = count(1)


def said_again(incoming: Incoming) -> Incoming:
    """The same news in other bytes: the very same bytes are kept once."""
    return replace(incoming, body=incoming.body + b" " * next(_SPACES))


def deliver(world: World, news: list[str], say: dict[str, Callable[[], None]]) -> None:
    for word in news:
        say[word]()
        world.clock.forward(3)


class Push:
    """One prompt whose outcome is decided at the provider; its news comes as it is told to."""

    def __init__(self, world: World, *, paid: bool) -> None:
        self.world, self.paid = world, paid
        world.forget_open_work()
        self.payment = world.payment()
        world.confirm(self.payment)
        (self.attempt,) = world.see(self.payment)["attempts"]
        self.say: dict[str, Callable[[], None]] = {
            "callback": self.callback,
            "callback, same bytes": self.same_callback,
            "query": self.query,
            "acknowledgement": self.acknowledged,
            "second worker": self.second_worker,
            "time": lambda: world.advance(130),
        }

    @property
    def attempt_id(self) -> UUID:
        return id_of(self.attempt)

    def start(self, before: list[str], *, lost: bool) -> None:
        """Send; what is told before the answer comes while the call is on its way."""
        rail = self.world.rail

        def during(collection: Collection) -> None:
            rail.during = None
            rail.pay(collection.reference) if self.paid else rail.fail(collection.reference)
            deliver(self.world, before, self.say)

        rail.during = during
        if lost:
            rail.on_start(OutcomeUnknown("the answer was lost"))
        self.world.run("attempt.submit", self.attempt_id)

    def told(self) -> Incoming:
        return self.world.rail.callback(self.attempt["reference"])

    def callback(self) -> None:
        self.world.call_back(said_again(self.told()), self.world.rail.started[-1].reply_to)
        self.world.settle()

    def same_callback(self) -> None:
        self.world.call_back(self.told(), self.world.rail.started[-1].reply_to)
        self.world.settle()

    def query(self) -> None:
        self.world.run("attempt.look_up", self.attempt_id)

    def acknowledged(self) -> None:
        """The provider's acknowledgement once more, as a slow process would still bring it."""
        known = self.world.rail.of(self.attempt["reference"])[-1].provider_reference
        report = Report(status=Status.PENDING, grade=Grade.ANSWER, provider_reference=known)
        self.world.worker.payments.record(self.attempt_id, News(report=report), self.world.call)

    def second_worker(self) -> None:
        """Another worker takes the send over, as it does when the first one's lease ran out."""
        self.world.run("attempt.submit", self.attempt_id)

    def outcome(self) -> Json:
        seen = self.world.see(self.payment)
        (tried,) = seen["attempts"]
        return {
            "status": seen["status"],
            "exception": seen["exception_status"],
            "unknown": seen["outcome_unknown"],
            "attempt": tried["status"],
            "receipts": [(r["receipt_number"], r["amount"], r["fee"]) for r in seen["receipts"]],
            "error": seen["last_error"] and seen["last_error"]["provider_code"],
        }


PUSH_NEWS = st.lists(
    st.sampled_from(["callback", "callback, same bytes", "query", "acknowledgement", "second worker", "time"]),
    max_size=4,
)


@settings(same_every_time, max_examples=200)
@given(news=PUSH_NEWS, answered_after=st.integers(0, 4), lost=st.booleans(), paid=st.booleans())
@example(news=["callback", "query"], answered_after=2, lost=False, paid=True)
@example(news=["query", "callback"], answered_after=0, lost=False, paid=True)
@example(news=["second worker", "query", "callback"], answered_after=3, lost=True, paid=True)
@example(news=["callback", "callback", "query", "query"], answered_after=4, lost=False, paid=False)
def test_every_order_of_a_push_s_news_ends_in_the_same_books(
    world: World, news: list[str], answered_after: int, lost: bool, paid: bool
) -> None:
    before = world.balance().get("available", 0)
    push = Push(world, paid=paid)
    push.start(news[:answered_after], lost=lost)
    deliver(world, news[answered_after:], push.say)
    # Whatever came so far: in the end the callback is there, and the provider was asked after it.
    deliver(world, ["callback", "query"], push.say)
    assert len([c for c in world.rail.started if c.reference == push.attempt["reference"]]) == 1
    types = world.told(push.payment)
    if paid:
        number = world.rail.of(push.attempt["reference"])[-1].receipt_number
        assert push.outcome() == {
            "status": "succeeded",
            "exception": None,
            "unknown": False,
            "attempt": "succeeded",
            "receipts": [(number, 150_000, 2_250)],
            "error": None,
        }
        assert world.balance() == {"available": before + 147_750}
        assert types.count("payment.succeeded") == 1
        assert "payment.attempt_failed" not in types
    else:
        assert push.outcome() == {
            "status": "requires_payment_method",
            "exception": None,
            "unknown": False,
            "attempt": "failed",
            "receipts": [],
            "error": "canceled",
        }
        assert world.balance().get("available", 0) == before
        assert types.count("payment.attempt_failed") == 1
    assert world.alerts() == []


class Paying:
    """One payout whose outcome is decided at the provider."""

    def __init__(self, world: World, *, paid: bool) -> None:
        self.world, self.paid = world, paid
        world.forget_open_work()
        self.payout = world.payout(50_000)
        self.say: dict[str, Callable[[], None]] = {
            "result": self.result,
            "result, same bytes": self.same_result,
            "question": self.question,
            "answer": self.answer,
            "acknowledgement": self.acknowledged,
            "second worker": self.second_worker,
            "time": lambda: world.advance(130),
        }

    def start(self, before: list[str], *, lost: bool) -> None:
        channel = self.world.channel

        def during(bundle: Bundle) -> None:
            channel.during = None
            channel.pay(bundle.id) if self.paid else channel.fail(bundle.id)
            deliver(self.world, before, self.say)

        channel.during = during
        if lost:
            channel.on_submit(OutcomeUnknown("the answer was lost"))
        self.second_worker()

    @property
    def attempt_id(self) -> UUID:
        return self.world.attempt_id(self.payout)

    @property
    def reference(self) -> str:
        return self.world.channel.submitted[-1].id

    def result(self) -> None:
        (instruction,) = self.world.channel.submitted[-1].instructions
        self.world.call_back(said_again(self.world.channel.result(self.reference)), instruction.reply_to)
        self.world.settle()

    def same_result(self) -> None:
        (instruction,) = self.world.channel.submitted[-1].instructions
        self.world.call_back(self.world.channel.result(self.reference), instruction.reply_to)
        self.world.settle()

    def question(self) -> None:
        """Ask; the answer is on its way for ever."""
        self.world.run("payout.look_up", self.attempt_id)

    def answer(self) -> None:
        """The provider answers the last question, if one was asked."""
        asked = [q for q in self.world.channel.looked_up if q.reference == self.reference]
        if asked:
            self.world.call_back(said_again(self.world.channel.answer_to(asked[-1])), asked[-1].reply_to)
            self.world.settle()

    def acknowledged(self) -> None:
        report = Report(status=Status.PENDING, grade=Grade.ANSWER, reference=self.reference)
        self.world.worker.payouts.submit.record(self.attempt_id, News(report=report), self.world.call)

    def second_worker(self) -> None:
        self.world.run("payout.submit", id_of(self.payout))


PAYOUT_NEWS = st.lists(
    st.sampled_from(["result", "result, same bytes", "question", "answer", "acknowledgement", "second worker", "time"]),
    max_size=4,
)


@settings(same_every_time, max_examples=50)
@given(news=PAYOUT_NEWS, answered_after=st.integers(0, 4), lost=st.booleans(), paid=st.booleans())
@example(news=["result", "question", "answer"], answered_after=1, lost=False, paid=True)
@example(news=["question", "answer", "answer"], answered_after=0, lost=True, paid=False)
@example(news=["second worker", "question", "answer", "result"], answered_after=4, lost=False, paid=True)
def test_every_order_of_a_payout_s_news_ends_in_the_same_books(
    rich: World, news: list[str], answered_after: int, lost: bool, paid: bool
) -> None:
    world = rich
    before, on_float = world.balance(), world.float_units(world.channel_float.id)
    paying = Paying(world, paid=paid)
    paying.start(news[:answered_after], lost=lost)
    deliver(world, news[answered_after:], paying.say)
    # In the end the result is there, and so is an answer to a question: two secrets that agree.
    deliver(world, ["result", "question", "answer"], paying.say)
    # A second worker that takes the first for dead sends the same once more, and the provider takes it once.
    assert len([b for b in world.channel.submitted if b.id == paying.reference]) <= 2
    assert len(world.channel.of(paying.reference)) == 1
    seen = world.see(paying.payout)
    assert [a["status"] for a in seen["attempts"]] == ["succeeded" if paid else "failed"]
    assert (seen["status"], seen["needs_attention"]) == ("paid" if paid else "failed", False)
    spent = 53_000 if paid else 0
    assert world.balance() == {"available": before["available"] - spent}
    assert world.float_units(world.channel_float.id) == on_float - (50_000 if paid else 0)
    types = world.told(paying.payout)
    assert (types.count("payout.paid"), types.count("payout.failed")) == ((1, 0) if paid else (0, 1))
    assert world.alerts() == []


@pytest.fixture
def rich(make_world: Callable[..., World]) -> World:
    """A business with money for many payouts."""
    world = make_world()
    for _ in range(2):
        world.paid(20_000_000)
    return world


def test_the_number_of_receipts_is_the_number_of_money_facts(world: World) -> None:
    """Two prompts of one payment, both paid, each told four times over."""
    payment = world.prompted()
    world.advance(200)
    world.confirm(payment, phone=a_phone(), acknowledge=True)
    world.settle()
    for place in (0, 1):
        reply_to = world.rail.started[place].reply_to
        for _ in range(4):
            world.call_back(said_again(world.rail.pay(world.reference(payment, place))), reply_to)
            world.advance(3)
    seen = world.see(payment)
    assert len({r["receipt_number"] for r in seen["receipts"]}) == len(seen["receipts"]) == 2
    assert world.balance() == {"available": 147_750, "overpayments": 150_000}
