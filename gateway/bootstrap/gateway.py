"""Settings in, use cases out: one process's gateway."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from gateway.adapters.persistence.callbacks import SqlCallbackStore
from gateway.adapters.persistence.idempotency import SqlIdempotencyKeys
from gateway.adapters.persistence.migrate import HEAD
from gateway.adapters.persistence.request_log import SqlRequestLog
from gateway.adapters.persistence.resealing import SqlResealing
from gateway.adapters.plugin_checks import missing_protocols
from gateway.adapters.system import SystemChance, SystemClock, UuidV7
from gateway.application.api_keys import ManageKeys
from gateway.application.balances import ReadBalances
from gateway.application.callbacks import ReceiveCallback
from gateway.application.crowding import Crowding
from gateway.application.customers import ReadCustomers, SaveCustomer
from gateway.application.jobs import Chore, RunDueWork
from gateway.application.key_rotation import RotateKeys
from gateway.application.ledger import LedgerService
from gateway.application.operators import Act
from gateway.application.payout_reports import RecordPayoutReport
from gateway.application.platform_keys import IssuePlatformKey
from gateway.application.platforms import ManageBusinesses
from gateway.application.rails import ReadRails
from gateway.application.refund_resolutions import ResolveRefund
from gateway.application.replays import ResendWebhooks
from gateway.application.request_log import ReadRequests
from gateway.application.resolutions import ResolvePayment, ResolvePayout
from gateway.application.use_cases import UseCases
from gateway.application.wallets import WalletService
from gateway.application.webhooks import ManageEndpoints, ReadEvents
from gateway.bootstrap.means import TestClock
from gateway.bootstrap.money_in import MoneyInCommands, money_in_commands, pull_chore, receipts_desk
from gateway.bootstrap.services import Services
from gateway.bootstrap.statements import StatementCommands, statement_commands
from gateway.bootstrap.surface import links_of, request_log_of, visits_of
from gateway.bootstrap.treasury import wallet_service
from gateway.domain.connections import Connection
from gateway.domain.errors import Invalid, NotFound
from ports.chain import ChainOffer
from ports.errors import Misconfigured

__all__ = ["Gateway", "TestClock"]


@dataclass(frozen=True, kw_only=True)
class Gateway(Services):
    """One process's gateway, built as it is asked for."""

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
            receipts=receipts_desk(self.units, self.settings.under_tolerance),
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
                crowding=Crowding(monotonic=time.monotonic),
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
        return money_in_commands(
            self.units, self.lines, self.replying, self.directory, self.desk, self.settings.under_tolerance
        )

    @cached_property
    def statements(self) -> StatementCommands:
        """The operator's acts about providers' statements."""
        return statement_commands(self.units, self.lines, self.directory, self.desk)

    @cached_property
    def wallet_service(self) -> WalletService:
        """The operator's acts about wallets."""
        return wallet_service(self.units, self.chains, self.engine, self.desk)

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
        if (chain := self.plugins.chains.get(code)) is not None:
            return self._connect_chain(chain, title, float_id, config, livemode=livemode, act=act)
        offer = self.plugins.rails.get(code) or self.plugins.channels.get(code)
        if offer is None:
            raise NotFound(f"no enabled plugin offers {code!r}")
        trial = _trial(code, title, float_id, livemode=livemode)
        try:
            line = offer.build(config, self.lend(trial))
        except Misconfigured as wrong:
            raise Invalid(str(wrong), code="configuration_invalid", param="/config") from wrong
        if lacking := missing_protocols(line, offer.capabilities):
            raise Invalid(f"the plugin's offer {code} is broken: {'; '.join(lacking)}", code="configuration_invalid")
        return self.desk.add_connection(code, title, float_id, config, livemode=livemode, act=act)

    def _connect_chain(
        self, offer: ChainOffer, title: str, float_id: UUID, config: Mapping[str, object], *, livemode: bool, act: Act
    ) -> Connection:
        trial = _trial(offer.code, title, float_id, livemode=livemode)
        try:
            offer.build(config, self.lend(trial))
        except Misconfigured as wrong:
            raise Invalid(str(wrong), code="configuration_invalid", param="/config") from wrong
        return self.desk.add_connection(offer.code, title, float_id, config, livemode=livemode, act=act)

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
        if "doors" in self.__dict__:
            self.doors.worker.close()
        if "engine" in self.__dict__:
            self.engine.dispose()


def _trial(code: str, title: str, float_id: UUID, *, livemode: bool) -> Connection:
    """A connection that stands nowhere, for a plugin to build an adapter from."""
    now = SystemClock()()
    return Connection(
        id=UuidV7()(),
        livemode=livemode,
        created=now,
        updated=now,
        title=title,
        code=code,
        tag="0" * 8,
        float_id=float_id,
    )
