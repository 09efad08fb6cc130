"""The provider takes back money that is nobody's: it leaves suspense once, and follows its receipt to its owner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.application.interfaces import Json
from gateway.application.money_in import RecordMoneyIn
from gateway.application.refunds import NewRefund
from gateway.application.reversals import ReversalOutcome
from gateway.domain.errors import Conflict, Invalid
from gateway.domain.ids import Prefix, encode
from gateway.domain.reversals import SeenReversal
from ports.report import Grade, MoneyIn
from ports.statement import LineKind
from tests.application.harness import ACT, World, id_of, kes
from tests.application.places import Place
from tests.application.statement_files import Files, collection, line
from tests.application.test_order_of_news import same_every_time
from tests.fakes.context import MORNING
from tests.fakes.places import till

UNITS = 150_000


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


def taken_back(world: World, one: MoneyIn, number: str, units: int = UNITS) -> ReversalOutcome:
    """A statement's line says so."""
    seen = SeenReversal(
        namespace=one.receipt_namespace,
        receipt_number=one.receipt_number or "",
        reversal_number=number,
        amount=kes(units),
        happened_at=MORNING,
        grade=Grade.FILE,
    )
    outcome = world.worker.refunds.record_reversal(seen, livemode=world.livemode)
    world.settle()
    return outcome


def in_suspense(world: World) -> int:
    """What the books hold there, of this world's float."""
    path = f"suspense:{encode(Prefix.FLOAT, world.rail_float.id)}"
    lines = world.operator.use_cases.ledger.trial_balance(livemode=world.livemode)
    return sum(one.balance for one in lines if one.path == path)


def test_money_in_suspense_that_was_taken_back_leaves_it_once(world: World, place: Place) -> None:
    one = place.proved(UNITS, "somebody")
    (loose,) = place.loose()
    assert in_suspense(world) == UNITS
    told = [taken_back(world, one, "RS1") for _ in range(3)]
    assert told == [ReversalOutcome.BOOKED, ReversalOutcome.KNOWN, ReversalOutcome.KNOWN]
    assert (in_suspense(world), world.float_units(world.rail_float.id)) == (0, 0)
    assert place.loose() == []
    with pytest.raises(Conflict) as refused:
        world.operator.money_in.receipts.to_payment(id_of(loose), id_of(world.payment()), ACT)
    assert refused.value.code == "receipt_reversed"


def test_a_statement_s_reversal_of_money_in_suspense_settles_both_lines(world: World) -> None:
    files = Files(world)
    back = line(LineKind.REVERSAL, "SU00000002", UNITS, original_receipt="SU00000001")
    shown = files.import_lines(collection("SU00000001"), back)
    world.advance(100)
    assert files.outcomes(shown) == ["reversed", "matched"]
    assert files.alerts(shown) == []
    assert files.lines(shown, unmatched=True) == []
    receipt = world.value("SELECT id FROM gateway.receipt WHERE float_id = :f", f=files.float_id)
    assert [one["matched"] for one in files.lines(shown)] == [encode(Prefix.RECEIPT, receipt)] * 2
    assert (in_suspense(world), world.float_units(files.float_id)) == (0, 0)


def test_what_is_assigned_after_a_part_was_taken_back_is_owed_so_far(world: World, place: Place) -> None:
    one = place.proved(UNITS, "somebody")
    taken_back(world, one, "RS3", 50_000)
    (loose,) = place.loose()
    assert loose["amount_reversed"] == 50_000
    payment = world.payment()
    world.operator.money_in.receipts.to_payment(id_of(loose), id_of(payment), ACT)
    world.settle()
    (receipt,) = world.see(payment)["receipts"]
    assert (receipt["amount"], receipt["amount_reversed"]) == (UNITS, 50_000)
    assert world.balance() == {"available": 97_750}
    assert in_suspense(world) == 0
    assert "payment_reversed" in world.alerts()
    assert world.told(payment)[-1] == "payment.reversed"


def test_a_business_that_assigns_it_itself_owes_it_too(world: World, place: Place) -> None:
    one = place.proved(UNITS, f"{world.business.shop_tag}-WRONG1")
    taken_back(world, one, "RS4", 50_000)
    (loose,) = place.loose()
    payment = world.payment()
    shown = world.web.use_cases.receipts.assign(id_of(loose), id_of(payment), world.call)
    world.settle()
    assert shown["amount_reversed"] == 50_000
    assert world.balance() == {"available": 97_750}
    with pytest.raises(Invalid, match="100000 minor units are left"):
        world.web.refunds.create(NewRefund(payment_id=id_of(payment), amount=UNITS), world.call)


