"""A small world on a fresh database: a platform, two businesses, a float, a connection, and units for each role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection as Session
from sqlalchemy import Engine

from gateway.adapters.persistence.callbacks import SqlCallbackStore
from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.directory import SqlDirectory
from gateway.adapters.persistence.doors import SqlDoors
from gateway.adapters.persistence.engines import open_engine
from gateway.adapters.persistence.idempotency import SqlIdempotencyKeys
from gateway.adapters.persistence.unit_of_work import SqlUnits
from gateway.adapters.persistence.vault import Vault
from gateway.adapters.system import UuidV7
from gateway.application.interfaces import Call, IdempotentCall, Scope
from gateway.domain.attempts import Attempt
from gateway.domain.businesses import ApiKey, Business, Platform
from gateway.domain.connections import Connection, Float
from gateway.domain.fees import NO_CHARGE, Charge
from gateway.domain.ledger import Journal
from gateway.domain.payments import Payment
from gateway.domain.payouts import Payout, PayoutAttempt
from gateway.domain.receipts import Receipt
from gateway.domain.webhooks import WebhookEndpoint
from ports.money import KES, Money
from ports.payout_channel import Destination, DestinationKind
from tests.servers import Database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PHONE = "+254712345126"
MASTER = "k1:" + "QUFB" * 10 + "QUE="
new_id = UuidV7()


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Noted:
    """Books that only note what is posted, for tests of other things."""

    journals: list[Journal] = field(default_factory=list)

    def post(self, conn: Session, journal: Journal) -> object:
        self.journals.append(journal)
        return None

    def post_many(self, journals: Sequence[Journal], conn: Session) -> object:
        self.journals.extend(journals)
        return None


@dataclass
class Shop:
    """The world. `a` and `b` are scopes of two businesses in test mode."""

    database: Database
    clock: Clock = field(default_factory=Clock)
    books: Any = field(default_factory=Noted)
    vault: Vault = field(default_factory=lambda: Vault.of(MASTER))
    sandbox: bool = False
    rung: int = 0
    engines: dict[str, Engine] = field(default_factory=dict)
    workers: list[SqlDoors] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.platform = Platform(id=new_id(), name="Soko", created=NOW)
        self.a, self.b = (Scope(business_id=new_id(), livemode=False) for _ in range(2))
        self.live = replace(self.a, livemode=True)
        self.float_id, self.connection_id = new_id(), new_id()
        self.directory.add_platform(self.platform)
        for scope, tag in ((self.a, "NJERI"), (self.b, "OTIENO"[:5])):
            self.directory.add_business(a_business(self.platform, scope.business_id, tag))
        self.directory.add_float(Float(id=self.float_id, livemode=False, title="Paybill", currency="KES", created=NOW))
        self.directory.add_connection(a_connection(self.connection_id, self.float_id))

    def engine(self, role: str = "app", *, threads: int = 20) -> Engine:
        if role not in self.engines:
            self.engines[role] = open_engine(self.database.url(role), threads=threads)
        return self.engines[role]

    def close(self) -> None:
        for worker in self.workers:
            worker.worker.close()
        for engine in self.engines.values():
            engine.dispose()

    @property
    def unit_clock(self) -> UnitClock:
        return UnitClock(system=self.clock, sandbox=self.sandbox)

    @property
    def directory(self) -> SqlDirectory:
        return SqlDirectory(engine=self.engine("operator"), vault=self.vault)

    @property
    def doors(self) -> SqlDoors:
        return SqlDoors(engine=self.engine("worker"), clock=self.unit_clock)

    def worker(self) -> SqlDoors:
        """The doors of one more worker: what it starts is its alone."""
        self.workers.append(self.doors)
        return self.workers[-1]

    @property
    def web_doors(self) -> SqlDoors:
        return SqlDoors(engine=self.engine("app"), clock=self.unit_clock)

    @property
    def keys(self) -> SqlIdempotencyKeys:
        return SqlIdempotencyKeys(engine=self.engine("app"), vault=self.vault, new_id=new_id, clock=self.unit_clock)

    @property
    def callbacks(self) -> SqlCallbackStore:
        return SqlCallbackStore(engine=self.engine("app"), vault=self.vault, new_id=new_id, clock=self.unit_clock)

    def units(self, role: str = "app") -> SqlUnits:
        return SqlUnits(
            engine=self.engine(role),
            vault=self.vault,
            clock=self.unit_clock,
            new_id=new_id,
            books=self.books,
            reads_secrets=role != "app",
            ring=self._ring,
        )

    def _ring(self) -> None:
        self.rung += 1

    def call(self, scope: Scope | None = None, *, idempotency: IdempotentCall | None = None) -> Call:
        scope = scope or self.a
        return Call(business_id=scope.business_id, livemode=scope.livemode, request_id="req_1", idempotency=idempotency)

    def payment(self, scope: Scope | None = None, **changes: Any) -> Payment:
        """A payment that is in the database, with its event and timer."""
        one = a_payment(scope or self.a, **changes)
        with self.units()(scope or self.a) as work:
            work.payments.add(one, None)
            work.events.put("payment.created", one.id, {"status": one.state.value})
        return one

    def attempt(self, payment: Payment, **changes: Any) -> Attempt:
        one = an_attempt(payment, self.connection_id, self.float_id, **changes)
        with self.units()(Scope(business_id=payment.business_id, livemode=payment.livemode)) as work:
            work.attempts.add(one)
        return one

    def receipt(self, attempt: Attempt, **changes: Any) -> Receipt:
        one = a_receipt(attempt, **changes)
        with self.units("worker")(Scope(business_id=attempt.business_id, livemode=attempt.livemode)) as work:
            assert work.receipts.add(one)
        return one

    def payout(self, scope: Scope | None = None, **changes: Any) -> Payout:
        one = a_payout(scope or self.a, **changes)
        with self.units()(scope or self.a) as work:
            work.payouts.add(one, None)
        return one

    def payout_attempt(self, payout: Payout, **changes: Any) -> PayoutAttempt:
        one = a_payout_attempt(payout, self.connection_id, self.float_id, **changes)
        with self.units()(Scope(business_id=payout.business_id, livemode=payout.livemode)) as work:
            work.payout_attempts.add(one)
        return one

    def endpoint(self, scope: Scope | None = None, **changes: Any) -> WebhookEndpoint:
        scope = scope or self.a
        values: dict[str, Any] = {"url": "https://shop.example/hook", "secret": "whsec_planted", **changes}
        one = WebhookEndpoint(id=new_id(), **_whose(scope), **_when(), **values)
        with self.units()(scope) as work:
            work.endpoints.add(one)
        return one


def idempotent(key: str = "order-1", fingerprint: bytes = b"f1", object_id: UUID | None = None) -> IdempotentCall:
    return IdempotentCall(record_id=new_id(), object_id=object_id or new_id(), key=key, fingerprint=fingerprint)


def kes(units: int) -> Money:
    return Money(units=units, asset=KES)


def _whose(scope: Scope) -> dict[str, Any]:
    return {"business_id": scope.business_id, "livemode": scope.livemode}


def _when() -> dict[str, Any]:
    return {"created": NOW, "updated": NOW}


def a_business(platform: Platform, id_: UUID, tag: str) -> Business:
    return Business(
        id=id_, platform_id=platform.id, name=f"Duka {tag}", shop_tag=tag, statement_descriptor=tag, **_when()
    )


def a_key(platform: Platform, business_id: UUID | None, secret: str, **changes: Any) -> ApiKey:
    values: dict[str, Any] = {"livemode": False, "name": "first", **changes}
    return ApiKey(
        id=new_id(),
        platform_id=platform.id,
        business_id=business_id,
        created=NOW,
        key_hash=sha256(secret.encode()).digest(),
        last4=secret[-4:],
        **values,
    )


def a_connection(id_: UUID, float_id: UUID, **changes: Any) -> Connection:
    values: dict[str, Any] = {
        "livemode": False,
        "title": "Paybill 600000",
        "code": "mpesa_push",
        "tag": id_.hex[-8:],
        "config": {"passkey": "planted-passkey", "shortcode": 600000},
        **changes,
    }
    return Connection(id=id_, float_id=float_id, **{**_when(), **values})


def a_payment(scope: Scope, **changes: Any) -> Payment:
    values: dict[str, Any] = {
        "id": new_id(),
        "amount": kes(150_000),
        "expires_at": NOW + timedelta(hours=24),
        **changes,
    }
    values.setdefault("amount_due", values["amount"])
    return Payment(**{**_whose(scope), **_when(), **values})


def an_attempt(payment: Payment, connection_id: UUID, float_id: UUID, **changes: Any) -> Attempt:
    values: dict[str, Any] = {
        "id": new_id(),
        "number": 1,
        "connection_id": connection_id,
        "rail": "mpesa_push",
        "method": "mpesa",
        "float_id": float_id,
        "reference": f"NJERI-{new_id().hex[-8:]}",
        "amount": payment.amount_due,
        **changes,
    }
    return Attempt(
        payment_id=payment.id, business_id=payment.business_id, livemode=payment.livemode, **_when(), **values
    )


def a_receipt(attempt: Attempt, **changes: Any) -> Receipt:
    values: dict[str, Any] = {
        "id": new_id(),
        "attempt_id": attempt.id,
        "receipt_namespace": "mpesa_ke",
        "receipt_number": None,
        "amount": attempt.amount,
        "due_units": attempt.amount.units,
        "over_units": 0,
        "charge": NO_CHARGE,
        "bucket": "available",
        "happened_at": NOW,
        **changes,
    }
    return Receipt(
        business_id=attempt.business_id,
        livemode=attempt.livemode,
        payment_id=attempt.payment_id,
        float_id=attempt.float_id,
        **_when(),
        **values,
    )


def a_payout(scope: Scope, **changes: Any) -> Payout:
    values: dict[str, Any] = {
        "id": new_id(),
        "amount": kes(70_000),
        "charge": Charge(revenue_units=3_000),
        "destination": Destination(kind=DestinationKind.MPESA_PHONE, account=PHONE),
        "destination_masked": "+2547•••••126",
        **changes,
    }
    return Payout(**{**_whose(scope), **_when(), **values})


def a_payout_attempt(payout: Payout, connection_id: UUID, float_id: UUID, **changes: Any) -> PayoutAttempt:
    values: dict[str, Any] = {
        "id": new_id(),
        "number": 1,
        "connection_id": connection_id,
        "channel": "mpesa_b2c",
        "float_id": float_id,
        "reference": str(new_id()),
        "amount": payout.amount,
        **changes,
    }
    return PayoutAttempt(
        payout_id=payout.id, business_id=payout.business_id, livemode=payout.livemode, **_when(), **values
    )
