"""What the tests at the boundaries share: a stack whose processes are doomed one by one, and a shop that insists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.servers import RunningValkey
from tests.crash.insistence import insistent
from tests.servers import Database, Databases
from tests.stack import Receiver, Stack, a_phone, a_receiver, a_stack
from tests.waiting import eventually


def all_points(points: dict[str, int]) -> list[str]:
    """Each point and the time that it is reached."""
    return [f"{point}:{n + 1}" for point, times in points.items() for n in range(times)]


@pytest.fixture(scope="module")
def database(durable_databases: Databases, durable_template: Database) -> Iterator[Database]:
    """One database for all runs: each makes a payment of its own."""
    with durable_databases.fresh(durable_template.name) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def stack(
    database: Database, durable_valkey: RunningValkey, scratch: Path, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    """Web and relay live on; each run has its own doomed worker."""
    with a_stack(
        database,
        durable_valkey.url_for(),
        scratch / request.module.__name__.rpartition(".")[2],
        start=("serve", "relay"),
    ) as running:
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


def order(stack: Stack) -> str:
    """An order by a shop that asks again after silence, with the same keys; gives the payment's path."""
    phone = a_phone()
    stack.control.script("success", phone=phone)
    made = insistent(stack.shop, "POST", "/v1/payments", {"amount": 10_000, "currency": "KES"}, f"order-{phone}")
    path = f"/v1/payments/{made['id']}"
    method = {"payment_method": {"type": "mpesa", "phone": phone}}
    answer = insistent(stack.shop, "POST", f"{path}/confirm", method, f"confirm-{phone}")
    assert answer.status == 200, answer.body
    return path


def paid_once(stack: Stack, path: str, receiver: Receiver) -> None:
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
