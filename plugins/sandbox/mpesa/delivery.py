"""Posts callbacks over HTTP, as M-Pesa does: once each, no redirects followed, nothing retried.

Daraja documents no retry of a failed delivery (portal, December 2025), so there is none here.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

HANDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One body for one URL, sent `copies` times in a row. `due` is the remembered entry that it settles."""

    due: int
    journal_no: int
    url: str
    body: str
    copies: int = 1
    asks: bool = False  # Whether the answer matters.


@dataclass(slots=True)
class Ticket:
    """Tells when a parcel is through, whatever came of it."""

    parcel: Parcel
    done: threading.Event = field(default_factory=threading.Event)
    follows: list["Ticket"] = field(default_factory=list)  # What its answer caused; complete once it is done.


class Courier:
    """A few threads with a queue. `settled` is called after each parcel, from one of them, with what
    came back (`status` and `text`, or nothing), and gives the tickets of what that caused."""

    def __init__(
        self, settled: Callable[[Parcel, dict[str, Any]], list[Ticket]], timeout_s: Callable[[bool], float]
    ) -> None:
        self.outcomes: deque[dict[str, Any]] = deque(maxlen=1000)
        self._settled = settled
        self._timeout_s = timeout_s
        self._waiting: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._hands = [threading.Thread(target=self._work, name=f"courier-{n}", daemon=True) for n in range(HANDS)]

    def start(self) -> None:
        for hand in self._hands:
            hand.start()

    def stop(self) -> None:
        """Let the threads end after what they hold; parcels still queued stay remembered for the next start."""
        while not self._waiting.empty():
            self._waiting.get()
        for _ in self._hands:
            self._waiting.put(None)

    def send(self, parcel: Parcel) -> Ticket:
        ticket = Ticket(parcel)
        self._waiting.put(ticket)
        return ticket

    def _work(self) -> None:
        session = requests.Session()
        session.trust_env = False  # A proxy of the environment is not for loopback.
        while (ticket := self._waiting.get()) is not None:
            try:
                reply: dict[str, Any] = {}
                for copy in range(ticket.parcel.copies):
                    reply = self._post(session, ticket.parcel, copy + 1)
                ticket.follows = self._settled(ticket.parcel, reply)
            finally:
                ticket.done.set()
        session.close()

    def _post(self, session: requests.Session, parcel: Parcel, copy: int) -> dict[str, Any]:
        reply: dict[str, Any] = {}
        outcome: dict[str, Any] = {"journal_no": parcel.journal_no, "url": parcel.url, "copy": copy}
        try:
            with session.post(
                parcel.url,
                data=parcel.body.encode(),
                headers={"Content-Type": "application/json", "User-Agent": "Daraja-Sandbox", "Connection": "close"},
                timeout=self._timeout_s(parcel.asks),
                allow_redirects=False,
            ) as answer:
                outcome["status"] = answer.status_code
                if parcel.asks:
                    reply = {"status": answer.status_code, "text": answer.text[:10_000]}
        except requests.RequestException as error:
            outcome["error"] = type(error).__name__
        self.outcomes.append(outcome)
        return reply
