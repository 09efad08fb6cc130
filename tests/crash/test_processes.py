"""kill −9 of web, relay, worker, PostgreSQL and Redis, and an emptied Redis, while payments and payouts run.

A shop that retries with its keys gets each order paid once; nothing is lost, nothing doubled, the books balance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from gateway.adapters.servers import RunningPostgres, RunningValkey, embedded_postgres, embedded_valkey
from tests.crash.insistence import insistent
from tests.servers import Database
from tests.stack import Receiver, Shop, Stack, a_phone, a_receiver, a_stack
from tests.waiting import eventually

pytestmark = pytest.mark.crash

PAYMENTS, PAYOUTS, FUNDS = 12, 6, 20_000_000


class World:
    """A stack on servers of its own, which can be killed and come back with what they kept."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        folder.mkdir()
        folder.chmod(0o711)
        self.postgres: RunningPostgres = stack.enter_context(embedded_postgres(folder / "postgres"))
        self.valkey: RunningValkey = stack.enter_context(embedded_valkey(folder / "valkey"))

    def restart_postgres(self) -> None:
        """kill −9 of the server and all its sessions; it recovers from its log."""
        port = self.postgres.port
        self.postgres.kill()
        self.postgres = self._stack.enter_context(embedded_postgres(self._folder / "postgres", port=port))

    def restart_valkey(self) -> None:
        """kill −9; it comes back with what it had written."""
        port = self.valkey.port
        self.valkey.kill()
        self.valkey = self._stack.enter_context(embedded_valkey(self._folder / "valkey", port=port))

    def empty_valkey(self) -> None:
        """As if it had been restarted without a disk."""
        with redis.Redis.from_url(self.valkey.url_for()) as client:
            client.flushall()


@pytest.fixture(scope="module")
def world(scratch: Path) -> Iterator[tuple[World, Stack]]:
    """Everything, with money for the payouts."""
    from gateway.adapters.persistence.migrate import migrate

    with ExitStack() as cleanup:
        world = World(scratch / "processes", cleanup)
        world.postgres.ensure_database("killed")
        database = Database(name="killed", server=world.postgres)
        migrate(database.url("owner"))
        stack = cleanup.enter_context(a_stack(database, world.valkey.url_for(), scratch / "processes" / "stack"))
        fund(stack)
        yield world, stack


def fund(stack: Stack) -> None:
    """One large payment."""
    phone = a_phone()
    stack.control.script("success", phone=phone)
    payment = stack.shop.payment(FUNDS)
    assert stack.shop.confirm(payment["id"], phone).status == 200
    stack.shop.becomes(f"/v1/payments/{payment['id']}", "succeeded", within_s=20)


def order(stack: Stack, n: int, run: str) -> str:
    """One order: created and confirmed, each until it is answered."""
    shop = Shop(url=stack.url, key=stack.shop.key)
    phone = a_phone()
    stack.control.script("success", phone=phone)
    body = {"amount": 10_000, "currency": "KES", "reference": f"{run}-{n}"}
    made = insistent(shop, "POST", "/v1/payments", body, f"{run}-{n}-create")
    assert made.status == 201, made.body
    method = {"payment_method": {"type": "mpesa", "phone": phone}}
    answer = insistent(shop, "POST", f"/v1/payments/{made['id']}/confirm", method, f"{run}-{n}-confirm")
    assert answer.status == 200, answer.body
    shop.session.close()
    return str(made["id"])


def withdrawal(stack: Stack, n: int, run: str) -> str:
    """One payout, until it is answered."""
    shop = Shop(url=stack.url, key=stack.shop.key)
    destination = {"type": "mpesa_phone", "phone": a_phone()}
    body = {"amount": 1_000, "currency": "KES", "destination": destination}
    made = insistent(shop, "POST", "/v1/payouts", body, f"{run}-{n}-payout")
    assert made.status == 201, made.body
    shop.session.close()
    return str(made["id"])


def _web(_: World, stack: Stack) -> None:
    stack.kill("serve")
    stack.start("serve")


def _relay(_: World, stack: Stack) -> None:
    stack.kill("relay")
    stack.start("relay")


