"""Settings in, use cases out: one process's gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

import structlog
from sqlalchemy import Engine

from gateway.adapters.jobs.queue import Bell
from gateway.adapters.jobs.shared_memory import RedisMemory
from gateway.adapters.lines import Lines
from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.adapters.persistence.breakers import SqlHealth
from gateway.adapters.persistence.callbacks import SqlCallbackStore
from gateway.adapters.persistence.clock import SqlTestClock, UnitClock
from gateway.adapters.persistence.directory import SqlDirectory
from gateway.adapters.persistence.doors import SqlDoors
from gateway.adapters.persistence.engines import open_engine
from gateway.adapters.persistence.idempotency import SqlIdempotencyKeys
from gateway.adapters.persistence.insistence import InsistOnLostConnections
from gateway.adapters.persistence.ledger import SqlLedger
from gateway.adapters.persistence.migrate import HEAD
from gateway.adapters.persistence.request_log import SqlRequestLog
from gateway.adapters.persistence.resealing import SqlResealing
from gateway.adapters.persistence.unit_of_work import SqlUnits
from gateway.adapters.persistence.vault import Vault
from gateway.adapters.plugin_checks import missing_protocols
from gateway.adapters.plugin_host import Plugins, load_plugins
from gateway.adapters.system import Sleeper, SystemChance, SystemClock, UuidV7
from gateway.application.api_keys import ManageKeys
from gateway.application.attempts import GiveUpOnAttempt, SubmitAttempt, WatchWindow
from gateway.application.balances import ReadBalances
from gateway.application.breakers import WatchConnections
from gateway.application.callbacks import ReceiveCallback, WeighCallback
from gateway.application.checkout import CreateSession, ExpireSession, PageUrl, ReadSessions, VisitCheckout
from gateway.application.customers import ReadCustomers, SaveCustomer
from gateway.application.deliveries import DeliverWebhook
from gateway.application.interfaces import Call
from gateway.application.jobs import Chore, RunDueWork
from gateway.application.key_rotation import RotateKeys
from gateway.application.ledger import LedgerService
from gateway.application.look_ups import LookUpAttempt
from gateway.application.money_in import RecordMoneyIn
from gateway.application.operators import Act, OperatorDesk
from gateway.application.own_transfers_reports import RecordOwnReport
from gateway.application.payment_expiry import ExpirePayment
from gateway.application.payment_reads import ReadPayments
from gateway.application.payments import CancelPayment, ConfirmPayment, CreatePayment, RefreshPayment
from gateway.application.payout_attempts import LookUpPayout, SubmitPayout
from gateway.application.payout_repeats import RepeatPayout, lose_after_crash
from gateway.application.payout_reports import RecordPayoutReport
from gateway.application.payouts import CancelPayout, CreatePayout, ReadPayouts, RefreshPayout, RetryPayout
from gateway.application.platform_keys import IssuePlatformKey
from gateway.application.platforms import ManageBusinesses
from gateway.application.rails import ReadRails
from gateway.application.refund_desk import RefundDesk
from gateway.application.refund_resolutions import ResolveRefund
from gateway.application.releases import ReleaseReceipt
from gateway.application.replays import ResendWebhooks, RunReplay
from gateway.application.replies import Replying
from gateway.application.reports import RecordReport
from gateway.application.request_log import ReadRequests
from gateway.application.resolutions import ResolvePayment, ResolvePayout
from gateway.application.shedding import Shedding
from gateway.application.use_cases import CheckoutDesk, PaymentOrchestrator, PayoutService, UseCases
from gateway.application.webhooks import ManageEndpoints, ReadEvents
from gateway.bootstrap.connections import limits_of, shedding_of
from gateway.bootstrap.money_in import MoneyInCommands, money_handlers, money_in_commands, pull_chore, receipts_desk
from gateway.bootstrap.operation import Operating
from gateway.bootstrap.refunds import handlers_of, refund_desk
from gateway.bootstrap.statements import StatementCommands, statement_commands, statement_handlers
from gateway.bootstrap.surface import links_of, request_log_of, visits_of
from gateway.domain.connections import Connection
from gateway.domain.errors import Invalid, NotFound
from gateway.domain.ids import Prefix, encode
from gateway.settings import Settings
from ports.context import Context, Environment
from ports.errors import Misconfigured

Handler = Callable[[UUID, Call], datetime | None]


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
class Gateway:
    """One process's gateway, built as it is asked for: `role` decides as whom it connects and what it may read.

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
        return WatchConnections(unit=self.units, health=self.health)

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

    @cached_property
    def payments(self) -> PaymentOrchestrator:
        """Money in."""
        unit, lines = self.units, self.lines
        record = RecordReport(unit=unit, providers=lines)
        return PaymentOrchestrator(
            create=CreatePayment(unit=unit, providers=lines),
            confirm=ConfirmPayment(unit=unit, providers=lines, chance=SystemChance()),
            cancel=CancelPayment(unit=unit),
            refresh=RefreshPayment(unit=unit),
            read=ReadPayments(unit=unit),
            expire=ExpirePayment(unit=unit),
            submit=SubmitAttempt(
                unit=unit,
                providers=lines,
                replying=self.replying,
                record=record,
                insist=self.insist,
                spaced=self.watch.again_after_s,
            ),
            look_up=LookUpAttempt(unit=unit, providers=lines, replying=self.replying, record=record),
            watch_window=WatchWindow(unit=unit, providers=lines),
            give_up=GiveUpOnAttempt(unit=unit),
            record=record,
            release=ReleaseReceipt(unit=unit),
        )

    @cached_property
    def payouts(self) -> PayoutService:
        """Money out."""
        unit, lines = self.units, self.lines
        record = RecordPayoutReport(unit=unit, providers=lines)
        return PayoutService(
            create=CreatePayout(unit=unit, providers=lines),
            cancel=CancelPayout(unit=unit),
            retry=RetryPayout(unit=unit),
            refresh=RefreshPayout(unit=unit),
            read=ReadPayouts(unit=unit),
            submit=SubmitPayout(
                unit=unit,
                providers=lines,
                replying=self.replying,
                chance=SystemChance(),
                record=record,
                after_crash=lose_after_crash,
                insist=self.insist,
                spaced=self.watch.again_after_s,
            ),
            look_up=LookUpPayout(unit=unit, providers=lines, replying=self.replying, record=record),
        )

    @cached_property
    def repeat_payout(self) -> RepeatPayout:
        """Sends an instruction again whose sender died."""
        return RepeatPayout(
            unit=self.units,
            providers=self.lines,
            replying=self.replying,
            record=RecordPayoutReport(unit=self.units, providers=self.lines),
            insist=self.insist,
            spaced=self.watch.again_after_s,
        )

    @cached_property
    def refunds(self) -> RefundDesk:
        """Money that goes back, and quotes."""
        return refund_desk(self.units, self.lines, self.replying, SystemChance(), self.insist, self.watch.again_after_s)

    @cached_property
    def checkout(self) -> CheckoutDesk:
        """Sessions and their page."""
        unit, payments = self.units, self.payments
        return CheckoutDesk(
            create=CreateSession(
                unit=unit, chance=SystemChance(), page_url=PageUrl(self.settings.public_url), providers=self.lines
            ),
            expire=ExpireSession(unit=unit, cancel=payments.cancel),
            read=ReadSessions(unit=unit),
            visit=VisitCheckout(
                unit=unit, doors=self.doors, confirm=payments.confirm, cancel=payments.cancel, providers=self.lines
            ),
        )

    @cached_property
    def weigh_callback(self) -> WeighCallback:
        """Reads callbacks."""
        return WeighCallback(
            unit=self.units,
            providers=self.lines,
            record=self.payments.record,
            record_payout=RecordPayoutReport(unit=self.units, providers=self.lines),
            record_refund=self.refunds.record,
            record_money=RecordMoneyIn(unit=self.units),
            record_own=RecordOwnReport(providers=self.lines),
        )

    @cached_property
    def deliver_webhook(self) -> DeliverWebhook:
        """Sends webhooks."""
        return DeliverWebhook(
            unit=self.units,
            sender=SafeWebhookSender(now=SystemClock(), allow_loopback=self.settings.webhook_loopback),
            chance=SystemChance(),
        )

    @cached_property
    def handlers(self) -> Mapping[str, Handler]:
        """Due work by kind; the kinds and their queues stand in `domain/due.py`."""
        payments, payouts = self.payments, self.payouts
        return {
            "attempt.submit": payments.submit,
            "attempt.look_up": payments.look_up,
            "attempt.window": payments.watch_window,
            "attempt.give_up": payments.give_up,
            "payment.expire": payments.expire,
            "receipt.release": payments.release,
            "payout.submit": payouts.submit,
            "payout.look_up": payouts.look_up,
            "payout.repeat": self.repeat_payout,
            **handlers_of(self.refunds),
            **statement_handlers(self.units, self.lines, self.refunds),
            **money_handlers(self.units, self.lines, self.replying, payments.record),
            **self.operation.handlers,
            "callback.weigh": self.weigh_callback,
            "webhook.deliver": self.deliver_webhook,
            "webhook.deliver_slowly": replace(self.deliver_webhook, slowly=True),
            "webhook.replay": RunReplay(unit=self.units),
        }

    @cached_property
    def use_cases(self) -> UseCases:
        """Everything, on one page."""
        return UseCases(
            doors=self.doors,
            api_keys=ManageKeys(unit=self.units, chance=SystemChance()),
            businesses=ManageBusinesses(unit=self.units),
            idempotency=SqlIdempotencyKeys(engine=self.engine, vault=self.vault, new_id=UuidV7(), clock=self.clock),
            payments=self.payments,
            payouts=self.payouts,
            refunds=self.refunds,
            receipts=receipts_desk(self.units),
            checkout=self.checkout,
            customers=ReadCustomers(unit=self.units),
            save_customer=SaveCustomer(unit=self.units),
            balances=ReadBalances(unit=self.units),
            endpoints=ManageEndpoints(
                unit=self.units, chance=SystemChance(), allow_loopback=self.settings.webhook_loopback
            ),
            events=ReadEvents(unit=self.units),
            receive_callback=ReceiveCallback(
                doors=self.doors,
                store=SqlCallbackStore(engine=self.engine, vault=self.vault, new_id=UuidV7(), clock=self.clock),
                providers=self.lines,
            ),
            weigh_callback=self.weigh_callback,
            deliver_webhook=self.deliver_webhook,
            resend=ResendWebhooks(unit=self.units),
            links=links_of(self.units, self.lines, self.settings.public_url),
            visit_link=visits_of(self.units, self.doors, self.lines),
            requests=ReadRequests(unit=self.units),
            rails=ReadRails(unit=self.units, providers=self.lines),
            run_due=RunDueWork(doors=self.doors, handlers=self.handlers, ring=self.bell.ring),
            ledger=LedgerService(books=self.ledger),
            operator=self.desk if self.role == "operator" else None,
        )

    @cached_property
    def request_log(self) -> SqlRequestLog:
        """What calls of the API came to."""
        return request_log_of(self.engine)

    @cached_property
    def directory(self) -> SqlDirectory:
        """The operator's door to the database."""
        return SqlDirectory(engine=self.engine, vault=self.vault)

    @cached_property
    def desk(self) -> OperatorDesk:
        """The operator's acts."""
        return OperatorDesk(
            directory=self.directory,
            ledger=LedgerService(books=self.ledger),
            new_id=UuidV7(),
            chance=SystemChance(),
            now=SystemClock(),
        )

    @cached_property
    def rotate_keys(self) -> RotateKeys:
        """Seals everything again under the newest master key."""
        return RotateKeys(rows=SqlResealing(engine=self.engine, vault=self.vault))

    @cached_property
    def issue_platform_key(self) -> IssuePlatformKey:
        """Makes keys of platforms."""
        return IssuePlatformKey(desk=self.desk)

    @cached_property
    def money_in(self) -> MoneyInCommands:
        """The operator's acts about money that nobody asked for."""
        return money_in_commands(self.units, self.lines, self.replying, self.directory, self.desk)

    @cached_property
    def statements(self) -> StatementCommands:
        """The operator's acts about providers' statements."""
        return statement_commands(self.units, self.lines, self.directory, self.desk)

    @cached_property
    def operation(self) -> Operating:
        """The operator's day: checks, balances, windows, own transfers, and what workers do about them."""
        return Operating(
            settings=self.settings,
            engine=self.engine,
            unit=self.units,
            lines=self.lines,
            replying=self.replying,
            desk=self.desk,
            lend=self.lend,
            clock=self.clock,
            insist=self.insist,
        )

    @cached_property
    def pull_chore(self) -> Chore:
        """Promises the reading of histories."""
        return pull_chore(self.doors, self.lines)

    @cached_property
    def resolve_refund(self) -> ResolveRefund:
        """A person's word on a refund."""
        record = self.refunds.record
        return ResolveRefund(unit=self.units, directory=self.directory, desk=self.desk, record=record)

    @cached_property
    def resolve_payout(self) -> ResolvePayout:
        """A person's word on a payout."""
        record = RecordPayoutReport(unit=self.units, providers=self.lines)
        return ResolvePayout(unit=self.units, directory=self.directory, desk=self.desk, record=record)

    @cached_property
    def resolve_payment(self) -> ResolvePayment:
        """A person's word on a payment."""
        record = self.payments.record
        return ResolvePayment(unit=self.units, directory=self.directory, desk=self.desk, record=record)

    def connect(
        self, code: str, title: str, float_id: UUID, config: Mapping[str, object], *, livemode: bool, act: Act
    ) -> Connection:
        """Add a connection after its plugin has built an adapter from the configuration. Raises Invalid, saying why."""
        offer = self.plugins.rails.get(code) or self.plugins.channels.get(code)
        if offer is None:
            raise NotFound(f"no enabled plugin offers {code!r}")
        trial = Connection(
            id=UuidV7()(),
            livemode=livemode,
            created=SystemClock()(),
            updated=SystemClock()(),
            title=title,
            code=code,
            tag="0" * 8,
            float_id=float_id,
        )
        try:
            line = offer.build(config, self.lend(trial))
        except Misconfigured as wrong:
            raise Invalid(str(wrong), code="configuration_invalid", param="/config") from wrong
        if lacking := missing_protocols(line, offer.capabilities):
            raise Invalid(f"the plugin's offer {code} is broken: {'; '.join(lacking)}", code="configuration_invalid")
        return self.desk.add_connection(code, title, float_id, config, livemode=livemode, act=act)

    @cached_property
    def probes(self) -> tuple[tuple[str, Callable[[], str | None], bool], ...]:
        """What readiness depends on: (name, check, required)."""
        return (("database", self._database_trouble, True), ("redis", self.bell.trouble, False))

    def _database_trouble(self) -> str | None:
        try:
            with self.engine.connect() as conn:
                found = conn.exec_driver_sql("SELECT version_num FROM public.alembic_version").scalar_one()
        except Exception as trouble:
            # A process edge: whatever keeps us from the database makes this process unready.
            return f"the database can't be used: {type(trouble).__name__}"
        return None if found == HEAD else f"the database is at revision {found}, this release wants {HEAD}"

    def close(self) -> None:
        """Give the connections back."""
        if "engine" in self.__dict__:
            self.engine.dispose()
