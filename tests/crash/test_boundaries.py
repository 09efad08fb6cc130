"""kill −9 of a worker before and after each commit, provider call and webhook of a payment's path.

Each run ends the same: one prompt, one receipt, one credit; balanced books; every webhook delivered.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.boundaries import all_points, database, receiver, stack
from tests.stack import Receiver, Stack, a_phone
from tests.waiting import eventually

__all__ = ["database", "receiver", "stack"]

pytestmark = pytest.mark.crash

#: How often each point lies on the path of one payment (with its webhooks), with some to spare.
PAY_IN = {"before_commit": 15, "after_commit": 15, "before_call": 2, "after_call": 2, "before_send": 3, "after_send": 3}


def _paid_or_never_sent(stack: Stack, path: str) -> bool:
    found = stack.shop.get(f"{path}?expand[]=attempts").body
    counts = stack.control.counts()["prompts"]
    never = found["outcome_unknown"] and not any(counts.get(a["reference"]) for a in found["attempts"])
    return never or found["status"] == "succeeded"


def _pay_again(stack: Stack, payment_id: str) -> None:
    """The first try's window passes in silence; the shopper is warned and asks again."""
    stack.advance(151)
    path = f"/v1/payments/{payment_id}"
    stack.shop.becomes(path, "processing")
    phone = a_phone()
    assert stack.shop.confirm(payment_id, phone).status == 409
    stack.control.script("success", phone=phone)
    assert stack.shop.confirm(payment_id, phone, acknowledge_unknown_attempt=True).status == 200
    stack.shop.becomes(path, "succeeded", within_s=20)


@pytest.mark.parametrize("doom", all_points(PAY_IN))
def test_a_payment_survives_its_worker(stack: Stack, receiver: Receiver, doom: str, tmp_path: Path) -> None:
    before = stack.shop.balance()["available"]
    stack.start("worker", module="tests.crash.doomed", DOOM=doom, DOOM_FILE=str(tmp_path / "doom"))
    phone = a_phone()
    stack.control.script("success", phone=phone)
    payment = stack.shop.payment(10_000)
    assert stack.shop.confirm(payment["id"], phone).status == 200
    path = f"/v1/payments/{payment['id']}"
    eventually(lambda: _paid_or_never_sent(stack, path), within_s=30, every_s=0.05)
    if stack.shop.status_of(path) != "succeeded":
        # Killed between the commit and the call: nobody can know that nothing was sent, so the shopper must say.
        _pay_again(stack, payment["id"])
    attempts = stack.shop.get(f"{path}/attempts")["data"]
    counts = stack.control.counts()
    assert sum(counts["prompts"].get(a["reference"], 0) for a in attempts) == 1
    assert len(stack.shop.get(f"{path}/receipts")["data"]) == 1
    assert stack.shop.balance()["available"] - before == 9_850
    wanted = {"payment.created", "payment.requires_action", "payment.succeeded", "receipt.received"}
    eventually(lambda: wanted <= set(receiver.types()), within_s=20)
    stack.kill("worker")
