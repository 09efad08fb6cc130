"""The proof rule from callback and question to state and books: what moves money, and what only raises a question."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.application.interfaces import Json
from gateway.application.reports import News
from gateway.domain.errors import NotFound
from gateway.domain.proof import Verdict
from ports.callback import Door, Incoming
from ports.report import Failure, FailureKind, Grade, MoneyIn, Report, Status
from tests.application.harness import World, id_of, kes

PROMPTED = ["payment.created", "payment.requires_action"]


def record(world: World, payment: Json, report: Report, *, place: int = -1) -> Verdict:
    """News from another door than a callback: a statement, or an answer of our own."""
    return world.worker.payments.record(world.attempt_id(payment, place), News(report=report), world.call)


def money(world: World, units: int, number: str | None, **more: Any) -> tuple[MoneyIn, ...]:
    namespace = world.rail.capabilities.receipt_namespace
    return (MoneyIn(receipt_namespace=namespace, receipt_number=number, amount=kes(units), **more),)


def a_statement(world: World, units: int, number: str | None) -> Report:
    return Report(status=Status.SUCCEEDED, grade=Grade.FILE, money=money(world, units, number))


def called_back(world: World, incoming: Incoming) -> None:
    world.call_back(incoming, world.rail.started[-1].reply_to)
    world.settle()


def verdicts(world: World) -> list[str]:
    """What each callback was found to be worth."""
    sql = "SELECT verdict FROM gateway.provider_callback WHERE business_id = :b ORDER BY id"
    return [row[0] for row in world.rows(sql, b=world.business.id)]


def forged(world: World, payment: Json, *, units: int = 150_000) -> Incoming:
    """A success that somebody made up, while the provider's own word is that it waits."""
    reference = world.reference(payment)
    true = world.rail.of(reference)[-1]
    paid = world.rail.pay(reference, amount=kes(units))
    true.code, true.claims = "waiting", None
    return paid


def test_a_forged_callback_alone_changes_nothing_and_is_kept_as_evidence(world: World) -> None:
    payment = world.prompted()
    before = world.see(payment)
    called_back(world, forged(world, payment))
    world.advance(60)
    after = world.see(payment)
    assert (after["status"], after["amount_received"], after["receipts"]) == ("requires_action", 0, [])
    assert after["version"] == before["version"]
    assert world.told(payment) == PROMPTED
    assert world.balance() == {}
    assert verdicts(world) == ["ask"]
    assert len(world.rail.looked_up) >= 2  # it woke questions, and they decided


def test_a_callback_at_a_wrong_address_is_no_callback(world: World) -> None:
    payment = world.prompted()
    paid = world.rail.pay(world.reference(payment))
    tag, secret = world.rail.started[-1].reply_to.url.split("/")[-2:]
    receive = world.web.use_cases.receive_callback
    for wrong_tag, wrong_secret in ((tag, "0" * 32), ("0" * 8, secret)):
        with pytest.raises(NotFound):
            receive(wrong_tag, wrong_secret, body=paid.body, headers={}, peer="127.0.0.1")
    assert verdicts(world) == []


def test_a_query_s_success_takes_number_and_time_from_the_callback(world: World) -> None:
    payment = world.prompted()
    paid_at = world.now
    world.clock.forward(20)
    called_back(world, world.rail.pay(world.reference(payment), happened_at=paid_at))
    (receipt,) = world.see(payment)["receipts"]
    assert receipt["receipt_number"] == "FK00000001"
    assert receipt["happened_at"] == "2026-11-24T07:30:00.000000Z"
    assert world.balance() == {"available": 147_750}


def test_a_query_s_success_books_without_number_and_the_number_is_filled_in_once(world: World) -> None:
    payment = world.prompted()
    callback = world.rail.pay(world.reference(payment))
    world.advance(30)
    paid = world.see(payment)
    assert paid["status"] == "succeeded"
    assert [r["receipt_number"] for r in paid["receipts"]] == [None]
    booked = world.journals()
    called_back(world, callback)
    named = world.see(payment)
    assert [r["receipt_number"] for r in named["receipts"]] == ["FK00000001"]
    assert world.journals() == booked == ["receipt.booked"]
    assert named["version"] == paid["version"]
    assert world.told(payment).count("payment.succeeded") == 1


