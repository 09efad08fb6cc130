"""The services of one process, joined to its means, and the due work that workers run with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.adapters.persistence.directory import SqlDirectory
from gateway.adapters.system import SystemChance, SystemClock, UuidV7
from gateway.application.attempts import GiveUpOnAttempt, SubmitAttempt, WatchWindow
from gateway.application.callbacks import WeighCallback
from gateway.application.checkout import CreateSession, ExpireSession, PageUrl, ReadSessions, VisitCheckout
from gateway.application.deliveries import DeliverWebhook
from gateway.application.interfaces import Call
from gateway.application.ledger import LedgerService
from gateway.application.look_ups import LookUpAttempt
from gateway.application.money_in import RecordMoneyIn
from gateway.application.operators import OperatorDesk
from gateway.application.own_transfers_reports import RecordOwnReport
from gateway.application.payment_expiry import ExpirePayment
from gateway.application.payment_reads import ReadPayments
from gateway.application.payments import CancelPayment, ConfirmPayment, CreatePayment, RefreshPayment
from gateway.application.payout_attempts import LookUpPayout, SubmitPayout
from gateway.application.payout_repeats import RepeatPayout, lose_after_crash
from gateway.application.payout_reports import RecordPayoutReport
from gateway.application.payouts import CancelPayout, CreatePayout, ReadPayouts, RefreshPayout, RetryPayout
from gateway.application.refund_desk import RefundDesk
from gateway.application.releases import ReleaseReceipt
from gateway.application.replays import RunReplay
from gateway.application.reports import RecordReport
from gateway.application.use_cases import CheckoutDesk, PaymentOrchestrator, PayoutService
from gateway.bootstrap.means import Means
from gateway.bootstrap.money_in import money_handlers
from gateway.bootstrap.operation import Operating
from gateway.bootstrap.refunds import handlers_of, refund_desk
from gateway.bootstrap.statements import statement_handlers
from gateway.bootstrap.treasury import FollowChain, follow_chain, treasury_handlers

Handler = Callable[[UUID, Call], datetime | None]


@dataclass(frozen=True, kw_only=True)
class Services(Means):
    """Money in, money out, the checkout page, webhooks, the operator's desk."""

    @cached_property
    def payments(self) -> PaymentOrchestrator:
        """Money in."""
        unit, lines = self.units, self.lines
        record = RecordReport(unit=unit, providers=lines)
        return PaymentOrchestrator(
            create=CreatePayment(unit=unit, providers=lines),
            confirm=ConfirmPayment(
                unit=unit, providers=lines, chance=SystemChance(), tolerance=self.settings.under_tolerance
            ),
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
    def follow_chain(self) -> FollowChain:
        """What the watcher does with a chain."""
        return follow_chain(self.units, self.chains)

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
            **treasury_handlers(self.units, self.lines, self.chains, self.signer, self.insist),
            "callback.weigh": self.weigh_callback,
            "webhook.deliver": self.deliver_webhook,
            "webhook.deliver_slowly": replace(self.deliver_webhook, slowly=True),
            "webhook.replay": RunReplay(unit=self.units),
        }
