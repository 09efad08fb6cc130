"""The web process knows chains by their facts alone: no library of chains is imported where no line is built."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

#: The process as `wsgi` makes it. The plugins are named here, since an installation may be older than its tree.
WEB = """
import importlib.metadata as metadata
import sys

plain = metadata.entry_points
points = [metadata.EntryPoint(name, f"plugins.{name}.plugin", "gateway.plugins") for name in sys.argv[1].split(",")]
metadata.entry_points = lambda **wanted: points if wanted.get("group") == "gateway.plugins" else plain(**wanted)

import wsgi

assert wsgi.app.url_map, "an application"
print(",".join(sorted(wsgi.gateway.plugins.chains)))
heavy = ("web3", "eth_account", "eth_abi", "eth_keys", "rlp", "pydantic", "coincurve")
print(",".join(name for name in heavy if name in sys.modules))
"""
ENVIRONMENT = {
    "GATEWAY_ENVIRONMENT": "sandbox",
    "GATEWAY_PUBLIC_URL": "http://127.0.0.1:9",
    "GATEWAY_DATABASE_URL_APP": "postgresql://nobody@127.0.0.1:9/nothing",
    "GATEWAY_REDIS_URL": "redis://127.0.0.1:9/0",
    "GATEWAY_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
    "PYTHONPATH": str(ROOT),
}


def test_the_web_process_imports_no_library_of_chains() -> None:
    names = "base,celo,mpesa,polygon"
    ran = subprocess.run(
        [sys.executable, "-c", WEB, names],
        cwd=ROOT,
        env={**ENVIRONMENT, "GATEWAY_PLUGINS": names},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout.splitlines()) == (0, ["base_rpc,celo_rpc,polygon_rpc", ""]), ran.stderr