def test_a_second_number_for_one_try_is_told_to_a_person_and_changes_nothing(world: World) -> None:
    payment = world.paid()
    record(world, payment, a_statement(world, 150_000, "OTHER1"))
    (receipt,) = world.see(payment)["receipts"]
    assert receipt["receipt_number"] == "FK00000001"
    assert world.journals() == ["receipt.booked"]
    assert world.alerts() == ["receipt_differs"]


def test_a_callback_that_names_another_amount_is_a_conflict_and_books_nothing(world: World) -> None:
    payment = world.prompted(1_000_000)
    called_back(world, world.rail.pay(world.reference(payment), amount=kes(100_000)))
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"], seen["receipts"]) == ("requires_action", "conflict", [])
    assert world.alerts() == ["payment_conflict"]
    world.advance(1_000)  # the query's success can't settle which amount it was
    assert world.see(payment)["exception_status"] == "conflict"
    assert world.balance() == {}
    assert len(world.rail.looked_up) < 20  # it is asked about on the ladder, not for every answer that settles nothing


@pytest.mark.parametrize(
    ("arrived", "status", "exception", "balance"),
    [
        (1_000_000, "succeeded", None, {"available": 985_000}),
        (100_000, "requires_payment_method", "underpaid", {"available": 98_500}),
        (1_200_000, "succeeded", "overpaid", {"available": 985_000, "overpayments": 200_000}),
    ],
)
def test_a_conflict_is_settled_by_strong_news_that_names_the_amount(
    world: World, arrived: int, status: str, exception: str | None, balance: dict[str, int]
) -> None:
    payment = world.prompted(1_000_000)
    called_back(world, world.rail.pay(world.reference(payment), amount=kes(900_000)))
    assert record(world, payment, a_statement(world, arrived, "ST1")) is Verdict.PAID
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"], seen["amount_received"]) == (status, exception, arrived)
    assert world.balance() == balance


def test_a_part_that_came_in_is_the_business_s_and_the_rest_can_be_paid(world: World) -> None:
    payment = world.prompted(1_000_000)
    record(world, payment, a_statement(world, 400_000, "PART1"))
    assert world.told(payment)[-1] == "payment.underpaid"
    world.confirm(payment)
    world.settle()
    assert world.attempt(payment)["amount"] == 600_000
    called_back(world, world.rail.pay(world.reference(payment)))
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"], seen["amount_received"]) == ("succeeded", None, 1_000_000)
    assert world.balance() == {"available": 985_000}
    assert sum(r["fee"] for r in seen["receipts"]) == 15_000


def test_a_query_that_contradicts_the_callback_leaves_the_outcome_unknown(world: World) -> None:
    payment = world.prompted()
    reference = world.reference(payment)
    callback = world.rail.pay(reference)
    world.rail.fail(reference)
    called_back(world, callback)
    world.advance(600)
    seen = world.see(payment)
    assert (seen["status"], seen["outcome_unknown"], seen["attempts"][0]["status"]) == ("processing", True, "unknown")
    assert "payment.attempt_failed" not in world.told(payment)
    assert world.balance() == {}


def test_a_failure_is_provisional_for_two_minutes(world: World) -> None:
    payment = world.prompted()
    world.rail.fail(world.reference(payment))
    world.advance(119)
    assert len(world.rail.looked_up) >= 2
    assert world.see(payment)["last_error"] is None
    assert world.attempt(payment)["status"] == "submitted"
    world.advance(60)
    seen = world.see(payment)
    assert (seen["status"], seen["attempts"][0]["status"]) == ("requires_payment_method", "failed")


