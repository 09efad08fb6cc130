"""Replies lost at four hops: ours to the shop, M-Pesa's to us, ours to its callback, the shop's to a webhook."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.chaos import judge
from tests.chaos.plan import Order
from tests.chaos.scene import Scene
from tests.chaos.traffic import CLIENTS, Made, arm, insist, pay_in, pay_out
from tests.waiting import eventually

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What one hop's losses came to."""

    name: str
    lost: int
    took_s: float
    faults: list[str]


def cut(method: str, url: str, headers: dict[str, str], body: bytes, *, wait_s: float) -> None:
    """Send a whole request and hang up without reading the reply."""
    at = urlsplit(url)
    lines = [f"{method} {at.path} HTTP/1.1", f"Host: {at.netloc}", *(f"{k}: {v}" for k, v in headers.items())]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "Content-Type: application/json", "", ""])
    with socket.create_connection((at.hostname or "", at.port or 80), timeout=5) as line:
        line.sendall(head.encode() + body)
        time.sleep(wait_s)


def to_the_shop(scene: Scene, losses: int, seed: int) -> Hop:
    """The shop hears nothing of its first request and asks again with the same key: one payment each."""
    began = time.monotonic()
    chance = random.Random(seed)
    waits = [chance.choice((0.0, 0.002, 0.01, 0.05)) for _ in range(losses)]

    def one(n: int) -> str:
        shop = scene.a_shop()
        body = {"amount": 20_000, "currency": "KES", "reference": f"hop-shop-{n}"}
        headers = {"Authorization": f"Bearer {shop.key}", "Idempotency-Key": f"hop-shop-{n}"}
        cut("POST", f"{shop.url}/v1/payments", headers, json.dumps(body).encode(), wait_s=waits[n])
        made = insist(shop, "POST", "/v1/payments", body, f"hop-shop-{n}")
        shop.session.close()
        return str(made["id"]) if made.status == 201 else f"answered {made.status}: {made.body}"

    with ThreadPoolExecutor(CLIENTS) as pool:
        made = list(pool.map(one, range(losses)))
    found = Counter(p["reference"] for p in judge.all_of(scene.stack.shop, "/v1/payments"))
    faults = [f"order {n}: {found[f'hop-shop-{n}']} payments" for n in range(losses) if found[f"hop-shop-{n}"] != 1]
    faults += [m for m in made if not m.startswith("pay_")]
    return Hop(name="our reply to the shop", lost=losses, took_s=time.monotonic() - began, faults=faults)


def from_the_provider(scene: Scene, losses: int, seed: int) -> Hop:
    """M-Pesa did what was asked, and its acknowledgement is lost: half payments, half payouts.

    Every third is lost: were all of them, the connection would be set aside, and rightly.
    """
    began = time.monotonic()
    half = losses // 2
    ins = [_one_of_three("2547330", n) for n in range(half * 3)]
    outs = [_one_of_three("2547440", n) for n in range((losses - half) * 3)]
    for order in (*ins, *outs):
        arm(scene, order)
    made = Made(payments={}, payouts={})
    with ThreadPoolExecutor(CLIENTS) as pool:
        made.payments.update(zip(pool.map(lambda o: pay_in(scene, o, "hop-ack"), ins), ins, strict=True))
        made.payouts.update(zip(pool.map(lambda o: pay_out(scene, o, "hop-ack"), outs), outs, strict=True))
    verdict = _settled(scene, made)
    faults = [*verdict.faults, *verdict.open_, *verdict.doubts]
    return Hop(name="the provider's reply to us", lost=losses, took_s=time.monotonic() - began, faults=faults)


def _one_of_three(prefix: str, n: int) -> Order:
    return Order(number=n, phone=f"{prefix}{n:05d}", units=20_000, behaviour="success" if n % 3 else "lost_ack")


