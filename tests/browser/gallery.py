"""Every state of the checkout page, served by the real web application over made-up visits.

`python -m tests.browser.gallery [port]` serves it for looking at, and lists the address of each state.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Flask

from gateway.adapters.web.app import create_app
from gateway.adapters.web.settings import WebSettings
from gateway.application.checkout import PageState, Visit
from gateway.domain.errors import Conflict, GatewayError, NotFound
from gateway.domain.phones import to_e164

if TYPE_CHECKING:
    from gateway.application.use_cases import UseCases

NOW = datetime(2026, 11, 24, 7, 41, 10, tzinfo=UTC)
SESSION = "cs_01JDF3V6T8M2Q4R5S7W9X0YZAB"

VISIT = Visit(
    state=PageState.CHOOSE,
    session_id=SESSION,
    shop="Mama Njeri Shop",
    support_contact="0722 000 111",
    description="Two kitenge and a leso",
    line_items=(("Kitenge, 6 yards", 120000), ("Leso", 30000)),
    amount_units=150000,
    received_units=0,
    left_units=150000,
    currency="KES",
    account=None,
    payer=None,
    receipt_number=None,
    prompt_until=None,
    may_pay=True,
    may_pay_again=False,
    again_at=None,
    success_url="https://shop.example/thanks?order=7",
    cancel_url="https://shop.example/cart",
    expires_at=NOW + timedelta(minutes=24),
    livemode=True,
    now=NOW,
)
_TRIED = replace(VISIT, account="NJERI-7K2P9M", payer="+2547•••••678", prompt_until=NOW + timedelta(seconds=75))
_PAID: dict[str, Any] = {"received_units": 150000, "left_units": 0, "may_pay": False}
_PLACE = (("paybill", "600996"), ("account", "NJERI-7K2P9M"))
_PART: dict[str, Any] = {"received_units": 90000, "left_units": 60000}


def _visits() -> Mapping[str, Visit]:
    """One visit a state, and the variants in which a state looks different."""
    by_state = {
        state.value: replace(_TRIED, state=state, may_pay_again=state is PageState.UNKNOWN) for state in PageState
    }
    by_state["choose"] = VISIT
    by_state["pay_to"] = replace(by_state["pay_to"], payer=None, place=_PLACE, places=("mpesa_paybill",))
    by_state["place_to_come"] = replace(by_state["place_to_come"], payer=None)
    for name in ("paid", "paid_number_to_come", "paid_late"):
        by_state[name] = replace(by_state[name], **_PAID)
    for name in ("paid", "paid_late"):
        by_state[name] = replace(by_state[name], receipt_number="UJ6AB12CD3")
    by_state["part_paid"] = replace(by_state["part_paid"], **_PART)
    for name in ("expired", "shop_canceled"):
        by_state[name] = replace(VISIT, state=by_state[name].state, may_pay=False)
    return by_state | {
        "choose_plain": replace(
            VISIT, line_items=(), description=None, support_contact=None, amount_units=5050, left_units=5050
        ),
        "choose_long": replace(
            VISIT,
            shop="Kamau na Wanjiku Agrovet, Hardware na Vifaa vya Ujenzi Kirinyaga",
            description="Mbolea, mbegu za mahindi H614 na dawa ya kunyunyizia",
            line_items=tuple((f"Mbegu za mahindi H614D, mfuko wa kilo {n}", n * 110000) for n in range(1, 7)),
            support_contact="msaada.kwa.wateja@kamau-na-wanjiku-agrovet.example",
            amount_units=24999900,
            left_units=24999900,
            livemode=False,
        ),
        "wrong_pin_in_doubt": replace(by_state["wrong_pin"], may_pay_again=True),
        "not_possible_later": replace(by_state["not_possible"], again_at=NOW + timedelta(seconds=60)),
        "unknown_at_the_end": replace(by_state["unknown"], may_pay=False, may_pay_again=False),
        "part_paid_closed": replace(by_state["part_paid"], may_pay=False),
        "choose_paybill": replace(VISIT, places=("mpesa_paybill",)),
        "unreachable_paybill": replace(by_state["unreachable"], places=("mpesa_paybill",)),
        "pay_to_till": replace(by_state["pay_to"], place=(("till", "600997"),)),
        "part_paid_to_paybill": replace(by_state["part_paid"], payer=None, place=_PLACE, places=("mpesa_paybill",)),
        "paid_twice": replace(by_state["paid"], received_units=300000),
        "paid_no_shop_url": replace(by_state["paid"], success_url=None),
    }


VISITS = _visits()
SECRETS = {name: f"{number:032x}" for number, name in enumerate(VISITS, start=1)}


@dataclass(kw_only=True)
class FakeVisits:
    """Shows the gallery's visits, keeps what was posted, and refuses as told."""

    visits: dict[str, Visit] = field(default_factory=dict)
    paid: list[tuple[str, str, bool]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    chosen: list[tuple[str, str]] = field(default_factory=list)
    refusal: Exception | None = None
    broken: Exception | None = None

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As if nobody had ever come."""
        self.visits = {SECRETS[name]: visit for name, visit in VISITS.items()}
        self.paid, self.left, self.chosen = [], [], []
        self.refusal = self.broken = None

    def show(self, secret: str) -> Visit:
        if self.broken is not None:
            raise self.broken
        if secret not in self.visits:
            raise NotFound("no such page")
        return self.visits[secret]

    def pay(
        self,
        secret: str,
        phone: str | None,
        *,
        acknowledge_unknown: bool,
        method: str = "mpesa",
        request_id: str | None = None,
    ) -> None:
        visit = self.show(secret)
        if self.refusal is not None:
            raise self.refusal
        if phone is None:
            self.chosen.append((secret, method))
            self.visits[secret] = replace(VISITS["pay_to"], shop=visit.shop)
            return
        to_e164(phone)
        if visit.may_pay_again and not acknowledge_unknown:
            raise Conflict("an earlier prompt may still be paid", code="attempt_outcome_unknown")
        self.paid.append((secret, phone, acknowledge_unknown))
        self.visits[secret] = replace(VISITS["waiting"], shop=visit.shop)

    def leave(self, secret: str, *, request_id: str | None = None) -> None:
        self.show(secret)
        if isinstance(self.refusal, GatewayError):
            raise self.refusal
        self.left.append(secret)
        self.visits[secret] = VISITS["shop_canceled"]


def gallery_app(visits: FakeVisits, **settings: Any) -> Flask:
    """The web application, whose checkout page meets `visits`."""
    cases = SimpleNamespace(checkout=SimpleNamespace(visit=visits), doors=SimpleNamespace(api_key=lambda _: None))
    made = WebSettings(public_url="http://127.0.0.1", new_id=lambda: UUID(int=7), **settings)
    return create_app(cast("UseCases", cases), made)


if __name__ == "__main__":
    for name, secret in SECRETS.items():
        print(f"/c/{secret}  {name}")
    gallery_app(FakeVisits()).run("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 8900)
