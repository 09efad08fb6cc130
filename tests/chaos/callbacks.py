"""True callbacks, five times each and shuffled; and false ones in thousands."""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
import requests

from tests.chaos import judge
from tests.chaos.hops import callback_of
from tests.chaos.plan import Order
from tests.chaos.scene import Scene
from tests.chaos.traffic import CLIENTS, Made, arm, pay_in
from tests.waiting import eventually

TIMES = 5
#: Our prompts live for 90 seconds.
_WINDOW_S = 85.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shuffled:
    """What came of the same news told five times."""

    posted: int
    distinct: int
    receipts: int
    took_s: float
    faults: list[str]


def shuffled(scene: Scene, payments: int, seed: int) -> Shuffled:
    """Payments whose callbacks M-Pesa kept to itself; they are posted five times each, in any order."""
    began = time.monotonic()
    orders = [
        Order(number=n, phone=f"2547660{n:05d}", units=20_000, behaviour="lost_callback") for n in range(payments)
    ]
    made = Made(payments={}, payouts={})
    before = _receipts(scene)
    news: list[tuple[str, bytes]] = []
    with ThreadPoolExecutor(CLIENTS) as pool:
        for start in range(0, payments, 200):
            part = orders[start : start + 200]
            for order in part:
                arm(scene, order)
            made.payments.update(zip(pool.map(lambda o: pay_in(scene, o, f"shuffled-{seed}"), part), part, strict=True))
            news += [
                pair for order in part for pair in [eventually(lambda o=order: _told(scene, o), within_s=60)] * TIMES
            ]
        random.Random(seed).shuffle(news)
        statuses = Counter(pool.map(_post, news))
    faults = [f"{n} callbacks were answered {status}" for status, n in statuses.items() if status != 200]
    verdict = _settled(scene, made)
    faults += [*verdict.faults, *verdict.open_, *verdict.doubts]
    receipts = _receipts(scene) - before
    if receipts != payments:
        faults.append(f"{receipts} receipts for {payments} distinct ones")
    return Shuffled(
        posted=len(news), distinct=payments, receipts=receipts, took_s=time.monotonic() - began, faults=faults
    )


def _told(scene: Scene, order: Order) -> tuple[str, bytes] | None:
    """The callback of one order as M-Pesa would post it, once it is paid."""
    pushes = scene.stack.control.pushes(phone=order.phone)
    if not pushes or not pushes[0].get("receipt"):
        return None
    asked = scene.stack.control.journal(endpoint="push", kind="request", phone=order.phone)
    return asked[0]["request"]["CallBackURL"], callback_of(pushes[0], order)


_LINES = threading.local()


def _post(url_and_body: tuple[str, bytes]) -> int:
    session: requests.Session = _LINES.__dict__.setdefault("session", requests.Session())
    url, body = url_and_body
    return session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30).status_code


def _receipts(scene: Scene) -> int:
    with psycopg.connect(scene.database.plain_url("owner")) as conn:
        row = conn.execute("SELECT count(DISTINCT receipt_number) FROM gateway.receipt").fetchone()
    return int(row[0]) if row else 0


