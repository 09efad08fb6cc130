"""What tests of jobs do over and over: put work, read what workers wrote, run a relay for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gateway.adapters.jobs.relay import Relay
from gateway.application.interfaces import Claimed, Due, Page
from gateway.domain.webhooks import Delivery
from tests.persistence.shop import Clock, Shop, new_id


class MovableClock(Clock):
    """The machine's time, moved by `shift`."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift


@dataclass(frozen=True, slots=True)
class WorkLog:
    """The lines that `tests.jobs.works` wrote."""

    folder: Path

    def lines(self, word: str, subject: UUID | None = None) -> list[list[str]]:
        """All lines that begin with the word, of one subject or of all."""
        file = self.folder / "log"
        split = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [line for line in split if line[0] == word and subject in (None, UUID(line[1]))]

    def starts(self, subject: UUID | None = None) -> int:
        """How often work was started."""
        return len(self.lines("start", subject))

    def ends(self, subject: UUID | None = None) -> int:
        """How often it was brought to its end."""
        return len(self.lines("end", subject))

    def hold(self) -> None:
        """Let all runs wait at their start."""
        (self.folder / "hold").touch()

    def let_go(self) -> None:
        """End the wait."""
        (self.folder / "hold").unlink()


def put(shop: Shop, kind: str = "attempt.submit", subject: UUID | None = None) -> UUID:
    """Work that is due now; gives its subject."""
    subject = subject or new_id()
    with shop.units("worker")(shop.a) as work:
        work.due.put(Due(kind=kind, subject_id=subject, due_at=work.now))
    return subject


def outbox(shop: Shop, subject: UUID) -> Any:
    """The row of a subject, the open one first."""
    wanted = text("SELECT * FROM gateway.outbox WHERE subject_id = :s ORDER BY done_at IS NULL DESC LIMIT 1")
    with shop.engine("operator").connect() as conn:
        return conn.execute(wanted, {"s": subject}).one()


def is_done(shop: Shop, subject: UUID) -> bool:
    """Whether nothing is left to do."""
    return outbox(shop, subject).done_at is not None


def leases_over(shop: Shop) -> None:
    """All leases run out."""
    with shop.engine("operator").connect() as conn:
        conn.execute(text("UPDATE gateway.outbox SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL"))


@contextmanager
def running(relay: Relay) -> Iterator[None]:
    """The relay runs in a thread until the block is left."""
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,), name="relay")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def as_claimed(row: Any, dispatches: int) -> Claimed:
    """A row of the outbox as a relay claims it, for the so-manieth time."""
    return Claimed(
        id=row.id,
        kind=row.kind,
        subject_id=row.subject_id,
        business_id=row.business_id,
        livemode=row.livemode,
        generation=row.generation,
        dispatches=dispatches,
    )


def deliveries(shop: Shop, endpoint_id: UUID) -> Sequence[Delivery]:
    """What was told to an endpoint, oldest first."""
    with shop.units("worker")(shop.a, read_only=True) as work:
        found, _ = work.deliveries.page(endpoint_id, Page(limit=100))
        return list(reversed(found))
