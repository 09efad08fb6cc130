"""kill −9 of a worker before and after each commit, provider call and webhook of a payment's and a payout's path.

Each run ends the same: one prompt, one receipt, one credit; one disbursement; balanced books; every webhook delivered.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.servers import RunningValkey, spawn
from tests.crash.insistence import insistent
from tests.servers import Database, Databases
from tests.stack import Receiver, Stack, a_phone, a_receiver, a_stack, ready, spawn_and_wait
from tests.waiting import eventually

pytestmark = pytest.mark.crash

#: How often each point lies on the path of one payment (with its webhooks), with some to spare.
PAY_IN = {"before_commit": 16, "after_commit": 16, "before_call": 2, "after_call": 2, "before_send": 3, "after_send": 3}
PAY_OUT = {
    "before_commit": 16,
    "after_commit": 16,
    "before_call": 2,
    "after_call": 2,
    "before_send": 3,
    "after_send": 3,
}


def _all(points: dict[str, int]) -> list[str]:
    return [f"{point}:{n + 1}" for point, times in points.items() for n in range(times)]


@pytest.fixture(scope="module")
def database(durable_databases: Databases, durable_template: Database) -> Iterator[Database]:
    """One database for all runs: each makes a payment of its own."""
    with durable_databases.fresh(durable_template.name) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def stack(database: Database, durable_valkey: RunningValkey, scratch: Path) -> Iterator[Stack]:
    """Web and relay live on; each run has its own doomed worker."""
    with a_stack(database, durable_valkey.url_for(), scratch / "boundaries", start=("serve", "relay")) as running:
        # Money for the payouts: a worker that isn't doomed.
        running.start("worker")
        payment = running.shop.payment(20_000_000)
        phone = a_phone()
        running.control.script("success", phone=phone)
        running.shop.confirm(payment["id"], phone)
        running.shop.becomes(f"/v1/payments/{payment['id']}", "succeeded")
        running.kill("worker")
        yield running
        running.check_books()


@pytest.fixture
def receiver(stack: Stack) -> Iterator[Receiver]:
    """The shop's receiver for this run."""
    with a_receiver() as running:
        endpoint = stack.shop.post("/v1/webhook_endpoints", {"url": running.url}).body
        yield running
        stack.shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")


def _paid_or_never_sent(stack: Stack, path: str) -> bool:
    found = stack.shop.get(f"{path}?expand[]=attempts").body
    counts = stack.control.counts()["prompts"]
    never = found["outcome_unknown"] and not any(counts.get(a["reference"]) for a in found["attempts"])
    return never or found["status"] == "succeeded"


def _pay_again(stack: Stack, payment_id: str) -> None:
    """The first try's window passes in silence; the shopper is warned and asks again."""
    stack.advance(151)
    path = f"/v1/payments/{payment_id}"
    stack.shop.becomes(path, "processing")
    phone = a_phone()
    assert stack.shop.confirm(payment_id, phone).status == 409
    stack.control.script("success", phone=phone)
    assert stack.shop.confirm(payment_id, phone, acknowledge_unknown_attempt=True).status == 200
    stack.shop.becomes(path, "succeeded", within_s=20)


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


@pytest.mark.parametrize("doom", _all(PAY_IN))
def test_a_payment_survives_its_worker(stack: Stack, receiver: Receiver, doom: str, tmp_path: Path) -> None:
    before = stack.shop.balance()["available"]
    stack.start("worker", module="tests.crash.doomed", DOOM=doom, DOOM_FILE=str(tmp_path / "doom"))
    phone = a_phone()
    stack.control.script("success", phone=phone)
    payment = stack.shop.payment(10_000)
    assert stack.shop.confirm(payment["id"], phone).status == 200
    path = f"/v1/payments/{payment['id']}"
    eventually(lambda: _paid_or_never_sent(stack, path), within_s=30, every_s=0.05)
    if stack.shop.status_of(path) != "succeeded":
        # Killed between the commit and the call: nobody can know that nothing was sent, so the shopper must say.
        _pay_again(stack, payment["id"])
    attempts = stack.shop.get(f"{path}/attempts")["data"]
    counts = stack.control.counts()
    assert sum(counts["prompts"].get(a["reference"], 0) for a in attempts) == 1
    assert len(stack.shop.get(f"{path}/receipts")["data"]) == 1
    assert stack.shop.balance()["available"] - before == 9_850
    wanted = {"payment.created", "payment.requires_action", "payment.succeeded", "receipt.received"}
    eventually(lambda: wanted <= set(receiver.types()), within_s=20)
    stack.kill("worker")


@pytest.mark.parametrize("doom", _all(PAY_OUT))
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


WEB = {"before_commit": 2, "after_commit": 2, "before_begin": 2, "after_begin": 2, "before_store": 1, "after_store": 1}
RELAY = {"after_claim": 4, "before_enqueue": 4, "after_enqueue": 4}


@pytest.mark.parametrize("doom", _all(RELAY))
def test_a_payment_survives_its_relay(stack: Stack, receiver: Receiver, doom: str, tmp_path: Path) -> None:
    stack.kill("relay")
    stack.start("worker")
    stack.start("relay", module="tests.crash.doomed", DOOM=doom, DOOM_FILE=str(tmp_path / "doom"))
    path = _order(stack)
    relay = stack.processes["relay"]
    eventually(lambda: relay.status is not None, within_s=20)
    stack.start("relay")
    _paid_once(stack, path, receiver)
    stack.kill("worker")


@pytest.mark.parametrize("doom", _all(WEB))
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
    path = _order(stack)
    _paid_once(stack, path, receiver)
    stack.kill("serve")
    stack.start("serve")
    stack.kill("worker")


def _order(stack: Stack) -> str:
    """An order by a shop that asks again after silence, with the same keys; gives the payment's path."""
    phone = a_phone()
    stack.control.script("success", phone=phone)
    made = insistent(stack.shop, "POST", "/v1/payments", {"amount": 10_000, "currency": "KES"}, f"order-{phone}")
    path = f"/v1/payments/{made['id']}"
    method = {"payment_method": {"type": "mpesa", "phone": phone}}
    answer = insistent(stack.shop, "POST", f"{path}/confirm", method, f"confirm-{phone}")
    assert answer.status == 200, answer.body
    return path


def _paid_once(stack: Stack, path: str, receiver: Receiver) -> None:
    """One prompt, one receipt, all told. A callback that web lost is made up for by the look-up."""
    if stack.shop.status_of(path) != "succeeded":
        eventually(lambda: stack.shop.get(f"{path}/attempts")["data"][0]["status"] != "created", within_s=20)
        insistent(stack.shop, "POST", f"{path}/refresh", {}, f"refresh-{path}")
    stack.shop.becomes(path, "succeeded", within_s=45)
    attempts = stack.shop.get(f"{path}/attempts")["data"]
    counts = stack.control.counts()["prompts"]
    assert [counts[a["reference"]] for a in attempts] == [1]
    assert len(stack.shop.get(f"{path}/receipts")["data"]) == 1
    eventually(lambda: {"payment.created", "payment.succeeded"} <= set(receiver.types()), within_s=20)
