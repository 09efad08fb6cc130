"""Everything the system can do, on one page."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.application.api_keys import ManageKeys
from gateway.application.attempts import GiveUpOnAttempt, SubmitAttempt, WatchWindow
from gateway.application.balances import ReadBalances
from gateway.application.callbacks import ReceiveCallback, WeighCallback
from gateway.application.checkout import CreateSession, ExpireSession, ReadSessions, VisitCheckout
from gateway.application.customers import ReadCustomers, SaveCustomer
from gateway.application.deliveries import DeliverWebhook
from gateway.application.interfaces import Doors, IdempotencyKeys
from gateway.application.jobs import RunDueWork
from gateway.application.ledger import LedgerService
from gateway.application.look_ups import LookUpAttempt
from gateway.application.operators import OperatorDesk
from gateway.application.payment_expiry import ExpirePayment
from gateway.application.payment_links import ManageLinks, VisitLink
from gateway.application.payment_reads import ReadPayments
from gateway.application.payments import CancelPayment, ConfirmPayment, CreatePayment, RefreshPayment
from gateway.application.payout_attempts import LookUpPayout, SubmitPayout
from gateway.application.payouts import CancelPayout, CreatePayout, ReadPayouts, RefreshPayout, RetryPayout
from gateway.application.platforms import ManageBusinesses
from gateway.application.rails import ReadRails
from gateway.application.receipts_desk import ReceiptsDesk
from gateway.application.refund_desk import RefundDesk
from gateway.application.releases import ReleaseReceipt
from gateway.application.replays import ResendWebhooks
from gateway.application.reports import RecordReport
from gateway.application.request_log import ReadRequests
from gateway.application.webhooks import ManageEndpoints, ReadEvents


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrchestrator:
    """From an order's promise to money in the books."""

    create: CreatePayment
    confirm: ConfirmPayment
    cancel: CancelPayment
    refresh: RefreshPayment
    read: ReadPayments
    expire: ExpirePayment
    submit: SubmitAttempt
    look_up: LookUpAttempt
    watch_window: WatchWindow
    give_up: GiveUpOnAttempt
    record: RecordReport
    release: ReleaseReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutService:
    """From a business's balance to a phone."""

    create: CreatePayout
    cancel: CancelPayout
    retry: RetryPayout
    refresh: RefreshPayout
    read: ReadPayouts
    submit: SubmitPayout
    look_up: LookUpPayout


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutDesk:
    """Sessions as a business makes them, and the page as a shopper sees it."""

    create: CreateSession
    expire: ExpireSession
    read: ReadSessions
    visit: VisitCheckout


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """What web, workers and the command line may ask for. `operator` is absent in web processes."""

    doors: Doors
    idempotency: IdempotencyKeys
    payments: PaymentOrchestrator
    payouts: PayoutService
    refunds: RefundDesk
    receipts: ReceiptsDesk
    checkout: CheckoutDesk
    customers: ReadCustomers
    save_customer: SaveCustomer
    balances: ReadBalances
    endpoints: ManageEndpoints
    events: ReadEvents
    receive_callback: ReceiveCallback
    weigh_callback: WeighCallback
    deliver_webhook: DeliverWebhook
    resend: ResendWebhooks
    links: ManageLinks
    visit_link: VisitLink
    requests: ReadRequests
    rails: ReadRails
    run_due: RunDueWork
    ledger: LedgerService
    api_keys: ManageKeys
    businesses: ManageBusinesses
    operator: OperatorDesk | None = None
