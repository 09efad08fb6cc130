"""make says in a sentence what is missing, before anything is installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _pretend_python(place: Path, *, old: bool, venv: bool) -> Path:
    """A program that answers make's two questions as some Python would."""
    script = place / "python"
    answers = f'case "$2" in *version_info*) exit {int(old)};; *ensurepip*) exit {int(not venv)};; esac'
    script.write_text(f"#!/bin/sh\n{answers}\n")
    script.chmod(0o755)
    return script


@pytest.mark.parametrize(
    ("old", "venv", "sentence"),
    [
        (True, True, "is too old: Python 3.11 or newer is needed"),
        (False, False, "cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_refused(tmp_path: Path, old: bool, venv: bool, sentence: str) -> None:
    for name in ("Makefile", "setup.cfg", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    python = _pretend_python(tmp_path, old=old, venv=venv)
    done = subprocess.run(
        ["make", f"PYTHON={python}", "setup"], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    assert done.returncode != 0
    assert sentence in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    done = subprocess.run(
        ["make", "PYTHON=", ".venv/.python"], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed and was not found" in done.stderr
