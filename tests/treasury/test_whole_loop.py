"""A prompt over the on-ramp: shillings to the business at once, tokens to the wallet, books and chain at one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.servers import RunningValkey
from tests.servers import Database
from tests.stack import a_phone
from tests.treasury.place import Place, a_treasury
from tests.waiting import eventually


@pytest.fixture(scope="module")
def place(module_database: Database, valkey: RunningValkey, scratch: Path) -> Iterator[Place]:
    with a_treasury(module_database, valkey.url_for(), scratch / "treasury") as found:
        yield found


def paid(place: Place, amount: int = 1_000_00) -> Any:
    """A payment that was collected."""
    shop, phone = place.stack.shop, a_phone()
    payment = shop.payment(amount)
    answer = shop.confirm(payment["id"], phone)
    assert answer.status == 200, answer.body
    return shop.becomes(f"/v1/payments/{payment['id']}", "succeeded", within_s=30)


def settled(place: Place, count: int) -> None:
    def all_settled() -> bool:
        place.mine(3)
        states = place.rows("SELECT state FROM gateway.conversion WHERE direction = 'in'")
        assert [state for (state,) in states] == ["settled"] * count, place.trouble()
        return True

    eventually(all_settled, within_s=40, every_s=0.2)


def test_shillings_at_once_and_tokens_in_the_wallet(place: Place) -> None:
    paid(place)
    assert place.stack.shop.balance()["available"] > 0
    settled(place, 1)
    books = place.books()
    treasury = sum(units for path, units in books.items() if path.startswith("treasury:"))
    assert treasury == place.held() > 0
    assert not [path for path in books if path.startswith("clearing:")]
    place.stack.check_books()


def test_a_payout_draws_on_the_wallet_and_is_paid(place: Place) -> None:
    shop, before = place.stack.shop, place.held()
    answer = shop.payout(500_00, a_phone())
    assert answer.status in (200, 201), answer.body

    def is_paid() -> Any:
        place.mine(3)
        found = shop.get(f"/v1/payouts/{answer['id']}").body
        assert found["status"] == "paid", (found, place.trouble())
        return found

    eventually(is_paid, within_s=60, every_s=0.2)
    books = place.books()
    treasury = sum(units for path, units in books.items() if path.startswith("treasury:"))
    assert treasury == place.held() < before
    assert not [path for path in books if path.startswith("clearing:")]
    assert [state for (state,) in place.rows("SELECT state FROM gateway.chain_transfer ORDER BY step")] == [
        "confirmed"
    ] * 2
    place.stack.check_books()


def test_a_business_sees_no_token_chain_or_hash_anywhere(place: Place) -> None:
    """After both ways: all that its key can read, its events and their webhooks' bodies, and what a person reads."""
    shop = place.stack.shop
    seen = [json.dumps(shop.events())]
    for payment in shop.get("/v1/payments")["data"]:
        paths = ("", "?expand[]=attempts", "/attempts", "/receipts", "/timeline")
        seen += [json.dumps(shop.get(f"/v1/payments/{payment['id']}{path}").body) for path in paths]
    for payout in shop.get("/v1/payouts")["data"]:
        seen.append(json.dumps(shop.get(f"/v1/payouts/{payout['id']}").body))
    for path in (
        "/v1/balance",
        "/v1/balance_transactions",
        "/v1/rails",
        "/v1/receipts",
        "/v1/customers",
        "/v1/business",
    ):
        seen.append(json.dumps(shop.get(path).body))
    assert len(seen) > 10
    told = re.findall(
        r"celo\b|usdt|usdc|0x[0-9a-f]{6,}|token|wallet|\bchain|conversion|clearing|treasury", " ".join(seen), re.I
    )
    assert told == []
