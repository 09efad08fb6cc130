"""What each error of a port leads to: exactly the table of the ports page, for prompts and for payouts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.errors import Busy
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain
from tests.application.harness import ACT, World, id_of
from tests.application.processes import InterruptedChannel, InterruptedRail
from tests.fakes.channel import FakeChannel
from tests.fakes.rail import FakeRail

BROKE = Failure(kind=FailureKind.INSUFFICIENT_FUNDS, provider_code="1")
NOBODY = Failure(kind=FailureKind.DESTINATION_INVALID, provider_code="2040", try_again=TryAgain.NEVER)
SET_UP = Failure(kind=FailureKind.SET_UP, provider_code="21", try_again=TryAgain.NEVER)


@dataclass(frozen=True, kw_only=True)
class Row:
    """An error, and what must be so at once and after a day in which the provider says no more."""

    error: Exception
    attempt: str
    payment: str
    payout: str
    sends: int
    paused: bool = False
    alert: tuple[str, ...] = ()


TABLE = {
    "Refused": Row(
        error=Refused(NOBODY), attempt="failed", payment="requires_payment_method", payout="failed", sends=1
    ),
    "NotSent": Row(
        error=NotSent("no connection", retry_after_s=7),
        attempt="created",
        payment="requires_action",
        payout="queued",
        sends=2,
    ),
    "OutcomeUnknown": Row(
        error=OutcomeUnknown("silence"), attempt="unknown", payment="requires_action", payout="unknown", sends=1
    ),
    "AlreadyTaken": Row(
        error=AlreadyTaken("known", provider_reference="fake-1"),
        attempt="unknown",
        payment="requires_action",
        payout="unknown",
        sends=1,
    ),
    "Misconfigured": Row(
        error=Misconfigured("the certificate has expired"),
        attempt="created",
        payment="requires_action",
        payout="queued",
        sends=1,
        paused=True,
        alert=("connection_paused",),
    ),
    "a fault of the adapter": Row(
        error=KeyError("a bug"), attempt="unknown", payment="requires_action", payout="unknown", sends=1
    ),
}


def state_of(world: World, connection_id: object) -> str:
    return str(world.value("SELECT state FROM gateway.connection WHERE id = :id", id=connection_id))


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_prompt_s_error_leads_where_the_table_says(world: World, row: Row) -> None:
    payment = world.payment()
    world.rail.on_start(row.error)
    world.confirm(payment)
    world.settle()
    seen = world.see(payment)
    assert (seen["status"], seen["attempts"][0]["status"]) == (row.payment, row.attempt)
    assert seen["outcome_unknown"] is (row.attempt == "unknown")
    assert state_of(world, world.rail_line.id) == ("paused" if row.paused else "active")
    assert tuple(world.alerts()) == row.alert
    world.advance(20)
    assert len(world.rail.started) == row.sends
    world.advance(600)
    assert len(world.rail.started) == row.sends
    assert len({c.reference for c in world.rail.started}) == 1
    assert len(world.see(payment)["attempts"]) == 1  # no error makes another try by itself


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_a_payout_s_error_leads_where_the_table_says(world: World, row: Row) -> None:
    world.paid()
    world.channel.on_submit(row.error)
    payout = world.payout(50_000)
    world.settle()
    seen = world.see(payout)
    assert (seen["status"], seen["attempts"][0]["status"]) == (row.payout, row.attempt)
    assert state_of(world, world.channel_line.id) == ("paused" if row.paused else "active")
    assert tuple(world.alerts()) == row.alert
    held = {"available": 147_750} if row.payout == "failed" else {"available": 94_750, "reserved": 53_000}
    assert world.balance() == held
    world.advance(20)
    assert len(world.channel.submitted) == row.sends
    world.advance(600)
    assert len(world.channel.submitted) == row.sends
    assert len({b.id for b in world.channel.submitted}) == 1


def test_not_sent_goes_out_again_under_the_same_reference_after_the_asked_wait(world: World) -> None:
    payment = world.payment()
    world.rail.on_start(NotSent("spike arrest", retry_after_s=40), NotSent("spike arrest", retry_after_s=40))
    world.confirm(payment)
    world.settle()
    assert world.attempt(payment)["submitted_at"] is None
    assert world.due_kinds()["attempt.window"] == world.now + timedelta(seconds=90), "until then it may still go out"
    world.advance(39)
    assert len(world.rail.started) == 1
    world.advance(42)
    assert len(world.rail.started) == 3
    assert world.attempt(payment)["status"] == "submitted"
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    assert world.see(payment)["status"] == "succeeded"


def test_a_paused_connection_sends_nothing_until_a_person_resumes_it(world: World) -> None:
    world.rail.trusted = False
    payment = world.payment()
    world.confirm(payment)
    world.advance(3_000)
    assert world.rail.calls == 1  # no loop that would lock the operator's account
    with pytest.raises(Busy) as refused:
        world.confirm(world.payment())
    assert refused.value.code == "rail_unavailable"
    # Its shopper has long gone: it failed when its time was over, and the resumed connection prompts nobody late.
    seen = world.see(payment)
    assert (seen["status"], seen["last_error"]["code"]) == ("requires_payment_method", "rail_unavailable")
    assert "attempt.submit" not in world.due_kinds()
    world.rail.trusted = True
    world.operator.desk.resume_connection(world.rail_line.id, ACT)
    world.advance(200)
    assert world.rail.calls == 1
    world.confirm(payment)
    world.settle()
    assert world.attempt(payment)["status"] == "submitted"
    assert len(world.rail.tries) == 1


def test_a_prompt_of_a_connection_that_is_resumed_in_time_goes_out(world: World) -> None:
    world.rail.trusted = False
    payment = world.payment()
    world.confirm(payment)
    world.advance(40)
    world.rail.trusted = True
    world.operator.desk.resume_connection(world.rail_line.id, ACT)
    world.advance(31)
    assert world.attempt(payment)["status"] == "submitted"
    assert len(world.rail.tries) == 1


def test_a_paused_channel_keeps_payouts_waiting_and_takes_new_ones(world: World) -> None:
    world.paid()
    world.channel.trusted = False
    first = world.payout(20_000)
    world.advance(100)
    second = world.payout(10_000)
    world.advance(100)
    assert world.channel.calls == 1
    assert [world.see(p)["waiting_for"] for p in (first, second)] == ["channel_unavailable"] * 2
    world.channel.trusted = True
    world.operator.desk.resume_connection(world.channel_line.id, ACT)
    world.advance(60)
    assert [world.see(p)["status"] for p in (first, second)] == ["in_transit"] * 2
    assert len(world.channel.taken) == 2


def test_a_failure_of_our_set_up_pauses_the_rail(world: World) -> None:
    payment = world.prompted()
    world.call_back(world.rail.fail(world.reference(payment), "set_up"), world.rail.started[-1].reply_to)
    world.settle()
    assert world.attempt(payment)["status"] == "failed"
    assert state_of(world, world.rail_line.id) == "paused"
    assert world.alerts() == ["connection_paused"]


def test_a_payout_that_failed_for_our_set_up_waits_for_the_resumed_channel(world: World) -> None:
    world.paid()
    world.channel.on_submit(Refused(SET_UP))
    payout = world.payout(50_000)
    world.advance(120)
    seen = world.see(payout)
    assert (seen["status"], [a["status"] for a in seen["attempts"]]) == ("queued", ["failed"])
    assert state_of(world, world.channel_line.id) == "paused"
    world.operator.desk.resume_connection(world.channel_line.id, ACT)
    world.advance(60)
    seen = world.see(payout)
    assert (seen["status"], [a["status"] for a in seen["attempts"]]) == ("in_transit", ["failed", "in_transit"])
    assert len({a["reference"] for a in seen["attempts"]}) == 2


def test_a_start_that_is_answered_with_a_failure_is_a_refusal(world: World) -> None:
    payment = world.payment()
    world.rail.on_start(Report(status=Status.FAILED, grade=Grade.ANSWER, failure=BROKE))
    world.confirm(payment)
    world.settle()
    seen = world.see(payment)
    assert (seen["status"], seen["last_error"]["code"]) == ("requires_payment_method", "insufficient_funds")


def test_a_submit_that_is_answered_with_a_failure_is_a_refusal(world: World) -> None:
    world.paid()
    world.channel.on_submit(Report(status=Status.FAILED, grade=Grade.ANSWER, failure=NOBODY))
    payout = world.payout()
    world.settle()
    assert world.see(payout)["status"] == "failed"
    assert world.balance() == {"available": 147_750}


@pytest.mark.parametrize(
    "error",
    [NotSent("no"), OutcomeUnknown("silence"), Refused(BROKE), AlreadyTaken("?"), KeyError("a bug")],
    ids=lambda error: type(error).__name__,
)
def test_a_question_without_an_answer_is_no_news_and_is_asked_again(world: World, error: Exception) -> None:
    world.paid()
    payment, payout = world.prompted(), world.payout()
    world.settle()
    world.rail.pay(world.reference(payment))
    world.rail.on_look_up(error)
    world.channel.on_look_up(error)
    world.advance(31)
    assert (world.attempt(payment)["status"], world.attempt(payout)["status"]) == ("submitted", "in_transit")
    world.advance(100)
    assert world.see(payment)["status"] == "succeeded"
    assert len(world.channel.looked_up) >= 2


def test_a_question_that_finds_our_set_up_wrong_pauses_the_line_and_asks_on_when_it_is_resumed(world: World) -> None:
    world.paid()
    payment, payout = world.prompted(), world.payout()
    world.settle()
    world.rail.on_look_up(Misconfigured("the password has expired"))
    world.channel.on_look_up(Misconfigured("the password has expired"))
    world.advance(31)
    assert state_of(world, world.rail_line.id) == state_of(world, world.channel_line.id) == "paused"
    assert (world.attempt(payment)["status"], world.attempt(payout)["status"]) == ("submitted", "in_transit")
    world.rail.pay(world.reference(payment))
    asked = (len(world.rail.looked_up), len(world.channel.looked_up))
    world.advance(300)
    assert (len(world.rail.looked_up), len(world.channel.looked_up)) == asked, "questions would lock the account"
    assert world.see(payment)["status"] == "processing"
    world.operator.desk.resume_connection(world.rail_line.id, ACT)
    world.advance(60)
    assert world.see(payment)["status"] == "succeeded"


def test_a_question_that_was_refused_for_our_set_up_tells_a_person(world: World) -> None:
    world.paid()
    payout = world.payout()
    world.settle()
    world.channel.on_look_up(Report(status=Status.NO_NEWS, grade=Grade.ANSWER, failure=SET_UP))
    world.advance(31)
    assert world.alerts() == ["connection_paused"]
    assert world.see(payout)["status"] == "in_transit"


def test_an_adapter_that_cannot_be_built_has_sent_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault before the first byte is as NotSent: nothing is in doubt, and it goes out once the adapter is whole."""
    world.paid()
    payment = world.payment()
    with monkeypatch.context() as broken:
        for lines in (world.worker.lines,):
            broken.setattr(type(lines), "_line", broken_build)
        world.confirm(payment)
        payout = world.payout()
        world.settle()
        assert (world.attempt(payment)["status"], world.see(payment)["outcome_unknown"]) == ("created", False)
        assert (world.see(payout)["status"], world.attempt(payout)["status"]) == ("queued", "created")
    world.advance(60)
    assert (world.attempt(payment)["status"], world.attempt(payout)["status"]) == ("submitted", "in_transit")


