"""Floats in an operator's day: the provider's word against the books, thresholds, charges, our own money moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.application.interfaces import Call
from gateway.domain.businesses import HOUSE
from gateway.domain.errors import Conflict
from gateway.domain.ids import Prefix, encode
from gateway.domain.own_transfers import OwnState, OwnTransfer
from ports.errors import Misconfigured, NotSent, Refused
from ports.money import KES, Money
from ports.report import Failure, FailureKind, Grade, Pocket, Report, Status
from tests.application import harness
from tests.application.conftest import MakeWorld
from tests.application.harness import ACT, FUNDED, World
from tests.application.processes import Killed
from tests.application.telling import TELLING, TellingChannel, unknown

POCKET = "Utility Account"
HOUSE_CALL = Call(business_id=HOUSE, livemode=False)


@pytest.fixture
def world(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(harness, "InterruptedChannel", TellingChannel)
    made = make_world(channel_offers=TELLING)
    made.operator.operation.windows.set_pocket(made.channel_line.id, POCKET, ACT)
    return made


def channel(world: World) -> TellingChannel:
    assert isinstance(world.channel, TellingChannel)
    return world.channel


def ask(world: World) -> Any:
    return world.run("connection.balance", world.channel_line.id, HOUSE_CALL)


def open_alerts(world: World, *subjects: Any) -> dict[str, str]:
    sql = "SELECT kind, detail FROM gateway.alert WHERE subject_id = ANY (:s) AND resolved_at IS NULL"
    wanted = list(subjects) or [world.channel_line.id, world.channel_float.id]
    return {row.kind: row.detail for row in world.rows(sql, s=wanted)}


def tell(world: World, units: int) -> None:
    """Ask, and let the provider answer to the question's own address."""
    world.clock.forward(301)
    ask(world)
    world.call_back(channel(world).told(POCKET, units), channel(world).asked_balance[-1])
    world.settle()


def test_an_asked_balance_is_kept_and_compared_and_the_alert_ends_by_itself(world: World) -> None:
    tell(world, FUNDED)
    assert open_alerts(world) == {}
    tell(world, FUNDED - 100)
    assert open_alerts(world) == {"float_differs": f"the provider says {FUNDED - 100} minor units, the books {FUNDED}"}
    (listed,) = [f for f in world.operator.operation.floats.listed() if f.id == world.channel_float.id]
    assert (listed.standing.held, listed.told, listed.told_at) == (FUNDED, FUNDED - 100, world.now)
    tell(world, FUNDED)
    assert open_alerts(world) == {}


def test_money_on_its_way_out_may_have_left(world: World) -> None:
    world.paid(300_000)
    world.payout(50_000)
    world.settle()
    for units, differs in ((FUNDED - 50_000, False), (FUNDED, False), (FUNDED - 50_100, True), (FUNDED + 100, True)):
        tell(world, units)
        assert ("float_differs" in open_alerts(world)) is differs


def test_an_answer_at_once_is_kept_too_and_pockets_that_are_no_float_are_left_alone(world: World) -> None:
    channel(world).answers_at_once = tuple(
        Pocket(name=name, balance=Money(units=units, asset=KES), is_owed=owed)
        for name, units, owed in ((POCKET, FUNDED, False), ("Charges Paid", 500, True))
    )
    assert ask(world) == world.now + timedelta(hours=1)
    rows = world.rows(
        "SELECT pocket, units, is_owed, float_id FROM gateway.float_balance WHERE connection_id = :c ORDER BY pocket",
        c=world.channel_line.id,
    )
    assert [tuple(row) for row in rows] == [
        ("Charges Paid", 500, True, None),
        (POCKET, FUNDED, False, world.channel_float.id),
    ]


