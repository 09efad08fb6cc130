"""Public M-Pesa libraries in environments of their own, installed once a session at pinned versions and digests."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
WITH_NODE = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")
# `--no-deps`, because the file names everything; wheels alone, so that no package's own code runs here.
AS_PINNED = ("--no-deps", "--only-binary", ":all:", "--no-compile", "--require-hashes")


def python(scratch: Path) -> Path:
    """The folder of a virtual environment with the Python libraries."""
    return _once(scratch / "python", _install_python)


def node(scratch: Path) -> Path:
    """A folder with `node_modules` and our driver beside it."""
    return _once(scratch / "node", _install_node)


def _once(home: Path, install: Callable[[Path], None]) -> Path:
    """Whichever process of the session comes first installs; the others wait for it."""
    home.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "installed").exists():
            install(home)
            (home / "installed").touch()
    return home


def _install_python(home: Path) -> None:
    _run([sys.executable, "-m", "venv", "--without-pip", str(home)])
    _run([*PIP, "--python", str(home / "bin" / "python"), "install", *AS_PINNED, "-r", str(HERE / "requirements.txt")])


def _install_node(home: Path) -> None:
    for name in ("package.json", "package-lock.json", "drivers/drive.js"):
        shutil.copy(HERE / name, home)
    _run([str(BIN / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(home)])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, env=WITH_NODE, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
