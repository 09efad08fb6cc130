"""Posting against a minimal two-row transfer function in the same PostgreSQL, fsync on, both driven alike.

The ceiling is two UPDATEs in a function: no history, no keys, no bounds. With one client it is what the machine can do;
with 32 clients on one hot row it is what a ledger gets that keeps a row for a busy account. `pgbench` drives both.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg
from uuid_utils.compat import uuid7

from gateway.adapters.persistence.engines import open_engine
from gateway.adapters.persistence.ledger import SqlLedger
from gateway.adapters.persistence.migrate import migrate
from gateway.adapters.servers import RunningPostgres, embedded_postgres
from gateway.adapters.servers.account import lent_account
from gateway.adapters.servers.binaries import postgres_programs
from gateway.domain.ledger import Journal, fees, tax
from tests.persistence.books import Books, Trader
from tests.servers import Database, scratch_folder

SECONDS = float(os.environ.get("BENCH_LEDGER_SECONDS", "4"))
ROUNDS, SHOPS, BATCH = 5, 500, 50

_CEILING = """
CREATE TABLE public.wallet (id int PRIMARY KEY, units numeric(38,0) NOT NULL) WITH (fillfactor = 50);
INSERT INTO public.wallet SELECT i, 0 FROM generate_series(0, 1000) AS g (i);
CREATE FUNCTION public.transfer(p_from int, p_to int, p_units numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.wallet SET units = units - p_units WHERE id = p_from;
  UPDATE public.wallet SET units = units + p_units WHERE id = p_to;
END $$;
GRANT SELECT, UPDATE ON public.wallet TO gateway_app;
CREATE TABLE public.shop (n int PRIMARY KEY, business uuid NOT NULL, path text NOT NULL);
GRANT SELECT ON public.shop TO gateway_app;
"""
_TRANSFER = "\\set n random(1, 500)\nSELECT public.transfer(0, :n, 1000);\n"
#: pgbench takes a colon for a variable even inside quotes, so those of the paths are written as escapes.
_POSTING = """\\set n random(1, {shops})
\\set k :k + 1
SELECT p.* FROM public.shop s, ledger.post(uuidv7(), true, s.business, 'bench.' || :client_id || '.' || :k || '.{name}',
 '\\x{digest}', 'receipt.booked', now(), '{{}}', ARRAY[{paths}], ARRAY[{assets}], NULL,
 '{{{debit}}}', '{{{credit}}}', '{{{amount}}}') AS p WHERE s.n = :n;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A durable server with 500 shops, all paid over one float."""

    server: RunningPostgres
    books: Books
    folder: Path
    traders: list[Trader]

    @property
    def plain_url(self) -> str:
        return self.books.database.plain_url("app")

    def driven(self, script: str, clients: int) -> float:
        """Transactions a second; the script is `pgbench`'s."""
        file = self.folder / "script.sql"
        file.write_text(script)
        run = subprocess.run(
            [
                postgres_programs(lent_account(Path("/"))) / "pgbench",
                *("-h", "127.0.0.1", "-p", str(self.server.port), "-U", "gateway_app", "-n", "-M", "prepared"),
                *("-c", str(clients), "-j", str(min(clients, 2)), "-T", str(round(SECONDS))),
                *("-D", f"k={perf_counter():.6f}".replace(".", ""), "-f", file, "bench"),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=SECONDS * 10 + 60,
        )
        found = re.search(r"tps = ([\d.]+)", run.stdout)
        if found is None or "number of failed transactions: 0 " not in run.stdout:
            raise RuntimeError(run.stdout + run.stderr)
        return float(found[1])


def run() -> list[dict[str, Any]]:
    """One row a comparison; rounds alternate, and the median of their ratios counts."""
    with _bench() as bench:
        short, long = _posting(bench, "short"), _posting(bench, "long")
        rows = [
            _compared("ledger: one leg, one client", bench, short, 1, "≥ 0.5"),
            _compared("ledger: one leg, 32 clients on one hot platform account", bench, short, 32, "≥ 2"),
            _compared("ledger: receipt with fee and tax (3 legs), one client", bench, long, 1, "–"),
            _compared("ledger: receipt with fee and tax (3 legs), 32 clients, hot", bench, long, 32, "–"),
            _from_python(bench),
            _batched(bench),
        ]
        # pgbench has one fingerprint for all: the journals are genuine in everything else.
        bench.books.proved(but="each journal is what was asked for")
    return rows


@contextmanager
def _bench() -> Iterator[Bench]:
    with scratch_folder() as folder, embedded_postgres(folder / "postgres") as server:
        server.ensure_database("bench")
        books = Books(database=Database(name="bench", server=server))
        migrate(books.database.url("owner"))
        traders = [Trader(float_id=_FLOAT) for _ in range(SHOPS)]
        with books.owner() as conn:
            conn.execute(_CEILING)
            for number, trader in enumerate(traders, start=1):
                shop = (number, trader.business_id, trader.bucket("available").path)
                conn.execute("INSERT INTO public.shop VALUES (%s, %s, %s)", shop)
        for at in range(0, SHOPS, BATCH):
            books.of("worker").post_many([_receipt(trader) for trader in traders[at : at + BATCH]])
        stop = threading.Event()
        draining = threading.Thread(target=_drain, args=(books, stop))
        draining.start()
        try:
            yield Bench(server=server, books=books, folder=folder, traders=traders)
        finally:
            stop.set()
            draining.join()
            books.close()


_FLOAT = uuid7()


def _drain(books: Books, stop: threading.Event) -> None:
    """What the relay does beside the work."""
    ledger = books.of("worker")
    while not stop.wait(2.0):
        while ledger.drain(livemode=True) == 1000 and not stop.is_set():
            pass


def _receipt(trader: Trader) -> Journal:
    available = trader.bucket("available")
    return trader.journal((trader.float, available, 1000), (available, fees("collect"), 13), (available, tax("vat"), 2))


def _posting(bench: Bench, name: str) -> str:
    """A script that posts to a random shop: one leg, or a receipt's three."""
    trader = bench.traders[0]
    long = name == "long"
    journal = _receipt(trader) if long else trader.pay_in(1000)
    platform = [trader.float.path, *((fees("collect").path, tax("vat").path) if long else ())]
    quoted = ["E'" + path.replace(":", "\\x3a") + "'" for path in platform]
    return _POSTING.format(
        shops=SHOPS,
        name=name,
        digest=journal.fingerprint().hex(),
        paths=", ".join([quoted[0], "s.path", *quoted[1:]]),
        assets=", ".join(["'KES'"] * (len(platform) + 1)),
        debit="1,2,2" if long else "1",
        credit="2,3,4" if long else "2",
        amount="1000,13,2" if long else "1000",
    )


def _compared(name: str, bench: Bench, script: str, clients: int, aim: str) -> dict[str, Any]:
    return _row(name, lambda: bench.driven(script, clients), lambda: bench.driven(_TRANSFER, clients), aim)


def _from_python(bench: Bench) -> dict[str, Any]:
    """The whole way of the application, one connection each: journal, fingerprint, SQLAlchemy, driver."""
    engine = open_engine(bench.books.database.url("app"), threads=1)
    ledger = SqlLedger(engine=engine, new_id=uuid7)
    try:
        with psycopg.connect(bench.plain_url, autocommit=True) as conn:
            return _row(
                "ledger: receipt with fee and tax from Python, one client",
                lambda: _rate(lambda n: ledger.post_now(_receipt(bench.traders[n % SHOPS]))),
                lambda: _rate(lambda n: conn.execute("SELECT public.transfer(0, %s, 1000)", (1 + n % SHOPS,))),
                "–",
            )
    finally:
        engine.dispose()


def _batched(bench: Bench) -> dict[str, Any]:
    """Background work: journals a second in batches of 50, against transfers one by one."""
    ledger = bench.books.of("worker")

    def post(n: int) -> None:
        ledger.post_many([_receipt(bench.traders[(n * BATCH + i) % SHOPS]) for i in range(BATCH)])

    with psycopg.connect(bench.plain_url, autocommit=True) as conn:
        return _row(
            f"ledger: receipts in batches of {BATCH} from Python, one client",
            lambda: _rate(post) * BATCH,
            lambda: _rate(lambda n: conn.execute("SELECT public.transfer(0, %s, 1000)", (1 + n % SHOPS,))),
            "–",
        )


def _rate(act: Callable[[int], object]) -> float:
    """Acts a second, one after another."""
    started, n = perf_counter(), 0
    while perf_counter() - started < SECONDS:
        act(n)
        n += 1
    return n / (perf_counter() - started)


def _row(name: str, ours: Callable[[], float], ceiling: Callable[[], float], aim: str) -> dict[str, Any]:
    pairs = [(ours(), ceiling()) for _ in range(ROUNDS)]
    return {
        "name": name,
        "ours": f"{_middle([a for a, _ in pairs]):.0f}/s",
        "ceiling": f"{_middle([b for _, b in pairs]):.0f}/s",
        "ratio": _middle([a / b for a, b in pairs]),
        "aim": aim,
    }


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    for row in run():
        sys.stdout.write(
            f"{row['ratio']:6.2f}  (aim {row['aim']})  {row['name']}: {row['ours']} against {row['ceiling']}\n"
        )
