"""The simulator itself: one lock, one clock, one memory, and the turns in which anything changes.

A turn holds the lock, changes documents, writes the journal, and ends in one durable line; only then are calls answered
and callbacks posted. What happens later is a `Due` entry, fired by the scheduler thread or by a test that moves the
clock. A stopped clock fires nothing by itself, so that the order of events depends on the calls alone.
"""

import heapq
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from plugins.sandbox.mpesa import config, records
from plugins.sandbox.mpesa.clock import Clock
from plugins.sandbox.mpesa.delivery import Courier, Parcel, Ticket
from plugins.sandbox.mpesa.finder import Finder
from plugins.sandbox.mpesa.ids import Ids
from plugins.sandbox.mpesa.journal import Journal
from plugins.sandbox.mpesa.keys import Keys
from plugins.sandbox.mpesa.records import (
    Armed,
    Due,
    Order,
    Payment,
    Payout,
    Pockets,
    Push,
    Row,
    Subscriber,
    Text,
    Token,
    Urls,
)
from plugins.sandbox.mpesa.store import Shelf, Store

LOG = logging.getLogger(__name__)
PATIENCE_S = 15  # Real seconds that a moved clock waits for the callbacks it caused.


@dataclass(slots=True)
class Turn:
    """What one turn leaves to do once it is durable."""

    parcels: list[Parcel] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)

    def wait(self, patience_s: float = PATIENCE_S) -> None:
        """Until this turn's parcels, and those that their answers caused, are through."""
        waiting = list(self.tickets)
        while waiting:
            ticket = waiting.pop()
            if ticket.done.wait(patience_s):
                waiting += ticket.follows


