"""A payment's whole path: web, relay, worker, the simulated provider and the shop's webhook; and what all weigh idle.

The provider's own pace is near nothing here, so what is measured is ours. It runs in the measuring process, and takes
its share of the machine: the ratio is on the low side.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gateway.adapters.servers import embedded_postgres, embedded_valkey
from tests.bench.bench_api import a_ceiling, bare, middle
from tests.bench.load import Measured
from tests.servers import databases_of, scratch_folder
from tests.stack import PROCESSES, Receiver, Shop, Stack, a_phone, a_receiver, a_stack
from tests.waiting import eventually

SHOPPERS, PAYMENTS, ROUNDS = 8, int(os.environ.get("BENCH_SETTLED", "120")), 3
SAMPLES = int(os.environ.get("BENCH_SAMPLES", "60"))
AMOUNT = 150_000


def settled(stack: Stack, receiver: Receiver) -> float:
    """Payments a second from the first call to the last webhook that says `payment.succeeded`."""
    before = told(receiver)
    shares = [PAYMENTS // SHOPPERS] * SHOPPERS

    def shopper(share: int) -> None:
        shop = Shop(url=stack.url, key=stack.shop.key)
        for _ in range(share):
            shop.confirm(shop.payment(AMOUNT)["id"], a_phone())
        shop.session.close()

    began = time.monotonic()
    with ThreadPoolExecutor(SHOPPERS) as pool:
        list(pool.map(shopper, shares))
    eventually(lambda: told(receiver) - before >= sum(shares), within_s=120, every_s=0.01)
    return sum(shares) / (time.monotonic() - began)


def told(receiver: Receiver) -> int:
    """How many successes the shop has heard of."""
    return sum(b'"payment.succeeded"' in body for _, body in list(receiver.received))


def delays(stack: Stack, receiver: Receiver) -> list[float]:
    """Seconds from the start of a confirm until the shop's server has the webhook, one payment at a time, ascending."""
    found: list[float] = []
    for _ in range(SAMPLES):
        before, payment = told(receiver), stack.shop.payment(AMOUNT)
        began = time.monotonic()
        stack.shop.confirm(payment["id"], a_phone())
        eventually(lambda before=before: told(receiver) > before, within_s=30, every_s=0.001)
        found.append(time.monotonic() - began)
    return sorted(found)


def family(pid: int) -> Iterator[int]:
    """The process and all that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def own_mib(pid: int) -> float:
    """MiB that the processes of a family hold, what they share counted once."""
    found = 0
    for each in family(pid):
        lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        found += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return found / 1024


def run() -> list[dict[str, Any]]:
    """All rows of the table."""
    from gateway.adapters.persistence.migrate import migrate

    with (
        scratch_folder() as folder,
        embedded_postgres(folder / "postgres") as postgres,
        embedded_valkey(folder / "valkey") as valkey,
        databases_of(postgres).fresh() as database,
    ):
        migrate(database.url("owner"))
        with a_stack(database, valkey.url_for(), folder / "stack", start=()) as stack, a_receiver() as receiver:
            stack.environment.update(
                GATEWAY_WEB_WORKERS="2", GATEWAY_WEB_THREADS="4", GATEWAY_KEY_CALLS_PER_SECOND="100000"
            )
            for name in PROCESSES:
                stack.start(name)
            stack.control.script("success", times=1_000_000)
            stack.shop.post("/v1/webhook_endpoints", {"url": receiver.url})
            settled(stack, receiver)
            stack.kill("serve")
            stack.start("serve")
            weights = [weight(name, stack.processes[name].pid) for name in PROCESSES]
            weights += [weight("PostgreSQL", postgres.process.pid), weight("Valkey", valkey.process.pid)]
            with a_ceiling(stack, folder) as url:
                bare(url)
                pairs = [(settled(stack, receiver), bare(url)) for _ in range(ROUNDS)]
            return [_row(pairs), *_delays(delays(stack, receiver)), *weights]


def _row(pairs: list[tuple[float, Measured]]) -> dict[str, Any]:
    return {
        "name": "settled payments, call to webhook : bare Flask INSERT",
        "ours": f"{middle([a for a, _ in pairs]):.0f}/s",
        "ceiling": f"{middle([b.per_s for _, b in pairs]):.0f}/s",
        "ratio": middle([a / b.per_s for a, b in pairs]),
        "aim": "≥ 0.15",
    }


def _delays(found: list[float]) -> list[dict[str, Any]]:
    places = {"p50": len(found) // 2, "p99": len(found) * 99 // 100}
    return [
        {"name": f"start of confirm → webhook received, {name}", "ours": f"{found[place] * 1000:.0f} ms"}
        for name, place in places.items()
    ]


def weight(name: str, pid: int) -> dict[str, Any]:
    """One row: a process and its children, idle."""
    return {"name": f"memory of {name}, idle", "ours": f"{own_mib(pid):.0f} MiB"}
