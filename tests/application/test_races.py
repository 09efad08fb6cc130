"""Several at once: confirms, reports, cancels and sends of one object, in threads, on real connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

from gateway.application.commands import Confirmation, NewPayout
from gateway.application.interfaces import Json
from gateway.application.reports import News
from gateway.domain.errors import Busy, Conflict, GatewayError
from ports.report import Failure, FailureKind, Grade, MoneyIn, Report, Status
from tests.application.harness import World, a_phone, id_of, kes


def at_once(*acts: Callable[[], Any]) -> Sequence[Any]:
    """What each of them gave, or the refusal that it met."""

    def run(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except GatewayError as refused:
            return refused

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def recording(world: World, attempt_id: UUID, report: Report) -> Callable[[], object]:
    return lambda: world.worker.payments.record(attempt_id, News(report=report, secret=attempt_id), world.call)


def test_of_ten_confirms_at_once_one_prompts(world: World) -> None:
    payment = world.payment()

    def confirm() -> Json:
        command = Confirmation(payment_id=id_of(payment), method="mpesa", phone=a_phone())
        return world.process("app").payments.confirm(command, world.call)

    answers = at_once(*[confirm] * 10)
    refused = [a for a in answers if isinstance(a, Conflict)]
    assert (len(refused), {r.code for r in refused}) == (9, {"attempt_outcome_unknown"})
    world.settle()
    assert len(world.rail.started) == len(world.see(payment)["attempts"]) == 1


def test_ten_reports_of_one_success_at_once_are_one_receipt(world: World) -> None:
    payment = world.prompted()
    attempt_id = world.attempt_id(payment)
    namespace = world.rail.capabilities.receipt_namespace
    money = MoneyIn(receipt_namespace=namespace, receipt_number="ONE", amount=kes(150_000))
    silent = Report(status=Status.SUCCEEDED, grade=Grade.ANSWER)
    reports = [silent, replace(silent, grade=Grade.FILE, money=(money,)), replace(silent, grade=Grade.SOLICITED)] * 4
    at_once(*[recording(world, attempt_id, report) for report in reports])
    (receipt,) = world.see(payment)["receipts"]
    assert receipt["receipt_number"] in ("ONE", None)
    assert world.balance() == {"available": 147_750}
    assert world.told(payment).count("payment.succeeded") == 1


def test_success_and_failure_at_once_end_in_success(world: World) -> None:
    for _ in range(3):
        payment = world.prompted()
        attempt_id = world.attempt_id(payment)
        paid = Report(status=Status.SUCCEEDED, grade=Grade.ANSWER)
        failed = Report(status=Status.FAILED, grade=Grade.FILE, failure=Failure(kind=FailureKind.WRONG_PIN))
        world.clock.forward(130)
        at_once(*[recording(world, attempt_id, report) for report in (paid, failed) * 3])
        seen = world.see(payment)
        assert (seen["status"], seen["attempts"][0]["status"], len(seen["receipts"])) == ("succeeded", "succeeded", 1)


def test_a_cancel_and_a_send_at_once_have_one_winner(world: World) -> None:
    for _ in range(5):
        payment = world.payment()
        world.confirm(payment)
        attempt_id, sent = world.attempt_id(payment), len(world.rail.started)
        canceled, _ = at_once(
            lambda p=payment: world.web.payments.cancel(id_of(p), world.call),
            lambda a=attempt_id: world.run("attempt.submit", a),
        )
        went_out = len(world.rail.started) > sent
        assert isinstance(canceled, GatewayError) is went_out
        assert world.see(payment)["status"] == ("requires_action" if went_out else "canceled")


def test_a_payout_s_cancel_and_send_at_once_have_one_winner(world: World) -> None:
    world.paid(1_500_000)
    for _ in range(5):
        payout, sent = world.payout(50_000), len(world.channel.submitted)
        canceled, _ = at_once(
            lambda p=payout: world.web.payouts.cancel(id_of(p), world.call),
            lambda p=payout: world.run("payout.submit", id_of(p)),
        )
        went_out = len(world.channel.submitted) > sent
        assert isinstance(canceled, GatewayError) is went_out
        assert world.see(payout)["status"] == ("in_transit" if went_out else "canceled")


def test_ten_workers_at_one_payout_send_it_once(world: World) -> None:
    world.paid()
    payout = world.payout(50_000)
    at_once(*[lambda: world.run("payout.submit", id_of(payout))] * 10)
    assert len(world.channel.submitted) == 1
    assert world.see(payout)["status"] in ("in_transit", "unknown")


def test_ten_workers_at_one_prompt_send_it_once(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)
    attempt_id = world.attempt_id(payment)
    at_once(*[lambda: world.run("attempt.submit", attempt_id)] * 10)
    assert len(world.rail.started) == 1
    world.rail.pay(world.reference(payment))
    world.advance(60)
    assert world.see(payment)["status"] == "succeeded"


def test_two_prompts_paid_at_once_are_one_credit_and_one_overpayment(world: World) -> None:
    payment = world.prompted()
    world.advance(151)
    world.confirm(payment, acknowledge=True)
    world.settle()
    paid = Report(status=Status.SUCCEEDED, grade=Grade.ANSWER)
    at_once(*[recording(world, world.attempt_id(payment, place), paid) for place in (0, 1)])
    assert world.balance() == {"available": 147_750, "overpayments": 150_000}
    assert world.see(payment)["exception_status"] == "duplicate"


def test_of_two_hundred_payouts_of_everything_one_is_accepted(world: World) -> None:
    world.paid(1_000_000)
    everything = world.balance()["available"]
    # The payout's own price is taken beside it.
    amount = everything - 3_000
    amount -= amount % 100
    callers = [world.process("app") for _ in range(8)]

    def ask(place: int) -> Callable[[], Json]:
        command = NewPayout(amount=amount, currency="KES", destination_kind="mpesa_phone", account=a_phone())
        return lambda: callers[place % 8].payouts.create(command, world.call)

    def until_decided(act: Callable[[], Json]) -> Callable[[], Json]:
        def again() -> Json:
            while True:
                try:
                    return act()
                except Busy:
                    continue

        return again

    answers = at_once(*[until_decided(ask(place)) for place in range(200)])
    accepted = [one for one in answers if isinstance(one, dict)]
    refused = [one for one in answers if not isinstance(one, dict)]
    assert (len(accepted), len(refused)) == (1, 199)
    assert {one.code for one in refused} == {"insufficient_funds"}
    assert (world.balance(), everything - amount) == ({"reserved": everything}, 3_000)
    # Every balance that this business's accounts ever had stands beside the leg that made it.
    lowest = world.value(
        "SELECT min(CASE WHEN a.id = l.debit_id THEN l.debit_after ELSE l.credit_after END) FROM ledger.leg l"
        " JOIN ledger.account a ON a.id IN (l.debit_id, l.credit_id) WHERE a.business_id = :b AND a.balance_mode = 'L'",
        b=world.business.id,
    )
    assert lowest is not None
    assert lowest >= 0
    world.settle()
    assert len(world.channel.submitted) == 1