Handler = Callable[["Simulator", Due, Turn], None]


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
        self.world = world
        self.settings = world.settings
        self._frozen_at_ms = frozen_at_ms
        self.clock = Clock(frozen_ms=frozen_at_ms)
        self.journal = Journal()
        self.keys = Keys(state_dir)
        self.store = Store(state_dir / "world.jsonl")
        self._name_shelves()
        self.finder = Finder()
        self.recent_calls: dict[str, list[int]] = {}  # By app, for the throttle; a restart forgets them.
        self.courier = Courier(
            self._delivered, lambda asks: self.settings.validation_limit_s if asks else self.settings.callback_timeout_s
        )
        self.now = 0
        self.stopping = threading.Event()
        self._handlers = handlers
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._moving = threading.Lock()
        self._heap: list[tuple[int, int]] = []
        self._recall(seed)
        self._scheduler = threading.Thread(target=self._run_scheduler, name="mpesa-scheduler", daemon=True)

    def _name_shelves(self) -> None:
        def plain(cls: type[Any]) -> Callable[[dict[str, Any]], Any]:
            return lambda values: cls(**values)

        def scripted(cls: type[Any]) -> Callable[[dict[str, Any]], Any]:
            return lambda values: cls(**records.with_behaviour(values))

        shelf, write = self.store.shelf, records.document
        self.pushes: Shelf[Push] = shelf("push", write, scripted(Push))
        self.payouts: Shelf[Payout] = shelf("payout", write, scripted(Payout))
        self.payments: Shelf[Payment] = shelf("payment", write, scripted(Payment))
        self.orders: Shelf[Order] = shelf("order", write, scripted(Order))
        self.urls: Shelf[Urls] = shelf("urls", write, plain(Urls))
        self.rows: Shelf[Row] = shelf("row", write, plain(Row))
        self.tokens: Shelf[Token] = shelf("token", write, plain(Token))
        self.pockets: Shelf[Pockets] = shelf("pockets", write, plain(Pockets))
        self.subscribers: Shelf[Subscriber] = shelf("subscriber", write, plain(Subscriber))
        self.texts: Shelf[Text] = shelf("text", write, plain(Text))
        self.due: Shelf[Due] = shelf("due", write, plain(Due))
        self.armed: Shelf[Armed] = shelf("armed", write, scripted(Armed))
        self.facts: Shelf[dict[str, Any]] = shelf("fact", lambda values: dict(values), lambda values: values)

    def _recall(self, seed: int) -> None:
        position, entries = self.store.load()
        self.journal.load(entries)
        kept = self.facts.get("seed")
        self.ids = Ids(kept["seed"] if kept else seed, position)
        if kept is None:
            self.facts.put("seed", {"seed": seed})
        if (hands := self.facts.get("clock")) is not None:
            self.clock = Clock(**hands)
        elif self._frozen_at_ms is not None:
            self.keep_clock()
        self.settings = config.changed(self.world.settings, self.facts.get("settings") or {})
        for push in self.pushes.values():
            self.finder.saw_push(push)
        for payout in self.payouts.values():
            self.finder.saw_payout(payout)
        for payment in self.payments.values():
            self.finder.saw_payment(payment)
        for order in self.orders.values():
            self.finder.saw_order(order)
        self._heap = [(due.at_ms, due.no) for due in self.due.values()]
        heapq.heapify(self._heap)
        self._keep()

    # Life

    def start(self) -> None:
        """Begin firing what is due."""
        self.courier.start()
        self._scheduler.start()

    def stop(self) -> None:
        """Stop firing; what is still due stays remembered."""
        self.stopping.set()
        with self._lock:
            self._changed.notify_all()
        self._scheduler.join()
        self.courier.stop()
        with self._lock:
            self.store.close()

    # Turns

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Change the world: alone, durably, and only then with effects outside."""
        turn = Turn()
        with self._lock:
            self.now = self.clock.now()
            try:
                yield turn
            finally:
                self._keep()
                self._changed.notify_all()
        turn.tickets = [self.courier.send(parcel) for parcel in turn.parcels]

    @contextmanager
    def look(self) -> Iterator[None]:
        """Read several things of one moment."""
        with self._lock:
            self.now = self.clock.now()
            yield

    def _keep(self) -> None:
        if not self.store.closed:
            self.store.commit(self.ids.position, self.journal.take_fresh())

    def change_settings(self, changes: dict[str, Any]) -> None:
        """Keep these settings, over restarts too. Raises config.BadConfig."""
        kept = {**(self.facts.get("settings") or {}), **changes}
        self.settings = config.changed(self.world.settings, kept)
        self.facts.put("settings", kept)

    def forget(self, seed: int | None) -> None:
        """Start the world again. Receipts go on from where they are, unless a seed starts them afresh too."""
        due_no = self.facts.get("due") or {"no": 0}
        self.store.forget()
        self.facts.put("due", due_no)  # So that a post under way cannot be taken for a later one.
        self.journal.clear()
        self._heap.clear()
        self.finder = Finder()
        self.clock = Clock(frozen_ms=self._frozen_at_ms)
        self.settings = self.world.settings
        if seed is not None:
            self.ids = Ids(seed)
        self.facts.put("seed", {"seed": self.ids.seed})

    # What happens later

    def later(self, at_ms: int, what: str, subject: str, *, queued: bool = True, **load: Any) -> Due:
        """Remember that something happens at an instant; not queued, it is being done in this very turn."""
        no = (self.facts.get("due") or {"no": 0})["no"] + 1
        self.facts.put("due", {"no": no})
        due = self.due.put(str(no), Due(no=no, at_ms=at_ms, what=what, subject=subject, load=load))
        if queued:
            heapq.heappush(self._heap, (at_ms, no))
        return due

    def fire_next(self, limit_ms: int, *, pull_clock: bool = False) -> Turn | None:
        """Fire the earliest due entry up to an instant; None if there is none."""
        with self.turn() as turn:
            due = self._pop(limit_ms)
            if due is None:
                return None
            self.now = due.at_ms
            if pull_clock and self.clock.now() < due.at_ms:
                self.clock.move_to(due.at_ms)
            if due.what != "post":  # A post stays remembered until it is through.
                self.due.remove(str(due.no))
            self._handlers[due.what](self, due, turn)
        return turn

    def _pop(self, limit_ms: int) -> Due | None:
        while self._heap and self._heap[0][0] <= limit_ms:
            _, no = heapq.heappop(self._heap)
            if (due := self.due.get(str(no))) is not None:
                return due
        return None

    def _delivered(self, parcel: Parcel, reply: dict[str, Any]) -> list[Ticket]:
        with self.turn() as turn:
            due = self.due.remove(str(parcel.due))
            if due is not None and due.load.get("asks"):
                answered = replace(due, load={**due.load, "reply": reply})
                self._handlers[due.load["asks"]](self, answered, turn)
        return turn.tickets

    def move_clock(self, *, to_ms: int | None = None, by_ms: int = 0) -> None:
        """Move the clock on, firing what becomes due in order, each with its callbacks through before the next.

        Raises ValueError if the instant has passed.
        """
        with self._moving:
            target = self.clock.now() + by_ms if to_ms is None else to_ms
            if target < self.clock.now():
                raise ValueError("the clock cannot go back")
            while (turn := self.fire_next(target, pull_clock=True)) is not None:
                turn.wait()
            with self.turn():
                if target > self.clock.now():
                    self.clock.move_to(target)
                self.keep_clock()

    def keep_clock(self) -> None:
        """Remember the clock's hands."""
        self.facts.put("clock", asdict(self.clock))

    def _run_scheduler(self) -> None:
        while not self.stopping.is_set():
            with self._lock:
                wait_s = self._idle_s()
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
            with self._moving:
                if not self.stopping.is_set() and self.clock.frozen_ms is None:
                    self._fire_safely()

    def _fire_safely(self) -> None:
        try:
            self.fire_next(self.clock.now())
        except Exception:  # The edge of this thread: one event that fails must not stop the others.
            LOG.exception("an event of the simulator failed")

    def _idle_s(self) -> float | None:
        if not self._heap or self.clock.frozen_ms is not None:
            return None
        return (self._heap[0][0] - self.clock.now()) / 1000

    # Small things that several nouns do

    def keep_push(self, push: Push) -> Push:
        self.finder.saw_push(push)
        return self.pushes.put(push.checkout_id, push)

    def keep_payout(self, payout: Payout) -> Payout:
        self.finder.saw_payout(payout)
        return self.payouts.put(payout.originator_id, payout)

    def keep_payment(self, payment: Payment) -> Payment:
        self.finder.saw_payment(payment)
        return self.payments.put(payment.receipt, payment)

    def keep_order(self, order: Order) -> Order:
        self.finder.saw_order(order)
        return self.orders.put(order.originator_id, order)

    def acts_for(self, number: str, organisation: str) -> bool:
        """Whether a shortcode's operator may speak for an organisation: itself, or a till of it."""
        known = self.world.shortcodes.get(organisation)
        return known is not None and number in (organisation, known.till_of)

    def subscriber(self, phone: str) -> Subscriber:
        """The customer of a number, made up on first sight."""
        known = self.subscribers.get(phone)
        return known if known is not None else Subscriber(phone=phone, name=name_of(phone))

    def pockets_of(self, shortcode: str) -> Pockets:
        """What a shortcode holds."""
        held = self.pockets.get(shortcode)
        if held is None:
            first = self.world.shortcodes[shortcode]
            held = Pockets(
                working=first.working_cents,
                utility=first.utility_cents,
                charges=first.charges_cents,
                merchant=first.merchant_cents,
            )
        return held

    def text(self, phone: str, body: str) -> None:
        """Send a message to a phone."""
        self.texts.put(f"{phone}:{len(self.texts)}", Text(phone=phone, at_ms=self.now, body=body))


#: Nobody's names, with what real ones hold: apostrophes and two or three parts.
NAMES = ("FIRST PAYER", "SECOND PAYER TEST", "THIRD O'PAYER", "FOURTH PAYER", "FIFTH TEST' PAYER", "SIXTH PAYER")


def name_of(phone: str) -> str:
    """The name on a number: always the same one."""
    return NAMES[int(phone[-4:]) % len(NAMES)]
