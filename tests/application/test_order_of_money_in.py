"""Acknowledgement, callback, query, confirmation, its answer, history and statement in every order: the same books."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.application.money_in import RecordMoneyIn
from gateway.domain.errors import Conflict
from gateway.domain.ids import Prefix, encode
from ports.report import Grade, MoneyIn
from tests.application.harness import World, id_of
from tests.application.places import Place
from tests.application.test_order_of_news import Push, deliver, same_every_time

NEWS = ("acknowledgement", "callback", "query", "confirmation", "answer", "history", "statement")
ORDERS = st.lists(st.sampled_from(NEWS), max_size=7)


class Paid(Push):
    """A prompt that was paid on a shortcode that also announces, answers, remembers and is on a statement."""

    def __init__(self, world: World, place: Place) -> None:
        super().__init__(world, paid=True)
        self.place = place
        place.rail.money.clear()
        place.rail.asked.clear()
        self.say |= {
            "confirmation": lambda: place.announce(self.sum()),
            "answer": lambda: place.answer(self.sum()),
            "history": self.history,
            "statement": self.statement,
        }

    def sum(self) -> MoneyIn:
        """What the provider remembers of it."""
        number = self.world.rail.of(self.attempt["reference"])[-1].receipt_number
        known = [m for m in self.place.rail.money if m.receipt_number == number]
        return known[0] if known else self.place.rail.paid(150_000, self.attempt["reference"], number=number)

    def history(self) -> None:
        self.sum()
        self.place.pull()

    def statement(self) -> None:
        record = RecordMoneyIn(unit=self.world.worker.units)
        record(self.world.livemode, self.place.line, self.sum(), Grade.FILE)
        self.world.settle()


@settings(same_every_time, max_examples=40)
@given(news=ORDERS, answered_after=st.integers(0, 3), lost=st.booleans(), last=st.sampled_from(NEWS[5:]))
@example(news=["statement", "callback", "query"], answered_after=2, lost=False, last="history")
@example(news=["confirmation", "callback"], answered_after=1, lost=True, last="history")
@example(news=["query", "confirmation", "answer"], answered_after=0, lost=False, last="statement")
def test_every_order_of_a_prompt_s_news_ends_in_the_same_books(
    world: World, news: list[str], answered_after: int, lost: bool, last: str
) -> None:
    before = world.balance().get("available", 0)
    held = world.float_units(world.rail_float.id)
    push = Paid(world, Place(world))
    push.start(news[:answered_after], lost=lost)
    deliver(world, [*news[answered_after:], last], push.say)
    number = world.rail.of(push.attempt["reference"])[-1].receipt_number
    outcome = push.outcome()
    assert (outcome["status"], outcome["receipts"]) == ("succeeded", [(number, 150_000, 2_250)])
    assert world.balance()["available"] == before + 147_750
    assert world.float_units(world.rail_float.id) == held + 150_000
    assert push.place.loose() == []


PLACE_NEWS = ("confirmation", "answer", "history", "statement")


@settings(same_every_time, max_examples=25)
@given(orders=st.lists(st.tuples(st.sampled_from(PLACE_NEWS), st.integers(0, 2)), max_size=9))
def test_every_order_of_a_place_s_news_ends_in_the_same_books(world: World, orders: list[tuple[str, int]]) -> None:
    before = world.balance()
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    parts = [
        place.rail.paid(units, world.reference(payment), number=f"{encode(Prefix.PAYMENT, id_of(payment))}-{units}")
        for units in (50_000, 70_000, 60_000)
    ]
    record = RecordMoneyIn(unit=world.worker.units)

    def stated(at: int) -> None:
        record(world.livemode, place.line, parts[at], Grade.FILE)
        world.settle()

    say: dict[str, Callable[[int], None]] = {
        "confirmation": lambda at: place.announce(parts[at]),
        "answer": lambda at: place.answer(parts[at]),
        "history": lambda _: place.pull(),
        "statement": stated,
    }
    for word, at in [*orders, ("history", 0)]:
        say[word](at)
        world.clock.forward(3)
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"], seen["amount_received"]) == ("succeeded", "overpaid", 180_000)
    assert sorted(r["amount"] for r in seen["receipts"]) == [50_000, 60_000, 70_000]
    after = world.balance()
    assert after["available"] == before.get("available", 0) + 147_750
    assert after["overpayments"] == before.get("overpayments", 0) + 30_000


def test_two_confirmations_and_a_history_row_race_to_one_receipt(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    one = place.rail.paid(150_000, world.reference(payment))
    record = RecordMoneyIn(unit=world.worker.units)
    tellers = [(Grade.ANNOUNCED, place.line.id), (Grade.ANNOUNCED, place.line.id), (Grade.ANSWER, None)]
    faults: list[Exception] = []
    gate = threading.Barrier(len(tellers))

    def tell(grade: Grade, secret: UUID | None) -> None:
        gate.wait(10)
        try:
            found = record(world.livemode, place.line, one, grade, secret)
            assert found is not None
            world.worker.handlers["money.settle"](found, place.house)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=tell, args=teller) for teller in tellers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    world.settle()
    # A worker that lost a race comes again; nothing else may go wrong.
    assert [f for f in faults if not isinstance(f, Conflict)] == []
    assert [r["amount"] for r in world.see(payment)["receipts"]] == [150_000]
    assert world.balance() == {"available": 147_750}
