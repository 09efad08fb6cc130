"""The provider's side of a payout, and what became of it."""

from __future__ import annotations

from gateway.application.interfaces import Json
from gateway.application.reports import News
from gateway.domain.proof import Verdict
from ports.report import Failure, FailureKind, Report, TryAgain
from tests.application.harness import World

LATER = Failure(kind=FailureKind.INSUFFICIENT_FUNDS, provider_code="1", try_again=TryAgain.LATER, after_s=600)


def sent(world: World, amount: int = 50_000) -> Json:
    payout = world.payout(amount)
    world.settle()
    assert world.see(payout)["status"] == "in_transit"
    return payout


def result(world: World, *, place: int = -1) -> None:
    """The provider posts how a payout stands to the URL of its submit."""
    bundle = world.channel.submitted[place]
    world.call_back(world.channel.result(bundle.id), bundle.instructions[0].reply_to)
    world.settle()


def answer(world: World, *, place: int = -1) -> None:
    """The provider answers a question at the question's own URL."""
    question = world.channel.looked_up[place]
    world.call_back(world.channel.answer_to(question), question.reply_to)
    world.settle()


def record(world: World, payout: Json, report: Report, *, place: int = -1) -> Verdict:
    verdict: Verdict = world.worker.payouts.submit.record(
        world.attempt_id(payout, place), News(report=report), world.call
    )
    return verdict


def states(world: World, payout: Json) -> list[str]:
    seen = world.see(payout)
    return [seen["status"], *(a["status"] for a in seen["attempts"])]