def test_a_balance_is_not_asked_twice_in_five_minutes_and_a_refusal_waits_for_a_person(world: World) -> None:
    asked = world.now
    assert ask(world) == asked + timedelta(hours=1)
    world.clock.forward(60)
    assert ask(world) == asked + timedelta(minutes=5)
    assert len(channel(world).asked_balance) == 1
    channel(world).wrong = Misconfigured("the operator is locked")
    world.clock.forward(300)
    assert ask(world) == world.now + timedelta(days=1)
    assert open_alerts(world) == {"balance_unread": "the operator is locked"}
    channel(world).wrong = None
    tell(world, FUNDED)
    assert open_alerts(world) == {}
    channel(world).wrong = NotSent("no route")
    world.clock.forward(301)
    assert ask(world) == world.now + timedelta(minutes=10)


def test_the_relay_promises_it_and_a_payout_hurries_it(world: World) -> None:
    promise = world.worker.operation.tending.promise
    assert promise("connection.balance", [world.channel_code]) == 1
    assert promise("connection.balance", [world.channel_code]) == 0
    world.settle()
    assert len(channel(world).asked_balance) == 1
    world.paid(300_000)
    payout = world.payout(50_000)
    world.settle()
    world.advance(400)
    assert len(channel(world).asked_balance) == 1
    world.call_back(channel(world).pay(world.reference(payout)), channel(world).submitted[-1].instructions[0].reply_to)
    world.settle()
    answer(world, payout)
    assert world.see(payout)["status"] == "paid"
    world.advance(61)
    assert len(channel(world).asked_balance) == 2


def answer(world: World, payout: Any) -> None:
    """The provider answers the newest question about a payout."""
    world.advance(5)
    question = channel(world).looked_up[-1]
    world.call_back(channel(world).answer_to(question), question.reply_to)
    world.settle()


def test_a_threshold_tells_once_and_ends_by_itself(world: World) -> None:
    floats, watch = world.operator.operation.floats, world.worker.operation.tending.watch_floats
    floats.set_threshold(world.channel_float.id, FUNDED + 1)
    assert watch() >= 1
    assert watch() >= 1
    assert open_alerts(world) == {"float_low": f"below its threshold of {FUNDED + 1} minor units"}
    world.fund(1)
    watch()
    assert open_alerts(world) == {}
    floats.set_threshold(world.channel_float.id, FUNDED)
    tell(world, FUNDED - 10)
    watch()
    assert "float_low" in open_alerts(world)
    floats.set_threshold(world.channel_float.id, None)
    watch()
    assert "float_low" not in open_alerts(world)


def charges(world: World) -> list[tuple[str, int]]:
    name = encode(Prefix.FLOAT, world.channel_float.id)
    sql = (
        "SELECT j.idem_key AS key, l.amount FROM ledger.journal j"
        " JOIN ledger.leg l ON l.journal_id = j.id WHERE j.kind = 'charge'"
    )
    return [(row.key, int(row.amount)) for row in world.rows(sql) if name in row.key]


def test_a_charge_is_booked_once_with_the_proof_and_never_by_weak_news(world: World) -> None:
    channel(world).fee = 2_240
    world.paid(300_000)
    payout = world.payout(50_000)
    world.settle()
    told = channel(world).pay(world.reference(payout))
    first = channel(world).submitted[-1].instructions[0].reply_to
    world.call_back(told, first)
    world.settle()
    assert charges(world) == []
    answer(world, payout)
    number = world.see(payout)["receipt_number"]
    name = encode(Prefix.FLOAT, world.channel_float.id)
    assert charges(world) == [(f"charge:{name}:{number}", 2_240)]
    held = world.float_units(world.channel_float.id)
    channel(world).fee = 9_999
    answer(world, payout)
    assert len(charges(world)) == 1
    assert world.float_units(world.channel_float.id) == held == FUNDED - 50_000 - 2_240


# Our own money


def move(world: World, units: int = 1_000) -> OwnTransfer:
    """From the payout float to the other one."""
    order = world.operator.operation.move_own
    source, target = world.channel_float.id, world.rail_float.id
    return order(world.channel_line.id, source, target, units, ("working", "utility"), ACT)


