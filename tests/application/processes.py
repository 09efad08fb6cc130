"""A gateway's processes in this one: their providers can be interrupted, and they can be killed at a boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine

from gateway.adapters.lines import Lines
from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.engines import open_engine
from gateway.adapters.persistence.unit_of_work import SqlUnits
from gateway.adapters.system import SystemChance, UuidV7
from gateway.application.deliveries import DeliverWebhook
from gateway.application.interfaces import AsksSigner, Call, ChainLines, Scope, Sent, WebhookSender
from gateway.application.ledger import LedgerService
from gateway.application.operators import OperatorDesk
from gateway.bootstrap import Gateway
from gateway.settings import Settings
from ports.abilities import RefundOrder
from ports.payment_rail import Collection, Question
from ports.payout_channel import Bundle, Submission
from ports.report import Report
from tests.fakes.channel import FakeChannel
from tests.fakes.context import FakeClock
from tests.fakes.refunds import RefundingRail
from tests.servers import ROLES, Database


class Killed(BaseException):
    """The process is gone at this point: nothing in it may catch that."""


class TickingClock(FakeClock):
    """Goes on by a millisecond whenever somebody looks at it, as if each step took that long."""

    def __call__(self) -> datetime:
        self.forward(0.001)
        return super().__call__()


@dataclass
class Doom:
    """Kills whoever reaches a named point for the n-th time, once."""

    point: str = ""
    times: int = 0

    def reach(self, point: str) -> None:
        if point != self.point:
            return
        self.times -= 1
        if self.times == 0:
            raise Killed(point)


@dataclass(kw_only=True)
class InterruptedRail(RefundingRail):
    """The fake, with room for what happens while a call is on its way: `during` runs once it took effect."""

    doom: Doom = field(default_factory=Doom)
    during: Callable[[Collection], None] | None = None

    def start(self, collection: Collection) -> Report:
        self.doom.reach("before_call")
        try:
            report = super().start(collection)
        finally:
            if self.during is not None:
                self.during(collection)
        self.doom.reach("after_call")
        return report

    def look_up(self, question: Question) -> Report:
        self.doom.reach("before_call")
        report = super().look_up(question)
        self.doom.reach("after_call")
        return report

    def refund(self, order: RefundOrder) -> Report:
        self.doom.reach("before_call")
        report = super().refund(order)
        self.doom.reach("after_call")
        return report

    def look_up_refund(self, question: Question) -> Report:
        self.doom.reach("before_call")
        report = super().look_up_refund(question)
        self.doom.reach("after_call")
        return report


@dataclass(kw_only=True)
class InterruptedChannel(FakeChannel):
    """The same for payouts; `asked` runs with each question that was put."""

    doom: Doom = field(default_factory=Doom)
    during: Callable[[Bundle], None] | None = None
    asked: Callable[[Question], None] | None = None

    def submit(self, bundle: Bundle) -> Submission:
        self.doom.reach("before_call")
        try:
            submission = super().submit(bundle)
        finally:
            if self.during is not None:
                self.during(bundle)
        self.doom.reach("after_call")
        return submission

    def look_up(self, question: Question) -> Report:
        self.doom.reach("before_call")
        report = super().look_up(question)
        self.doom.reach("after_call")
        if self.asked is not None:
            self.asked(question)
        return report


@dataclass(frozen=True, slots=True)
class MortalUnits:
    """Units that a doomed process opens: it may die before or after each commit."""

    real: SqlUnits
    doom: Doom

    @contextmanager
    def __call__(self, scope: Scope, *, call: Call | None = None, read_only: bool = False) -> Iterator[Any]:
        with self.real(scope, call=call, read_only=read_only) as work:
            yield work
            if not read_only:
                self.doom.reach("before_commit")
        if not read_only:
            self.doom.reach("after_commit")


@dataclass
class FakeReceiver(WebhookSender):
    """Answers webhooks as scripted, else as `by_url` says, else 200; `got` is (url, webhook id, body)."""

    got: list[tuple[str, str, bytes]] = field(default_factory=list)
    answers: list[Sent] = field(default_factory=list)
    by_url: dict[str, Sent] = field(default_factory=dict)
    secrets: list[tuple[str, str | None]] = field(default_factory=list)

    def send(
        self, url: str, *, secret: str, message_id: str, delivery_id: str, body: bytes, previous: str | None = None
    ) -> Sent:
        self.got.append((url, message_id, body))
        self.secrets.append((secret, previous))
        return self.answers.pop(0) if self.answers else self.by_url.get(url, Sent(status=200))


@dataclass(frozen=True, kw_only=True)
class Process(Gateway):
    """One process of the gateway, with a clock, lines and a receiver of the test's; no Redis."""

    shared: Engine
    time: FakeClock
    lines_: Lines
    chains_: ChainLines | None = None
    signer_: AsksSigner | None = None
    receiver: FakeReceiver
    doom: Doom = field(default_factory=Doom)

    @cached_property
    def engine(self) -> Engine:
        return self.shared

    @cached_property
    def bell(self) -> Any:
        return SimpleNamespace(ring=lambda: None)

    @cached_property
    def clock(self) -> UnitClock:
        return UnitClock(system=self.time)

    @cached_property
    def units(self) -> Any:
        real = SqlUnits(
            engine=self.engine,
            vault=self.vault,
            clock=self.clock,
            new_id=UuidV7(),
            books=self.ledger,
            reads_secrets=self.role != "app",
        )
        return MortalUnits(real, self.doom)

    @cached_property
    def lines(self) -> Lines:
        return self.lines_

    @cached_property
    def chains(self) -> Any:
        return self.chains_

    @cached_property
    def signer(self) -> Any:
        return self.signer_

    @cached_property
    def deliver_webhook(self) -> DeliverWebhook:
        return DeliverWebhook(unit=self.units, sender=self.receiver, chance=SystemChance())

    @cached_property
    def desk(self) -> OperatorDesk:
        return OperatorDesk(
            directory=self.directory,
            ledger=LedgerService(books=self.ledger),
            new_id=UuidV7(),
            chance=SystemChance(),
            now=self.time,
        )


@dataclass(frozen=True, slots=True)
class Engines:
    """The room's engines, one a role."""

    database: Database
    by_role: Mapping[str, Engine]

    @classmethod
    def of(cls, database: Database) -> Engines:
        return cls(database, {role: open_engine(database.url(role), threads=24) for role in ROLES})

    def close(self) -> None:
        for engine in self.by_role.values():
            engine.dispose()


def settings_of_a_test() -> Settings:
    return Settings(
        environment="development",
        public_url="https://pay.example",
        database_app="",
        database_worker="",
        database_operator="",
        database_owner="",
        redis_url="",
        master_keys=(("m1", b"m" * 32),),
        webhook_loopback=True,
    )
