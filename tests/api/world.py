"""The real application on a real database: two businesses with a key in each mode, and M-Pesa in both modes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway import bootstrap, settings
from gateway.adapters.system import UuidV7
from gateway.adapters.web.app import create_app
from gateway.adapters.web.request_log import EXTENSION
from gateway.adapters.web.settings import WebSettings
from gateway.application.interfaces import Call
from gateway.application.money_in import RecordMoneyIn
from gateway.application.operators import Act
from gateway.application.reports import News
from gateway.domain.businesses import HOUSE, Business
from gateway.domain.fees import FeeSchedule
from gateway.domain.ids import Prefix, decode
from ports.money import KES, Money
from ports.report import Grade, MoneyIn, Report, Status
from tests.api.kinds import find_all
from tests.servers import Database
from tests.stack import environment_of
from tests.waiting import eventually

PUBLIC_URL = "http://127.0.0.1:8080"
_ACT = Act(actor="tests", reason="a world for the API tests")
_RECEIPTS = count(1)
_PHONES = count(700200000)


def a_phone() -> str:
    """A number that no test has used: prompts to one number are limited."""
    return f"0{next(_PHONES)}"


@dataclass
class Shop:
    """A business with one key: calls the API in this process."""

    client: FlaskClient
    business: Business
    livemode: bool
    key: str
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Any call, whatever it answers; a POST gets a fresh idempotency key unless one is given."""
        sent = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if method == "POST":
            sent.setdefault("Idempotency-Key", f"{self.business.shop_tag}-{self.livemode}-{next(self.numbers)}")
        return self.client.open(path, method=method, json=body, headers=sent)

    def get(self, path: str) -> Any:
        """A GET that must be answered 200."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.json
        return answer.json

    def post(self, path: str, body: Any = None) -> Any:
        """A POST that must be answered 200 or 201."""
        answer = self.call("POST", path, body)
        assert answer.status_code in (200, 201), answer.json
        return answer.json

    def payment(self, amount: int = 150_000, **more: Any) -> Any:
        """A new payment."""
        return self.post("/v1/payments", {"amount": amount, "currency": "KES", **more})

    def confirmed(self, amount: int = 150_000) -> Any:
        """A payment whose prompt is on its way."""
        made = self.payment(amount)
        return self.post(f"/v1/payments/{made['id']}/confirm", _method())


def _method() -> dict[str, Any]:
    return {"payment_method": {"type": "mpesa", "phone": a_phone()}}


@dataclass
class World:
    """The application, its shops, and a worker's gateway that plays the provider's part."""

    app: Flask
    database: Database
    a: Shop
    a_live: Shop
    b: Shop
    b_live: Shop
    worker: bootstrap.Gateway
    operator: bootstrap.Gateway

    def pay(self, shop: Shop, payment_id: str) -> None:
        """The provider's strong word that the payment's last attempt was paid in full."""
        attempt = shop.get(f"/v1/payments/{payment_id}/attempts")["data"][-1]
        report = Report(
            reference=attempt["reference"],
            status=Status.SUCCEEDED,
            grade=Grade.ANSWER,
            money=(
                MoneyIn(
                    receipt_namespace="mpesa.ke",
                    receipt_number=f"TST{next(_RECEIPTS):07}",
                    amount=Money(units=attempt["amount"], asset=KES),
                    happened_at=datetime.now(UTC),
                ),
            ),
        )
        call = Call(business_id=shop.business.id, livemode=shop.livemode)
        self.worker.payments.record(decode(Prefix.ATTEMPT, attempt["id"]), News(report=report), call)

    def paid(self, shop: Shop, amount: int = 150_000) -> str:
        """A payment that was paid; gives its id."""
        payment = shop.confirmed(amount)
        self.pay(shop, payment["id"])
        return str(payment["id"])

    def loose(self, typed: str, units: int) -> str:
        """Money that a statement names and nobody has, under a reference as a payer typed it; the receipt's id."""
        house = Call(business_id=HOUSE, livemode=False)
        money = MoneyIn(
            receipt_namespace="mpesa_ke",
            receipt_number=f"LSE{next(_RECEIPTS):07}",
            amount=Money(units=units, asset=KES),
            happened_at=datetime.now(UTC),
            reference=typed,
        )
        connection = next(c for c in self.operator.directory.connections() if c.code == "mpesa_push" and not c.livemode)
        record = RecordMoneyIn(unit=self.worker.units)(False, connection.id, money, Grade.FILE)
        assert record is not None
        self.worker.handlers["money.settle"](record, house)
        return str(self.a.get("/v1/receipts?status=unmatched")["data"][0]["id"])

    def platform(self) -> Shop:
        """A client with a key of the platform itself."""
        _, secret = self.operator.issue_platform_key(
            self.a.business.platform_id, livemode=False, name="tests", act=_ACT
        )
        return Shop(client=self.app.test_client(), business=self.a.business, livemode=False, key=secret)

    def furnish(self, shop: Shop) -> Mapping[str, str]:
        """One object of each kind; gives the path parameter that names it and its id."""
        payment = self.paid(shop)
        session = shop.post("/v1/checkout/sessions", {"amount": 20_000, "currency": "KES"})
        phone = {"type": "mpesa_phone", "phone": a_phone()}
        payout = shop.post("/v1/payouts", {"amount": 50_000, "currency": "KES", "destination": phone})
        customer = shop.post("/v1/customers", {"phone": a_phone()})
        endpoint = shop.post("/v1/webhook_endpoints", {"url": "https://shop.example/hooks"})
        shop.payment()
        known = {
            "payment_id": payment,
            "session_id": session["id"],
            "payout_id": payout["id"],
            "customer_id": customer["id"],
            "endpoint_id": endpoint["id"],
            "transaction_id": shop.get("/v1/balance_transactions")["data"][0]["id"],
            "event_id": shop.get("/v1/events")["data"][0]["id"],
        }
        found = find_all(shop, known)
        self.await_note(shop, found["request_id"])
        return found

    def await_note(self, shop: Shop, request_id: str) -> None:
        """The log of requests is written behind the callers' backs, within a second."""
        self.app.extensions[EXTENSION].flush()
        eventually(lambda: shop.call("GET", f"/v1/requests/{request_id}").status_code == 200)


