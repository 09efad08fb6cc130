"""A plugin from elsewhere: installed by pip into a folder, kept to the contract, and paid by; the core is as it was."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.servers import Database
from tests.stack import Stack, a_phone, a_stack
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "plugin-example"
#: All that a plugin may import of this project.
OURS = ("ports", "plugins.kit")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's source in a folder of its own, away from this one."""
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("stranger") / "acme", ignore=_what_isnt_source))


def _what_isnt_source(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("__pycache__", "build") or name.endswith(".egg-info")}


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put it; nothing is fetched."""
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"]
    # Without isolation setuptools is the one that is installed here, so that the build needs no index.
    run([*pip, "--no-deps", "--no-index", "--no-build-isolation", "--target", str(site), str(package)], {}, package)
    return site


def run(command: list[str], more: dict[str, str], folder: Path) -> str:
    """Run a command to its end, which must be good; gives what it said."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "GATEWAY_"))} | more
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_knows_the_ports_and_the_kit_and_nothing_else_of_the_gateway() -> None:
    ours = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()}
    named = set()
    for path in (EXAMPLE / "acme_pay").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                named.add(node.module)
            elif isinstance(node, ast.Import):
                named |= {one.name for one in node.names}
    used = {name for name in named if name.split(".")[0] in ours}
    assert used
    assert not {name for name in used if not f"{name}.".startswith(tuple(f"{one}." for one in OURS))}


def test_the_core_has_never_heard_of_it() -> None:
    for folder in ("gateway", "ports", "plugins"):
        assert not [path for path in (ROOT / folder).rglob("*.py") if "acme" in path.read_text().lower()]


def test_its_own_tests_hold_it_to_the_contract(package: Path, installed: Path) -> None:
    path = os.pathsep.join([str(installed), str(ROOT)])
    said = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], {"PYTHONPATH": path}, package)
    assert int(said.strip().splitlines()[-1].split(" passed")[0]) > 30


@pytest.fixture
def stack(installed: Path, database: Database, redis_url: str, tmp_path: Path) -> Iterator[Stack]:
    """The gateway with both plugins enabled."""
    with a_stack(database, redis_url, tmp_path / "stack", start=()) as stack:
        stack.environment |= {"GATEWAY_PLUGINS": "mpesa,acme_pay", "PYTHONPATH": str(installed)}
        for name in ("serve", "worker", "relay"):
            stack.start(name)
        yield stack
        stack.check_books()


def simulated() -> ModuleType:
    """The package's own simulator, which isn't installed with it."""
    spec = importlib.util.spec_from_file_location("simulated_acme", EXAMPLE / "tests" / "simulated_acme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def command(stack: Stack, *words: str) -> str:
    """One command of the operator's; gives what it printed."""
    return run([sys.executable, "-m", "gateway", *words], stack.environment, ROOT).strip()


def test_installed_and_enabled_it_takes_a_payment(stack: Stack, tmp_path: Path) -> None:
    module = simulated()
    with module.simulated_acme() as acme:
        config = tmp_path / "acme.json"
        config.write_text(json.dumps({"api_key": module.KEY, "base_url": acme.url}))
        pocket = command(stack, "float", "add", "Acme Pay", "--reason", "trial")
        add = ("connection", "add", "acme_prompt", "--title", "Acme Pay", "--config", str(config))
        assert command(stack, *add, "--float", pocket, "--reason", "trial").startswith("con_")
        offers = {rail["method"]: rail for rail in stack.shop.get("/v1/rails")["data"]}
        assert (offers["acme_pay"]["status"], offers["acme_pay"]["amount_max"]) == ("available", 10_000_000)

        before = stack.shop.balance()["available"]
        paid = stack.shop.payment(123_456)
        path = f"/v1/payments/{paid['id']}"
        method = {"type": "acme_pay", "phone": a_phone()}
        assert stack.shop.post(f"{path}/confirm", {"payment_method": method})["status"] == "requires_action"
        reference = eventually(lambda: next(iter(acme.charges), None), within_s=30)
        acme.will_end(reference, "PAID")
        acme.finish()
        assert stack.shop.becomes(path, "succeeded", within_s=30)["amount_received"] == 123_456
        (receipt,) = stack.shop.get(f"{path}/receipts")["data"]
        assert (receipt["receipt_number"], receipt["amount"]) == ("AP00000001", 123_456)
        assert stack.shop.balance()["available"] - before == 123_456 - receipt["fee"]
        assert acme.collections() == 1

        other = stack.shop.payment(10_000)
        method["phone"] = a_phone()
        stack.shop.post(f"/v1/payments/{other['id']}/confirm", {"payment_method": method})
        again = eventually(lambda: next((one for one in acme.charges if one != reference), None), within_s=30)
        acme.will_end(again, "NO_FUNDS")
        acme.finish()
        failed = stack.shop.becomes(f"/v1/payments/{other['id']}", "requires_payment_method", within_s=30)
        assert failed["last_error"]["code"] == "insufficient_funds"
        assert module.KEY not in "".join(log.read_text() for log in stack.logs.glob("*.log"))