def test_a_failure_that_callback_and_query_agree_on_is_proved_at_once(world: World) -> None:
    payment = world.prompted()
    called_back(world, world.rail.fail(world.reference(payment), "wrong_pin"))
    seen = world.see(payment)
    assert (seen["status"], seen["next_action"]) == ("requires_payment_method", None)
    assert seen["last_error"]["code"] == "wrong_pin"
    assert world.told(payment) == [*PROMPTED, "payment.attempt_failed"]
    assert world.due_kinds().keys() == {"payment.expire"}


def test_after_a_proved_failure_the_shopper_tries_again(world: World) -> None:
    payment = world.prompted()
    called_back(world, world.rail.fail(world.reference(payment)))
    world.confirm(payment)
    world.settle()
    called_back(world, world.rail.pay(world.reference(payment)))
    seen = world.see(payment)
    assert seen["status"] == "succeeded"
    assert [a["status"] for a in seen["attempts"]] == ["failed", "succeeded"]
    assert len({a["reference"] for a in seen["attempts"]} | {a["id"] for a in seen["attempts"]}) == 4
    assert world.journals() == ["receipt.booked"]
    assert seen["last_error"] is None


def test_a_proved_success_beats_a_booked_failure(world: World) -> None:
    payment = world.prompted()
    reference = world.reference(payment)
    called_back(world, world.rail.fail(reference))
    assert world.see(payment)["attempts"][0]["status"] == "failed"
    called_back(world, world.rail.pay(reference))
    world.advance(5)
    seen = world.see(payment)
    assert (seen["status"], seen["attempts"][0]["status"], seen["last_error"]) == ("succeeded", "succeeded", None)
    assert world.told(payment)[-2:] == ["payment.attempt_failed", "payment.succeeded"]
    assert world.balance() == {"available": 147_750}


def test_a_success_that_only_a_callback_tells_of_a_failed_try_is_asked_about_and_then_a_person_s(world: World) -> None:
    payment = world.prompted()
    reference = world.reference(payment)
    called_back(world, world.rail.fail(reference))
    asked = len(world.rail.looked_up)
    paid = world.rail.pay(reference)
    world.rail.fail(reference)
    called_back(world, paid)
    world.advance(3_600)
    assert 3 <= len(world.rail.looked_up) - asked <= 6
    assert (world.see(payment)["status"], world.alerts()) == ("requires_payment_method", ["payment_conflict"])
    assert world.told(payment).count("payment.attempt_failed") == 1
    assert "attempt.look_up" not in world.due_kinds()
    called_back(world, world.rail.fail(reference, "wrong_pin"))
    world.advance(3_600)
    assert world.balance() == {}


def test_a_failure_never_undoes_a_success(world: World) -> None:
    payment = world.paid()
    before = world.see(payment)
    called_back(world, world.rail.fail(world.reference(payment)))
    record(world, payment, Report(status=Status.FAILED, grade=Grade.ANSWER, failure=Failure(kind=FailureKind.OTHER)))
    assert world.see(payment)["status"] == before["status"] == "succeeded"
    assert world.balance() == {"available": 147_750}


@pytest.mark.parametrize("names", ["provider_reference", "reference"])
def test_news_of_another_transaction_is_ignored_with_an_alert(world: World, names: str) -> None:
    payment = world.prompted()
    report = replace(a_statement(world, 150_000, "THEIRS1"), **{names: "somebody-else"})
    assert record(world, payment, report) is Verdict.NOTHING
    assert world.see(payment)["status"] == "requires_action"
    assert world.alerts() == ["foreign_report"]
    assert world.balance() == {}


def test_a_callback_meant_for_another_try_moves_neither(world: World) -> None:
    mine, theirs = world.prompted(), world.prompted()
    paid = world.rail.pay(world.reference(theirs))
    world.call_back(paid, world.rail.started[0].reply_to)
    world.settle()
    assert world.see(mine)["status"] == "requires_action"
    assert world.alerts() == ["foreign_report"]


