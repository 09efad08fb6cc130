"""The shopper's phone: prompts answered by plain forms, messages, and bad days one click away."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.plugins.sandbox.merchant import PHONE, Merchant
from tests.plugins.sandbox.test_scripts import magic

CHROMIUM = shutil.which("chromium")


def page(merchant: Merchant, number: str = PHONE) -> str:
    reply = requests.get(f"{merchant.sandbox.url}/phone", params={"number": number}, timeout=5)
    assert reply.status_code == 200
    return reply.text


def submit(merchant: Merchant, what: str, **fields: str) -> str:
    """Post a form of the phone and give the page that follows."""
    reply = requests.post(f"{merchant.sandbox.url}/phone/{what}", data={"number": PHONE, **fields}, timeout=5)
    assert reply.history[0].status_code == 303
    return reply.text


def test_the_prompt_is_worded_as_mpesa_words_it(merchant: Merchant) -> None:
    assert "No prompt." in page(merchant)
    merchant.pushed()
    text = page(merchant)
    assert "Do you want to pay Ksh 1,500 to DARAJA SANDBOX Account no. INV-2041?" in text
    assert "12:01:00" in text


def test_a_pin_typed_into_the_form_pays(merchant: Merchant) -> None:
    checkout_id = merchant.pushed()
    assert "A PIN is four digits." in submit(merchant, "answer", prompt=checkout_id, action="pin", pin="12")
    submit(merchant, "answer", prompt=checkout_id, action="pin", pin="1234")
    merchant.control.advance(1)
    assert merchant.callbacks[0]["ResultCode"] == 0
    assert "Confirmed. Ksh1,500.00 sent to DARAJA SANDBOX" in page(merchant)
    assert "That prompt is over." in submit(merchant, "answer", prompt=checkout_id, action="pin", pin="1234")


@pytest.mark.parametrize(("action", "code"), [("cancel", 1032), ("ignore", 1037)])
def test_cancel_and_ignore(merchant: Merchant, action: str, code: int) -> None:
    checkout_id = merchant.pushed()
    text = submit(merchant, "answer", prompt=checkout_id, action=action, pin="")
    assert "Enter M-PESA PIN" not in text
    merchant.control.advance(60)
    assert merchant.callbacks[0]["ResultCode"] == code


def test_a_bad_day_is_armed_and_disarmed_by_a_click(merchant: Merchant) -> None:
    assert "Armed for the next call" in submit(merchant, "arm", behaviour="lost_ack")
    (armed,) = merchant.control.get("scripts")["armed"]
    assert armed["phone"] == PHONE
    with pytest.raises(requests.ConnectionError):
        merchant.push()
    assert "Enter M-PESA PIN" in page(merchant)
    submit(merchant, "arm", behaviour="cancel")
    (armed,) = merchant.control.get("scripts")["armed"]
    submit(merchant, "disarm", no=str(armed["no"]))
    assert merchant.control.get("scripts")["armed"] == []


def test_every_day_of_the_catalogue_can_be_armed(merchant: Merchant) -> None:
    for name in set(re.findall(r'name="behaviour" value="(\w+)"', page(merchant))):
        submit(merchant, "arm", behaviour=name)
    names = {one["behaviour"] for one in merchant.control.get("scripts")["armed"]}
    assert names == {one["name"] for one in merchant.control.get("scripts")["catalogue"]}


def test_a_balance_can_be_set_and_runs_short(merchant: Merchant) -> None:
    assert "It keeps to this balance" in submit(merchant, "balance", balance="1,000")
    assert "A balance is a number of shillings." in submit(merchant, "balance", balance="much")
    merchant.pushed()
    merchant.control.decide(PHONE)
    merchant.control.advance(1)
    assert merchant.callbacks[0]["ResultCode"] == 1


def test_the_panel_tells_what_was_asked_of_this_number_alone(merchant: Merchant) -> None:
    merchant.pushed(AccountReference="MINE")
    merchant.b2c("po-mine")
    merchant.pushed("254798765432", AccountReference="THEIRS")
    merchant.control.advance(1)
    text = page(merchant)
    assert "MINE" in text
    assert "Payout asked" in text
    assert "Money moved" in text
    assert "THEIRS" not in text


def test_numbers_as_people_type_them(merchant: Merchant) -> None:
    for typed in ("0712 345 678", "+254 712 345678", "712345678", PHONE):
        assert "<h1>0712 345 678</h1>" in page(merchant, typed)
    reply = requests.get(f"{merchant.sandbox.url}/phone?number=12", timeout=5)
    assert "That is not a Kenyan mobile number." in reply.text


def test_the_front_page_lists_phones_and_who_waits(merchant: Merchant) -> None:
    merchant.pushed()
    merchant.b2c("po-1", magic("success"))
    text = requests.get(merchant.sandbox.url + "/", timeout=5).text
    assert "0712 345 678" in text
    assert "0700 000 000" in text
    assert text.count("prompt waiting") == 1


def test_the_page_is_small_and_asks_nobody_else(merchant: Merchant) -> None:
    merchant.pushed()
    reply = requests.get(f"{merchant.sandbox.url}/phone?number={PHONE}", timeout=5)
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert not re.findall(r'(?:src|href|action)="(?!/)', reply.text)
    assert not re.findall(r"<style|style=|<script(?! src)| on\w+=", reply.text)
    names = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', reply.text))
    assert len(names) == 3
    files = [requests.get(merchant.sandbox.url + name, timeout=5) for name in names]
    assert all(one.status_code == 200 for one in files)
    assert len(reply.content) + sum(len(one.content) for one in files) < 60_000
    assert requests.get(merchant.sandbox.url + "/static/../phone.py", timeout=5).status_code == 404
    assert requests.get(merchant.sandbox.url + "/moon", timeout=5).status_code == 404


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
def test_shoppers_pay_in_a_real_browser_with_and_without_script(merchant: Merchant) -> None:
    from playwright.sync_api import Browser, sync_playwright

    def pay(browser: Browser, number: str, *, scripted: bool) -> None:
        context = browser.new_context(java_script_enabled=scripted, viewport={"width": 360, "height": 740})
        shown = context.new_page()
        shown.goto(f"{merchant.sandbox.url}/phone?number={number}")
        merchant.pushed(number)
        shown.wait_for_selector("#pin", timeout=10_000)
        assert shown.evaluate("document.documentElement.scrollWidth") == 360
        shown.fill("#pin", "1234")
        shown.click("text=Pay KES 1,500")
        merchant.control.advance(1)
        shown.wait_for_selector("text=Confirmed.", timeout=10_000)
        context.close()

    def both() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            pay(browser, PHONE, scripted=True)
            pay(browser, "254798765432", scripted=False)
            browser.close()
        assert [one["ResultCode"] for one in merchant.callbacks] == [0, 0]

    # A thread of its own: another test's browser may keep this one's loop busy.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(both).result()