def to_the_callback(scene: Scene, losses: int, seed: int) -> Hop:
    """The callback arrives, our reply to it is lost, and M-Pesa says it again, and again."""
    began = time.monotonic()
    orders = [Order(number=n, phone=f"2547550{n:05d}", units=20_000, behaviour="lost_callback") for n in range(losses)]
    for order in orders:
        arm(scene, order)
    made = Made(payments={}, payouts={})
    with ThreadPoolExecutor(CLIENTS) as pool:
        made.payments.update(zip(pool.map(lambda o: pay_in(scene, o, "hop-cb"), orders), orders, strict=True))
        callbacks = eventually(lambda: _untold(scene, orders), within_s=60, every_s=0.5)
        chance = random.Random(seed)

        def one(url_and_body: tuple[str, bytes]) -> None:
            url, body = url_and_body
            cut("POST", url, {}, body, wait_s=chance.choice((0.0, 0.005, 0.03)))
            cut("POST", url, {}, body, wait_s=0.5)

        list(pool.map(one, callbacks))
    verdict = _settled(scene, made)
    faults = [*verdict.faults, *verdict.open_, *verdict.doubts]
    return Hop(name="our reply to a callback", lost=losses, took_s=time.monotonic() - began, faults=faults)


def _untold(scene: Scene, orders: list[Order]) -> list[tuple[str, bytes]]:
    """The callbacks that M-Pesa kept to itself, as it would have posted them; empty until all are paid."""
    found = []
    pushes = {push["phone"]: push for push in scene.stack.control.pushes()}
    asked = {entry["phone"]: entry for entry in scene.stack.control.journal(endpoint="push", kind="request")}
    for order in orders:
        push = pushes.get(order.phone)
        if push is None or not push.get("receipt"):
            return []
        found.append((asked[order.phone]["request"]["CallBackURL"], callback_of(push, order)))
    return found


def callback_of(push: dict[str, Any], order: Order) -> bytes:
    """The news of a paid push, as M-Pesa words it."""
    items = [
        {"Name": "Amount", "Value": order.units / 100},
        {"Name": "MpesaReceiptNumber", "Value": push["receipt"]},
        {"Name": "Balance"},
        {"Name": "TransactionDate", "Value": 20261124120000},
        {"Name": "PhoneNumber", "Value": int(order.phone)},
    ]
    told = {
        "MerchantRequestID": push["merchant_request_id"],
        "CheckoutRequestID": push["checkout_request_id"],
        "ResultCode": 0,
        "ResultDesc": "The service request is processed successfully.",
        "CallbackMetadata": {"Item": items},
    }
    return json.dumps({"Body": {"stkCallback": told}}).encode()


@dataclass(slots=True, kw_only=True)
class Forgetful:
    """A webhook receiver that hangs up on the first delivery of each event after taking it in."""

    url: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def a_forgetful_receiver() -> Iterator[Forgetful]:
    """On loopback; `seen` counts deliveries by webhook-id."""
    receiver = Forgetful()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.lock:
                receiver.seen[self.headers["webhook-id"]] += 1
                first = receiver.seen[self.headers["webhook-id"]] == 1
            if first:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def to_a_webhook(scene: Scene, losses: int, seed: int) -> Hop:
    """The shop took the news and its 200 is lost: it comes again under the same webhook-id."""
    began = time.monotonic()
    shop = scene.stack.shop
    with a_forgetful_receiver() as receiver:
        endpoint = shop.post("/v1/webhook_endpoints", {"url": receiver.url, "enabled_events": ["payment.created"]}).body
        for n in range(losses):
            shop.payment(20_000, reference=f"hop-hook-{n}")

        def all_twice() -> bool:
            assert len(receiver.seen) == losses
            assert min(receiver.seen.values()) >= 2
            return True

        faults = []
        try:
            eventually(all_twice, within_s=60 + losses / 10, every_s=0.5)
        except AssertionError:
            short = losses - sum(times >= 2 for times in receiver.seen.values())
            faults.append(f"{short} events never came again")
        shop.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    return Hop(name="the shop's reply to a webhook", lost=losses, took_s=time.monotonic() - began, faults=faults)


def _settled(scene: Scene, made: Made) -> judge.Verdict:
    until = time.monotonic() + 90
    ask_at = time.monotonic() + 15
    while True:
        verdict = judge.look(scene.stack.shop, scene.stack.control, made)
        if not verdict.open_ or verdict.faults or time.monotonic() > until:
            return verdict
        if time.monotonic() > ask_at:
            ask_at += 15
            for line in verdict.open_:
                name = line.split(" ", 1)[0]
                noun = "payments" if name.startswith("pay_") else "payouts"
                scene.stack.shop.call("POST", f"/v1/{noun}/{name}/refresh", {})
        time.sleep(0.5)
