"""The simulated Swypt's doors: keys, paths, faults, memory, and the page of a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests

import plugins.sandbox.swypt as simulated
from plugins.sandbox.remote import ControlFailed
from plugins.sandbox.swypt.behaviours import CATALOGUE
from plugins.sandbox.swypt.world import SandboxSwypt, running_swypt
from tests.plugins.sandbox.swypt.shopper import NOON, PHONE, V1, V2, WALLET, Shopper
from tests.waiting import eventually


class TestDoors:
    """Keys, paths, and days on which nothing works."""

    @pytest.mark.parametrize(
        ("headers", "message"),
        [
            ({}, "API key and secret are required"),
            ({"x-api-key": "5a" * 16}, "API key and secret are required"),
            ({"x-api-key": "5a" * 16, "x-api-secret": "no"}, "Invalid API credentials"),
        ],
    )
    def test_both_keys_are_needed(self, sandbox: SandboxSwypt, headers: dict[str, str], message: str) -> None:
        reply = requests.get(f"{sandbox.url}/listed-assets", headers=headers, timeout=5)
        assert (reply.status_code, reply.json()) == (401, {"status": "error", "message": message})

    @pytest.mark.parametrize(("profile", "paths", "other"), [("v2", V2, V1), ("v1", V1, V2)])
    def test_one_generation_may_be_all_there_is(
        self, sandbox: SandboxSwypt, profile: str, paths: dict[str, str], other: dict[str, str]
    ) -> None:
        sandbox.control.settings(profile=profile)
        shopper = Shopper(sandbox=sandbox, paths=paths)
        order = shopper.paid()
        assert shopper.deposit(order)[0] == 200
        assert shopper.order(shopper.escrow(), userAddress=WALLET if profile == "v2" else "")[0] == 200
        reply = requests.get(sandbox.url + other["assets"], timeout=5)
        assert (reply.status_code, reply.headers["Content-Type"]) == (404, "text/html; charset=utf-8")

    @pytest.mark.parametrize(
        ("fault", "status"),
        [("html_502", 502), ("html_504", 504), ("error_500", 500), ("too_many", 429), ("empty", 200)],
    )
    def test_faults_of_the_connection(self, shopper: Shopper, fault: str, status: int) -> None:
        shopper.sandbox.control.fault(fault, endpoint="assets")
        known = shopper.sandbox.credentials
        headers = {"x-api-key": known["api_key"], "x-api-secret": known["api_secret"]}
        reply = requests.get(f"{shopper.sandbox.url}/listed-assets", headers=headers, timeout=5)
        assert reply.status_code == status
        assert shopper.call("assets")[0] == 200

    @pytest.mark.parametrize(("script", "prompts"), [("lost_ack", 1), ("dropped", 0)])
    def test_a_line_that_is_cut(self, shopper: Shopper, script: str, prompts: int) -> None:
        shopper.sandbox.control.script(script, endpoint="onramp")
        with pytest.raises(requests.ConnectionError):
            shopper.start()
        assert sum(shopper.sandbox.control.counts()["prompts"].values()) == prompts

    def test_an_answer_may_be_slow(self, shopper: Shopper) -> None:
        shopper.sandbox.control.settings(slow_s=0.2)
        shopper.sandbox.control.script("slow", endpoint="onramp")
        assert shopper.start()

    def test_too_many_calls(self, shopper: Shopper) -> None:
        shopper.sandbox.control.settings(calls_per_s=2)
        assert [shopper.call("assets")[0] for _ in range(3)] == [200, 200, 429]
        shopper.sandbox.control.advance(2)
        assert shopper.call("assets")[0] == 200

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("scripts", {"behaviour": "no_such"}),
            ("scripts", {"answer": "no_such"}),
            ("scripts", {"delivery": "no_such"}),
            ("scripts", {"nonsense": 1}),
            ("scripts", {"endpoint": "no_such"}),
            ("scripts", {"times": "x"}),
            ("settings", {"nonsense": 1}),
            ("settings", {"rate_in": "x"}),
            ("settings", {"profile": "v0"}),
            ("decide", {"phone": "254712000000"}),
            ("escrow", {"network": "celo", "token": "0x1", "units": 1}),
            ("chain", {"network": "celo", "nonsense": 1}),
            ("clock", {"set": "2020-01-01"}),
            ("nonsense", {}),
        ],
    )
    def test_the_control_api_says_what_is_wrong(self, sandbox: SandboxSwypt, path: str, body: dict[str, Any]) -> None:
        with pytest.raises(ControlFailed):
            sandbox.control.post(path, **body)


def test_the_readme_lists_every_magic_number() -> None:
    readme = Path(simulated.__file__).with_name("README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| 0700 (\d{3} \d{3}) \| `(\w+)` \|", readme, re.MULTILINE)
    assert told == [(f"{ending:0>6}"[:3] + " " + f"{ending:0>6}"[3:], name) for name, (ending, _) in CATALOGUE.items()]


class TestMemory:
    """What a restart leaves."""

    def test_a_restart_forgets_nothing(self, shopper: Shopper) -> None:
        order = shopper.paid()
        tx = shopper.deposit(order)[1]["hash"]
        pending = shopper.start("254700003004")
        shopper.sandbox.control.settings(times="digits")
        shopper.sandbox.restart()
        assert shopper.call("deposits", WALLET)[1]["data"][1]["transactionID"] == tx
        assert shopper.told(pending)["status"] == "PENDING"
        shopper.sandbox.control.advance(600)
        told = shopper.told(pending)
        assert (told["status"], len(told["details"]["transactionDate"])) == ("SUCCESS", 14)
        assert shopper.sandbox.control.counts()["effects"] == {"collected": 2, "tokens invented": 1}

    def test_a_reset_forgets_all_but_the_ids(self, shopper: Shopper) -> None:
        first = shopper.paid()
        shopper.sandbox.control.reset()
        assert shopper.call("onramp_status", first)[0] == 404
        assert shopper.start() != first

    def test_the_same_seed_gives_the_same_orders(self, tmp_path: Path) -> None:
        orders = []
        for name in ("one", "two"):
            with running_swypt(state_dir=tmp_path / name, seed=3, frozen_at=NOON) as sandbox:
                orders.append(Shopper(sandbox=sandbox, paths=V2).start())
        assert orders[0] == orders[1]

    def test_a_running_clock_lets_things_happen(self, tmp_path: Path) -> None:
        with running_swypt(state_dir=tmp_path, settings={"autopilot_ms": 10, "settle_s": 0.01}) as sandbox:
            shopper = Shopper(sandbox=sandbox, paths=V2)
            order = shopper.start()
            assert eventually(lambda: shopper.told(order)["status"] == "SUCCESS")


class TestPhone:
    """The page on which prompts are answered."""

    def test_a_prompt_is_paid_on_the_page(self, shopper: Shopper) -> None:
        order = shopper.start()
        root = shopper.sandbox.url.removesuffix("/api")
        page = requests.get(f"{root}/phone", params={"number": "0712 345 678"}, timeout=5).text
        assert "Pay KES 100" in page
        form = {"number": PHONE, "order": order, "action": "pin", "pin": "1234"}
        requests.post(f"{root}/phone/answer", data=form, timeout=5)
        shopper.sandbox.control.advance(1)
        assert shopper.told(order)["status"] == "SUCCESS"
        assert "No prompt" in requests.get(f"{root}/phone", params={"number": PHONE}, timeout=5).text

    def test_what_is_no_number_is_asked_again(self, sandbox: SandboxSwypt) -> None:
        root = sandbox.url.removesuffix("/api")
        assert "not a Kenyan" in requests.get(f"{root}/phone", params={"number": "12"}, timeout=5).text
        assert requests.get(f"{root}/", timeout=5).status_code == 200
        assert requests.get(f"{root}/nothing", timeout=5).status_code == 404
