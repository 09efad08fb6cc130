"""Scripted days: by magic number, by magic amount, by the control API; each does what the catalogue says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

import plugins.sandbox as sandbox_room
from plugins.sandbox.mpesa.behaviours import BY_NAME, CATALOGUE
from plugins.sandbox.remote import ControlFailed
from tests.plugins.sandbox.merchant import PHONE, PUSH, Merchant, items

FAILURES = [
    ("0001", 1),
    ("0004", 4),
    ("0008", 8),
    ("0017", 17),
    ("0026", 26),
    ("1001", 1001),
    ("1019", 1019),
    ("1025", 1025),
    ("1031", 1031),
    ("1032", 1032),
    ("1036", 1036),
    ("1037", 1037),
    ("2001", 2001),
    ("2028", 2028),
    ("7777", 7777),
    ("8006", 8006),
    ("9003", "SFC_IC0003"),
    ("9999", 9999),
]


def magic(name: str) -> str:
    return f"25470000{BY_NAME[name].ending}"


def receipts(merchant: Merchant) -> list[str]:
    return [entry["receipt"] for entry in merchant.control.journal(kind="effect")]


@pytest.mark.parametrize(("ending", "code"), FAILURES)
def test_a_magic_number_brings_its_result(merchant: Merchant, ending: str, code: int | str) -> None:
    checkout_id = merchant.pushed(f"25470000{ending}")
    merchant.control.advance(61)
    (callback,) = merchant.callbacks
    assert callback["ResultCode"] == code
    assert "CallbackMetadata" not in callback
    assert merchant.query(checkout_id).json()["ResultCode"] == str(code)
    assert receipts(merchant) == []


def test_a_magic_amount_does_the_same_for_any_number(merchant: Merchant) -> None:
    merchant.pushed(Amount=201_032)
    merchant.control.advance(2)
    assert merchant.callbacks[0]["ResultCode"] == 1032
    merchant.pushed(Amount=200_000)
    merchant.control.advance(2)
    assert len(merchant.callbacks) == 1
    merchant.control.decide(PHONE, "cancel")


def test_success_by_itself(merchant: Merchant) -> None:
    merchant.pushed(magic("success"))
    merchant.control.advance(2)
    assert items(merchant.callbacks[0])["MpesaReceiptNumber"] == receipts(merchant)[0]


def test_a_lost_callback_is_paid_and_the_query_knows(merchant: Merchant) -> None:
    checkout_id = merchant.pushed(magic("lost_callback"))
    merchant.control.advance(600)
    assert merchant.callbacks == []
    assert len(receipts(merchant)) == 1
    assert merchant.query(checkout_id).json()["ResultCode"] == "0"


def test_a_duplicate_callback_comes_three_times_the_same(merchant: Merchant) -> None:
    merchant.pushed(magic("duplicate_callback"))
    merchant.control.advance(2)
    assert [one.text for one in merchant.inbox.posted] == [merchant.inbox.posted[0].text] * 3
    assert len(receipts(merchant)) == 1


def test_the_callback_can_come_before_the_acknowledgement(merchant: Merchant) -> None:
    token = merchant.oauth().json()["access_token"]
    seen_before_the_answer: list[int] = []

    def look(response: requests.Response, *_args: Any, **_kwargs: Any) -> None:
        seen_before_the_answer.append(len(merchant.callbacks))

    reply = requests.post(
        merchant.sandbox.url + PUSH,
        json=merchant.push_body(magic("callback_first")),
        headers={"Authorization": f"Bearer {token}"},
        hooks={"response": look},
        timeout=10,
    )
    assert reply.json()["CheckoutRequestID"] == merchant.callbacks[0]["CheckoutRequestID"]
    assert seen_before_the_answer == [1]


def test_a_late_success_is_pending_until_it_comes(merchant: Merchant) -> None:
    checkout_id = merchant.pushed(magic("late_success"))
    merchant.control.advance(299)
    assert merchant.callbacks == []
    assert merchant.query(checkout_id).json()["ResultCode"] == "4999"
    merchant.control.advance(1)
    assert merchant.callbacks[0]["ResultCode"] == 0
    assert items(merchant.callbacks[0])["TransactionDate"] == 20261124120500


def test_a_late_success_can_be_made_forty_minutes_late(merchant: Merchant) -> None:
    merchant.control.script("late_success", phone=PHONE, late_s=2400)
    merchant.pushed()
    merchant.control.advance(2399)
    assert merchant.callbacks == []
    merchant.control.advance(1)
    assert merchant.callbacks[0]["ResultCode"] == 0


def test_a_late_success_can_follow_a_reported_failure(merchant: Merchant) -> None:
    checkout_id = merchant.pushed(magic("late_after_failure"))
    merchant.control.advance(60)
    assert merchant.query(checkout_id).json()["ResultCode"] == "1037"
    merchant.control.advance(240)
    assert [one["ResultCode"] for one in merchant.callbacks] == [1037, 0]
    assert merchant.query(checkout_id).json()["ResultCode"] == "0"


def test_a_callback_can_name_another_amount(merchant: Merchant) -> None:
    merchant.pushed(magic("other_amount"))
    merchant.control.advance(2)
    assert items(merchant.callbacks[0])["Amount"] == 1501
    assert merchant.control.counts()["money_in"] == {"INV-2041": 1500}


def test_callback_and_query_can_contradict_each_other(merchant: Merchant) -> None:
    lied_to = merchant.pushed(magic("query_contradicts"))
    lies = merchant.pushed(magic("callback_lies"))
    merchant.control.advance(2)
    assert {one["CheckoutRequestID"]: one["ResultCode"] for one in merchant.callbacks} == {lied_to: 0, lies: 1032}
    assert merchant.query(lied_to).json()["ResultCode"] == "1037"
    assert merchant.query(lies).json()["ResultCode"] == "0"
    assert len(receipts(merchant)) == 2


def test_each_pending_form_can_last(merchant: Merchant) -> None:
    by_code, by_error = merchant.pushed(magic("pending_4999")), merchant.pushed(magic("pending_500"))
    merchant.control.advance(40)
    assert merchant.query(by_code).json()["ResultCode"] == "4999"
    assert merchant.query(by_error).json()["errorCode"] == "500.001.1001"
    merchant.control.advance(10)
    assert merchant.query(by_code).json()["ResultCode"] == merchant.query(by_error).json()["ResultCode"] == "0"


def test_the_query_can_know_nothing_or_be_blocked(merchant: Merchant) -> None:
    unknown, blocked = merchant.pushed(magic("query_unknown")), merchant.pushed(magic("query_blocked"))
    merchant.control.advance(2)
    assert merchant.query(unknown).json()["errorCode"] == "400.002.02"
    assert merchant.query(blocked).status_code == 403


def test_the_oldest_script_that_fits_wins_and_is_spent(merchant: Merchant) -> None:
    merchant.control.script("cancel", phone="254798765432")
    merchant.control.script("wrong_pin", amount=1500)
    merchant.control.script("success")
    merchant.pushed()
    merchant.control.advance(2)
    merchant.pushed()
    merchant.control.advance(2)
    assert [one["ResultCode"] for one in merchant.callbacks] == [2001, 0]
    assert [one["phone"] for one in merchant.control.get("scripts")["armed"]] == ["254798765432"]
    assert merchant.control.disarm() == {"dropped": 1}


def test_a_refused_call_spends_no_script(merchant: Merchant) -> None:
    merchant.control.script("cancel")
    merchant.push(Amount=0)
    merchant.pushed()
    merchant.control.advance(2)
    assert merchant.callbacks[0]["ResultCode"] == 1032


def test_a_script_can_be_for_one_reference_and_for_several_times(merchant: Merchant) -> None:
    merchant.control.script("lost_callback", reference="ORDER-2", times=2)
    for reference in ("ORDER-1", "ORDER-2", "ORDER-2"):
        merchant.pushed(AccountReference=reference)
        merchant.control.advance(61)
    assert [one["ResultCode"] for one in merchant.callbacks] == [1037]
    assert merchant.control.counts()["money_in"] == {"ORDER-2": 3000}


@pytest.mark.parametrize(
    "wrong",
    [
        {"behaviour": "rain"},
        {"behaviour": "cancel", "wind": 3},
        {"behaviour": "cancel", "copies": "many"},
        {"behaviour": "cancel", "endpoint": "moon"},
        {"behaviour": "cancel", "times": -1},
        {"behaviour": "cancel", "answer": "poetry"},
    ],
)
def test_a_misspelt_script_is_refused(merchant: Merchant, wrong: dict[str, Any]) -> None:
    with pytest.raises(ControlFailed):
        merchant.control.post("scripts", **wrong)
    assert merchant.control.get("scripts")["armed"] == []


def test_the_catalogue_has_no_two_of_a_name_or_ending(merchant: Merchant) -> None:
    assert len({one.name for one in CATALOGUE}) == len({one.ending for one in CATALOGUE}) == len(CATALOGUE)
    shown = merchant.control.get("scripts")["catalogue"]
    assert {one["name"] for one in shown} == set(BY_NAME)


def test_the_readme_lists_every_script_with_its_number() -> None:
    rows = (Path(sandbox_room.__file__).parent / "README.md").read_text().splitlines()
    for one in CATALOGUE:
        number = f"0700 00{one.ending[0]} {one.ending[1:]}"
        assert any(row.startswith(f"| {number} |") and f"`{one.name}`" in row and one.says in row for row in rows), one