def test_a_receipt_that_is_booked_already_is_the_same_money_told_again(world: World) -> None:
    world.paid()
    other = world.prompted()
    record(world, other, a_statement(world, 150_000, "FK00000001"))
    assert world.see(other)["receipts"] == []
    assert world.see(other)["status"] == "requires_action"
    assert world.alerts() == ["receipt_known"]
    assert world.balance() == {"available": 147_750}


def test_a_number_that_weak_news_gave_wrongly_does_not_stop_proved_money(world: World) -> None:
    world.paid()
    other = world.prompted()
    world.rail.pay(world.reference(other))
    world.rail.of(world.reference(other))[-1].receipt_number = "FK00000001"
    called_back(world, world.rail.callback(world.reference(other)))
    seen = world.see(other)
    assert seen["status"] == "succeeded"
    assert [r["receipt_number"] for r in seen["receipts"]] == [None]
    assert world.alerts() == ["receipt_number_taken"]
    assert world.balance() == {"available": 2 * 147_750}


def test_two_weak_reports_of_a_booked_receipt_prove_no_second_one(world: World) -> None:
    """Two doors that agree prove that receipt, and it is booked: not another one beside it."""
    world.paid()
    other = world.prompted()
    weak = replace(a_statement(world, 150_000, "FK00000001"), grade=Grade.SOLICITED)
    for secret in (id_of(other), id_of(world.attempt(other))):
        world.worker.payments.record(world.attempt_id(other), News(report=weak, secret=secret), world.call)
    assert world.see(other)["receipts"] == []
    assert world.balance() == {"available": 147_750}
    assert world.alerts() == ["receipt_known"]


def test_two_weak_reports_by_different_secrets_that_agree_prove_a_payment(world: World) -> None:
    payment = world.prompted()
    weak = Report(status=Status.SUCCEEDED, grade=Grade.SOLICITED, money=money(world, 150_000, "TWO1"))
    attempt_id = world.attempt_id(payment)
    said = [
        world.worker.payments.record(attempt_id, News(report=weak, secret=secret), world.call)
        for secret in (id_of(payment), id_of(payment), attempt_id)
    ]
    assert said == [Verdict.ASK, Verdict.ASK, Verdict.PAID]
    assert [r["receipt_number"] for r in world.see(payment)["receipts"]] == ["TWO1"]


def test_an_acknowledgement_settles_what_a_callback_claimed_to_be_the_provider_s_reference(world: World) -> None:
    """Somebody's callback came first and named another transaction: the provider's own answer is right."""
    payment = world.payment()
    world.confirm(payment)

    def during(collection: Any) -> None:
        world.rail.during = None
        world.rail.pay(collection.reference)
        body = b'{"id": "not-ours", "code": "waiting"}'
        world.call_back(Incoming(body=body, door=Door.CALL), collection.reply_to)
        world.settle()

    world.rail.during = during
    world.settle()
    assert world.attempt(payment)["status"] == "submitted"
    world.advance(60)
    assert world.see(payment)["status"] == "succeeded"


def test_every_callback_wakes_a_question_also_long_after_the_ladder(world: World) -> None:
    payment = world.prompted()
    early = world.rail.fail(world.reference(payment))
    world.rail.of(world.reference(payment))[-1].code = "waiting"
    called_back(world, early)
    world.advance(3_600)
    asked = len(world.rail.looked_up)
    called_back(world, world.rail.pay(world.reference(payment)))
    assert len(world.rail.looked_up) == asked + 1
    assert world.see(payment)["status"] == "succeeded"


def test_an_unreadable_callback_stays_evidence(world: World) -> None:
    payment = world.prompted()
    called_back(world, Incoming(body=b"{", door=Door.CALL))
    called_back(world, Incoming(body=b"{", door=Door.CALL))  # the same bytes are kept once
    assert verdicts(world) == ["unreadable"]
    assert world.see(payment)["status"] == "requires_action"
