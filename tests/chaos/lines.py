"""Shops that go on selling at a steady pace over one connection each, and what came of each try."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field

import requests

from plugins.sandbox.remote import Control
from tests.chaos.plan import Order
from tests.chaos.traffic import Made
from tests.stack import Shop

UNITS = 20_000
#: A payment that isn't paid by then was no good sale: its shopper has gone.
PROMPT_S = 5.0
#: So much of all tries must be good where a connection is well.
GOODPUT = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One try to sell: when it began, in seconds of the epoch; its payment, None when nothing came of the creating."""

    at: float
    payment: str | None
    confirmed: bool
    phone: str


@dataclass(slots=True, kw_only=True)
class Line:
    """One connection: whose shop sells over it, the world behind it, and how it was used."""

    method: str
    shop: Shop
    control: Control
    #: Six digits of the phones of its shoppers, each used once.
    phones: Iterator[int]
    sales: list[Sale] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)

    def sell(self, lock: threading.Lock) -> None:
        """Create and confirm a payment; a refusal is noted, and its shopper goes."""
        with lock:
            phone = f"25471{next(self.phones):07d}"
        at, payment, confirmed = time.time(), None, False
        client = Shop(url=self.shop.url, key=self.shop.key)
        with closing(client.session), suppress(requests.RequestException):
            made = client.call("POST", "/v1/payments", {"amount": UNITS, "currency": "KES"})
            if made.status == 201:
                payment, at = str(made["id"]), time.time()
                body = {"payment_method": {"type": self.method, "phone": phone}}
                confirmed = client.call("POST", f"/v1/payments/{payment}/confirm", body).status == 200
        with lock:
            self.sales.append(Sale(at=at, payment=payment, confirmed=confirmed, phone=phone))

    def waits(self, began: float, ended: float) -> list[float]:
        """Seconds from confirm to succeeded, of what was confirmed in that time and has succeeded."""
        found = (s for s in self.sales if began <= s.at < ended and s.payment)
        return [self.took[s.payment] - s.at for s in found if s.payment in self.took]

    def goodput(self, began: float, ended: float) -> float:
        """Which part of the tries begun in that time was paid while its shopper still stood there."""
        tried = [s for s in self.sales if began <= s.at < ended]
        good = [s for s in tried if s.payment in self.took and self.took[s.payment] - s.at <= PROMPT_S]
        return len(good) / len(tried) if tried else 0.0

    def back_after_s(self, returned: float, ended: float) -> float:
        """Seconds from the return to the first try from which on at least GOODPUT of all were good."""
        starts = sorted(s.at for s in self.sales if returned <= s.at < ended)
        return next((at - returned for at in starts if self.goodput(at, ended) >= GOODPUT), float("inf"))

    def made(self) -> Made:
        """What the judge compares with M-Pesa's word."""
        orders = {
            s.payment: Order(number=n, phone=s.phone, units=UNITS, behaviour="success")
            for n, s in enumerate(self.sales)
            if s.payment
        }
        return Made(payments=orders, payouts={})


class Selling:
    """Tries on both lines at a steady pace, whatever becomes of them, until it is stopped."""

    def __init__(self, lines: Sequence[Line], every_s: float) -> None:
        self._over, self._lock, self._pool = threading.Event(), threading.Lock(), ThreadPoolExecutor(8)
        self._threads = [threading.Thread(target=self._pace, args=(line, every_s)) for line in lines]
        for thread in self._threads:
            thread.start()

    def _pace(self, line: Line, every_s: float) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            self._pool.submit(line.sell, self._lock)
            due += every_s

    def stop(self) -> None:
        """Come back when the last try was answered."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown()