def broken_build(*_: object) -> None:
    raise TypeError("a bug in the plugin's build")


@pytest.mark.parametrize("late", ["callback", "statement"])
def test_what_was_put_back_and_went_out_after_all_is_not_sent_again(world: World, late: str) -> None:
    """The adapter said "not sent", and the provider has it: whoever heard so must not prompt twice."""
    payment = world.payment()
    world.rail.on_start(NotSent("no connection", retry_after_s=60))
    world.confirm(payment)
    world.settle()
    taken_after_all(world)
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    assert world.see(payment)["status"] == "succeeded"
    world.advance(600)
    assert len(world.rail.started) == 1


def taken_after_all(world: World) -> None:
    """The provider took what it was asked last."""
    FakeRail.start(world.rail, world.rail.started[-1])
    del world.rail.started[-1]


def test_news_that_came_while_a_call_was_found_not_sent_keeps_it_from_being_sent_again(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)

    def during(collection: object) -> None:
        world.rail.during = None
        taken_after_all(world)
        world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
        world.settle()
        world.rail.reachable = False

    world.rail.during = during
    world.rail.on_start(NotSent("said too much"))
    world.settle()
    world.rail.reachable = True
    world.advance(600)
    assert len(world.rail.started) == 1
    assert world.see(payment)["status"] == "succeeded"


