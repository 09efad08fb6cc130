"""A statement's line proves a move of our own money, whenever it comes and whichever of the two floats it is of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.domain.ids import Prefix, encode
from gateway.domain.own_transfers import OwnTransfer
from ports.statement import LineKind, StatementLine
from tests.application import harness
from tests.application.conftest import MakeWorld
from tests.application.harness import ACT, FUNDED, World
from tests.application.statement_files import Files, line
from tests.application.telling import TELLING, TellingChannel, unknown
from tests.application.test_order_of_news import same_every_time

UNITS = 1_000


@pytest.fixture
def world(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(harness, "InterruptedChannel", TellingChannel)
    return make_world(channel_offers=TELLING)


@pytest.fixture
def files(world: World) -> Files:
    """Statements of the float that money leaves."""
    return Files(world, on_payouts=True)


def channel(world: World) -> TellingChannel:
    assert isinstance(world.channel, TellingChannel)
    return world.channel


def moved(world: World, *, lost: bool = False) -> OwnTransfer:
    """A move that was sent, from the payout float to the other one."""
    if lost:
        channel(world).on_move(unknown())
    source, target = world.channel_float.id, world.rail_float.id
    order = world.operator.operation.move_own
    transfer: OwnTransfer = order(world.channel_line.id, source, target, UNITS, ("working", "utility"), ACT)
    world.settle()
    return transfer


def result(world: World, number: str) -> None:
    """The provider posts that the last move is done: weak news, that names its number."""
    world.call_back(channel(world).moved(number=number), channel(world).moves[-1].reply_to)
    world.settle()


def left(number: str, units: int = UNITS, reference: str | None = None) -> StatementLine:
    return line(LineKind.OWN, number, units, reference=reference)


def stands(world: World, transfer: OwnTransfer) -> tuple[str, int, int]:
    state = world.value("SELECT state FROM gateway.own_transfer WHERE id = :id", id=transfer.id)
    return state, FUNDED - world.float_units(world.channel_float.id), world.float_units(world.rail_float.id)


def test_a_line_under_the_number_that_a_callback_named_settles_the_move(files: Files, world: World) -> None:
    transfer = moved(world)
    result(world, "OM00000001")
    assert stands(world, transfer) == ("submitted", UNITS, 0)
    shown = files.import_lines(left("OM00000001"))
    assert stands(world, transfer) == ("succeeded", UNITS, UNITS)
    (one,) = files.lines(shown)
    assert (one["outcome"], one["matched"]) == ("matched", encode(Prefix.OWN_TRANSFER, transfer.id))


@pytest.mark.parametrize("kind", [LineKind.OWN, LineKind.PAYOUT])
def test_a_line_that_bears_our_reference_settles_an_unknown_move(files: Files, world: World, kind: LineKind) -> None:
    transfer = moved(world, lost=True)
    assert stands(world, transfer) == ("unknown", UNITS, 0)
    shown = files.import_lines(line(kind, "OM00000002", UNITS, reference=transfer.reference))
    assert files.outcomes(shown) == ["matched"]
    assert stands(world, transfer) == ("succeeded", UNITS, UNITS)
    assert world.value("SELECT receipt_number FROM gateway.own_transfer WHERE id = :i", i=transfer.id) == "OM00000002"


def test_the_other_float_s_statement_proves_it_as_well(world: World) -> None:
    transfer = moved(world)
    result(world, "OM00000003")
    arrivals = Files(world)
    shown = arrivals.import_lines(line(LineKind.OWN, "OM00000003", UNITS, comes_in=True))
    assert arrivals.outcomes(shown) == ["matched"]
    assert stands(world, transfer) == ("succeeded", UNITS, UNITS)


def test_a_line_that_came_before_the_number_was_known_counts_once_it_is(files: Files, world: World) -> None:
    transfer = moved(world)
    shown = files.import_lines(left("OM00000004"))
    assert (files.outcomes(shown), stands(world, transfer)) == (["noted"], ("submitted", UNITS, 0))
    result(world, "OM00000004")
    assert (files.outcomes(shown), stands(world, transfer)) == (["matched"], ("succeeded", UNITS, UNITS))


def test_another_sum_under_its_number_is_a_conflict_and_nothing_arrives(files: Files, world: World) -> None:
    transfer = moved(world)
    result(world, "OM00000005")
    shown = files.import_lines(left("OM00000005", 900))
    assert files.outcomes(shown) == ["conflict"]
    assert files.alerts(shown) == ["statement_conflict"]
    assert stands(world, transfer) == ("submitted", UNITS, 0)


def test_a_move_that_nobody_ordered_here_and_one_the_other_way_are_noted(files: Files, world: World) -> None:
    transfer = moved(world)
    result(world, "OM00000006")
    shown = files.import_lines(left("OM00000007"), line(LineKind.OWN, "OM00000006", UNITS, comes_in=True))
    assert files.outcomes(shown) == ["noted", "noted"]
    assert stands(world, transfer) == ("submitted", UNITS, 0)


NEWS = ("callback", "line that left", "line that arrived", "second worker")


@settings(same_every_time, max_examples=20)
@given(orders=st.lists(st.sampled_from(NEWS), max_size=6), lost=st.booleans())
@example(orders=["line that left", "line that arrived", "callback"], lost=True)
def test_every_order_of_a_move_s_news_ends_in_the_same_books(world: World, orders: list[str], lost: bool) -> None:
    world.forget_open_work()
    sent, arrived = world.float_units(world.channel_float.id), world.float_units(world.rail_float.id)
    transfer = moved(world, lost=lost)
    number = f"OM{str(transfer.id)[-12:]}"
    leaving, arriving = Files(world, on_payouts=True), Files(world)
    contents = {
        "line that left": (leaving, leaving.file(left(number))),
        "line that arrived": (arriving, arriving.file(line(LineKind.OWN, number, UNITS, comes_in=True))),
    }

    def bring_in(word: str) -> None:
        files, content = contents[word]
        if content in files.book:
            files.bring_in(content, settle=False)
            del files.book[content]
            world.settle()

    say: dict[str, Callable[[], object]] = {
        "callback": lambda: result(world, number),
        "second worker": lambda: world.run("own.submit", transfer.id, leaving.house),
    }
    for word in [*orders, "line that left", "callback"]:
        say.get(word, lambda: bring_in(word))()  # noqa: B023 - it is called at once
        world.clock.forward(3)
    assert world.value("SELECT state FROM gateway.own_transfer WHERE id = :i", i=transfer.id) == "succeeded"
    assert world.float_units(world.channel_float.id) == sent - UNITS
    assert world.float_units(world.rail_float.id) == arrived + UNITS
    assert len([one for one in channel(world).moves if one.reference == transfer.reference]) == 1
