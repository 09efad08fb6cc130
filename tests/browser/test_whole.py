"""A shopper with a browser and a phone, and the whole gateway between: every process is real, M-Pesa is simulated."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shopper
from tests.stack import Stack, a_phone

pytestmark = pytest.mark.browser

ORDER = {
    "amount": 150_000,
    "currency": "KES",
    "description": "Two kitenge and a leso",
    "success_url": "https://shop.example/thanks?order=7",
    "cancel_url": "https://shop.example/cart",
}


def a_session(stack: Stack) -> Any:
    return stack.shop.post("/v1/checkout/sessions", ORDER).body


def ask(shopper: Shopper, session: Any, phone: str) -> None:
    """Type the number as people do, and press."""
    shopper.page.goto(session["url"])
    shopper.page.fill("#phone", f"0{phone[3:6]} {phone[6:9]} {phone[9:]}")
    shopper.page.get_by_role("button", name="Pay KES 1,500").click()
    expect(shopper.page.locator("h1")).to_have_text("Check your phone", timeout=15_000)


@pytest.mark.parametrize("script", [True, False])
def test_paying_on_the_phone_leads_to_the_shop(
    stack: Stack, shopper: Shopper, plain_shopper: Shopper, script: bool
) -> None:
    person, phone, session = (shopper if script else plain_shopper), a_phone(), a_session(stack)
    ask(person, session, phone)
    (attempt,) = stack.shop.get(f"/v1/payments/{session['payment']}/attempts")["data"]
    expect(person.page.locator(".rows")).to_contain_text(attempt["reference"])
    assert phone[3:] not in person.page.content()

    handset = person.context.new_page()
    handset.goto(f"{stack.mpesa.url}/phone?number={phone}")
    expect(handset.locator(".prompt")).to_contain_text(attempt["reference"])
    handset.fill("#pin", "1234")
    handset.get_by_role("button", name="Pay KES").click()

    expect(person.page.locator("h1")).to_have_text("Paid", timeout=15_000)
    receipt = stack.shop.get(f"/v1/payments/{session['payment']}/receipts")["data"][0]["receipt_number"]
    assert receipt
    expect(person.page.locator("#acts")).to_contain_text(receipt)
    person.page.wait_for_url("https://shop.example/thanks**", timeout=12_000)
    assert parse_qs(urlsplit(person.page.url).query) == {"order": ["7"], "session_id": [session["id"]]}
    assert person.complaints == []


def test_a_wrong_pin_then_the_right_one(stack: Stack, shopper: Shopper) -> None:
    phone, session = a_phone(), a_session(stack)
    ask(shopper, session, phone)
    stack.control.decide(phone, pin="0000")
    expect(shopper.page.locator("h1")).to_have_text("Wrong PIN", timeout=15_000)
    expect(shopper.page.locator("#said")).to_contain_text("Nothing was taken.")
    shopper.page.fill("#phone", phone)
    shopper.page.get_by_role("button", name="Pay KES 1,500").click()
    expect(shopper.page.locator("h1")).to_have_text("Check your phone", timeout=15_000)
    stack.control.decide(phone)
    expect(shopper.page.locator("h1")).to_have_text("Paid", timeout=15_000)
    assert len(stack.shop.get(f"/v1/payments/{session['payment']}/attempts")["data"]) == 2


def test_canceling_on_the_phone_and_then_here(stack: Stack, shopper: Shopper) -> None:
    phone, session = a_phone(), a_session(stack)
    ask(shopper, session, phone)
    stack.control.decide(phone, "cancel")
    expect(shopper.page.locator("h1")).to_have_text("Canceled on the phone", timeout=15_000)
    shopper.page.get_by_role("button", name="Cancel this payment").click()
    expect(shopper.page.locator("#said")).to_contain_text("nothing was paid here")
    shopper.page.get_by_role("link", name="Back to the shop").click()
    shopper.page.wait_for_url("https://shop.example/cart")
    assert stack.shop.status_of(f"/v1/payments/{session['payment']}") == "canceled"
