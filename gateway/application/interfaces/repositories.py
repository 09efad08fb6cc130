"""What a unit of work holds: one repository a noun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces.values import (
    Due,
    IdempotentCall,
    Json,
    Page,
    ProviderExchange,
    ReplyAddress,
    StoredCallback,
)
from gateway.domain.attempts import Attempt
from gateway.domain.businesses import Business
from gateway.domain.checkout import CheckoutSession
from gateway.domain.connections import Connection
from gateway.domain.customers import Customer
from gateway.domain.fees import FeeSchedule
from gateway.domain.ledger import Journal
from gateway.domain.payments import Payment
from gateway.domain.payouts import Payout, PayoutAttempt
from gateway.domain.proof import Evidence
from gateway.domain.receipts import Receipt
from gateway.domain.webhooks import Delivery, DeliveryTry, Event, WebhookEndpoint
from ports.report import Report


class Payments(Protocol):
    """Payments of the unit's business and mode."""

    def add(self, payment: Payment, idempotency: IdempotentCall | None) -> None:
        """Insert. A second object under the same idempotency key raises `AlreadyMade` with the first one's id."""

    def get(self, payment_id: UUID, *, lock: bool = False) -> Payment:
        """The payment. Raises NotFound. `lock` takes the row for the rest of the transaction."""

    def many(self, payment_ids: Sequence[UUID]) -> Mapping[UUID, Payment]:
        """Several payments in one query, by id; unknown ids are left out."""

    def save(self, payment: Payment) -> Payment:
        """Write it, guarded by the version that was read; gives it back with the next version. Raises Conflict."""

    def page(self, page: Page) -> tuple[Sequence[Payment], bool]:
        """A page, newest first, and whether there is more. Filters: state, reference, customer_id."""


class Attempts(Protocol):
    """Attempts of the unit's business and mode."""

    def add(self, attempt: Attempt, key_hash: bytes | None = None) -> None:
        """Insert, with the hash of the idempotency key that made it. A second blocking attempt of the payment raises
        Conflict (`attempt_outcome_unknown`)."""

    def by_key(self, key_hash: bytes) -> Attempt | None:
        """The attempt that an idempotency key made, of any payment of the business."""

    def get(self, attempt_id: UUID, *, lock: bool = False) -> Attempt:
        """The attempt. Raises NotFound."""

    def locked(self, attempt_id: UUID) -> tuple[Payment, Attempt]:
        """The attempt with its payment, both locked until the unit closes: payment first, attempt second, as
        everywhere. Raises NotFound."""

    def of(self, payment_id: UUID) -> Sequence[Attempt]:
        """All attempts of a payment, oldest first."""

    def of_many(self, payment_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Attempt]]:
        """The attempts of several payments in one query."""

    def save(self, attempt: Attempt) -> Attempt:
        """Write it, guarded by version."""

    def unblock(self, attempt_id: UUID) -> None:
        """Let another attempt of the payment block in its stead: its window is over and the caller acknowledged it."""

    def reserve_reference(self, float_id: UUID, reference: str) -> bool:
        """Take a reference for ever on that float; False when somebody has it (of any business)."""

    def take_prompt(self, phone: str, now: datetime) -> int | None:
        """Count one more prompt to that phone, over all businesses: None when allowed (at most 5 in 10 minutes), else
        the seconds to wait."""


class Receipts(Protocol):
    """Receipts of the unit's business and mode."""

    def add(self, receipt: Receipt) -> bool:
        """Insert; False when the fact is known: the same number in its namespace and mode, or (one payment a try) the
        same attempt."""

    def of(self, payment_id: UUID) -> Sequence[Receipt]:
        """All receipts of a payment, oldest first."""

    def get(self, receipt_id: UUID, *, lock: bool = False) -> Receipt:
        """The receipt. Raises NotFound."""

    def of_attempt(self, attempt_id: UUID) -> Receipt | None:
        """The receipt of a try, if it has one."""

    def name(self, receipt_id: UUID, number: str, payer_hint: str | None) -> bool:
        """Fill in the number that came later, once; False when it has one, or another receipt bears that number."""

    def origin(self, receipt_id: UUID) -> tuple[UUID, str] | None:
        """The connection, and its code, whose provider named the receipt beside any try; None where none did."""

    def save(self, receipt: Receipt) -> Receipt:
        """Write `released_at`, `available_on` and what became of the money, guarded by version."""

    def page(self, page: Page) -> tuple[Sequence[Receipt], bool]:
        """A page, newest first. Filters: payment_id."""


