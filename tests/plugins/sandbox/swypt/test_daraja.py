"""The simulated Swypt as a customer of the simulated M-Pesa: one phone for both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.sandbox.swypt.world import running_swypt
from plugins.sandbox.world import SandboxMpesa, running_sandbox
from tests.plugins.sandbox.swypt.shopper import NOON, PHONE, V2, Shopper
from tests.waiting import eventually


@pytest.fixture
def mpesa(tmp_path: Path) -> Iterator[SandboxMpesa]:
    with running_sandbox(state_dir=tmp_path / "mpesa", frozen_at=NOON) as sandbox:
        yield sandbox


@pytest.fixture
def shopper(tmp_path: Path, mpesa: SandboxMpesa) -> Iterator[Shopper]:
    with running_swypt(state_dir=tmp_path / "swypt", frozen_at=NOON, mpesa={"url": mpesa.url}) as sandbox:
        yield Shopper(sandbox=sandbox, paths=V2)


def test_a_prompt_is_paid_on_mpesas_phone(shopper: Shopper, mpesa: SandboxMpesa) -> None:
    order = shopper.start()
    (push,) = mpesa.control.pushes(phone=PHONE)
    assert push["amount"] == 100
    assert shopper.told(order)["details"]["mpesaReceipt"] == push["checkout_request_id"]
    mpesa.control.decide(PHONE)
    mpesa.control.advance(2)
    told = shopper.told(order)
    receipt = mpesa.control.pushes(phone=PHONE)[0]["receipt"]
    assert (told["status"], told["details"]["mpesaReceipt"]) == ("SUCCESS", receipt)
    assert shopper.deposit(order)[0] == 200


@pytest.mark.parametrize(
    ("script", "status", "message"),
    [
        ("cancel", "CANCELLED", "Unknown transaction status"),
        ("insufficient_funds", "FAILED", "Insufficient balance"),
        ("no_answer", "FAILED", "DS timeout user cannot be reached"),
        ("duplicate_callback", "SUCCESS", "Deposit completed successfully"),
        ("lost_callback", "PENDING", "Your deposit is being processed"),
    ],
)
def test_mpesas_days_are_swypts(shopper: Shopper, mpesa: SandboxMpesa, script: str, status: str, message: str) -> None:
    mpesa.control.script(script)
    order = shopper.start()
    mpesa.control.advance(600)
    told = shopper.told(order)
    assert (told["status"], told["message"]) == (status, message)


def test_without_a_push_there_is_no_prompt(shopper: Shopper, mpesa: SandboxMpesa) -> None:
    mpesa.control.script("locked")
    body = {"partyA": PHONE, "amount": "9", "side": "onramp"}
    status, found = shopper.call("onramp", body=body | {"userAddress": "0x1", "tokenAddress": _usdt(shopper)})
    assert (status, found["message"]) == (500, "Failed to initiate STK Push payment")
    mpesa.control.expire_token()
    assert shopper.start()


def test_a_callback_before_the_acknowledgement_is_taken(shopper: Shopper, mpesa: SandboxMpesa) -> None:
    mpesa.control.script("callback_first")
    order = shopper.start()
    mpesa.control.advance(2)
    assert eventually(lambda: shopper.told(order)["status"] == "SUCCESS")


def _usdt(shopper: Shopper) -> str:
    tokens = shopper.sandbox.credentials["networks"]["celo"]["tokens"]
    return str(next(one["address"] for one in tokens if one["symbol"] == "USDT"))