NEWS = ("callback", "history", "statement", "reversal", "query")


def told_in(world: World, place: Place, news: list[str]) -> Json:
    """A prompt that was paid, and taken back; the place's rows of it bear no reference."""
    payment = world.prompted(UNITS)
    told = world.rail.pay(world.reference(payment))
    number = world.rail.of(world.reference(payment))[-1].receipt_number
    one = place.rail.paid(UNITS, None, number=number)
    record = RecordMoneyIn(unit=world.worker.units)
    reply_to = world.rail.started[-1].reply_to

    def stated() -> None:
        record(world.livemode, place.line, one, Grade.FILE)
        world.settle()

    say: dict[str, Callable[[], object]] = {
        "callback": lambda: world.call_back(told, reply_to),
        "query": lambda: world.run("attempt.look_up", world.attempt_id(payment)),
        "history": place.pull,
        "statement": stated,
        "reversal": lambda: taken_back(world, one, f"RV-{number}"),
    }
    for word in news:
        say[word]()
        world.settle()
        world.clock.forward(3)
    say["callback"]()
    say["query"]()
    stated()
    assert taken_back(world, one, f"RV-{number}") in (ReversalOutcome.BOOKED, ReversalOutcome.KNOWN)
    world.advance(70)
    return payment


@settings(same_every_time, max_examples=25)
@given(news=st.lists(st.sampled_from(NEWS), max_size=5))
@example(news=["reversal", "history", "reversal", "query"])
@example(news=["callback", "query", "reversal", "history"])
def test_every_order_of_a_reversal_and_the_news_of_its_payment_ends_in_the_same_books(
    world: World, news: list[str]
) -> None:
    world.forget_open_work()
    check(world, news)


def test_a_prompt_that_claims_money_out_of_suspense_owes_what_was_taken_back_of_it_there(world: World) -> None:
    assert check(world, ["history", "reversal", "callback", "query"], Place(world)) == ["receipt.assigned"]


def check(world: World, news: list[str], place: Place | None = None) -> list[str]:
    """Tell it, and hold the books against what they must say; gives how the receipt came to the business."""
    before = (world.balance(), world.float_units(world.rail_float.id), in_suspense(world))
    payment = told_in(world, place or Place(world, till()), news)
    shown = world.see(payment)
    assert (shown["status"], shown["amount_received"]) == ("succeeded", UNITS)
    assert [(r["amount"], r["amount_reversed"]) for r in shown["receipts"]] == [(UNITS, UNITS)]
    # The fee stays earned, so the business is left owing it; everything else is as it was.
    balance, fee = world.balance(), 2_250
    assert net(balance) == net(before[0]) - fee
    assert (world.float_units(world.rail_float.id), in_suspense(world)) == before[1:]
    key = f"reversal:fake-{world.number}:RV-{shown['receipts'][0]['receipt_number']}:booked"
    assert world.value("SELECT count(*) FROM ledger.journal WHERE idem_key = :k", k=key) == 1
    return [type_ for type_ in world.told(shown["receipts"][0]) if type_ != "receipt.received"]


def net(balance: dict[str, int]) -> int:
    """What the business has, less what it owes."""
    return balance.get("available", 0) - balance.get("owed", 0)


@settings(same_every_time, max_examples=20)
@given(orders=st.lists(st.sampled_from(("confirmation", "answer", "history", "statement", "reversal")), max_size=7))
def test_every_order_of_nobody_s_money_and_its_reversal_leaves_nothing(world: World, orders: list[str]) -> None:
    place = Place(world)
    held = world.float_units(world.rail_float.id)
    one = place.rail.paid(70_000, "nobody", number=encode(Prefix.PAYMENT, world.operator.desk.new_id()))
    record = RecordMoneyIn(unit=world.worker.units)

    def stated() -> None:
        record(world.livemode, place.line, one, Grade.FILE)
        world.settle()

    say: dict[str, Callable[[], object]] = {
        "confirmation": lambda: place.announce(one),
        "answer": lambda: place.answer(one),
        "history": place.pull,
        "statement": stated,
        "reversal": lambda: taken_back(world, one, f"RV-{one.receipt_number}", 70_000),
    }
    for word in [*orders, "history", "reversal", "statement"]:
        say[word]()
        world.clock.forward(3)
    assert (in_suspense(world), world.float_units(world.rail_float.id)) == (0, held)
    assert place.loose() == []
