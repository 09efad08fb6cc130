"""A payment's whole path: web, relay, worker, the simulated provider and the shop's webhook; and what all weigh idle.

The provider decides at once here, so what is measured is ours. It takes its share of the machine, as shoppers and the
shop's server do: the ratio is on the low side. Processor time and counts hold on a machine that others use as well.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from gateway import seeding, settings
from gateway.adapters.servers import embedded_postgres, embedded_valkey, free_port, spawn
from plugins.sandbox.remote import Control
from tests.bench.bench_api import a_ceiling, bare, middle
from tests.bench.costs import Costs, family, mean, read
from tests.bench.crowd import Crowd, Till, a_till
from tests.bench.load import Measured
from tests.servers import databases_of, scratch_folder
from tests.stack import PROCESSES, Stack, a_stack
from tests.waiting import eventually

SHOPPERS, PAYMENTS, ROUNDS = 16, int(os.environ.get("BENCH_SETTLED", "300")), 3
SAMPLES = int(os.environ.get("BENCH_SAMPLES", "60"))
#: Of the delays, what the simulated M-Pesa waits by itself.
AUTOPILOT_MS = 1
#: The simulated phone and provider decide at once.
_AT_ONCE = {"settle_s": 0, "scripted_answer_s": 0}


def settled(crowd: Crowd, till: Till) -> float:
    """Payments a second from the first call to the last webhook that says `payment.succeeded`."""
    before, began = len(till.rang), time.monotonic()
    crowd.pays(SHOPPERS, PAYMENTS)
    eventually(lambda: len(till.rang) - before >= PAYMENTS, within_s=600, every_s=0.01)
    return PAYMENTS / (time.monotonic() - began)


def costly(crowd: Crowd, till: Till, counted: Callable[[], Costs]) -> tuple[float, Costs]:
    """`settled`, and what each of these payments cost."""
    before = counted()
    per_s = settled(crowd, till)
    return per_s, counted().since(before, PAYMENTS)


def delays(crowd: Crowd, till: Till) -> list[float]:
    """Seconds from the start of a confirm until the shop's server has the webhook, one payment at a time, ascending."""
    found: list[float] = []
    for _ in range(SAMPLES):
        before, began = len(till.rang), crowd.pays(1, 1)[0]
        eventually(lambda before=before: len(till.rang) > before, within_s=30, every_s=0.001)
        found.append(till.rang[-1] - began)
    return sorted(found)


@contextmanager
def mpesa(stack: Stack, folder: Path) -> Iterator[None]:
    """The simulated M-Pesa as a process of its own, in place of the one in this process."""
    url = f"http://127.0.0.1:{free_port(0)}"
    command = [sys.executable, "-m", "plugins.sandbox", "--port", str(urlsplit(url).port), "--state-dir", str(folder)]
    command += ["--autopilot-ms", str(AUTOPILOT_MS)]
    process = spawn("mpesa", command, log=folder.with_suffix(".log"), env=stack.environment, cwd=Path.cwd())
    try:
        eventually(lambda: _listens(url), within_s=60, every_s=0.05)
        Control(url).settings(**_AT_ONCE)
        seeding.seed_sandbox(settings.read(stack.environment), {"base_url": url, **seeding.mpesa_of(url)})
        yield
    finally:
        process.stop(within_s=5)
        process.kill()


def _listens(url: str) -> bool:
    try:
        return bool(seeding.mpesa_of(url))
    except requests.ConnectionError:
        return False


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
        with a_stack(database, valkey.url_for(), folder / "stack", start=()) as stack, a_till() as till:
            stack.environment.update(
                GATEWAY_WEB_WORKERS="2", GATEWAY_WEB_THREADS="4", GATEWAY_KEY_CALLS_PER_SECOND="100000"
            )
            with mpesa(stack, folder / "mpesa"):
                for name in PROCESSES:
                    stack.start(name)
                stack.shop.post("/v1/webhook_endpoints", {"url": till.url, "enabled_events": ["payment.succeeded"]})
                crowd = Crowd(url=stack.url, key=stack.shop.key)
                settled(crowd, till)
                stack.kill("serve")
                stack.start("serve")
                weights = [weight(name, stack.processes[name].pid) for name in PROCESSES]
                weights += [weight("PostgreSQL", postgres.process.pid), weight("Valkey", valkey.process.pid)]
                pids = {name: stack.processes[name].pid for name in PROCESSES}
                pids |= {"PostgreSQL": postgres.process.pid, "Valkey": valkey.process.pid}

                def counted() -> Costs:
                    return read(pids, database.plain_url("owner"), valkey.url_for())

                with a_ceiling(stack, folder) as url:
                    bare(url)
                    rounds = [(*costly(crowd, till, counted), bare(url)) for _ in range(ROUNDS)]
                pairs = [(per_s, ceiling) for per_s, _, ceiling in rounds]
                costs = _costs(mean([cost for _, cost, _ in rounds]))
                return [_row(pairs), *costs, *_delays(delays(crowd, till)), *weights]


def _row(pairs: list[tuple[float, Measured]]) -> dict[str, Any]:
    return {
        "name": "settled payments, call to webhook : bare Flask INSERT",
        "ours": f"{middle([a for a, _ in pairs]):.0f}/s",
        "ceiling": f"{middle([b.per_s for _, b in pairs]):.0f}/s",
        "ratio": middle([a / b.per_s for a, b in pairs]),
        "aim": "≥ 0.15",
    }


def _costs(one: Costs) -> list[dict[str, Any]]:
    """What a payment costs: the same whatever else the machine does."""
    cpu = {"all processes": sum(one.cpu_ms.values()), **one.cpu_ms}
    rows = [
        {"name": f"processor time of a settled payment, {name}", "ours": f"{ms:.1f} ms"} for name, ms in cpu.items()
    ]
    counts = {"jobs through Redis": one.jobs, "rows of due work": one.rows, "transactions": one.transactions}
    return rows + [{"name": f"{name} of a settled payment", "ours": f"{n:.1f}"} for name, n in counts.items()]


def _delays(found: list[float]) -> list[dict[str, Any]]:
    places = {"p50": len(found) // 2, "p99": len(found) * 99 // 100}
    return [
        {"name": f"start of confirm → webhook received, {name}", "ours": f"{found[place] * 1000:.0f} ms"}
        for name, place in places.items()
    ]


def weight(name: str, pid: int) -> dict[str, Any]:
    """One row: a process and its children, idle."""
    return {"name": f"memory of {name}, idle", "ours": f"{own_mib(pid):.0f} MiB"}