def _worker(_: World, stack: Stack) -> None:
    stack.kill("worker")
    stack.start("worker")


KILLS: dict[str, Callable[[World, Stack], None]] = {
    "web": _web,
    "relay": _relay,
    "worker": _worker,
    "postgresql": lambda world, _: world.restart_postgres(),
    "redis": lambda world, _: world.restart_valkey(),
    "redis emptied": lambda world, _: world.empty_valkey(),
}


@pytest.mark.parametrize("victim", KILLS)
def test_nothing_is_lost_and_nothing_doubled(world: tuple[World, Stack], victim: str) -> None:
    home, stack = world
    before = stack.shop.balance()
    with a_receiver() as receiver, ThreadPoolExecutor(8) as pool:
        endpoint = stack.shop.post("/v1/webhook_endpoints", {"url": receiver.url}).body
        run = victim.replace(" ", "-")
        orders = [pool.submit(order, stack, n, run) for n in range(PAYMENTS)]
        payouts = [pool.submit(withdrawal, stack, n, run) for n in range(PAYOUTS)]
        for _ in range(3):
            time.sleep(0.4)
            KILLS[victim](home, stack)
        paid = [future.result() for future in orders]
        sent = [future.result() for future in payouts]
        assert (len(set(paid)), len(set(sent))) == (PAYMENTS, PAYOUTS)
        settle(stack, paid, sent, before)
        eventually(lambda: _all_told(receiver, paid, sent), within_s=40, every_s=0.1)
        stack.shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    stack.check_books()


def settle(stack: Stack, paid: list[str], sent: list[str], before: dict[str, int]) -> None:
    """Every order is paid, or in doubt without a prompt; every payout is paid, or in doubt without a payout; judged."""

    def all_known() -> bool:
        counts = stack.control.counts()
        for payment_id in paid:
            found = stack.shop.get(f"/v1/payments/{payment_id}?expand[]=attempts").body
            never = not any(counts["prompts"].get(a["reference"]) for a in found["attempts"])
            assert found["status"] == "succeeded" or (found["outcome_unknown"] and never), found
        for payout_id in sent:
            found = stack.shop.get(f"/v1/payouts/{payout_id}?expand[]=attempts").body
            never = not any(counts["payouts"].get(a["reference"]) for a in found["attempts"])
            if found["status"] in ("in_transit", "unknown") and not never:
                # Its result was lost while web had no database; an impatient shop asks before the ladder does.
                stack.shop.post(f"/v1/payouts/{payout_id}/refresh")
            assert found["status"] == "paid" or (found["status"] == "unknown" and never), found
        return True

    eventually(all_known, within_s=60, every_s=1.0)
    _judge(stack, paid, sent, before)


def _judge(stack: Stack, paid: list[str], sent: list[str], before: dict[str, int]) -> None:
    """The provider's own journal against ours."""
    counts = stack.control.counts()
    credited = debited = reserved = 0
    for payment_id in paid:
        found = stack.shop.get(f"/v1/payments/{payment_id}?expand[]=attempts&expand[]=receipts").body
        prompts = [counts["prompts"].get(a["reference"], 0) for a in found["attempts"]]
        assert max(prompts) <= 1, found
        assert len(found["receipts"]) == sum(prompts)
        credited += 9_850 * len(found["receipts"])
    for payout_id in sent:
        found = stack.shop.get(f"/v1/payouts/{payout_id}?expand[]=attempts").body
        moved = sum(counts["payouts"].get(a["reference"], 0) for a in found["attempts"])
        assert moved == (1 if found["status"] == "paid" else 0), found
        debited += 4_000
        reserved += 0 if moved else 4_000
    after = stack.shop.balance()
    assert after["available"] - before["available"] == credited - debited
    assert after["reserved"] - before["reserved"] == reserved


def _all_told(receiver: Receiver, paid: list[str], sent: list[str]) -> bool:
    """Every object's creation was told, and its last event."""
    told = {(e["type"], e["data"]["object"]["id"]) for e in receiver.events()}
    wanted = {("payment.created", i) for i in paid} | {("payout.created", i) for i in sent}
    assert wanted <= told, wanted - told
    return True
