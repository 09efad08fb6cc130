"""A shop's side of a run: many clients that don't give up, each order with keys of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from tests.chaos.plan import FUNDS_UNITS, Order, Plan
from tests.chaos.scene import Scene
from tests.stack import Answer, Shop

CLIENTS = 12
_PATIENCE_S = 120.0


def insist(shop: Shop, method: str, path: str, body: Any, idem: str) -> Answer:
    """Ask until there is an answer, always with the same key: silence, 5xx, `busy` and 429 are asked again."""
    deadline = time.monotonic() + _PATIENCE_S
    said: object = None
    while time.monotonic() < deadline:
        try:
            answer = shop.call(method, path, body, idem=idem)
        except requests.RequestException as silence:
            said = type(silence).__name__
        except AssertionError as away:
            said = away
        else:
            if answer.status < 500 and answer.status not in (409, 429):
                return answer
            said = answer.body
        time.sleep(0.15)
    raise AssertionError(f"{method} {path} was never answered: {said}")


def arm(scene: Scene, order: Order) -> None:
    """Say how M-Pesa will treat the order; what is asked again after a refusal at the door goes well."""
    scene.stack.control.script(order.behaviour, phone=order.phone)
    if order.behaviour != "success":
        scene.stack.control.script("success", phone=order.phone)


def pay_in(scene: Scene, order: Order, run: str) -> str:
    """Create a payment and ask for its prompt."""
    shop = scene.a_shop()
    key = f"{run}-in-{order.number}"
    body = {"amount": order.units, "currency": "KES", "reference": key}
    made = insist(shop, "POST", "/v1/payments", body, f"{key}-create")
    assert made.status == 201, made.body
    method = {"payment_method": {"type": "mpesa", "phone": order.phone}}
    answer = insist(shop, "POST", f"/v1/payments/{made['id']}/confirm", method, f"{key}-confirm")
    assert answer.status == 200, answer.body
    shop.session.close()
    return str(made["id"])


def pay_out(scene: Scene, order: Order, run: str) -> str:
    """Ask for a payout."""
    shop = scene.a_shop()
    key = f"{run}-out-{order.number}"
    destination = {"type": "mpesa_phone", "phone": order.phone}
    body = {"amount": order.units, "currency": "KES", "destination": destination, "reference": key}
    made = insist(shop, "POST", "/v1/payouts", body, key)
    assert made.status == 201, made.body
    shop.session.close()
    return str(made["id"])


def fund(scene: Scene, run: str) -> None:
    """A first large payment, so that payouts have what to draw on."""
    order = Order(number=99_999, phone="254711099999", units=FUNDS_UNITS, behaviour="success")
    arm(scene, order)
    made = pay_in(scene, order, f"{run}-funds")
    scene.stack.shop.becomes(f"/v1/payments/{made}", "succeeded", within_s=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The objects of a run, by id."""

    payments: dict[str, Order]
    payouts: dict[str, Order]


class Traffic:
    """Runs a plan's orders in the background; `wait` gives what was made."""

    def __init__(self, scene: Scene, plan: Plan, run: str) -> None:
        for order in (*plan.payments, *plan.payouts):
            arm(scene, order)
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._futures: list[tuple[str, Order, Future[str]]] = []
        for kind, order in _mixed(plan):
            act: Callable[[Scene, Order, str], str] = pay_in if kind == "payments" else pay_out
            self._futures.append((kind, order, self._pool.submit(act, scene, order, run)))

    @property
    def running(self) -> bool:
        """Whether any order has no answer yet."""
        return not all(future.done() for _, _, future in self._futures)

    def wait(self) -> Made:
        """All objects, once each order was answered."""
        made = Made(payments={}, payouts={})
        for kind, order, future in self._futures:
            getattr(made, kind)[future.result()] = order
        self._pool.shutdown()
        return made


def _mixed(plan: Plan) -> Iterator[tuple[str, Order]]:
    """Payouts spread evenly among the payments."""
    every = max(1, len(plan.payments) // max(1, len(plan.payouts)))
    payouts = iter(plan.payouts)
    for n, order in enumerate(plan.payments):
        yield "payments", order
        if n % every == every - 1 and (payout := next(payouts, None)) is not None:
            yield "payouts", payout
    for payout in payouts:
        yield "payouts", payout
