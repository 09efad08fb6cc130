"""gunicorn starts with our options: they are real ones, and a setting that makes no sense is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = "python:gateway.adapters.web.gunicorn_conf"


def _printed(**settings: str) -> subprocess.CompletedProcess[str]:
    """What gunicorn says it would do; it ends for want of an application."""
    return subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", CONFIG, "--print-config", "nowhere:app"],
        cwd=ROOT,
        env={"PATH": os.defpath, **settings},
        capture_output=True,
        check=False,
        text=True,
    )


def _options(said: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in said.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def test_it_waits_in_threads_and_listens_on_loopback() -> None:
    options = _options(_printed(GATEWAY_WEB_WORKERS="3", GATEWAY_WEB_THREADS="8").stdout)
    assert options["worker_class"] == "gateway.adapters.web.gunicorn_worker.Worker"
    assert (options["workers"], options["threads"]) == ("3", "8")
    assert options["bind"] == "['127.0.0.1:8080']"
    assert options["control_socket_disable"] == "True"
    assert options["forwarded_allow_ips"] == "[]"


def test_it_binds_where_it_is_told() -> None:
    assert _options(_printed(GATEWAY_WEB_BIND="0.0.0.0:9000").stdout)["bind"] == "['0.0.0.0:9000']"


@pytest.mark.parametrize("nonsense", ["0", "-1", "many", "1.5"])
def test_a_setting_that_makes_no_sense_is_named(nonsense: str) -> None:
    refused = _printed(GATEWAY_WEB_THREADS=nonsense)
    assert refused.returncode != 0
    assert "GATEWAY_WEB_THREADS must be a whole number above zero" in refused.stderr + refused.stdout