class Customers(Protocol):
    """Customers of the unit's business and mode."""

    def by_phone(self, phone: str, *, new_id: UUID, now: datetime, name: str | None = None) -> Customer:
        """The customer with that E.164 number, made if there is none."""

    def get(self, customer_id: UUID) -> Customer:
        """The customer. Raises NotFound."""

    def save(self, customer: Customer) -> Customer:
        """Write name, e-mail and metadata, guarded by version."""

    def page(self, page: Page) -> tuple[Sequence[Customer], bool]:
        """A page, newest first. Filters: phone (E.164)."""


class Sessions(Protocol):
    """Checkout sessions of the unit's business and mode."""

    def add(self, session: CheckoutSession, idempotency: IdempotentCall | None) -> None:
        """Insert. Raises AlreadyMade as payments do."""

    def get(self, session_id: UUID) -> CheckoutSession:
        """The session. Raises NotFound."""

    def page(self, page: Page) -> tuple[Sequence[CheckoutSession], bool]:
        """A page, newest first. Filters: payment_id."""


class Payouts(Protocol):
    """Payouts of the unit's business and mode."""

    def add(self, payout: Payout, idempotency: IdempotentCall | None) -> None:
        """Insert. Raises AlreadyMade as payments do."""

    def get(self, payout_id: UUID, *, lock: bool = False) -> Payout:
        """The payout. Raises NotFound."""

    def save(self, payout: Payout) -> Payout:
        """Write it, guarded by version."""

    def page(self, page: Page) -> tuple[Sequence[Payout], bool]:
        """A page, newest first. Filters: state, reference."""


class PayoutAttempts(Protocol):
    """Payout attempts of the unit's business and mode."""

    def add(self, attempt: PayoutAttempt) -> None:
        """Insert. At most one live one a payout (partial unique index)."""

    def get(self, attempt_id: UUID, *, lock: bool = False) -> PayoutAttempt:
        """The attempt. Raises NotFound."""

    def of(self, payout_id: UUID) -> Sequence[PayoutAttempt]:
        """All attempts of a payout, oldest first."""

    def of_many(self, payout_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[PayoutAttempt]]:
        """The attempts of several payouts in one query."""

    def save(self, attempt: PayoutAttempt) -> PayoutAttempt:
        """Write it, guarded by version."""

    def promise(self, float_id: UUID, payout_id: UUID, units: int) -> bool:
        """Whether the float, under its lock until the end of the transaction, can promise `units` more than it has
        promised to all businesses, and no older payout waits for it. Call it in the transaction that sets
        `submitting`."""


class Replies(Protocol):
    """ReplyTo addresses."""

    def add(self, reply: ReplyAddress) -> None:
        """Insert."""


class EvidenceLog(Protocol):
    """What providers said and what we asked: kept apart from state."""

    def add_report(
        self, subject_kind: str, subject_id: UUID, report: Report, secret: UUID | None, at: datetime
    ) -> None:
        """Keep one report."""

    def of(self, subject_kind: str, subject_id: UUID) -> Sequence[Evidence]:
        """All reports about a try, oldest first."""

    def add_exchange(self, exchange: ProviderExchange) -> None:
        """Keep one call of ours."""

    def callback(self, callback_id: UUID) -> StoredCallback:
        """A stored callback, its body decrypted. Raises NotFound."""

    def weighed(self, callback_id: UUID, verdict: str) -> None:
        """Note what a callback was worth."""


class DueWork(Protocol):
    """The outbox: work that is due now or later."""

    def put(self, *due: Due) -> None:
        """Insert, or hurry the open row of the same (kind, subject) to the earlier time and count its generation up."""

    def drop(self, kind: str, subject_id: UUID) -> None:
        """Forget an open row: the timer isn't needed any more."""