@contextmanager
def a_world(database: Database, redis_url: str) -> Iterator[World]:
    """The application as `wsgi` makes it, with its own role's rights, and without limits on keys."""
    found = settings.read(environment_of(database, redis_url, PUBLIC_URL))
    operator = bootstrap.Gateway(settings=found, role="operator")
    web = bootstrap.Gateway(settings=found, role="app")
    worker = bootstrap.Gateway(settings=found, role="worker")
    app = create_app(
        web.use_cases,
        WebSettings(
            public_url=PUBLIC_URL, new_id=UuidV7(), test_clock=web.test_clock, key_limit=None,
            wrong_key_limit=None, unknown_callback_limit=None, address_limit=None, publishable_limit=None,
            keep_requests=web.request_log.keep,
        ),
    )  # fmt: skip
    try:
        a, b = _businesses(operator)
        shops = [
            Shop(client=app.test_client(), business=one, livemode=livemode, key=_key(operator, one, livemode))
            for one in (a, b)
            for livemode in (False, True)
        ]
        yield World(app, database, *shops, worker, operator)
    finally:
        app.extensions[EXTENSION].close()
        for one in (operator, web, worker):
            one.close()


def _businesses(operator: bootstrap.Gateway) -> tuple[Business, Business]:
    desk = operator.desk
    platform = desk.add_platform("Platform", _ACT)
    new_id = UuidV7()
    desk.set_fee(FeeSchedule(id=new_id(), version=1, bps=150, cap_units=100_000), "collect", None, _ACT)
    desk.set_fee(FeeSchedule(id=new_id(), version=1, flat_units=3_000), "payout", None, _ACT)
    for livemode in (False, True):
        for code in ("mpesa_push", "mpesa_b2c"):
            pocket = desk.add_float(f"{code} float", livemode=livemode, act=_ACT)
            # Web never calls a provider, so what the connection holds doesn't matter here.
            desk.add_connection(code, code, pocket.id, {"shortcode": "600000"}, livemode=livemode, act=_ACT)
    a = desk.add_business(platform.id, "Duka A", "DUKAA", _ACT)
    b = desk.add_business(platform.id, "Duka B", "DUKAB", _ACT)
    for one in (a, b):
        desk.open_business(one.id, _ACT, payments=True, payouts=True)
    return a, b


def _key(operator: bootstrap.Gateway, business: Business, livemode: bool) -> str:
    _, secret = operator.desk.issue_key(business, livemode=livemode, name="tests", act=_ACT)
    return secret


def uuid_of(public_id: str) -> UUID:
    """The UUID in a public id."""
    return decode(public_id.partition("_")[0], public_id)
