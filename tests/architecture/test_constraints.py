"""constraints.txt pins all that setup.cfg asks for and all that follows from it, and nothing else."""

from __future__ import annotations

import configparser
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
#: The list is made for the Python the image runs; another one may need a package less.
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.14"}


def _declared() -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    groups = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    return [Requirement(line) for group in groups for line in group.splitlines() if line.strip("# ")[:1].isalnum()]


def _needed() -> dict[str, str]:
    """Every package that is pulled in, with its installed version."""
    needed: dict[str, str] = {}
    waiting, seen = _declared(), set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if (name, *sorted(wanted.extras)) in seen:
            continue
        seen.add((name, *sorted(wanted.extras)))
        found = distribution(wanted.name)
        needed[name] = found.version
        for further in map(Requirement, found.requires or []):
            places = [{**PYTHON, "extra": extra} for extra in ("", *wanted.extras)]
            if further.marker is None or any(map(further.marker.evaluate, places)):
                waiting.append(further)
    return needed


def _pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_package_is_pinned_at_the_version_tested() -> None:
    assert _pinned() == _needed()


def test_the_list_is_sorted_and_names_no_place() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(lines, key=str.lower)
    assert not [line for line in lines if "@" in line or "/" in line]
