"""The demo shop: it sells, believes signed news alone, and lets each parcel leave once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from plugins.sandbox.shop.app import Shop
from plugins.sandbox.shop.orders import Memory
from plugins.sandbox.shop.till import Refused, Till, is_genuine

_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


class FakeTill(Till):
    """A till whose gateway is in this process."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.closed = False

    def page_for(self, order: str, item: str, cents: int, back: str) -> str:
        if self.closed:
            raise Refused("payments are closed")
        self.asked.append((order, cents))
        return f"http://gateway.test/c/{order}"

    def listen_at(self, url: str) -> tuple[str, str]:
        return "we_1", _SECRET

    def still_listens(self, endpoint: str, url: str) -> bool:
        return endpoint == "we_1"


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path)


@pytest.fixture
def till() -> FakeTill:
    return FakeTill()


@pytest.fixture
def client(memory: Memory, till: FakeTill) -> Client:
    shop = Shop(memory=memory, till=till, url="http://shop.test")
    shop.listen()
    return Client(shop)


def _event(order: str, kind: str, status: str, sequence: int, received: int = 150_000) -> dict[str, Any]:
    found = {
        "id": "pay_1",
        "object": "payment",
        "reference": order,
        "status": status,
        "amount_received": received,
        "exception_status": None,
    }
    return {"type": kind, "sequence": sequence, "data": {"object": found}}


def _post(
    client: Client, webhook_id: str, event: dict[str, Any], *, at: int | None = None, secret: str = _SECRET
) -> int:
    body = json.dumps(event).encode()
    sent = str(at if at is not None else int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"{webhook_id}.{sent}.".encode() + body, hashlib.sha256)).decode()
    headers = {"webhook-id": webhook_id, "webhook-timestamp": sent, "webhook-signature": f"v1,{signature}"}
    return client.post("/hooks", data=body, headers=headers).status_code


def _buy(client: Client, till: FakeTill) -> str:
    reply = client.post("/buy", data={"item": "kikoi"})
    assert reply.status_code == 303
    order, cents = till.asked[-1]
    assert (reply.headers["Location"], cents) == (f"http://gateway.test/c/{order}", 150_000)
    return order


def test_a_parcel_leaves_once_whatever_comes_again_and_in_which_order(
    client: Client, till: FakeTill, memory: Memory
) -> None:
    for seed in range(20):
        order = _buy(client, till)
        news = [
            (f"{order}-1", _event(order, "payment.created", "requires_payment_method", 1, 0)),
            (f"{order}-2", _event(order, "payment.requires_action", "requires_action", 2, 0)),
            (f"{order}-3", _event(order, "payment.succeeded", "succeeded", 3)),
        ] * 3
        random.Random(seed).shuffle(news)
        assert {_post(client, name, event) for name, event in news} == {204}
        found = memory.find(order)
        assert found is not None
        assert (found.status, found.sent) == ("succeeded", True)


def test_nobody_is_believed_without_a_fresh_signature(client: Client, till: FakeTill, memory: Memory) -> None:
    order = _buy(client, till)
    paid = _event(order, "payment.succeeded", "succeeded", 3)
    other = "whsec_" + base64.b64encode(b"another secret of thirty-two byt").decode()
    assert _post(client, "a", paid, secret=other) == 400
    assert _post(client, "b", paid, at=int(time.time()) - 3_600) == 400
    assert client.post("/hooks", data=json.dumps(paid)).status_code == 400
    assert client.get(f"/orders/{order}").status_code == 200  # Coming back from the page proves nothing.
    found = memory.find(order)
    assert found is not None
    assert (found.status, found.sent) == ("waiting", False)


def test_less_than_the_price_sends_no_parcel(client: Client, till: FakeTill, memory: Memory) -> None:
    order = _buy(client, till)
    _post(client, "a", _event(order, "payment.succeeded", "succeeded", 3, received=100_000))
    found = memory.find(order)
    assert found is not None
    assert not found.sent


def test_the_pages_say_how_it_is(client: Client, till: FakeTill) -> None:
    order = _buy(client, till)
    assert "not paid yet" in client.get(f"/orders/{order}").text
    _post(client, "a", _event(order, "payment.succeeded", "succeeded", 3))
    page = client.get(f"/orders/{order}")
    assert "paid, parcel sent" in page.text
    assert "refresh" not in page.text
    assert "paid, parcel sent" in client.get("/").text
    assert client.get("/orders/nothing").status_code == 404
    till.closed = True
    closed = client.post("/buy", data={"item": "kikoi"})
    assert (closed.status_code, "payments are closed" in closed.text) == (502, True)
    assert client.post("/buy", data={"item": "a house"}).status_code == 404


def test_one_of_two_signatures_is_enough() -> None:
    key = base64.b64decode(_SECRET.removeprefix("whsec_"))
    good = base64.b64encode(hmac.digest(key, b"id.100.body", hashlib.sha256)).decode()
    headers = {"webhook-id": "id", "webhook-timestamp": "100", "webhook-signature": f"v1,AAAA v1,{good}"}
    assert is_genuine(_SECRET, headers, b"body", 200.0)
    assert not is_genuine(_SECRET, headers, b"bodY", 200.0)
    assert not is_genuine(_SECRET, headers, b"body", 500.0)