class Events(Protocol):
    """Events of the unit's business and mode."""

    def put(
        self,
        type_: str,
        object_id: UUID,
        snapshot: Json,
        previous: Json | None = None,
        *,
        to: UUID | None = None,
        besides: UUID | None = None,
    ) -> UUID:
        """Record an event with its payload fixed now: inserted as the unit closes, with the next sequence of its
        object, together with one Delivery and its due work for each endpoint that wants it; or for the one endpoint
        `to`, whatever it wants, or for all `besides` one. Gives the event's id."""

    def get(self, event_id: UUID) -> Event:
        """The event. Raises NotFound."""

    def page(self, page: Page) -> tuple[Sequence[Event], bool]:
        """A page, newest first (oldest first by the filter `oldest_first`). Filters: type, object_id, types (as in
        `enabled_events`), endpoint_id (what was told to it)."""

    def between(self, since: datetime, until: datetime, after: UUID | None, limit: int) -> Sequence[Event]:
        """Events of a span by id, oldest first, after one of them."""

    def types(self, event_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """The types of several events in one query."""


class Endpoints(Protocol):
    """Webhook endpoints of the unit's business and mode."""

    def add(self, endpoint: WebhookEndpoint) -> None:
        """Insert; the secret is kept encrypted."""

    def get(self, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
        """The endpoint, its secrets decrypted where the role may. Raises NotFound."""

    def save(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """Write all but its secrets, guarded by version."""

    def rotate(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """Write its new secret, and keep the one before until `previous_until`; guarded by version."""

    def delete(self, endpoint_id: UUID) -> None:
        """Delete it; its open deliveries end."""

    def page(self, page: Page) -> tuple[Sequence[WebhookEndpoint], bool]:
        """A page, newest first."""


class Deliveries(Protocol):
    """Deliveries of the unit's business and mode."""

    def get(self, delivery_id: UUID, *, lock: bool = False) -> Delivery:
        """The delivery. Raises NotFound."""

    def save(self, delivery: Delivery, *, duration_ms: int | None = None) -> Delivery:
        """Write it, guarded by version, and log the try."""

    def tries(self, delivery_id: UUID) -> Sequence[DeliveryTry]:
        """Each send of it, oldest first."""

    def again(self, endpoint_id: UUID, event_ids: Sequence[UUID], *, missed: bool) -> Sequence[UUID]:
        """Make those events' deliveries to the endpoint open, a new one where there was none; gives their ids, whose
        due work is the caller's. `missed`: leave alone what was taken or is open."""

    def page(self, endpoint_id: UUID, page: Page) -> tuple[Sequence[Delivery], bool]:
        """A page, newest first."""


class Connections(Protocol):
    """Connections of the unit's mode: pooled, so every business sees that they exist, and no secret."""

    def for_method(self, codes: Sequence[str]) -> Connection | None:
        """The oldest active connection with one of these registration codes; a paused one if there is no active one;
        None without any. Without its configuration."""

    def get(self, connection_id: UUID) -> Connection:
        """The connection with its configuration decrypted (workers and operators only). Raises NotFound."""

    def pause(self, connection_id: UUID, reason: str, now: datetime) -> None:
        """Stop new work on it."""


class Idempotency(Protocol):
    """The answers of idempotent calls."""

    def finish(self, call: IdempotentCall, status: int, body: Json) -> None:
        """Store the answer; commits with the unit."""


class JournalOut(Protocol):
    """The way to the books from inside a unit."""

    def post(self, journal: Journal) -> None:
        """Record a journal; it is posted as the unit's last statement, so InsufficientFunds is raised by leaving it."""


class Balances(Protocol):
    """A business's own lines in the books, read under its row-level policies."""

    def now(self) -> Mapping[str, Mapping[str, int]]:
        """Currency → bucket (`pending`, `available`, `reserved`, `withheld`, `overpayments`, `owed`) → units."""

    def transactions(self, page: Page) -> tuple[Sequence[Json], bool]:
        """Balance transactions, newest first: see `representations.balance_transaction`. Filters: kind."""

    def transaction(self, uid: UUID) -> Json:
        """One of them. Raises NotFound."""


class Businesses(Protocol):
    """The unit's business, and its prices."""

    def get(self) -> Business:
        """The unit's business. Raises NotFound."""

    def fee_schedule(self, product: str, now: datetime, method: str | None = None) -> FeeSchedule:
        """The schedule in force (`collect` or `payout`): the business's own, else the platform-wide one, else free; of
        each, one for that method before one for every method."""


class Alerts(Protocol):
    """What a person must look at."""

    def raise_(self, kind: str, subject_id: UUID | None, detail: str) -> None:
        """Keep an alert; the same open (kind, subject) is one alert."""


class Timelines(Protocol):
    """All that happened to one object, in order."""

    def of_payment(self, payment_id: UUID) -> Sequence[Json]:
        """Events, calls, callbacks, reports, journals and deliveries of a payment and its attempts, oldest first."""

    def of_payout(self, payout_id: UUID) -> Sequence[Json]:
        """The same for a payout."""
