"""Workers that die at every boundary of a payment's and a payout's path: one effect, and the next worker converges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.application.commands import ListQuery
from gateway.application.interfaces import Json
from ports.payment_rail import Collection
from ports.payout_channel import Bundle
from tests.application.harness import World
from tests.application.processes import Doom, Killed

#: Each point of a worker's path, and how often it lies on it: send, weigh the callback, ask. A payout is asked about
#: for as long as nobody answers; the first two questions stand for all.
PAY_IN = {"before_commit": 5, "after_commit": 5, "before_call": 2, "after_call": 2}
PAY_OUT = {"before_commit": 8, "after_commit": 8, "before_call": 3, "after_call": 3}
#: `submitting` was committed and the call never made. Nobody can know that: it is unknown, and never sent again.
UNSENT = {("after_commit", 1), ("before_call", 1)}


def boundaries(points: dict[str, int]) -> list[tuple[str, int]]:
    return [(point, n + 1) for point, times in points.items() for n in range(times)]


def doomed(world: World, point: str, times: int) -> bool:
    """Work with a process that dies at that point; another takes over. Gives whether it died at all."""
    world.doom.point, world.doom.times = point, times
    world.worker.doors.worker.close()
    world.worker = world.process("worker", doom=world.doom)
    try:
        world.settle()
        world.advance(65)
    except Killed:
        died = True
    else:
        died = False
    world.doom.point = ""
    world.replace_worker()
    return died


@pytest.fixture
def rail_answers(world: World) -> Iterator[None]:
    """The shopper pays the moment that the prompt is there; the callback comes while the call is on its way."""

    def during(collection: Collection) -> None:
        paid = world.rail.pay(collection.reference)
        world.call_back(paid, collection.reply_to)

    world.rail.during = during
    yield
    world.rail.during = None


@pytest.mark.usefixtures("rail_answers")
@pytest.mark.parametrize(("point", "times"), boundaries(PAY_IN))
def test_a_payment_survives_its_worker(world: World, point: str, times: int) -> None:
    payment = world.payment()
    world.confirm(payment)
    died = doomed(world, point, times)
    world.advance(300)
    seen = world.see(payment)
    if (point, times) in UNSENT:
        assert len(world.rail.tries) == 0
        assert (seen["status"], seen["outcome_unknown"], seen["receipts"]) == ("processing", True, [])
        assert world.balance() == {}
    else:
        assert [one.code for one in world.rail.tries] == ["paid"]
        assert (seen["status"], [r["receipt_number"] for r in seen["receipts"]]) == ("succeeded", ["FK00000001"])
        assert world.balance() == {"available": 147_750}
        assert world.told(payment).count("payment.succeeded") == 1
    assert len(world.rail.started) <= 1
    assert len(seen["attempts"]) == 1
    assert world.alerts() == []
    assert died


def test_the_boundaries_reach_the_end_of_the_path(world: World) -> None:
    """What is tried above is all there is: the last number of each point is past the end."""
    world.rail.during = lambda c: world.call_back(world.rail.pay(c.reference), c.reply_to)
    for point, times in PAY_IN.items():
        payment = world.payment()
        world.confirm(payment)
        assert not doomed(world, point, times + 1)
        assert world.see(payment)["status"] == "succeeded"


@pytest.mark.parametrize(("point", "times"), boundaries(PAY_OUT))
def test_a_payout_survives_its_worker(world: World, point: str, times: int) -> None:
    world.paid()
    channel = world.channel

    def during(bundle: Bundle) -> None:
        world.call_back(channel.pay(bundle.id), bundle.instructions[0].reply_to)

    channel.during = during
    payout = world.payout(50_000)
    died = doomed(world, point, times)
    world.advance(100)
    answer_all(world)
    seen = world.see(payout)
    # The provider refuses a reference that it knows: what was lost is sent once more, after a question.
    assert len(channel.submitted) <= 2
    assert (len(channel.submitted) == 2) <= (len(channel.looked_up) >= 1)
    assert [one.code for one in channel.taken] == ["paid"]
    assert seen["status"] == "paid"
    assert world.balance() == {"available": 94_750}
    assert world.told(payout).count("payout.paid") == 1
    assert len(seen["attempts"]) == 1
    assert world.alerts() == []
    assert died


def answer_all(world: World) -> None:
    """The provider answers every question that was put to it."""
    for question in world.channel.looked_up:
        world.call_back(world.channel.answer_to(question), question.reply_to)
    world.settle()


def test_a2_a_worker_killed_while_the_provider_takes_its_time_prompts_once(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)
    assert doomed(world, "after_call", 1)
    world.settle()
    seen = world.see(payment)
    assert (seen["attempts"][0]["status"], seen["outcome_unknown"]) == ("unknown", True)
    world.advance(200)
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    assert world.see(payment)["status"] == "succeeded"
    assert len(world.rail.started) == len(world.rail.tries) == 1


def test_an_unknown_prompt_that_cannot_be_asked_about_waits_for_news(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)
    assert doomed(world, "after_call", 1)
    world.advance(600)
    assert world.rail.looked_up == []  # the rail is asked by its own reference, and that was lost
    assert world.see(payment)["status"] == "processing"


def test_web_that_dies_before_its_commit_left_nothing(world: World) -> None:
    world.web = world.process("app", doom=Doom("before_commit", 1))
    with pytest.raises(Killed):
        world.payment()
    assert world.told() == []
    assert world.web.payments.read.page(ListQuery(), world.call)["data"] == []


def test_a_callback_that_was_stored_is_weighed_by_whoever_comes_next(world: World) -> None:
    payment = world.prompted()
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    assert doomed(world, "before_commit", 1)
    world.settle()
    assert world.see(payment)["status"] == "succeeded"


def test_a_slow_worker_s_answer_counts_after_it_was_taken_for_dead(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)
    seen: list[Json] = []

    def during(_: Collection) -> None:
        world.run("attempt.submit", world.attempt_id(payment))
        seen.append(world.see(payment))

    world.rail.during = during
    world.settle()
    assert [(s["attempts"][0]["status"], s["outcome_unknown"]) for s in seen] == [("unknown", True)]
    after = world.see(payment)
    assert (after["attempts"][0]["status"], after["outcome_unknown"]) == ("submitted", False)
    assert len(world.rail.started) == 1


def test_an_answer_that_comes_after_the_window_does_not_block_again(world: World) -> None:
    payment = world.payment()
    world.confirm(payment)

    def during(_: Collection) -> None:
        world.clock.forward(400)
        world.run("attempt.submit", world.attempt_id(payment))

    world.rail.during = during
    world.settle()
    seen = world.see(payment)
    assert (seen["attempts"][0]["status"], seen["outcome_unknown"]) == ("unknown", True)
    world.rail.pay(world.reference(payment))
    world.advance(60)  # its reference is known now, so the provider can be asked
    assert world.see(payment)["status"] == "succeeded"
