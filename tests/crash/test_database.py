"""kill −9 of PostgreSQL at every boundary of a payment and a payout that run side by side.

Many and slow: `make crash-deep` runs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.test_processes import World, fund, order, settle, withdrawal
from tests.servers import Database
from tests.stack import Stack, a_receiver, a_stack
from tests.waiting import eventually

pytestmark = pytest.mark.deep

POINTS = {"before_commit": 12, "after_commit": 12, "before_call": 3, "after_call": 3, "before_send": 2, "after_send": 2}


@pytest.fixture(scope="module")
def world(scratch: Path) -> Iterator[tuple[World, Stack]]:
    """Servers of this module's own; each run has its own doomed worker."""
    from gateway.adapters.persistence.migrate import migrate

    with ExitStack() as cleanup:
        world = World(scratch / "database", cleanup)
        world.postgres.ensure_database("killed")
        database = Database(name="killed", server=world.postgres)
        migrate(database.url("owner"))
        stack = cleanup.enter_context(a_stack(database, world.valkey.url_for(), scratch / "database" / "stack"))
        fund(stack)
        stack.kill("worker")
        # Without somebody to tell, the points around a webhook's send are never reached.
        receiver = cleanup.enter_context(a_receiver())
        stack.shop.post("/v1/webhook_endpoints", {"url": receiver.url})
        yield world, stack


@pytest.mark.parametrize("doom", [f"{point}:{n + 1}" for point, times in POINTS.items() for n in range(times)])
def test_a_payment_and_a_payout_survive_the_database(world: tuple[World, Stack], doom: str, tmp_path: Path) -> None:
    home, stack = world
    before = stack.shop.balance()
    postmaster = home.postgres.process
    victim = str(home.postgres.pid)
    stack.start("worker", module="tests.crash.doomed", DOOM=doom, DOOM_FILE=str(tmp_path / "doom"), DOOM_VICTIM=victim)
    run = f"{tmp_path.name}-{doom}"
    paid, sent = order(stack, 1, run), withdrawal(stack, 1, run)
    eventually(lambda: postmaster.status is not None, within_s=30)
    home.restart_postgres()
    settle(stack, [paid], [sent], before)
    stack.check_books()
    stack.kill("worker")