def _settled(scene: Scene, made: Made) -> judge.Verdict:
    until = time.monotonic() + 120
    while True:
        verdict = judge.look(scene.stack.shop, scene.stack.control, made)
        if not verdict.open_ or verdict.faults or time.monotonic() > until:
            return verdict
        time.sleep(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """What ten thousand lies did: nothing to state, so many questions, and this to everybody else's waiting."""

    forged: int
    live: int
    queries_a_live_attempt: float
    allowed_a_live_attempt: float
    quiet_p99_ms: float
    flooded_p99_ms: float
    faults: list[str]


def flood(scene: Scene, forged: int, *, live: int = 20, rate_a_second: float = 400.0) -> Flood:
    """Forged successes, half at addresses that exist and half at made-up ones, while a shop goes on selling."""
    scene.stack.control.settings(prompt_life_s=600)
    orders = [Order(number=n, phone=f"2547770{n:05d}", units=20_000, behaviour="success") for n in range(live)]
    asked_at = time.monotonic()
    made = [pay_in(scene, order, "flood") for order in orders]
    urls = eventually(lambda: _addresses(scene, orders), within_s=30, every_s=0.2)
    names = {push["phone"]: push["checkout_request_id"] for push in scene.stack.control.pushes()}
    known = [names[order.phone] for order in orders]
    lies = [_a_lie(n, urls, known) for n in range(forged)]
    quiet = _sell(scene, 8.0, "quiet")
    queries = _queries(scene)
    began = time.monotonic()
    over = threading.Event()
    flooders = [threading.Thread(target=_pour, args=(lies[k::4], 4 / rate_a_second, over)) for k in range(4)]
    for thread in flooders:
        thread.start()
    flooded: list[float] = []
    while any(thread.is_alive() for thread in flooders):
        flooded += _sell(scene, 2.0, f"flooded-{len(flooded)}")
    for thread in flooders:
        thread.join()
    took = time.monotonic() - began
    time.sleep(3)
    asked = (_queries(scene) - queries) / live
    # A prompt's window ends by itself, on a machine that takes so long.
    fine = {"requires_action"} if time.monotonic() - asked_at < _WINDOW_S else {"requires_action", "processing"}
    faults = [
        f"{name} became {s}" for name in made if (s := scene.stack.shop.status_of(f"/v1/payments/{name}")) not in fine
    ]
    allowed = (took + 3) / 2 + 2
    if asked > allowed:
        faults.append(f"{asked:.1f} questions a live try, {allowed:.1f} allowed")
    return Flood(
        forged=forged,
        live=live,
        queries_a_live_attempt=asked,
        allowed_a_live_attempt=allowed,
        quiet_p99_ms=_p99(quiet),
        flooded_p99_ms=_p99(flooded),
        faults=faults,
    )


def _addresses(scene: Scene, orders: Sequence[Order]) -> list[str]:
    asked = {e["phone"]: e for e in scene.stack.control.journal(endpoint="push", kind="request")}
    found = [asked[o.phone]["request"]["CallBackURL"] for o in orders if o.phone in asked]
    return found if len(found) == len(orders) else []


def _made_up(url: str, n: int) -> str:
    return f"{url.rsplit('/', 1)[0]}/{n:032x}"


def _a_lie(n: int, urls: Sequence[str], known: Sequence[str]) -> tuple[str, bytes]:
    """Half to made-up addresses; of the rest, half knows even the provider's own name of the try."""
    place = n % len(urls)
    if n % 2 == 0:
        return _made_up(urls[0], n), _lie(n, f"ws_CO_{n}")
    return urls[place], _lie(n, known[place] if n % 4 == 1 else f"ws_CO_{n}")


def _lie(n: int, name: str) -> bytes:
    items = [
        {"Name": "Amount", "Value": 200.0},
        {"Name": "MpesaReceiptNumber", "Value": f"LIE{n:07d}"},
        {"Name": "TransactionDate", "Value": 20261124120000},
    ]
    told = {
        "MerchantRequestID": "x",
        "CheckoutRequestID": name,
        "ResultCode": 0,
        "ResultDesc": "ok",
        "CallbackMetadata": {"Item": items},
    }
    return json.dumps({"Body": {"stkCallback": told}}).encode()


def _pour(lies: Sequence[tuple[str, bytes]], every_s: float, over: threading.Event) -> None:
    due = time.monotonic()
    for lie in lies:
        due += every_s
        over.wait(max(0.0, due - time.monotonic()))
        _post(lie)


def _sell(scene: Scene, seconds: float, run: str) -> list[float]:
    """Milliseconds that each create and confirm took, by two clients for so long."""
    until = time.monotonic() + seconds

    def client(k: int) -> list[float]:
        shop, took, n = scene.a_shop(), [], 0
        while time.monotonic() < until:
            began = time.monotonic()
            payment = shop.payment(20_000)
            answer = shop.confirm(payment["id"], f"25478{k}{abs(hash((run, n))) % 1_000_000:06d}")
            took.append(1000 * (time.monotonic() - began))
            assert answer.status in (200, 429), answer.body
            n += 1
            # Two clients of two calls each stay below what one key may call in a second.
            time.sleep(0.05)
        shop.session.close()
        return took

    with ThreadPoolExecutor(2) as pool:
        return [ms for part in pool.map(client, range(2)) for ms in part]


def _p99(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def _queries(scene: Scene) -> int:
    return int(scene.stack.control.counts()["calls"].get("query", 0))
