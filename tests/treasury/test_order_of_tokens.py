"""All orders of an on-ramp's news end in the same books: collected, asked, delivered, seen, gone, seen again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ports.errors import AlreadyTaken, NotSent, OutcomeUnknown
from ports.money import KES, Money
from tests.application.processes import Engines
from tests.fakes.chain_offer import FAKE_USD
from tests.treasury.world import PARTNER, TreasuryWorld

AMOUNT = 100_000


@pytest.fixture
def world(engines: Engines, _books: None) -> Iterator[TreasuryWorld]:
    made = TreasuryWorld(engines=engines)
    yield made
    made.close()


def finish(world: TreasuryWorld) -> None:
    """Time enough for every question, and blocks enough for every depth."""
    for _ in range(12):
        world.advance(400)
        world.watch()
        world.node.mine(4)
    world.watch()
    world.settle()
    world.watch()


def holds(world: TreasuryWorld, payments: int = 1) -> None:
    books = world.books()
    assert not [path for path in books if path.startswith("clearing:")], books
    assert sum(units for path, units in books.items() if path.startswith("treasury:")) == world.held()
    assert {row.state for row in world.rows("SELECT state FROM gateway.conversion")} == {"settled"}
    assert world.balance()["available"] == payments * (AMOUNT - 1_500)


def test_the_plain_way(world: TreasuryWorld) -> None:
    world.paid(AMOUNT)
    assert world.balance()["available"] == AMOUNT - 1_500
    assert world.conversion().state == "executing"
    world.watch()
    assert world.conversion().state == "executing", "it isn't deep yet"
    world.node.mine(3)
    world.watch()
    assert world.conversion().state == "settled"
    holds(world)


@pytest.mark.parametrize(
    "answers",
    [
        [OutcomeUnknown("cut")],
        [AlreadyTaken("on its way")],
        [NotSent("away"), NotSent("away")],
        [NotSent("away"), OutcomeUnknown("cut"), AlreadyTaken("on its way")],
    ],
    ids=["lost", "taken", "away", "all"],
)
def test_a_lost_answer_delivers_once(world: TreasuryWorld, answers: list[OutcomeUnknown]) -> None:
    world.rail.answers = list(answers)
    world.paid(AMOUNT)
    finish(world)
    holds(world)
    assert len(world.rail.delivered) == 1


def test_a_price_out_of_line_holds_the_conversion_and_not_the_business(world: TreasuryWorld) -> None:
    world.paid(AMOUNT)
    finish(world)
    world.rail.rate = world.rail.rate * 103 // 100
    world.paid(AMOUNT)
    assert world.balance()["available"] == 2 * (AMOUNT - 1_500)
    assert (world.conversion().state, world.conversion().held_for) == ("quoted", "rate_deviation")
    assert "conversion_held" in world.alerts()
    assert any(path.startswith("clearing:") for path in world.books())
    world.rail.rate = 12_900
    finish(world)
    holds(world, payments=2)


def test_short_delivery_leaves_the_rest_owed_and_what_comes_later_closes_it(world: TreasuryWorld) -> None:
    world.rail.short_bps = 1_000
    world.paid(AMOUNT)
    world.node.mine(10)
    world.watch()
    assert world.conversion().state == "short"
    owed = [units for path, units in world.books().items() if path.startswith("clearing:")]
    assert owed == [AMOUNT - AMOUNT * world.held() // world.rail.worth(Money(units=AMOUNT, asset=KES)).units]


def test_more_than_is_owed_is_nobodys(world: TreasuryWorld) -> None:
    world.rail.short_bps = -1_000
    world.paid(AMOUNT)
    world.node.mine(10)
    world.watch()
    assert world.conversion().state == "settled"
    surplus = [units for path, units in world.books().items() if path.startswith("suspense:")]
    worth = world.rail.worth(Money(units=AMOUNT, asset=KES)).units
    assert surplus == [-(world.held() - (worth + worth // 100))]


def test_tokens_that_match_nothing_wait_in_suspense(world: TreasuryWorld) -> None:
    world.node.move(FAKE_USD.asset.code, PARTNER, world.wallet, 5_000_000)
    world.node.mine(10)
    world.watch()
    (told,) = world.rows("SELECT count(*) FROM gateway.alert WHERE kind = 'tokens_unmatched'")
    assert told[0] == 1
    assert sum(units for path, units in world.books().items() if path.startswith("treasury:")) == 5_000_000


def test_what_is_forged_or_too_small_or_of_another_token_is_not_seen(world: TreasuryWorld) -> None:
    world.node.move(FAKE_USD.asset.code, PARTNER, world.wallet, 0)
    world.node.mine(10)
    world.watch()
    assert world.books() == {}


Step = Callable[[TreasuryWorld], None]


def lose(world: TreasuryWorld) -> None:
    world.rail.answers.append(OutcomeUnknown("cut"))


def reorganise(depth: int) -> Step:
    def step(world: TreasuryWorld) -> None:
        deepest = min(depth, 7, len(world.node.blocks) - 2)
        gone = [tx.hash for one in world.node.blocks[len(world.node.blocks) - deepest :] for tx in one.txs]
        world.node.reorganise(deepest, gone)

    return step


STEPS: dict[str, Step] = {
    "settle": lambda world: world.settle(),
    "watch": lambda world: world.watch(),
    "mine": lambda world: world.node.mine(1),
    "mine more": lambda world: world.node.mine(4),
    "wait": lambda world: world.advance(15),
    "wait long": lambda world: world.advance(700),
    "lose the next answer": lose,
    "refuse the next call": lambda world: world.rail.answers.append(NotSent("away")),
    "the partner is silent": lambda world: setattr(world.rail, "silent", True),
    "fork by 1": reorganise(1),
    "fork by 3": reorganise(3),
    "fork by 7": reorganise(7),
}


@pytest.mark.usefixtures("_books")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.sampled_from(sorted(STEPS)), max_size=3),
    after=st.lists(st.sampled_from(sorted(STEPS)), max_size=12),
)
def test_every_order_of_an_on_ramps_news_ends_in_the_same_books(
    engines: Engines, before: list[str], after: list[str]
) -> None:
    world = TreasuryWorld(engines=engines)
    try:
        payment = world.prompted(AMOUNT)
        for name in before:
            STEPS[name](world)
        world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
        for name in after:
            STEPS[name](world)
        finish(world)
        books = world.books()
        assert not [path for path in books if path.startswith("clearing:")], books
        assert sum(units for path, units in books.items() if path.startswith("treasury:")) == world.held()
        assert world.conversion().state == "settled"
        assert len(world.rail.delivered) == 1
        assert world.balance()["available"] == AMOUNT - 1_500
    finally:
        world.close()