def test_a_payout_that_was_put_back_and_went_out_after_all_is_not_sent_again(world: World) -> None:
    world.paid()
    world.channel.on_submit(NotSent("no connection", retry_after_s=60))
    payout = world.payout()
    world.settle()
    bundle = world.channel.submitted[-1]
    FakeChannel.submit(world.channel, bundle)
    del world.channel.submitted[-1]
    world.call_back(world.channel.pay(bundle.id), bundle.instructions[0].reply_to)
    world.settle()
    assert world.see(payout)["status"] == "unknown"
    world.advance(600)
    assert len(world.channel.submitted) == 1
    question = world.channel.looked_up[-1]
    world.call_back(world.channel.answer_to(question), question.reply_to)
    world.settle()
    assert world.see(payout)["status"] == "paid"
    assert world.balance() == {"available": 94_750}


def test_a_payout_s_news_that_came_while_its_call_was_found_not_sent_keeps_it_from_being_sent_again(
    world: World,
) -> None:
    world.paid()
    payout = world.payout()

    def during(bundle: object) -> None:
        world.channel.during = None
        sent = world.channel.submitted[-1]
        FakeChannel.submit(world.channel, sent)
        del world.channel.submitted[-1]
        world.call_back(world.channel.pay(sent.id), sent.instructions[0].reply_to)
        world.settle()

    world.channel.during = during
    world.channel.on_submit(NotSent("said too much"))
    world.settle()
    world.advance(600)
    assert len(world.channel.submitted) == 1
    assert world.see(payout)["status"] == "unknown"


def written_twice(world: World, line: InterruptedRail | InterruptedChannel) -> Callable[[Callable[[], Any]], Any]:
    """A lost connection leaves open whether the writing was committed: it is done again, while the next send runs."""

    def insist(write: Callable[[], Any]) -> Any:
        def again(_: object) -> None:
            line.during = None
            write()

        written = write()
        line.during = again
        world.advance(40)
        return written

    return insist


def test_a_prompt_put_back_twice_undoes_no_later_send(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)
    world.rail.on_start(NotSent("no connection"))
    replace(world.worker.payments.submit, insist=written_twice(world, world.rail))(
        world.attempt_id(payment), world.call
    )
    assert world.attempt(payment)["status"] == "submitted"
    world.advance(300)
    assert len(world.rail.started) == 2


def test_a_payout_put_back_twice_undoes_no_later_send(world: World) -> None:
    world.paid()
    payout = world.payout()
    world.channel.on_submit(NotSent("no connection"))
    replace(world.worker.payouts.submit, insist=written_twice(world, world.channel))(id_of(payout), world.call)
    assert world.see(payout)["status"] == "in_transit"
    world.advance(300)
    assert len(world.channel.submitted) == 2
