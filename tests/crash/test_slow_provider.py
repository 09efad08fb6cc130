"""kill −9 of the worker while the provider lets it wait for half a minute: the next one asks, and sends nothing again.

The delay is the whole thirty seconds; nobody waits it out, since the worker that would have heard the answer is dead.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.servers import RunningValkey
from tests.servers import Database, Databases
from tests.stack import Stack, a_phone, a_stack
from tests.waiting import eventually

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def stack(
    durable_databases: Databases, durable_template: Database, durable_valkey: RunningValkey, scratch: Path
) -> Iterator[Stack]:
    """Everything, with money for a payout, and a provider that takes thirty seconds where a script says so."""
    with (
        durable_databases.fresh(durable_template.name) as database,
        a_stack(database, durable_valkey.url_for(3), scratch / "slow") as running,
    ):
        phone = a_phone()
        running.control.script("success", phone=phone)
        payment = running.shop.payment(20_000_000)
        running.shop.confirm(payment["id"], phone)
        running.shop.becomes(f"/v1/payments/{payment['id']}", "succeeded", within_s=20)
        running.control.settings(slow_s=30)
        yield running
        running.check_books()


def replaced_while_it_waits(stack: Stack, kind: str, reference: str) -> None:
    """Kill the worker once the provider has the call, and start another one."""
    eventually(lambda: stack.control.counts()[kind].get(reference) == 1, within_s=15, every_s=0.02)
    stack.kill("worker")
    stack.start("worker")


def comes_to(stack: Stack, path: str, status: str) -> None:
    """Time passes until the gateway knows: it asks by its ladder, which a provider that calls back cuts short."""

    def there() -> bool:
        if stack.shop.status_of(path) != status:
            stack.advance(20)
        assert stack.shop.status_of(path) == status
        return True

    eventually(there, within_s=60, every_s=0.5)


def prompt(stack: Stack, **script: int) -> tuple[str, str]:
    """A payment whose prompt went out and whose worker died: its path and its attempt's reference."""
    phone = a_phone()
    # Paid eight seconds after the prompt: long after the worker is dead.
    stack.control.script("slow", phone=phone, settle_s=8, **script)
    path = f"/v1/payments/{stack.shop.payment(10_000)['id']}"
    assert stack.shop.confirm(path.rsplit("/", 1)[1], phone).status == 200
    (attempt,) = stack.shop.get(f"{path}/attempts")["data"]
    replaced_while_it_waits(stack, "prompts", attempt["reference"])
    assert stack.shop.status_of(path) != "succeeded"
    return path, attempt["reference"]


def test_a_prompt_whose_answer_nobody_heard_is_not_sent_again(stack: Stack) -> None:
    before = stack.shop.balance()["available"]
    path, reference = prompt(stack)
    comes_to(stack, path, "succeeded")
    assert stack.control.counts()["prompts"][reference] == 1
    assert len(stack.shop.get(f"{path}/attempts")["data"]) == len(stack.shop.get(f"{path}/receipts")["data"]) == 1
    assert stack.shop.balance()["available"] - before == 9_850


def test_a_prompt_that_nobody_ever_tells_of_is_found_in_the_history_and_is_not_sent_again(stack: Stack) -> None:
    path, reference = prompt(stack, copies=0)
    eventually(lambda: stack.shop.get(path)["outcome_unknown"], within_s=30, every_s=0.1)
    # The provider's questions go by an id that came with the answer: without it nobody can ask, and nobody may guess.
    # What the payer paid stands in the provider's history, which is read every ten minutes.
    stack.advance(660)
    stack.shop.becomes(path, "succeeded", within_s=40)
    assert stack.control.counts()["prompts"][reference] == 1
    assert len(stack.shop.get(f"{path}/receipts")["data"]) == 1


@pytest.mark.parametrize("copies", [1, 0], ids=["called back", "never called back"])
def test_a_payout_whose_answer_nobody_heard_is_not_sent_again(stack: Stack, copies: int) -> None:
    before, phone = stack.shop.balance(), a_phone()
    stack.control.script("slow", phone=phone, copies=copies)
    path = f"/v1/payouts/{stack.shop.payout(1_000, phone).body['id']}"
    find = f"{path}?expand[]=attempts"
    (attempt,) = eventually(lambda: stack.shop.get(find)["attempts"], within_s=10)
    replaced_while_it_waits(stack, "payouts", attempt["reference"])
    comes_to(stack, path, "paid")
    assert stack.control.counts()["payouts"][attempt["reference"]] == 1
    assert len(stack.shop.get(find)["attempts"]) == 1
    after = stack.shop.balance()
    assert (before["available"] - after["available"], after["reserved"]) == (4_000, before["reserved"])
