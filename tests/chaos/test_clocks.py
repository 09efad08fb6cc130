"""The clock of the workers' and the relay's host jumps, both ways and by days, while a shop sells."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import judge
from tests.chaos.plan import Order
from tests.chaos.scene import Scene, a_scene
from tests.chaos.traffic import Made, fund, pay_in, pay_out
from tests.waiting import eventually

pytestmark = pytest.mark.deep

_HOUR = 3_600


@pytest.fixture(scope="module")
def host(scratch: Path) -> Iterator[tuple[Scene, Path]]:
    """An installation whose worker and relay run where the file says how wrong the clock is."""
    with a_scene(scratch / "clocks", seed=41) as scene:
        skew = scratch / "clocks" / "skew"
        _jump(skew, 0)
        for name in ("worker", "relay"):
            scene.stack.kill(name)
            scene.stack.start(name, module="tests.chaos.skewed", SKEW_FILE=str(skew))
        fund(scene, "clocks")
        yield scene, skew


def _jump(skew: Path, seconds: int) -> None:
    fresh = skew.with_suffix(".new")
    fresh.write_text(str(seconds))
    fresh.rename(skew)


@pytest.mark.parametrize("jump", [-48 * _HOUR, -60, 60, 2 * _HOUR])
def test_a_jump_loses_nothing_and_doubles_nothing(host: tuple[Scene, Path], jump: int) -> None:
    scene, skew = host
    run = f"clock{jump}"
    made = Made(payments={}, payouts={})
    for n in range(6):
        if n == 2:
            _jump(skew, jump)
        if n == 4:
            time.sleep(1)
            _jump(skew, 0)
        paying = Order(number=n, phone=f"25470{abs(jump):06d}{n}"[:12], units=20_000, behaviour="success")
        scene.stack.control.script("success", phone=paying.phone, endpoint="push")
        made.payments[pay_in(scene, paying, run)] = paying
        made.payouts[pay_out(scene, paying, run)] = paying

    def settled() -> bool:
        verdict = judge.look(scene.stack.shop, scene.stack.control, made)
        assert not verdict.faults, verdict.faults
        assert not verdict.open_, verdict.open_
        assert not verdict.doubts, verdict.doubts
        return True

    eventually(settled, within_s=60, every_s=0.5)
    assert judge.judge_money(scene.stack.shop, scene.stack.control, scene.database) == []
    scene.books()
