"""Load is shed in an order: lists and new objects first, one object's own reading never."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.adapters.web.shedding import load_of
from gateway.application.shedding import LOOK_S, Load, Shedding
from gateway.domain.errors import Busy


@dataclass
class Backlog:
    """A backlog of so many seconds, and a clock that stands still."""

    waited_s: int = 0
    time: float = 100.0
    looks: int = 0
    broken: bool = False

    def __call__(self) -> int:
        self.looks += 1
        if self.broken:
            raise Busy("no connection is free")
        return self.waited_s

    def shedding(self, after_s: int = 30) -> Shedding:
        return Shedding(after_s=after_s, backlog_s=self, monotonic=lambda: self.time)


def refused(shedding: Shedding) -> set[Load]:
    found = set()
    for load in Load:
        try:
            shedding.refuse(load)
        except Busy:
            found.add(load)
    return found


@pytest.mark.parametrize(
    ("waited_s", "gone"),
    [
        (0, set()),
        (30, set()),
        (31, {Load.LIST, Load.NEW}),
        (90, {Load.LIST, Load.NEW}),
        (91, {Load.LIST, Load.NEW, Load.ORDER}),
        (100_000, {Load.LIST, Load.NEW, Load.ORDER}),
    ],
)
def test_what_goes_first(waited_s: int, gone: set[Load]) -> None:
    assert refused(Backlog(waited_s=waited_s).shedding()) == gone


def test_it_looks_once_a_second_and_is_well_again_by_itself() -> None:
    backlog = Backlog(waited_s=60)
    shedding = backlog.shedding()
    assert refused(shedding)
    assert backlog.looks == 1
    backlog.waited_s = 0
    assert refused(shedding), "what was known a moment ago"
    backlog.time += LOOK_S
    assert not refused(shedding)
    assert backlog.looks == 2


def test_zero_sheds_nothing_and_a_look_that_fails_neither() -> None:
    backlog = Backlog(waited_s=60)
    assert not refused(backlog.shedding(after_s=0))
    assert backlog.looks == 0
    backlog.broken = True
    assert not refused(backlog.shedding())


def test_the_refusal_says_when_to_come_again() -> None:
    with pytest.raises(Busy) as busy:
        Backlog(waited_s=31).shedding().refuse(Load.NEW)
    assert (busy.value.code, busy.value.retry_after_s) == ("busy", 5)


@pytest.mark.parametrize(
    ("method", "rule", "load"),
    [
        ("GET", "/v1/payments", Load.LIST),
        ("GET", "/v1/payments/<payment_id>/attempts", Load.LIST),
        ("POST", "/v1/payments", Load.NEW),
        ("POST", "/v1/checkout/sessions", Load.NEW),
        ("POST", "/v1/payments/<payment_id>/confirm", Load.ORDER),
        ("POST", "/v1/payments/<payment_id>/refresh", Load.KEPT),
        ("POST", "/v1/payouts/<payout_id>/cancel", Load.KEPT),
        ("GET", "/v1/payments/<payment_id>", Load.KEPT),
        ("GET", "/v1/balance", Load.KEPT),
        ("GET", "/v1/rails", Load.KEPT),
        ("PATCH", "/v1/payment_links/<link_id>", Load.KEPT),
    ],
)
def test_what_a_request_asks(method: str, rule: str, load: Load) -> None:
    assert load_of(method, rule) is load
