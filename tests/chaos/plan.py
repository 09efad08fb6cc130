"""What a seed decides: who pays and is paid how much, how M-Pesa behaves to each, and who is killed when."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.chaos.scene import VICTIMS

#: How M-Pesa treats a payment, and how often. The first word of each is a behaviour of the simulator.
PAY_IN = {
    "success": 40,
    "duplicate_callback": 8,
    "lost_callback": 8,
    "callback_first": 6,
    "lost_ack": 6,
    "busy_accepted": 4,
    "slow": 3,
    "expired_token": 3,
    "pending_4999": 3,
    "pending_500": 3,
    "cancel": 4,
    "wrong_pin": 4,
    "insufficient_funds": 4,
    "html_403": 2,
    "spike_arrest": 2,
}
PAY_OUT = {
    "success": 40,
    "duplicate_callback": 8,
    "lost_callback": 6,
    "callback_first": 6,
    "lost_ack": 6,
    "busy_accepted": 4,
    "slow": 3,
    "expired_token": 3,
    "queue_timeout_paid": 4,
    "waiting_first": 4,
    "duplicate_id": 4,
    "not_registered": 4,
    "spike_arrest": 2,
}
#: What M-Pesa refuses in words that are final: the money stays where it was.
FINAL_FAILURES = {"cancel", "wrong_pin", "insufficient_funds", "not_registered"}
FUNDS_UNITS = 24_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One payment or payout: `number` makes its keys and phone; 1.5 % of `units` is a whole number."""

    number: int
    phone: str
    units: int
    behaviour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """After `wait_s`, kill `victim` and leave it dead for `away_s`."""

    wait_s: float
    victim: str
    away_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run, decided before it begins: the same seed gives the same plan."""

    seed: int
    payments: tuple[Order, ...]
    payouts: tuple[Order, ...]
    kills: tuple[Kill, ...]


def make_plan(seed: int, *, payments: int, payouts: int, kills: int) -> Plan:
    """Every kind of process is killed about as often as every other."""
    chance = random.Random(seed)
    victims = [VICTIMS[n % len(VICTIMS)] for n in range(kills)]
    chance.shuffle(victims)
    return Plan(
        seed=seed,
        payments=tuple(_order(chance, n, "2547110", PAY_IN, 1, 15) for n in range(payments)),
        payouts=tuple(_order(chance, n, "2547220", PAY_OUT, 1, 3) for n in range(payouts)),
        kills=tuple(
            Kill(wait_s=chance.uniform(0.3, 1.5), victim=victim, away_s=chance.choice((0.0, 0.2, 1.0)))
            for victim in victims
        ),
    )


def _order(chance: random.Random, number: int, prefix: str, behaviours: dict[str, int], low: int, high: int) -> Order:
    behaviour = chance.choices(list(behaviours), weights=list(behaviours.values()))[0]
    return Order(
        number=number,
        phone=f"{prefix}{number:05d}",
        units=20_000 * chance.randint(low, high),
        behaviour=behaviour,
    )
