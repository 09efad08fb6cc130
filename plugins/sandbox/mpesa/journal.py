"""The journal of everything the simulator was asked and did, for judges to read.

Kinds of entries: `request` (a call and our answer), `effect` (a receipt issued, money disbursed), `callback` (what we
posted), `payer` (what the person at the phone did), `control` (what a test changed). Nothing in it depends on chance
other than the seed, so the same calls under a stopped clock give the same bytes.
"""

import json
from collections import Counter
from typing import Any

from plugins.sandbox.mpesa import clock

MASK = "•••"
SECRETS = ("Password", "SecurityCredential")


class Journal:
    """Entries numbered from 1. Not thread-safe: the simulator's lock guards it."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._fresh: list[dict[str, Any]] = []

    def load(self, entries: list[dict[str, Any]]) -> None:
        self.entries = entries

    def add(self, now_ms: int, kind: str, endpoint: str, **facts: Any) -> None:
        """Write one entry; it is durable when the turn ends."""
        entry = {"no": len(self.entries) + 1, "time": clock.iso(now_ms), "kind": kind, "endpoint": endpoint, **facts}
        self.entries.append(entry)
        self._fresh.append(entry)

    def take_fresh(self) -> list[dict[str, Any]]:
        """The entries of this turn, once."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def clear(self) -> None:
        self.entries, self._fresh = [], []

    def select(
        self, *, endpoint: str = "", kind: str = "", phone: str = "", reference: str = "", after: int = 0
    ) -> list[dict[str, Any]]:
        """The entries after a number that match what is given."""
        wanted = {"endpoint": endpoint, "kind": kind, "phone": phone, "reference": reference}
        asked = [(name, value) for name, value in wanted.items() if value]
        return [e for e in self.entries[max(after, 0) :] if all(e.get(name) == value for name, value in asked)]

    def counts(self) -> dict[str, Any]:
        """How often each thing happened, by the caller's own references."""
        calls: Counter[str] = Counter()
        prompts: Counter[str] = Counter()
        receipts: Counter[str] = Counter()
        money_in: Counter[str] = Counter()
        payouts: Counter[str] = Counter()
        money_out: Counter[str] = Counter()
        for entry in self.entries:
            if entry["kind"] == "request":
                calls[entry["endpoint"]] += 1
                if entry["effect"] == "prompt sent":
                    prompts[entry["reference"]] += 1
            elif entry["kind"] == "effect" and entry["endpoint"] == "push":
                receipts[entry["reference"]] += 1
                money_in[entry["reference"]] += entry["amount"]
            elif entry["kind"] == "effect":
                payouts[entry["reference"]] += 1
                money_out[entry["reference"]] += entry["amount"]
        return {
            "calls": dict(calls),
            "prompts": dict(prompts),
            "receipts": dict(receipts),
            "money_in": dict(money_in),
            "payouts": dict(payouts),
            "money_out": dict(money_out),
        }


def as_lines(entries: list[dict[str, Any]]) -> str:
    """The entries as JSON lines: the event log whose bytes a seed decides."""
    return "".join(json.dumps(entry, separators=(",", ":"), ensure_ascii=False) + "\n" for entry in entries)


def masked(fields: dict[str, Any]) -> dict[str, Any]:
    """A request without what must not be kept in a log."""
    return {name: MASK if name in SECRETS else value for name, value in fields.items()}
