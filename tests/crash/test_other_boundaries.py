"""kill −9 at every boundary of a payout's path, and of a relay and a web process at work on a payment.

Each run ends the same: one disbursement, or one prompt, receipt and credit; balanced books; every webhook delivered.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gateway.adapters.servers import spawn
from tests.crash.boundaries import all_points, database, order, paid_once, receiver, stack
from tests.stack import Receiver, Stack, a_phone, ready, spawn_and_wait
from tests.waiting import eventually

__all__ = ["database", "receiver", "stack"]

pytestmark = pytest.mark.crash

#: How often each point lies on the path of one payout (with its webhooks), with some to spare.
PAY_OUT = {
    "before_commit": 15,
    "after_commit": 15,
    "before_call": 2,
    "after_call": 2,
    "before_send": 3,
    "after_send": 3,
}
WEB = {"before_commit": 2, "after_commit": 2, "before_begin": 2, "after_begin": 2, "before_store": 1, "after_store": 1}
RELAY = {"after_claim": 4, "before_enqueue": 4, "after_enqueue": 4}


def _paid_or_never_moved(stack: Stack, path: str) -> bool:
    """Paid; or unknown, asked about, and the provider has no such payout."""
    found = stack.shop.get(f"{path}?expand[]=attempts").body
    counts = stack.control.counts()["payouts"]
    never = found["status"] == "unknown" and not any(counts.get(a["reference"]) for a in found["attempts"])
    return never or found["status"] == "paid"


def _resolve(stack: Stack, payout_id: str) -> None:
    """A person has looked at the provider's statement: it isn't there."""
    command = [sys.executable, "-m", "gateway", "payout", "resolve", payout_id, "--not-paid"]
    status = spawn_and_wait([*command, "--reason", "not on the statement"], stack.environment, stack.logs)
    assert status == 0, (stack.logs / "once.log").read_text()


@pytest.mark.parametrize("doom", all_points(PAY_OUT))
def test_a_payout_survives_its_worker(stack: Stack, receiver: Receiver, doom: str, tmp_path: Path) -> None:
    before = stack.shop.balance()
    stack.start("worker", module="tests.crash.doomed", DOOM=doom, DOOM_FILE=str(tmp_path / "doom"))
    payout = stack.shop.payout(1_000, a_phone()).body
    path = f"/v1/payouts/{payout['id']}"
    eventually(lambda: _paid_or_never_moved(stack, path), within_s=40, every_s=0.05)
    attempts = stack.shop.get(f"{path}?expand[]=attempts")["attempts"]
    counts = stack.control.counts()
    moved = sum(counts["payouts"].get(a["reference"], 0) for a in attempts)
    if stack.shop.status_of(path) != "paid":
        assert moved == 0
        _resolve(stack, payout["id"])
        assert stack.shop.balance() == before
        stack.kill("worker")
        return
    assert moved == 1
    after = stack.shop.balance()
    assert before["available"] - after["available"] == 4_000
    assert after["reserved"] == before["reserved"]
    eventually(lambda: {"payout.created", "payout.paid"} <= set(receiver.types()), within_s=20)
    stack.kill("worker")


@pytest.mark.parametrize("doom", all_points(RELAY))
def test_a_payment_survives_its_relay(stack: Stack, receiver: Receiver, doom: str, tmp_path: Path) -> None:
    stack.kill("relay")
    stack.start("worker")
    stack.start("relay", module="tests.crash.doomed", DOOM=doom, DOOM_FILE=str(tmp_path / "doom"))
    path = order(stack)
    relay = stack.processes["relay"]
    eventually(lambda: relay.status is not None, within_s=20)
    stack.start("relay")
    paid_once(stack, path, receiver)
    stack.kill("worker")


@pytest.mark.parametrize("doom", all_points(WEB))
def test_a_payment_survives_its_web_process(stack: Stack, receiver: Receiver, doom: str, tmp_path: Path) -> None:
    stack.kill("serve")
    stack.start("worker")
    environment = {**stack.environment, "DOOM": doom, "DOOM_FILE": str(tmp_path / "doom")}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:gateway.adapters.web.gunicorn_conf"]
    process = spawn(
        "serve",
        [*command, "tests.crash.doomed_wsgi:app"],
        log=stack.logs / "doomed.log",
        env=environment,
        cwd=Path.cwd(),
    )
    stack.processes["serve"] = process
    eventually(lambda: ready(stack.url), within_s=20, every_s=0.05)
    path = order(stack)
    paid_once(stack, path, receiver)
    stack.kill("serve")
    stack.start("serve")
    stack.kill("worker")
