"""Workers that die at every boundary of a refund's path: one order, one outcome, and the next worker converges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.application.refunds import NewRefund
from tests.application.harness import FREE, World, id_of
from tests.application.test_crashes import boundaries, doomed
from tests.fakes.refunds import FAKE_PARTS

MakeWorld = Callable[..., World]
#: Send, and ask once: two transactions each, and the call between them.
PATH = {"before_commit": 4, "after_commit": 4, "before_call": 2, "after_call": 2}
#: `submitting` was committed and the order never given. Nobody can know that: it is unknown, and never sent again.
UNSENT = {("after_commit", 1), ("before_call", 1)}


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world(rail_offers=FAKE_PARTS, collect=FREE)


@pytest.mark.parametrize(("point", "times"), boundaries(PATH))
def test_a_refund_survives_its_worker(world: World, point: str, times: int) -> None:
    payment = world.paid()
    world.forget_open_work()
    made = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), world.call)
    died = doomed(world, point, times)
    world.advance(100)
    if world.rail.given:
        world.rail.give()
    world.advance(4_000)
    seen = world.see(made)
    assert died
    assert len(world.rail.orders) <= 1
    assert len(seen["attempts"]) == 1
    if (point, times) in UNSENT:
        assert world.rail.given == []
        assert (seen["status"], world.balance()) == ("unknown", {"reserved": 150_000})
    else:
        assert (seen["status"], world.balance()) == ("succeeded", {})
        assert world.told(made).count("refund.succeeded") == 1
    assert world.alerts() == []
