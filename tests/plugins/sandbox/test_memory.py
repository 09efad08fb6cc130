"""The same seed and the same calls give the same bytes; a killed simulator goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from plugins.sandbox.remote import Control
from plugins.sandbox.world import SandboxMpesa, running_sandbox
from tests.plugins.sandbox.merchant import NOON, PHONE, Inbox, Merchant, items
from tests.plugins.sandbox.test_scripts import magic


def a_busy_day(merchant: Merchant) -> bytes:
    """Good and bad days in a row; gives the event log."""
    merchant.pushed()
    merchant.control.decide(PHONE)
    merchant.control.advance(1)
    for name in ("duplicate_callback", "other_amount", "callback_first", "late_after_failure", "html_503"):
        merchant.push(magic(name))
    merchant.push(Amount=0)
    merchant.b2c("a", magic("success"))
    merchant.b2c("b", magic("not_registered"))
    merchant.b2c("b")
    merchant.control.advance(400)
    merchant.post("/mpesa/transactionstatus/v1/query", merchant.status_body(OriginalConversationID="a"))
    merchant.control.advance(1)
    return merchant.control.lines()


def a_day_in_a_new_world(inbox: Inbox, seed: int) -> bytes:
    with running_sandbox(seed=seed, frozen_at=NOON) as sandbox:
        return a_busy_day(Merchant(sandbox, inbox))


def test_the_same_seed_gives_byte_identical_event_logs(inbox: Inbox) -> None:
    first, again, other = (a_day_in_a_new_world(inbox, seed) for seed in (11, 11, 12))
    assert len(first.splitlines()) > 25
    assert first == again
    assert first != other


def test_a_reset_with_a_seed_is_a_new_world(inbox: Inbox) -> None:
    with running_sandbox(seed=11, frozen_at=NOON) as sandbox:
        first = a_busy_day(Merchant(sandbox, inbox))
        sandbox.control.reset(seed=11)
        assert a_busy_day(Merchant(sandbox, inbox)) == first


def receipt_of(merchant: Merchant, phone: str = magic("success")) -> str:
    merchant.pushed(phone)
    merchant.control.advance(2)
    found: str = items(merchant.callbacks[-1])["MpesaReceiptNumber"]
    return found


def test_receipts_do_not_repeat_over_restarts_and_resets(sandbox: SandboxMpesa, inbox: Inbox) -> None:
    seen = []
    for _ in range(3):
        seen.append(receipt_of(Merchant(sandbox, inbox)))
        sandbox.restart()
        seen.append(receipt_of(Merchant(sandbox, inbox)))
        sandbox.control.reset()
    assert len(set(seen)) == 6


def test_a_restart_keeps_prompts_tokens_balances_and_the_clock(
    sandbox: SandboxMpesa, merchant: Merchant, inbox: Inbox
) -> None:
    checkout_id = merchant.pushed()
    merchant.b2c("before", magic("success"))
    merchant.control.script("cancel", phone="254798765432")
    merchant.control.settings(settle_s=2)
    merchant.control.advance(1)
    before = merchant.control.get("state")
    log = merchant.control.lines()

    sandbox.restart()

    again = Merchant(sandbox, inbox)
    again.token = merchant.token
    assert again.control.get("state") == before
    assert again.control.lines() == log
    assert again.query(checkout_id).json()["errorCode"] == "500.001.1001"
    assert again.b2c("before").json()["errorCode"] == "500.002.1001"
    again.control.decide(PHONE)
    again.control.advance(1.9)
    assert again.callbacks == []
    again.control.advance(0.1)
    assert again.callbacks[0]["CheckoutRequestID"] == checkout_id


@contextmanager
def process(state_dir: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "plugins.sandbox", "--port", "0", "--state-dir", str(state_dir), *options]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert running.stdout is not None
    try:
        yield running, running.stdout.readline().split()[-1]
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


class Remote:
    """Enough of a SandboxMpesa for a Merchant, for one in another process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.control = Control(url)
        self.credentials = {"base_url": url, **self.control.get("credentials")}


def test_kill_minus_nine_loses_nothing(tmp_path: Path, inbox: Inbox) -> None:
    state = tmp_path / "state"
    with process(state, "--seed", "5", "--frozen-at", NOON) as (running, url):
        first = Merchant(Remote(url), inbox)  # type: ignore[arg-type]  # it has all that a merchant asks for
        checkout_id = first.pushed()
        first.b2c("po-9")
        first.control.decide(PHONE)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        first.control.close()
    with (state / "world.jsonl").open("ab") as file:  # A line that the kill cut short.
        file.write(b'{"position":99,"journ')
    with process(state) as (running, url):
        second = Merchant(Remote(url), inbox)  # type: ignore[arg-type]
        second.control.advance(1)
        assert [one["CheckoutRequestID"] for one in second.callbacks] == [checkout_id]
        assert second.results[0]["OriginatorConversationID"] == "po-9"
        assert second.control.counts()["money_out"] == {"po-9": 1000}
        second.control.close()
        running.send_signal(signal.SIGTERM)
        assert running.wait(5) == 0


@pytest.mark.parametrize("text", ["{", "[]", '{"moon": 1}', '{"settings": {"lock_s": -1}}', '{"apps": [{"key": 1}]}'])
def test_a_configuration_that_cannot_be_read_is_said_so(tmp_path: Path, text: str) -> None:
    file = tmp_path / "world.json"
    file.write_text(text)
    command = [sys.executable, "-m", "plugins.sandbox", "--state-dir", str(tmp_path / "state"), "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("sandbox: ")


def test_several_apps_and_shortcodes(inbox: Inbox) -> None:
    world = {
        "apps": [
            {"consumer_key": "in", "consumer_secret": "1", "products": ["push", "query"]},
            {"consumer_key": "out", "consumer_secret": "2", "products": ["b2c", "status"]},
        ],
        "shortcodes": [
            {"number": "400100", "name": "MAMA NJERI SHOP", "passkey": "pk-1"},
            {"number": "400200", "name": "JUMA STORES", "passkey": "pk-2", "utility": "12.50"},
        ],
    }
    with running_sandbox(seed=2, frozen_at=NOON, world=world) as sandbox:
        merchant = Merchant(sandbox, inbox)
        merchant.keys = {**merchant.keys, "shortcode": "400200", "passkey": "pk-2"}
        merchant.pushed(BusinessShortCode=400200, PartyB=400200, Password=merchant.password())
        assert sandbox.control.pushes()[0]["recipient"] == "JUMA STORES"
        assert sandbox.control.get("state")["balances"]["400200"]["utility"] == 12.5
        reply = merchant.b2c()
        assert reply.status_code == 401
        assert "no apiproduct match found" in reply.json()["errorMessage"]
