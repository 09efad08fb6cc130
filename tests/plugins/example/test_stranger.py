"""A plugin from elsewhere: installed by pip into a folder and kept to the contract; the core has never heard of it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    assert int(said.strip().splitlines()[-1].split(" passed")[0]) > 70
