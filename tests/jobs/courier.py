"""Delivers webhooks in the test's own process, and moves the clock from one due time to the next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import text

from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.adapters.system import SystemClock
from gateway.application.deliveries import DeliverWebhook
from gateway.application.interfaces import Sent, WebhookSender
from gateway.application.jobs import RunDueWork
from gateway.application.replays import RunReplay
from tests.jobs.doing import MovableClock
from tests.persistence.shop import Shop


@dataclass(slots=True)
class Chances:
    """Jitter as a test wants it; the other bits are never asked for."""

    fixed: float = 0.0

    def fraction(self) -> float:
        return self.fixed

    def secret_hex(self) -> str:
        raise AssertionError("a delivery makes no secret")

    def pick(self, alphabet: str, n: int) -> str:
        raise AssertionError("a delivery makes no reference")


@dataclass
class Counting(WebhookSender):
    """The real sender, and how often it was used."""

    real: SafeWebhookSender
    times: int = 0

    def send(
        self, url: str, *, secret: str, message_id: str, delivery_id: str, body: bytes, previous: str | None = None
    ) -> Sent:
        self.times += 1
        return self.real.send(
            url, secret=secret, message_id=message_id, delivery_id=delivery_id, body=body, previous=previous
        )


@dataclass
class Courier:
    """Runs what is due, in this process, and moves the clock to when the next is."""

    shop: Shop
    chance: Chances = field(default_factory=Chances)
    timeout_s: float = 3.0

    def __post_init__(self) -> None:
        assert isinstance(self.shop.clock, MovableClock)
        self.clock = self.shop.clock
        self.doors = self.shop.worker()
        sender = SafeWebhookSender(now=SystemClock(), allow_loopback=True, timeout_s=self.timeout_s)
        self.sent = Counting(sender)
        units = self.shop.units("worker")
        deliver = DeliverWebhook(unit=units, sender=self.sent, chance=self.chance)
        self.run = RunDueWork(
            doors=self.doors,
            handlers={
                "webhook.deliver": deliver,
                "webhook.deliver_slowly": replace(deliver, slowly=True),
                "webhook.replay": RunReplay(unit=units),
            },
        )

    def deliver(self) -> int:
        """Run all that is due now; gives how many webhooks were sent."""
        before = self.sent.times
        while rows := self.doors.claim_due({"send": 100, "slow": 100, "tend": 100}):
            for row in rows:
                done = self.run(row.id)
                assert done is not None
                assert done.fault is None
        return self.sent.times - before

    def next_due(self) -> datetime | None:
        """When the next delivery is due."""
        open_rows = "SELECT min(due_at) FROM gateway.outbox WHERE done_at IS NULL AND kind LIKE 'webhook.deliver%'"
        with self.shop.engine("operator").connect() as conn:
            at: datetime | None = conn.execute(text(open_rows)).scalar_one()
        return at

    def go_to(self, at: datetime) -> None:
        """Move the clock there."""
        self.clock.shift += at - self.clock()

    def times(self) -> list[float]:
        """Deliver until nothing is due any more; the seconds from the first try to each. Nothing is sent early."""
        found: list[float] = []
        first = None
        while (due := self.next_due()) is not None:
            if found:
                self.go_to(due - timedelta(milliseconds=500))
                assert self.deliver() == 0, "too early"
            self.go_to(max(due, self.clock()))
            at = self.clock()
            first = first or at
            assert self.deliver() == 1
            found.append((at - first).total_seconds())
        return found
