"""The unit of work: one transaction that owns the order of what it writes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces.access import Access
from gateway.application.interfaces.floats import Floats, OwnTransfers
from gateway.application.interfaces.health import Breakers
from gateway.application.interfaces.money_back import Orders, Overpayments, Quotes, RefundAttempts, Refunds, Reversals
from gateway.application.interfaces.money_in import ExternalRecords, LooseReceipts
from gateway.application.interfaces.repositories import (
    Alerts,
    Attempts,
    Balances,
    Businesses,
    Connections,
    Customers,
    Deliveries,
    DueWork,
    Endpoints,
    Events,
    EvidenceLog,
    Idempotency,
    JournalOut,
    Payments,
    PayoutAttempts,
    Payouts,
    Receipts,
    Replies,
    Sessions,
    Timelines,
)
from gateway.application.interfaces.statements import Statements
from gateway.application.interfaces.surface import PaymentLinks, Replays, Requests
from gateway.application.interfaces.treasury import ChainLog, ChainTransfers, Conversions, Sightings, Wallets
from gateway.application.interfaces.values import (
    Call,
    Scope,
)


class UnitOfWork(Protocol):
    """One transaction. Leaving it flushes rows, events and due work, posts last and commits; an error rolls back.

    `now` is the unit's time: the system's, plus the test clock's offset in a sandbox installation.
    """

    now: datetime
    scope: Scope
    call: Call | None
    payments: Payments
    attempts: Attempts
    receipts: Receipts
    customers: Customers
    records: ExternalRecords
    loose_receipts: LooseReceipts
    statements: Statements
    sessions: Sessions
    payouts: Payouts
    payout_attempts: PayoutAttempts
    refunds: Refunds
    refund_attempts: RefundAttempts
    orders: Orders
    reversals: Reversals
    overpayments: Overpayments
    quotes: Quotes
    replies: Replies
    evidence: EvidenceLog
    due: DueWork
    events: Events
    endpoints: Endpoints
    deliveries: Deliveries
    replays: Replays
    links: PaymentLinks
    requests: Requests
    connections: Connections
    breakers: Breakers
    idempotency: Idempotency
    journal: JournalOut
    balances: Balances
    businesses: Businesses
    alerts: Alerts
    timelines: Timelines
    floats: Floats
    own_transfers: OwnTransfers
    access: Access
    wallets: Wallets
    chain_log: ChainLog
    sightings: Sightings
    conversions: Conversions
    chain_transfers: ChainTransfers

    def new_id(self) -> UUID:
        """A UUIDv7 by the unit's ids."""

    def ends(self, again_at: datetime | None = None) -> datetime | None:
        """Say that this unit is the last step of the due work at hand: its row is finished in the same commit, done or
        due again at `again_at`. Gives `again_at` back; no more than that where the row at hand is of another scope."""


class OpenUnit(Protocol):
    """Opens units: `with open_unit(scope, call=call) as work`."""

    def __call__(
        self, scope: Scope, *, call: Call | None = None, read_only: bool = False
    ) -> AbstractContextManager[UnitOfWork]:
        """A unit for that business and mode."""
