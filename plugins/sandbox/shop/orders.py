"""The shop's own memory: orders, the webhooks it has taken, and the parcels that left. One SQLite file."""

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
  id TEXT PRIMARY KEY, item TEXT NOT NULL, cents INTEGER NOT NULL, at REAL NOT NULL,
  payment TEXT, status TEXT NOT NULL DEFAULT 'waiting', sequence INTEGER NOT NULL DEFAULT 0, note TEXT);
CREATE TABLE IF NOT EXISTS taken (webhook_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS parcels (order_id TEXT PRIMARY KEY REFERENCES orders, at REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order: `status` is what the last news said of its payment; `sent` is whether its parcel has left."""

    id: str
    item: str
    cents: int
    status: str
    note: str | None
    sent: bool


class Memory:
    """Every method is one transaction, safe to call from several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "shop.db"
        with self._open() as db:
            db.executescript(_TABLES)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._file, timeout=10)
        try:
            with db:
                yield db
        finally:
            db.close()

    def recall(self, name: str) -> str | None:
        """What was kept under a name."""
        with self._open() as db:
            row = db.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def keep(self, name: str, value: str) -> None:
        """Keep it; the newer value wins."""
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def order(self, item: str, cents: int) -> str:
        """Write an order down before anybody is asked for money; gives its number."""
        number = f"order-{uuid.uuid4().hex[:12]}"
        with self._open() as db:
            db.execute(
                "INSERT INTO orders (id, item, cents, at) VALUES (?, ?, ?, ?)", (number, item, cents, time.time())
            )
        return number

    def find(self, number: str) -> Order | None:
        """One order."""
        return next(iter(self._orders("WHERE o.id = ?", number)), None)

    def recent(self) -> list[Order]:
        """The last twenty, newest first."""
        return self._orders("ORDER BY o.at DESC LIMIT 20")

    def _orders(self, where: str, *values: str) -> list[Order]:
        columns = "o.id, o.item, o.cents, o.status, o.note, p.order_id IS NOT NULL"
        with self._open() as db:
            rows = db.execute(
                f"SELECT {columns} FROM orders o LEFT JOIN parcels p ON p.order_id = o.id {where}",  # noqa: S608  # nosec B608
                values,
            ).fetchall()
        return [Order(id=i, item=t, cents=c, status=s, note=n, sent=bool(gone)) for i, t, c, s, n, gone in rows]

    def take(self, webhook_id: str, event: dict[str, Any]) -> bool:
        """Take one piece of news, in one transaction; False when it was taken before.

        The parcel leaves when its payment has succeeded, and a table that holds one row an order lets it leave once,
        whatever comes again or in whichever order. Older news never overwrites newer.
        """
        found = event["data"]["object"]
        number, status = found.get("reference"), found.get("status")
        with self._open() as db:
            if db.execute("INSERT OR IGNORE INTO taken VALUES (?)", (webhook_id,)).rowcount == 0:
                return False
            if found.get("object") != "payment" or not number:
                return True
            db.execute(
                "UPDATE orders SET payment = ?, status = ?, sequence = ?, note = ? WHERE id = ? AND sequence < ?",
                (found["id"], status, event["sequence"], found.get("exception_status"), number, event["sequence"]),
            )
            if event["type"] == "payment.succeeded":
                known = db.execute(
                    "SELECT 1 FROM orders WHERE id = ? AND cents <= ?", (number, found["amount_received"])
                )
                if known.fetchone():
                    db.execute("INSERT OR IGNORE INTO parcels VALUES (?, ?)", (number, time.time()))
        return True