def stands(world: World, transfer: OwnTransfer) -> tuple[str, int, int]:
    state = world.value("SELECT state FROM gateway.own_transfer WHERE id = :id", id=transfer.id)
    return state, FUNDED - world.float_units(world.channel_float.id), world.float_units(world.rail_float.id)


def test_a_move_leaves_at_submit_and_arrives_by_two_words_that_agree(world: World) -> None:
    transfer = move(world)
    assert stands(world, transfer) == ("created", 0, 0)
    world.settle()
    assert stands(world, transfer) == ("submitted", 1_000, 0)
    assert (channel(world).moves[0].source, channel(world).moves[0].target) == ("working", "utility")
    world.call_back(channel(world).moved(), channel(world).moves[0].reply_to)
    world.settle()
    assert stands(world, transfer) == ("submitted", 1_000, 0)
    question = channel(world).looked_up[-1]
    world.call_back(channel(world).moved(), question.reply_to)
    world.settle()
    assert stands(world, transfer) == ("succeeded", 1_000, 1_000)
    world.advance(100_000)
    assert (len(channel(world).moves), stands(world, transfer)) == (1, ("succeeded", 1_000, 1_000))


def test_a_refused_move_comes_back(world: World) -> None:
    channel(world).on_move(Refused(Failure(kind=FailureKind.OTHER)))
    transfer = move(world)
    world.settle()
    assert stands(world, transfer) == ("failed", 0, 0)


def test_a_move_that_was_not_sent_goes_once_more_and_leaves_the_books_once(world: World) -> None:
    channel(world).on_move(NotSent("no route"), Misconfigured("keys"))
    transfer = move(world)
    world.settle()
    assert stands(world, transfer) == ("created", 1_000, 0)
    world.advance(10)
    assert world.value("SELECT state FROM gateway.connection WHERE id = :id", id=world.channel_line.id) == "paused"
    world.operator.desk.resume_connection(world.channel_line.id, ACT)
    world.advance(60)
    assert stands(world, transfer) == ("submitted", 1_000, 0)


def test_an_unknown_move_is_never_sent_again_and_a_person_settles_it(world: World) -> None:
    channel(world).on_move(unknown())
    transfer = move(world)
    world.advance(100_000)
    assert (len(channel(world).moves), stands(world, transfer)) == (1, ("unknown", 1_000, 0))
    assert "own_transfer_unknown" in open_alerts(world, transfer.id)
    resolve = world.operator.operation.resolve_own
    assert resolve(transfer.id, ACT, receipt_number="QK1").state is OwnState.SUCCEEDED
    assert stands(world, transfer) == ("succeeded", 1_000, 1_000)
    assert open_alerts(world, transfer.id) == {}
    with pytest.raises(Conflict):
        resolve(transfer.id, ACT, receipt_number=None)


@pytest.mark.parametrize("point", ["before_call", "after_call"])
def test_a_crash_at_the_call_means_unknown(world: World, point: str) -> None:
    channel(world).doom.point, channel(world).doom.times = point, 1
    transfer = move(world)
    with pytest.raises(Killed):
        world.settle()
    world.replace_worker()
    world.advance(5)
    assert stands(world, transfer) == ("unknown", 1_000, 0)
    assert len(channel(world).moves) == 1
    resolved = world.operator.operation.resolve_own(transfer.id, ACT, receipt_number=None)
    assert resolved.state is OwnState.FAILED
    assert stands(world, transfer) == ("failed", 0, 0)


def test_a_strong_answer_settles_at_once_and_what_the_float_lacks_is_refused(world: World) -> None:
    done = Report(
        status=Status.SUCCEEDED, grade=Grade.ANSWER, receipt_number="OW9", amount=Money(units=1_000, asset=KES)
    )
    channel(world).on_move(done)
    transfer = move(world)
    world.settle()
    assert stands(world, transfer) == ("succeeded", 1_000, 1_000)
    with pytest.raises(Conflict) as refused:
        move(world, FUNDED)
    assert refused.value.code == "float_short"
