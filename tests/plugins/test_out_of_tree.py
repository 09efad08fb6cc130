"""A rail that is installed beside the gateway takes a payment, with no change to the gateway."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Database
from tests.stack import Shop, Stack, a_stack
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "docs" / "plugin-example"
PHONE = "+254711000001"


def _simulated() -> Any:
    """The sample's own simulator: it belongs to the sample, which is no part of this tree's packages."""
    spec = importlib.util.spec_from_file_location("simulated_acme", PLUGIN / "tests" / "simulated_acme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


ACME = _simulated()

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, installed by pip from its folder alone; a copy is built, so that nothing is left in the tree."""
    source, target = tmp_path_factory.mktemp("source") / "plugin", tmp_path_factory.mktemp("site")
    shutil.copytree(PLUGIN, source)
    flags = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return target


@pytest.fixture(scope="module")
def acme() -> Iterator[Any]:
    with ACME.simulated_acme() as running:
        yield running


@pytest.fixture(scope="module")
def stack(databases: Any, migrated: Database, valkey: Any, scratch: Path, installed: Path) -> Iterator[Stack]:
    with (
        databases.fresh(migrated.name) as database,
        a_stack(database, valkey.url_for(3), scratch / "out_of_tree", start=()) as made,
    ):
        path = os.pathsep.join([str(installed), str(ROOT)])
        made.environment |= {"PYTHONPATH": path, "GATEWAY_PLUGINS": "mpesa,acme_pay"}
        yield made
        made.stop()
        made.check_books()


def gateway(stack: Stack, *arguments: str, ok: bool = True) -> str:
    """What a command of the gateway prints."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments], env=stack.environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode == 0) is ok, done.stderr
    return (done.stdout if ok else done.stderr).strip()


@pytest.fixture(scope="module")
def shop(stack: Stack, acme: Any, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose operator has connected it."""
    config = tmp_path_factory.mktemp("config") / "acme.json"
    config.write_text(json.dumps({"base_url": acme.url, "api_key": ACME.KEY}))
    pocket = gateway(stack, "float", "add", "Acme", "--reason", "a new rail").split()[-1]
    options = ("--title", "Acme", "--float", pocket, "--config", str(config), "--reason", "a new rail")
    assert gateway(stack, "connection", "add", "acme_prompt", *options).startswith("con_")
    for name in ("serve", "worker", "relay"):
        stack.start(name)
    return stack.shop


def pay(shop: Shop, units: int = 150_000) -> str:
    payment = shop.payment(units)["id"]
    method = {"type": "acme_pay", "phone": PHONE}
    confirmed = shop.call("POST", f"/v1/payments/{payment}/confirm", {"payment_method": method})
    assert confirmed.status == 200, confirmed.body
    return str(payment)


def newest(acme: Any, known: set[str]) -> str:
    """The reference of the charge that was made since."""
    return eventually(lambda: next((one for one in list(acme.charges) if one not in known), None), within_s=20) or ""


def test_the_operator_sees_it_installed_and_what_it_declares(stack: Stack) -> None:
    told = json.loads(gateway(stack, "plugins", "list", "--json"))
    [mine] = [plugin for plugin in told["plugins"] if plugin["name"] == "acme_pay"]
    assert (mine["package"], mine["enabled"]) == ("acme-pay-gateway", True)
    [offer] = [offer for offer in told["offers"] if offer["code"] == "acme_prompt"]
    assert (offer["contract"], offer["starts_by"], offer["method"]) == (1, "prompt", "acme_pay")


def test_a_configuration_that_can_not_work_is_refused_by_field(stack: Stack, tmp_path: Path) -> None:
    config = tmp_path / "wrong.json"
    config.write_text(json.dumps({"base_url": "ftp://x", "api_key": ACME.KEY}))
    pocket = gateway(stack, "float", "add", "Wrong", "--reason", "a test").split()[-1]
    options = ("--title", "Wrong", "--float", pocket, "--config", str(config), "--reason", "a test")
    refused = gateway(stack, "connection", "add", "acme_prompt", *options, ok=False)
    assert "/base_url" in refused
    assert ACME.KEY not in refused


def test_it_takes_a_payment(shop: Shop, acme: Any) -> None:
    before, known = shop.balance()["available"], set(acme.charges)
    payment = pay(shop)
    reference = newest(acme, known)
    assert acme.charges[reference].order["units"] == 150_000
    acme.will_end(reference, "PAID")
    acme.finish()
    paid = shop.becomes(f"/v1/payments/{payment}", "succeeded", within_s=20)
    assert paid["amount_received"] == 150_000
    [receipt] = shop.get(f"/v1/payments/{payment}/receipts")["data"]
    assert receipt["receipt_number"] == acme.charges[reference].shown()["receipt"]
    assert before < shop.balance()["available"] <= before + 150_000


def test_a_customer_who_declines_can_try_again(shop: Shop, acme: Any) -> None:
    known = set(acme.charges)
    payment = pay(shop)
    acme.will_end(newest(acme, known), "DECLINED")
    acme.finish()
    back = shop.becomes(f"/v1/payments/{payment}", "requires_payment_method", within_s=20)
    assert back["last_error"]["code"] == "canceled_by_payer"


def test_a_business_reads_what_it_can_do(shop: Shop) -> None:
    rails = {(rail["method"], rail["direction"]): rail for rail in shop.get("/v1/rails")["data"]}
    mine = rails["acme_pay", "collect"]
    assert (mine["amount_min"], mine["amount_max"], mine["status"]) == (100, 10_000_000, "available")
    assert mine["refunds"] == {"supported": True, "partial": True, "destination": "origin"}
    assert rails["mpesa", "collect"]["starts_by"] == "prompt"
    assert rails["mpesa_phone", "pay_out"]["destinations"] == ["mpesa_phone"]


@pytest.mark.parametrize(("units", "code"), [(10_000_100, "amount_too_large"), (50, "amount_too_small")])
def test_what_it_does_not_declare_is_refused(shop: Shop, acme: Any, units: int, code: str) -> None:
    calls = acme.requests
    made = shop.call("POST", "/v1/payments", {"amount": units, "currency": "KES"})
    if made.status == 201:
        method = {"type": "acme_pay", "phone": PHONE}
        made = shop.call("POST", f"/v1/payments/{made['id']}/confirm", {"payment_method": method})
    assert (made.status, made["code"]) == (400, code)
    assert acme.requests == calls
