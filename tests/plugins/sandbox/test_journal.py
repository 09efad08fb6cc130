"""The journal: bounded, found by index, counted as it grows; and the throttle, odd shapes and odd texts."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from plugins.sandbox.mpesa.journal import Journal
from plugins.sandbox.world import SandboxMpesa
from tests.plugins.sandbox.customers import PAYBILL, REGISTER, TILL, pay, register, reverse, urls_body
from tests.plugins.sandbox.merchant import PHONE, Inbox, Merchant, items
from tests.plugins.sandbox.test_scripts import magic


def test_it_keeps_the_newest_and_counts_them_all() -> None:
    journal = Journal(kept=3)
    for n in range(5):
        journal.add(n * 1000, "effect", "push", reference=f"r{n % 2}", phone="p", shortcode="s", amount=10)
    assert (journal.last, [entry["no"] for entry in journal.entries]) == (5, [3, 4, 5])
    assert [entry["no"] for entry in journal.select(reference="r0")] == [3, 5]
    assert [entry["no"] for entry in journal.select(reference="r0", phone="p", after=3)] == [5]
    assert [entry["no"] for entry in journal.select(since=journal.entries[1]["time"])] == [4, 5]
    assert journal.select(phone="stranger") == []
    assert journal.counts()["money_in"] == {"r0": 30, "r1": 20}
    again = Journal(kept=2)
    again.load(list(journal.entries))
    assert [entry["no"] for entry in again.about("shortcode", "s")] == [4, 5]
    journal.clear()
    assert (journal.last, journal.select(), journal.counts()["money_in"]) == (0, [], {})


def test_entries_of_a_shortcode_since_an_instant(merchant: Merchant) -> None:
    register(merchant)
    first = pay(merchant)
    merchant.control.advance(60)
    pay(merchant, till=TILL)
    second = pay(merchant)
    ours = merchant.control.journal(shortcode=PAYBILL, kind="effect")
    assert [entry["receipt"] for entry in ours] == [first, second]
    later = merchant.control.journal(shortcode=PAYBILL, since="2026-11-24T12:01:00")
    assert [(entry["kind"], entry["endpoint"]) for entry in later] == [("effect", "c2b"), ("callback", "confirmation")]
    assert requests.get(f"{merchant.sandbox.url}/control/journal?since=noon", timeout=5).status_code == 400


def test_counts_and_payments_are_the_same_after_a_restart(sandbox: SandboxMpesa, inbox: Inbox) -> None:
    merchant = Merchant(sandbox, inbox)
    register(merchant)
    reverse(merchant, pay(merchant))
    pay(merchant, till=TILL)
    before = (merchant.control.counts(), merchant.control.payments(), merchant.control.statement(PAYBILL))
    state = merchant.control.get("state")
    sandbox.restart()
    again = sandbox.control
    assert (again.counts(), again.payments(), again.statement(PAYBILL)) == before
    assert again.get("state") == state
    again.reset()
    assert (again.payments(), again.get("urls")["urls"]) == ([], [])


def test_too_many_calls_within_a_second_are_turned_away(merchant: Merchant) -> None:
    merchant.control.settings(calls_per_s=2)
    replies = [merchant.push(f"25471234567{n}") for n in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 500]
    assert replies[2].json()["errorCode"] == "500.003.02"
    merchant.control.advance(1)
    assert merchant.push("254712345673").status_code == 200
    merchant.control.settings(calls_per_s=0, throttled="apigee")
    reply = merchant.push()
    assert (reply.status_code, set(reply.json())) == (429, {"fault"})
    merchant.control.settings(throttled="html_403")
    assert "Incapsula" in merchant.push().text
    assert len(merchant.control.pushes()) == 3


def test_a_registration_can_meet_soap_in_json(merchant: Merchant) -> None:
    merchant.control.fault("soap", endpoint="register")
    reply = merchant.post(REGISTER, urls_body(merchant))
    assert (reply.status_code, reply.json()["Envelope"]["Body"]["Fault"]["faultcode"]) == (500, "soap:Server")
    assert merchant.control.get("urls")["urls"] == []
    merchant.control.fault("apigee", endpoint="register")
    assert "faultstring" in merchant.post(REGISTER, urls_body(merchant)).json()["fault"]
    register(merchant)


def test_old_texts_have_a_prefix(merchant: Merchant) -> None:
    merchant.control.settings(text_prefix=True)
    merchant.pushed(magic("cancel"))
    merchant.control.advance(2)
    assert merchant.callbacks[0]["ResultDesc"].startswith("[STK_CB - ]")


def test_numbers_as_texts_and_texts_as_numbers(merchant: Merchant) -> None:
    merchant.control.settings(callback_dress="texts")
    merchant.pushed(magic("success"))
    merchant.control.advance(2)
    told = items(merchant.callbacks[0])
    assert (merchant.callbacks[0]["ResultCode"], told["Amount"]) == ("0", "1500.00")
    assert told["TransactionDate"] == "20261124120001"
    merchant.control.settings(callback_dress="numbers")
    register(merchant)
    pay(merchant, account="007")
    pay(merchant, account="42")
    assert [one["BillRefNumber"] for one in merchant.inbox.at("/c2b/confirm")] == ["007", 42]


def test_a_person_pays_by_hand_on_the_phone_page(merchant: Merchant) -> None:
    register(merchant)
    url = merchant.sandbox.url
    page = requests.get(f"{url}/phone?number={PHONE}", timeout=5).text
    assert f'<option value="{PAYBILL}">' in page
    assert f'<option value="{TILL}">' in page
    form = {"number": PHONE, "to": PAYBILL, "account": "INV-5", "amount": "1,200"}
    done = requests.post(f"{url}/phone/pay", data=form, timeout=5)
    assert "Paid." in done.text
    assert merchant.control.payments(account="INV-5")[0]["amount"] == 1200
    assert merchant.inbox.at("/c2b/confirm")[0]["TransAmount"] == "1200.00"
    for wrong, says in (
        ({"amount": "x"}, "number of shillings"),
        ({"to": "1"}, "declined"),
        ({"amount": "0"}, "declined"),
    ):
        assert says in requests.post(f"{url}/phone/pay", data={**form, **wrong}, timeout=5).text
    assert PHONE[3:6] in requests.get(url + "/", timeout=5).text


@pytest.mark.parametrize(
    "setting",
    [{"c2b_once": 1}, {"pull_empty": "x"}, {"calls_per_s": -1}, {"calls_per_s": True}, {"text_prefix": None}],
)
def test_a_setting_that_does_not_fit_is_refused(merchant: Merchant, setting: dict[str, object]) -> None:
    reply = requests.post(f"{merchant.sandbox.url}/control/settings", json=setting, timeout=5)
    assert reply.status_code == 400


def test_the_readme_names_every_setting_and_control_call() -> None:
    import plugins.sandbox as room
    from plugins.sandbox.mpesa import control, views
    from plugins.sandbox.mpesa.config import Settings

    text = (Path(room.__file__).parent / "README.md").read_text()
    for name in Settings.__dataclass_fields__:
        assert f"`{name}`" in text, name
    for path in (*control.CHANGE, *views.READ):
        assert f"/control/{path}" in text or path == "clock", path
