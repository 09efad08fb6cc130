"""A short form of each part of the chaos, for every run of the tests."""

from __future__ import annotations

from pathlib import Path

from tests.chaos import callbacks, hang, hops, kills
from tests.chaos.plan import make_plan
from tests.chaos.scene import VICTIMS, a_scene
from tests.chaos.traffic import fund
from tests.chaos.two import HOWS, two_lines


def test_the_same_seed_gives_the_same_plan() -> None:
    one, two, other = (make_plan(seed, payments=50, payouts=10, kills=10) for seed in (3, 3, 4))
    assert one == two
    assert one != other
    assert {kill.victim for kill in one.kills} == set(VICTIMS)


def test_nothing_is_lost_or_doubled_when_everything_dies_once(scratch: Path) -> None:
    plan = make_plan(11, payments=20, payouts=5, kills=5)
    result = kills.run(plan, scratch / "chaos", lambda _: None)
    assert result.faults == []
    assert set(result.killed.values()) == {1}


def test_lost_replies_double_nothing_and_lies_change_nothing(scratch: Path) -> None:
    with a_scene(scratch / "chaos-replies", seed=12) as scene:
        fund(scene, "short")
        for lose in (hops.to_the_shop, hops.from_the_provider, hops.to_the_callback, hops.to_a_webhook):
            assert lose(scene, 10, 12).faults == []
        told = callbacks.shuffled(scene, 20, 12)
        assert told.faults == []
        assert callbacks.flood(scene, 200, live=5).faults == []


def test_a_connection_that_hangs_costs_the_other_one_nothing_and_comes_back(scratch: Path) -> None:
    """How long anything took is for the long run to say; here nothing is lost, doubled or kept from the other one."""
    with two_lines(scratch / "chaos-hang", seed=13) as two:
        found = hang.run(two, hows=HOWS[:1], quiet_s=1, hang_s=3, back_s=4, every_s=0.5)
        ended = hang.judged(two)
    assert ended.faults == []
    assert all(one.hung for one in found)
