"""Kills under traffic: the plan's payments and payouts run while processes die, then everything is read and judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import judge
from tests.chaos.plan import Plan
from tests.chaos.scene import Scene, a_scene
from tests.chaos.traffic import Made, Traffic, fund
from tests.stack import Receiver, a_receiver
from tests.waiting import eventually

SETTLED_WITHIN_S = 60.0
#: A shop that has waited so long after the last kill asks us to ask.
_IMPATIENT_AFTER_S = 15.0
#: A prompt's failure that no callback told is believed two minutes after the prompt: the world's clock is moved there.
_PROVISIONAL_S = 150
#: Histories are read every ten minutes.
_HISTORY_S = 660

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run's figures. `faults` must be empty; `doubts` are tries that died between the promise and the call."""

    seed: int
    payments: int
    payouts: int
    killed: dict[str, int]
    settled_after_s: float
    doubts: list[str]
    events: int
    faults: list[str]


def run(plan: Plan, folder: Path, say: Say) -> Result:
    """Run a plan from beginning to judgement."""
    name = f"seed-{plan.seed}"
    with a_scene(folder / name, seed=plan.seed) as scene, a_receiver() as receiver:
        scene.stack.shop.post("/v1/webhook_endpoints", {"url": receiver.url})
        fund(scene, name)
        say(f"{name}: {len(plan.payments)} payments, {len(plan.payouts)} payouts, {len(plan.kills)} kills")
        traffic = Traffic(scene, plan, name)
        for kill in plan.kills:
            time.sleep(kill.wait_s)
            scene.kill(kill.victim, away_s=kill.away_s)
        healed = time.monotonic()
        made = traffic.wait()
        verdict, after = _settle(scene, made, healed)
        faults = [*verdict.faults, *verdict.open_, *_judged(scene, receiver)]
        told = f"{len(verdict.doubts)} in doubt, {len(faults)} faults"
        say(f"{name}: money settled {after:.0f} s after the last kill, {told}")
        return Result(
            seed=plan.seed,
            payments=len(made.payments),
            payouts=len(made.payouts),
            killed=dict(scene.killed),
            settled_after_s=after,
            doubts=verdict.doubts,
            events=len(receiver.received),
            faults=faults,
        )


def _settle(scene: Scene, made: Made, healed: float) -> tuple[judge.Verdict, float]:
    """Wait until all that moved is as M-Pesa says, at most so long; then until all that didn't move is."""
    money = _wait(scene, made, healed + SETTLED_WITHIN_S, lambda verdict: verdict.moved_open)
    after = time.monotonic() - healed
    if money.faults or not money.open_:
        return money, after
    # Money whose acknowledgement and callback were both lost is found by the next reading of the provider's history.
    scene.stack.advance(_HISTORY_S if money.moved_open else _PROVISIONAL_S)
    return _wait(scene, made, time.monotonic() + SETTLED_WITHIN_S, lambda verdict: verdict.open_), after


def _wait(scene: Scene, made: Made, until: float, what: Callable[[judge.Verdict], list[str]]) -> judge.Verdict:
    ask_at = time.monotonic() + _IMPATIENT_AFTER_S
    while True:
        verdict = judge.look(scene.stack.shop, scene.stack.control, made)
        if not what(verdict) or verdict.faults or time.monotonic() > until:
            return verdict
        if time.monotonic() > ask_at:
            ask_at = time.monotonic() + _IMPATIENT_AFTER_S
            _ask(scene, verdict)
        time.sleep(0.5)


def _ask(scene: Scene, verdict: judge.Verdict) -> None:
    """A shop asks for news of what is still open."""
    for line in verdict.open_:
        name = line.split(" ", 1)[0]
        noun = "payments" if name.startswith("pay_") else "payouts"
        scene.stack.shop.call("POST", f"/v1/{noun}/{name}/refresh", {})


def _judged(scene: Scene, receiver: Receiver) -> list[str]:
    """Money, books and webhooks; webhooks get the time that their retries need."""
    shop = scene.stack.shop

    def all_told() -> bool:
        assert not judge.judge_webhooks(shop, receiver)
        return True

    with suppress(AssertionError):
        eventually(all_told, within_s=SETTLED_WITHIN_S, every_s=1.0)
    faults = judge.judge_money(shop, scene.stack.control, scene.database) + judge.judge_webhooks(shop, receiver)
    try:
        scene.books()
    except AssertionError as found:
        faults.append(f"ledger check: {found}")
    return faults
