"""A statement's reversal or return that came before its original: it is settled once the original is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.application.money_in import RecordMoneyIn
from ports.report import Grade
from ports.statement import LineKind
from tests.application.harness import World
from tests.application.payouts import answer, result, sent
from tests.application.places import Place
from tests.application.statement_files import Files, collection, line, when
from tests.application.test_order_of_news import same_every_time

#: A reversal's line is looked at for so long before it is called unmatched.
GIVEN_UP_S = 4_500


def early(files: Files, original: str, kind: LineKind = LineKind.REVERSAL, units: int = 150_000) -> dict[str, object]:
    """A statement whose line names what nobody has, long after it was given up."""
    shown = files.import_lines(line(kind, f"{original}R", units, original_receipt=original))
    files.world.advance(GIVEN_UP_S)
    assert (files.outcomes(shown), files.show(shown)["status"]) == (["unmatched"], "settled")
    return shown


@pytest.fixture
def files(world: World) -> Files:
    return Files(world)


def test_a_history_that_brings_the_original_settles_the_line_at_once(files: Files, world: World) -> None:
    shown = early(files, "LH00000001")
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    place.rail.paid(150_000, world.reference(payment), number="LH00000001")
    place.pull()
    assert files.outcomes(shown) == ["matched"]
    world.advance(3_700)
    assert world.see(payment)["receipts"][0]["amount_reversed"] == 150_000
    assert world.balance() == {"owed": 2_250}
    assert world.journals().count("reversal.booked") == 1


def test_a_callback_s_number_settles_the_line_within_the_hour(files: Files, world: World) -> None:
    payment = world.prompted()
    told = world.rail.pay(world.reference(payment))
    number = world.rail.of(world.reference(payment))[-1].receipt_number or ""
    shown = early(files, number)
    assert world.see(payment)["receipts"][0]["receipt_number"] is None
    world.call_back(told, world.rail.started[-1].reply_to)
    world.advance(3_700)
    assert files.outcomes(shown) == ["matched"]
    assert world.balance() == {"owed": 2_250}


def test_a_later_import_looks_at_earlier_lines_again(files: Files, world: World) -> None:
    shown = early(files, "LI00000001")
    again = files.import_lines(
        collection("LI00000001", reference="nobody"),
        line(LineKind.REVERSAL, "LI00000001R", 150_000, original_receipt="LI00000001"),
    )
    assert again["known"] == 1
    assert files.outcomes(shown) == ["matched"]
    assert files.outcomes(again) == ["reversed"]
    assert world.float_units(files.float_id) == 0


def test_a_payout_that_came_back_before_its_number_was_known_is_returned_then(world: World) -> None:
    world.paid(1_000_000)
    before = world.balance()["available"]
    files = Files(world, on_payouts=True)
    payout = sent(world)
    world.channel.pay(world.reference(payout), happened_at=when(0))
    number = world.channel.of(world.reference(payout))[-1].receipt_number or ""
    shown = files.import_lines(line(LineKind.RETURN, f"{number}R", payout["amount"], original_receipt=number))
    assert files.outcomes(shown) == ["open"]
    result(world)
    answer(world)
    world.advance(GIVEN_UP_S)
    assert files.outcomes(shown) == ["matched"]
    assert world.see(payout)["status"] == "returned"
    assert world.balance()["available"] == before - payout["fee"]


def test_what_never_comes_is_looked_at_for_ever_and_ever_more_seldom(files: Files, world: World) -> None:
    early(files, "LN00000001")
    next_look = "SELECT due_at FROM gateway.outbox o JOIN gateway.statement s ON s.id = o.subject_id"
    next_look += " WHERE o.done_at IS NULL AND o.kind = 'statement.settle' AND s.float_id = :f"
    waits = world.value(next_look, f=files.float_id) - world.now
    assert 0 < waits.total_seconds() <= 3_600
    world.clock.forward(30 * 86_400)
    world.settle()
    waits = world.value(next_look, f=files.float_id) - world.now
    assert waits.total_seconds() == 86_400


NEWS = ("confirmation", "answer", "history", "statement", "reversal file", "a look")


@settings(same_every_time, max_examples=15)
@given(orders=st.lists(st.sampled_from(NEWS), max_size=6))
def test_every_order_of_a_place_s_news_and_its_reversal_s_line_ends_in_the_same_books(
    world: World, orders: list[str]
) -> None:
    world.forget_open_work()
    before, held = world.balance(), world.float_units(world.rail_float.id)
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    number = f"LO{payment['id'][-20:]}"
    one = place.rail.paid(150_000, world.reference(payment), number=number)
    files = Files(world)
    content = files.file(line(LineKind.REVERSAL, f"{number}R", 150_000, original_receipt=number))
    record = RecordMoneyIn(unit=world.worker.units)

    def stated() -> None:
        record(world.livemode, place.line, one, Grade.FILE)
        world.settle()

    say: dict[str, Callable[[], object]] = {
        "confirmation": lambda: place.announce(one),
        "answer": lambda: place.answer(one),
        "history": place.pull,
        "statement": stated,
        "reversal file": lambda: bring_in_once(files, content),
        "a look": lambda: looked_at(files),
    }
    for word in [*orders, "reversal file", "history", "a look"]:
        say[word]()
        world.clock.forward(3)
    world.settle()
    assert [(r["amount"], r["amount_reversed"]) for r in world.see(payment)["receipts"]] == [(150_000, 150_000)]
    assert world.float_units(world.rail_float.id) == held
    assert net(world.balance()) == net(before) - 2_250


def bring_in_once(files: Files, content: bytes) -> None:
    """The very same file is refused the second time."""
    if content in files.book:
        files.bring_in(content, settle=False)
        del files.book[content]
        files.world.settle()


def looked_at(files: Files) -> None:
    """Its statement is looked at, so often that what nobody has is given up."""
    world = files.world
    for (statement_id,) in world.rows("SELECT id FROM gateway.statement WHERE connection_id = :c", c=files.line.id):
        for _ in range(5):
            world.run("statement.settle", statement_id, files.house)
    world.settle()


def net(balance: dict[str, int]) -> int:
    """What the business has, less what it owes."""
    return balance.get("available", 0) - balance.get("owed", 0)
