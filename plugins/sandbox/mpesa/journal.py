"""The journal of everything the simulator was asked and did, for judges to read.

Kinds of entries: `request` (a call and our answer), `effect` (a receipt issued, money disbursed), `callback` (what we
posted), `validation` (the word on a payment), `payer` (what the person at the phone did), `control` (what a test
changed). Nothing in it depends on chance other than the seed, so the same calls under a stopped clock give the same
bytes. The newest hundred thousand entries can be read; the counts are of all that ever were.
"""

import json
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from plugins.sandbox.mpesa import clock

MASK = "•••"
SECRETS = ("Password", "SecurityCredential")
KEPT = 100_000
INDEXED = ("phone", "reference", "shortcode")
COUNTED = ("calls", "prompts", "receipts", "money_in", "payouts", "money_out", "given_back")

Entry = dict[str, Any]


class Journal:
    """Entries numbered from 1. Not thread-safe: the simulator's lock guards it."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self.clear()

    def clear(self) -> None:
        """Forget everything, numbers too."""
        self.entries: deque[Entry] = deque()
        self.last = 0
        self._fresh: list[Entry] = []
        self._index: dict[tuple[str, str], deque[Entry]] = {}
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in COUNTED}

    def load(self, entries: Iterable[Entry]) -> None:
        """Take over remembered entries, in order."""
        for entry in entries:
            self._keep(entry)

    def add(self, now_ms: int, kind: str, endpoint: str, **facts: Any) -> None:
        """Write one entry; it is durable when the turn ends."""
        entry = {"no": self.last + 1, "time": clock.iso(now_ms), "kind": kind, "endpoint": endpoint, **facts}
        self._keep(entry)
        self._fresh.append(entry)

    def _keep(self, entry: Entry) -> None:
        self.last = entry["no"]
        self.entries.append(entry)
        for name in INDEXED:
            if value := entry.get(name):
                self._index.setdefault((name, value), deque()).append(entry)
        self._count(entry)
        if len(self.entries) > self._kept:
            self._let_go(self.entries.popleft())

    def _let_go(self, entry: Entry) -> None:
        for name in INDEXED:
            if value := entry.get(name):
                found = self._index[name, value]
                found.popleft()  # The oldest of all is the oldest of its kind.
                if not found:
                    del self._index[name, value]

    def take_fresh(self) -> list[Entry]:
        """The entries of this turn, once."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def about(self, name: str, value: str) -> list[Entry]:
        """The entries with this phone, reference or shortcode, oldest first."""
        return list(self._index.get((name, value), ()))

    def select(self, *, after: int = 0, since: str = "", **wanted: str) -> list[Entry]:
        """The entries after a number, or since an instant as `time` writes it, that match what is given."""
        asked = {name: value for name, value in wanted.items() if value}
        key = min(
            ((name, asked[name]) for name in INDEXED if name in asked),
            key=lambda pair: len(self._index.get(pair, ())),
            default=None,
        )
        newest: list[Entry] = []
        for entry in reversed(self.entries if key is None else self._index.get(key, ())):
            if entry["no"] <= after or entry["time"] < since:
                break
            if all(entry.get(name) == value for name, value in asked.items()):
                newest.append(entry)
        return newest[::-1]

    def _count(self, entry: Entry) -> None:
        counts, endpoint, reference = self._counts, entry["endpoint"], entry.get("reference", "")
        if entry["kind"] == "request":
            counts["calls"][endpoint] += 1
            if entry["effect"] == "prompt sent":
                counts["prompts"][reference] += 1
        elif entry["kind"] == "effect":
            amount = entry["amount"]
            if endpoint in ("push", "c2b"):
                counts["receipts"][reference] += 1
                counts["money_in"][reference] += amount
            elif endpoint == "reversal":
                counts["given_back"][entry["original"]] += amount
            else:
                counts["payouts"][reference] += 1
                counts["money_out"][reference] += amount

    def counts(self) -> dict[str, Any]:
        """How often each thing happened, by the caller's own references; money given back by the payment's receipt."""
        return {name: dict(counted) for name, counted in self._counts.items()}


def as_lines(entries: Iterable[Entry]) -> str:
    """The entries as JSON lines: the event log whose bytes a seed decides."""
    return "".join(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) + "\n" for entry in entries)


def masked(fields: dict[str, Any]) -> dict[str, Any]:
    """A request without what must not be kept in a log."""
    return {name: MASK if name in SECRETS else value for name, value in fields.items()}
