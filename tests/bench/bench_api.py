"""`POST /v1/payments` through gunicorn against a bare Flask INSERT, empty and with a million payments in the tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from gateway.adapters.servers import embedded_postgres, embedded_valkey, free_port, spawn
from tests.bench.load import Measured, get, load, post
from tests.servers import databases_of, scratch_folder
from tests.stack import Stack, a_stack, ready
from tests.waiting import eventually

BODY = b'{"amount": 150000, "currency": "KES"}'
CONNECTIONS, ROUNDS, SECONDS = 8, 5, 3.0
MANY = int(os.environ.get("BENCH_PAYMENTS", "1000000"))


@contextmanager
def a_ceiling(stack: Stack, folder: Path) -> Iterator[str]:
    """The bare application under the same gunicorn options, on the same database."""
    plain = stack.database.plain_url("owner")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS ceiling (id uuid PRIMARY KEY, amount bigint NOT NULL, currency text NOT NULL)"
        )
    url = f"http://127.0.0.1:{free_port(0)}"
    environment = {
        **stack.environment,
        "GATEWAY_WEB_BIND": url.removeprefix("http://"),
        "CEILING_DATABASE_URL": stack.database.url("owner"),
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:gateway.adapters.web.gunicorn_conf"]
    process = spawn(
        "ceiling", [*command, "tests.bench.ceiling:app"], log=folder / "ceiling.log", env=environment, cwd=Path.cwd()
    )
    try:
        eventually(lambda: ready(url), within_s=60, every_s=0.05)
        yield url
    finally:
        process.stop(within_s=5)
        process.kill()


def ours(stack: Stack) -> Measured:
    """Our own way: authentication, idempotency, validation, event, due work."""
    key = f"Bearer {stack.shop.key}"
    return load(
        stack.url,
        lambda n: post("/v1/payments", BODY, {"Authorization": key, "Idempotency-Key": f"bench-{os.getpid()}-{n}"}),
        connections=CONNECTIONS,
        seconds=SECONDS,
    )


def bare(url: str) -> Measured:
    """The ceiling."""
    return load(url, lambda _: post("/v1/payments", BODY, {}), connections=CONNECTIONS, seconds=SECONDS)


def reads(stack: Stack, path: str) -> Measured:
    """A list or a balance."""
    headers = {"Authorization": f"Bearer {stack.shop.key}"}
    return load(stack.url, lambda _: get(path, headers), connections=CONNECTIONS, seconds=SECONDS, expect=200)


def middle(values: list[float]) -> float:
    """The median."""
    return sorted(values)[len(values) // 2]


def compared(name: str, ours_: list[Measured], ceiling: list[Measured], aim: str) -> dict[str, Any]:
    """One row: rounds were alternated, so the median of their ratios is fair on a noisy machine."""
    ratios = [a.per_s / b.per_s for a, b in zip(ours_, ceiling, strict=True)]
    return {
        "name": name,
        "ours": f"{middle([m.per_s for m in ours_]):.0f}/s p99 {middle([m.p99_ms for m in ours_]):.0f} ms",
        "ceiling": f"{middle([m.per_s for m in ceiling]):.0f}/s p99 {middle([m.p99_ms for m in ceiling]):.0f} ms",
        "ratio": middle(ratios),
        "aim": aim,
        "wrong": sum(m.wrong for m in (*ours_, *ceiling)),
    }


def fill(stack: Stack) -> None:
    """Payments of that business, straight into the tables: copies of one, each with an id of its own."""
    fresh = {"id": "gateway.new_id()", "idempotency_key": "NULL", "fingerprint": "NULL", "reference": "NULL"}
    with psycopg.connect(stack.database.plain_url("owner"), autocommit=True) as connection:
        found = connection.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'gateway' AND table_name = 'payment' ORDER BY ordinal_position"
        )
        names = [row[0] for row in found]
        # The copies point where their original does: checking that a million times would only take time.
        connection.execute("SET session_replication_role = replica")
        copied = ", ".join(fresh.get(name, "p." + name) for name in names)
        connection.execute(
            f"INSERT INTO gateway.payment ({', '.join(names)}) SELECT {copied}"
            f" FROM (SELECT * FROM gateway.payment LIMIT 1) p, generate_series(1, {MANY})"
        )
        connection.execute("VACUUM ANALYZE gateway.payment")


def run() -> list[dict[str, Any]]:
    """All rows of the table."""
    with (
        scratch_folder() as folder,
        embedded_postgres(folder / "postgres") as postgres,
        embedded_valkey(folder / "valkey") as valkey,
    ):
        from gateway.adapters.persistence.migrate import migrate

        with databases_of(postgres).fresh() as database:
            migrate(database.url("owner"))
            with a_stack(database, valkey.url_for(), folder / "stack", start=()) as stack:
                # One key makes all the calls here; what is measured is the path, not its limit.
                stack.environment["GATEWAY_KEY_CALLS_PER_SECOND"] = "0"
                # The limiter counts as always; it only never says no.
                limits = {"GATEWAY_KEY_CALLS_PER_SECOND": "100000"}
                stack.environment.update(GATEWAY_WEB_WORKERS="2", GATEWAY_WEB_THREADS="4", **limits)
                stack.start("serve")
                with a_ceiling(stack, folder) as url:
                    return _rows(stack, url)


def _rows(stack: Stack, url: str) -> list[dict[str, Any]]:
    ours(stack), bare(url)  # warm
    pairs = [(ours(stack), bare(url)) for _ in range(ROUNDS)]
    rows = [compared("POST /v1/payments : bare Flask INSERT", [a for a, _ in pairs], [b for _, b in pairs], "≥ 0.5")]
    paths = {"GET /v1/payments": "/v1/payments", "GET /v1/balance": "/v1/balance"}
    small = {name: [reads(stack, path) for _ in range(3)] for name, path in paths.items()}
    few = [a for a, _ in pairs]
    fill(stack)
    ours(stack)
    many = [ours(stack) for _ in range(ROUNDS)]
    rows.append(compared(f"POST /v1/payments, {MANY:,} more in the tables : before", many, few, "≥ 0.77 (within 1.3×)"))
    for name, path in paths.items():
        large = [reads(stack, path) for _ in range(3)]
        rows.append(compared(f"{name}, {MANY:,} more in the tables : before", large, small[name], "≥ 0.77"))
    return rows
