"""What one process works with: engines, keys, clocks, lines to providers; each made when it is first asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import structlog
from sqlalchemy import Engine

from gateway.adapters.chain_lines import LinesToChains
from gateway.adapters.jobs.queue import Bell
from gateway.adapters.jobs.shared_memory import RedisMemory
from gateway.adapters.lines import Lines
from gateway.adapters.persistence.breakers import SqlHealth
from gateway.adapters.persistence.clock import SqlTestClock, UnitClock
from gateway.adapters.persistence.doors import SqlDoors
from gateway.adapters.persistence.engines import open_engine
from gateway.adapters.persistence.host_clock import HostClock
from gateway.adapters.persistence.insistence import InsistOnLostConnections
from gateway.adapters.persistence.ledger import SqlLedger
from gateway.adapters.persistence.unit_of_work import SqlUnits
from gateway.adapters.persistence.vault import Vault
from gateway.adapters.plugin_host import Plugins, load_plugins
from gateway.adapters.system import Sleeper, SystemAlarm, SystemChance, SystemClock, UuidV7
from gateway.application.breakers import WatchConnections
from gateway.application.replies import Replying
from gateway.application.shedding import Shedding
from gateway.bootstrap.connections import limits_of, shedding_of
from gateway.domain.connections import Connection
from gateway.domain.ids import Prefix, encode
from gateway.settings import Settings
from gateway.signer.client import SignerClient
from ports.context import Context, Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class TestClock:
    """The installation's time and how to move it, as the test helpers want it."""

    clock: SqlTestClock

    def now(self) -> datetime:
        """The time that units work by."""
        return SystemClock()() + self.clock.shift()

    def advance(self, seconds: int) -> datetime:
        """Move it forward; gives the new time."""
        return SystemClock()() + self.clock.advance(timedelta(seconds=seconds))


@dataclass(frozen=True, kw_only=True)
class Means:
    """One process's means: `role` decides as whom it connects and what it may read.

    `app` for web, `worker` for workers and the relay, `operator` for the command line.
    """

    settings: Settings
    role: str
    threads: int = 4

    @cached_property
    def engine(self) -> Engine:
        """The role's engine; connects on first use, so after a fork."""
        url = self.settings.database_of(self.role)
        return open_engine(url, threads=self.threads, name=f"gateway-{self.role}")

    @cached_property
    def vault(self) -> Vault:
        """Keys for what is kept encrypted."""
        return Vault(masters=dict(self.settings.master_keys), look_up=self.settings.look_up_key)

    @cached_property
    def clock(self) -> UnitClock:
        """The units' time."""
        return UnitClock(system=SystemClock(), sandbox=self.settings.is_sandbox)

    @cached_property
    def host_clock(self) -> HostClock:
        """Tells when this machine's time is not to be worked by."""
        return HostClock(engine=self.engine, system=SystemClock(), monotonic=time.monotonic)

    @cached_property
    def test_clock(self) -> TestClock | None:
        """The clock that can be moved, in a sandbox installation only."""
        return TestClock(clock=SqlTestClock(engine=self.engine)) if self.settings.is_sandbox else None

    @cached_property
    def doors(self) -> SqlDoors:
        """What works before a business is known."""
        return SqlDoors(
            engine=self.engine,
            clock=self.clock,
            event_days=self.settings.event_days,
            request_days=self.settings.request_days,
            limits=lambda: limits_of(self.lines, self.settings.provider_calls_per_s),
            clock_is_wrong=self.host_clock.is_wrong,
        )

    @cached_property
    def ledger(self) -> SqlLedger:
        """The books."""
        return SqlLedger(engine=self.engine, new_id=UuidV7())

    @cached_property
    def bell(self) -> Bell:
        """Rings the relay, best effort."""
        return Bell(self.settings.redis_url)

    @cached_property
    def units(self) -> SqlUnits:
        """Opens units of work."""
        return SqlUnits(
            engine=self.engine,
            vault=self.vault,
            clock=self.clock,
            new_id=UuidV7(),
            books=self.ledger,
            reads_secrets=self.role != "app",
            ring=self.bell.ring,
        )

    @cached_property
    def plugins(self) -> Plugins:
        """The enabled plugins; raises at start-up when one is not what it should be."""
        return load_plugins(self.settings.plugins)

    @cached_property
    def lines(self) -> Lines:
        """Live lines to providers."""
        return Lines(rails=self.plugins.rails, channels=self.plugins.channels, lend=self.lend, watch=self.watch.watched)

    @cached_property
    def chains(self) -> LinesToChains:
        """Live lines to chains."""
        return LinesToChains(offers=self.plugins.chains, lend=self.lend)

    @cached_property
    def signer(self) -> SignerClient:
        """The way to the signer; nothing of it is asked before something is to be signed."""
        return SignerClient(path=self.settings.signer_socket, secret=self.settings.signer_secret)

    @cached_property
    def health(self) -> SqlHealth:
        """What is asked about connections in one round trip."""
        return SqlHealth(engine=self.engine, clock=self.clock)

    @cached_property
    def shedding(self) -> Shedding:
        """Refuses new work while what was begun waits."""
        return shedding_of(self.health, self.settings.shed_after_s)

    @cached_property
    def watch(self) -> WatchConnections:
        """Keeps the breakers."""
        return WatchConnections(unit=self.units, health=self.health, alarm=SystemAlarm())

    @cached_property
    def memory(self) -> RedisMemory:
        """What adapters of all processes share: tokens."""
        return RedisMemory(
            self.settings.redis_url,
            seal=lambda plain: self.vault.seal(plain, column="shared_memory", business_id=None),
            open=lambda sealed: self.vault.open_text(sealed, column="shared_memory", business_id=None),
        )

    def lend(self, connection: Connection) -> Context:
        """What an adapter gets from us."""
        name = encode(Prefix.CONNECTION, connection.id)
        return Context(
            environment=Environment.LIVE if connection.livemode else Environment.SANDBOX,
            connection=name,
            clock=SystemClock(),
            log=structlog.get_logger().bind(connection=name),
            shared=self.memory,
            wait=Sleeper(),
        )

    @cached_property
    def replying(self) -> Replying:
        """Makes callback addresses."""
        base = self.settings.public_url
        return Replying(chance=SystemChance(), url=lambda tag, secret: f"{base}/in/{tag}/{secret}")

    @cached_property
    def insist(self) -> InsistOnLostConnections:
        """Keeps writing while PostgreSQL is away."""
        return InsistOnLostConnections(wait=Sleeper())
