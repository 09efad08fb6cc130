"""Sums whose reports contradict one another: a person takes the stronger word, or none, and every order ends alike."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.cli.receipts import receipt
from gateway.application.interfaces import Json
from gateway.application.money_in import RecordMoneyIn
from gateway.domain.errors import Conflict, Invalid, NotFound
from gateway.domain.ids import Prefix, encode
from ports.report import Grade, MoneyIn
from tests.application.harness import ACT, World, id_of, kes
from tests.application.places import Place
from tests.application.statement_files import Files, collection
from tests.application.test_order_of_news import same_every_time
from tests.fakes.context import MORNING


def told(world: World, place: Place, number: str, *sums: tuple[Grade, int], reference: str | None = None) -> MoneyIn:
    """These reports of one number, and then a look at them."""
    for grade, units in sums:
        one = MoneyIn(
            receipt_namespace=place.rail.capabilities.receipt_namespace,
            receipt_number=number,
            amount=kes(units),
            happened_at=MORNING,
            reference=reference,
        )
        RecordMoneyIn(unit=world.worker.units)(world.livemode, place.line, one, grade)
    world.settle()
    return one


def state(world: World, place: Place, one: MoneyIn) -> str:
    return str(world.value("SELECT state FROM gateway.external_record WHERE id = :r", r=place.record_id(one)))


def accept(world: World, place: Place, one: MoneyIn, units: int | None = None) -> int:
    taken: int = world.operator.money_in.conflicts.accept(
        place.record_id(one), ACT, livemode=world.livemode, units=units
    )
    world.settle()
    return taken


def dismiss(world: World, place: Place, one: MoneyIn) -> None:
    world.operator.money_in.conflicts.dismiss(place.record_id(one), ACT, livemode=world.livemode)
    world.settle()


BOTH = ((Grade.ANSWER, 150_000), (Grade.FILE, 140_000))


def test_the_statement_s_word_is_taken_against_an_answer_s(world: World) -> None:
    place = Place(world)
    one = told(world, place, "CF00000001", *BOTH, reference="nobody")
    assert (state(world, place, one), world.float_units(world.rail_float.id)) == ("conflict", 0)
    assert accept(world, place, one) == 140_000
    assert (state(world, place, one), world.float_units(world.rail_float.id)) == ("suspense", 140_000)
    sql = "SELECT action, reason FROM gateway.audit WHERE subject_id = :r"
    assert [tuple(row) for row in world.rows(sql, r=place.record_id(one))] == [
        ("receipt.decide accept 140000", ACT.reason)
    ]
    with pytest.raises(Conflict):
        accept(world, place, one)


def test_at_a_place_the_accepted_sum_is_its_payment_s(world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    one = told(world, place, "CF00000002", *BOTH, reference=world.reference(payment))
    assert world.see(payment)["amount_received"] == 0
    accept(world, place, one)
    seen = world.see(payment)
    assert (seen["amount_received"], seen["exception_status"]) == (140_000, "underpaid")


def test_a_prompt_takes_the_accepted_sum_though_another_was_asked(world: World) -> None:
    place, payment = Place(world), world.prompted()
    one = told(world, place, "CF00000003", *BOTH, reference=world.reference(payment))
    assert (world.see(payment)["amount_received"], world.see(payment)["exception_status"]) == (0, "conflict")
    accept(world, place, one)
    seen = world.see(payment)
    assert (seen["amount_received"], [r["amount"] for r in seen["receipts"]]) == (140_000, [140_000])
    assert seen["exception_status"] == "underpaid"
    assert state(world, place, one) == "booked"


def test_two_rows_of_one_statement_want_a_sum_that_one_of_them_names(world: World) -> None:
    files = Files(world)
    shown = files.import_lines(collection("CF00000004", 10_000), collection("CF00000004", 20_000))
    assert files.outcomes(shown) == ["conflict", "conflict"]
    sql = "SELECT id FROM gateway.external_record WHERE float_id = :f"
    conflicts, record_id = world.operator.money_in.conflicts, world.value(sql, f=files.float_id)
    for wrong in (None, 15_000):
        with pytest.raises(Invalid, match="10000, 20000") as caught:
            conflicts.accept(record_id, ACT, livemode=world.livemode, units=wrong)
        assert caught.value.code == "amount_invalid"
    conflicts.accept(record_id, ACT, livemode=world.livemode, units=20_000)
    world.settle()
    assert files.outcomes(shown) == ["conflict", "suspense"]
    assert world.float_units(files.float_id) == 20_000


def test_what_is_dismissed_books_nothing_until_strong_news_opens_it_again(world: World) -> None:
    place = Place(world)
    one = told(world, place, "CF00000005", *BOTH)
    dismiss(world, place, one)
    told(world, place, "CF00000005", *BOTH)
    world.run("money.settle", place.record_id(one), place.house)
    assert (state(world, place, one), world.float_units(world.rail_float.id)) == ("dismissed", 0)
    assert one.receipt_number not in [c["receipt_number"] for c in listed(world)]
    world.clock.forward(60)
    told(world, place, "CF00000005", (Grade.FILE, 130_000))
    assert state(world, place, one) == "conflict"
    dismiss(world, place, one)
    assert accept(world, place, one, 130_000) == 130_000
    assert (state(world, place, one), world.float_units(world.rail_float.id)) == ("suspense", 130_000)


def listed(world: World) -> list[Json]:
    found: list[Json] = world.operator.money_in.conflicts.all(livemode=world.livemode, limit=10_000)
    return found


def test_there_is_nothing_to_decide_about_a_sum_that_agrees(world: World) -> None:
    place = Place(world)
    one = told(world, place, "CF00000006", (Grade.FILE, 150_000))
    for act in (accept, dismiss):
        with pytest.raises(Conflict):
            act(world, place, one)
    with pytest.raises(NotFound):
        world.operator.money_in.conflicts.dismiss(id_of(world.payment()), ACT, livemode=world.livemode)


def test_the_commands_list_accept_and_dismiss(world: World) -> None:
    place = Place(world)
    one, two = (told(world, place, number, *BOTH) for number in ("CF00000007", "CF00000008"))
    names = [encode(Prefix.EXTERNAL_RECORD, place.record_id(each)) for each in (one, two)]

    def run(*words: str) -> Result:
        wanted = SimpleNamespace(gateway=lambda role: getattr(world, role))
        return CliRunner().invoke(receipt, words, obj=wanted)

    shown = {each["id"]: each for each in json.loads(run("conflicts").output)}
    assert [r["amount"] for r in shown[names[0]]["reports"]] == [150_000, 140_000]
    assert run("decide", names[0], "--accept", "--reason", "the statement").output == "accepted 140000\n"
    assert run("decide", names[1], "--dismiss", "--reason", "a test").output == "dismissed\n"
    world.settle()
    assert [state(world, place, each) for each in (one, two)] == ["suspense", "dismissed"]
    assert isinstance(run("decide", names[0], "--reason", "nothing said").exception, Invalid)
    assert run("decide", names[0], "--accept").exit_code == 2


NEWS = ("answer", "file", "decision", "look")


@settings(same_every_time, max_examples=20)
@given(orders=st.lists(st.sampled_from(NEWS), max_size=6), at_place=st.booleans())
def test_every_order_of_contradicting_news_and_a_decision_ends_in_the_same_books(
    world: World, orders: list[str], at_place: bool
) -> None:
    held = world.float_units(world.rail_float.id)
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    reference = world.reference(payment) if at_place else "nobody"
    number = f"CO{payment['id'][-20:]}"
    tell = RecordMoneyIn(unit=world.worker.units)

    def say(grade: Grade, units: int) -> None:
        one = MoneyIn(
            receipt_namespace=place.rail.capabilities.receipt_namespace,
            receipt_number=number,
            amount=kes(units),
            happened_at=MORNING,
            reference=reference,
        )
        tell(world.livemode, place.line, one, grade)

    # Both are told before anybody looks: what is looked at between them is booked by the first.
    say(*BOTH[0])
    say(*BOTH[1])
    record_id = world.value("SELECT id FROM gateway.external_record WHERE receipt_number = :n", n=number)
    world.settle()
    for word in [*orders, "decision", "look"]:
        if word == "decision":
            settled(world, record_id)
        elif word == "look":
            world.run("money.settle", record_id, place.house)
        else:
            say(*BOTH[word == "file"])
        world.settle()
    assert world.float_units(world.rail_float.id) == held + 140_000
    assert world.see(payment)["amount_received"] == (140_000 if at_place else 0)


def settled(world: World, record_id: object) -> None:
    """Decided, unless it was before."""
    try:
        world.operator.money_in.conflicts.accept(record_id, ACT, livemode=world.livemode)
    except Conflict:
        return
