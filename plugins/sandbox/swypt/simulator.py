"""The simulator itself: one lock, one clock, one memory, and the turns in which anything changes.

A turn holds the lock, first lets happen what is due by now, changes documents, and ends in one durable line. Nobody is
called, so a small thread that takes a turn now and then is all the schedule there is; a stopped clock fires nothing.
"""

from __future__ import annotations

import hashlib
import heapq
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from plugins.sandbox.mpesa import clock as times
from plugins.sandbox.mpesa.clock import Clock
from plugins.sandbox.mpesa.store import Shelf, Store
from plugins.sandbox.swypt import config, records
from plugins.sandbox.swypt.chain import Chain
from plugins.sandbox.swypt.records import Armed, Due, Escrowed, Order, Ticket, Withdrawal

LOG = logging.getLogger(__name__)
#: Journal entries that can be read; the counts are of all.
KEPT = 50_000
TICK_S = 0.05

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

Handler = Callable[["Simulator", Due], None]


class Simulator:
    """The world's state and its time. Change it inside `turn()` only."""

    def __init__(
        self,
        *,
        world: config.World,
        state_dir: Path,
        seed: int,
        frozen_at_ms: int | None = None,
        handlers: dict[str, Handler],
    ) -> None:
        self.world, self.settings = world, world.settings
        self.networks = dict(world.networks)
        self.clock = Clock(frozen_ms=frozen_at_ms)
        self._frozen_at_ms, self._seed, self._handlers = frozen_at_ms, seed, handlers
        self.store = Store(state_dir / "swypt.jsonl")
        self._name_shelves()
        self.chains: dict[str, Chain] = {}
        self.recent_calls: list[int] = []
        self.now = 0
        self.stopping = threading.Event()
        self._lock = threading.RLock()
        self._ticker = threading.Thread(target=self._tick, name="swypt-ticker", daemon=True)
        self._recall()

    def _name_shelves(self) -> None:
        shelf, write = self.store.shelf, records.document
        self.orders: Shelf[Order] = shelf("order", write, lambda v: Order(**records.scripted(v)))
        self.withdrawals: Shelf[Withdrawal] = shelf("withdrawal", write, lambda v: Withdrawal(**records.scripted(v)))
        self.escrowed: Shelf[Escrowed] = shelf("escrowed", write, lambda v: Escrowed(**v))
        self.tickets: Shelf[Ticket] = shelf("ticket", write, lambda v: Ticket(**v))
        self.due: Shelf[Due] = shelf("due", write, lambda v: Due(**v))
        self.armed: Shelf[Armed] = shelf("armed", write, lambda v: Armed(**records.scripted(v)))
        self.facts: Shelf[dict[str, Any]] = shelf("fact", dict, dict)

    def _recall(self) -> None:
        self.position, entries = self.store.load()
        self.entries: deque[dict[str, Any]] = deque(entries[-KEPT:], maxlen=KEPT)
        self.counts: dict[str, Counter[str]] = {"calls": Counter(), "prompts": Counter(), "effects": Counter()}
        self._fresh: list[dict[str, Any]] = []
        for entry in entries:
            self._count(entry)
        self._last = entries[-1]["no"] if entries else 0
        if (kept := self.facts.get("seed")) is not None:
            self._seed = kept["seed"]
        else:
            self.facts.put("seed", {"seed": self._seed})
        if (hands := self.facts.get("clock")) is not None:
            self.clock = Clock(**hands)
        self.settings = config.changed(self.world.settings, self.facts.get("settings") or {})
        for name, given in (self.facts.get("networks") or {}).items():
            self.networks[name] = config.network(name, given, self.networks.get(name))
        self._heap = [(one.at_ms, one.no) for one in self.due.values()]
        heapq.heapify(self._heap)
        self._attach()
        self._keep()

    def _attach(self) -> None:
        self.chains = {name: Chain(known) for name, known in self.networks.items() if known.is_attached}

    # Life

    def start(self) -> None:
        """Begin to let happen what is due."""
        self._ticker.start()

    def stop(self) -> None:
        """Stop; what is due stays remembered."""
        self.stopping.set()
        if self._ticker.is_alive():
            self._ticker.join()
        with self._lock:
            self.store.close()

    def _tick(self) -> None:
        while not self.stopping.wait(TICK_S):
            if self._heap and self.clock.frozen_ms is None and self._heap[0][0] <= self.clock.now():
                try:
                    with self.turn():
                        continue
                except Exception:  # The edge of this thread: one event that fails must not stop the others.
                    LOG.exception("an event of the simulated Swypt failed")

    # Turns

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Change the world: alone, and durably."""
        with self._lock:
            self.now = self.clock.now()
            try:
                self._happen(self.now)
                yield
            finally:
                self._keep()

    def _happen(self, until_ms: int) -> None:
        while self._heap and self._heap[0][0] <= until_ms:
            at_ms, no = heapq.heappop(self._heap)
            due = self.due.remove(str(no))
            if due is not None:
                self.now = max(at_ms, 0)
                self._handlers[due.what](self, due)
        self.now = until_ms

    def keep(self) -> None:
        """Make durable what this turn did so far, before something leaves."""
        self._keep()

    def _keep(self) -> None:
        if not self.store.closed:
            self.store.commit(self.position, self._fresh)
        self._fresh = []

    def later(self, after_s: float, what: str, subject: str) -> None:
        """Remember that something happens to an order in some seconds."""
        no = (self.facts.get("due") or {"no": 0})["no"] + 1
        self.facts.put("due", {"no": no})
        at_ms = self.now + round(after_s * 1000)
        self.due.put(str(no), Due(no=no, at_ms=at_ms, what=what, subject=subject))
        heapq.heappush(self._heap, (at_ms, no))

    def move_clock(self, *, to_ms: int | None = None, by_ms: int = 0) -> None:
        """Move the clock on; what became due has happened when this returns. Raises ValueError for the past."""
        with self._lock:
            target = self.clock.now() + by_ms if to_ms is None else to_ms
            self.clock.move_to(max(target, self.clock.now()) if to_ms is None else target)
            with self.turn():
                self.keep_clock()

    def keep_clock(self) -> None:
        """Remember the clock's hands."""
        self.facts.put("clock", asdict(self.clock))

    # What tests change

    def change_settings(self, changes: dict[str, Any]) -> None:
        """Keep these settings, over restarts too. Raises config.BadConfig."""
        kept = {**(self.facts.get("settings") or {}), **changes}
        self.settings = config.changed(self.world.settings, kept)
        self.facts.put("settings", kept)

    def attach(self, name: str, given: dict[str, Any]) -> None:
        """Put a real node behind a network, over restarts too. Raises config.BadConfig."""
        self.networks[name] = config.network(name, given, self.networks.get(name))
        self.facts.put("networks", {**(self.facts.get("networks") or {}), name: given})
        self._attach()

    def forget(self) -> None:
        """Start the world again; ids and receipts go on, and attached chains stay."""
        kept = {name: self.facts.get(name) for name in ("due", "networks", "seed")}
        self.store.forget()
        self._heap.clear()
        self.entries.clear()
        for counted in self.counts.values():
            counted.clear()
        for name, fact in kept.items():
            if fact is not None:
                self.facts.put(name, fact)
        self.clock = Clock(frozen_ms=self._frozen_at_ms)
        self.settings = self.world.settings

    # Journal

    def note(self, kind: str, endpoint: str, **facts: Any) -> None:
        """Write one entry."""
        self._last += 1
        entry = {"no": self._last, "time": times.iso(self.now), "kind": kind, "endpoint": endpoint, **facts}
        self.entries.append(entry)
        self._fresh.append(entry)
        self._count(entry)

    def _count(self, entry: dict[str, Any]) -> None:
        if entry["kind"] == "request":
            self.counts["calls"][entry["endpoint"]] += 1
            if entry["endpoint"] == "onramp" and entry["effect"] == "prompt sent":
                self.counts["prompts"][entry["phone"]] += 1
        if entry["kind"] == "effect":
            self.counts["effects"][entry["effect"]] += 1

    # Ids

    def _draw(self) -> int:
        self.position += 1
        return int.from_bytes(hashlib.sha256(f"swypt:{self._seed}:{self.position}".encode()).digest(), "big")

    def _text(self, length: int, alphabet: str) -> str:
        number, found = self._draw(), []
        for _ in range(length):
            number, rest = divmod(number, len(alphabet))
            found.append(alphabet[rest])
        return "".join(found)

    def order_id(self, head: str) -> str:
        """`D-rclsg-VL`, or with the head WD; never one that is known."""
        while True:
            found = f"{head}-{self._text(5, _LETTERS)}-{self._text(2, _CAPITALS)}"
            if self.orders.get(found) is None and self.withdrawals.get(found) is None:
                return found

    def receipt(self) -> str:
        """Ten characters. The third is no digit, as in none of the simulated M-Pesa's own of the same day."""
        day = times.eat(self.now)
        return chr(ord("A") + (day.year - 2006) % 26) + chr(ord("A") + day.month - 1) + "Z" + self._text(7, _CAPITALS)

    def hash(self) -> str:
        """A transaction hash of nobody's."""
        return "0x" + self._text(64, "0123456789abcdef")

    def mongo_id(self) -> str:
        """Twenty-four letters of hex."""
        return self._text(24, "0123456789abcdef")
