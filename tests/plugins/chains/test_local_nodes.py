"""Local nodes as they come and go: the pinned program, crashes, kept chains, blocks by the clock; faults over HTTP."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from plugins.sandbox.chains import binary
from plugins.sandbox.chains.binary import NoLocalNode, local_node
from plugins.sandbox.chains.node import KINDS, LocalNode
from plugins.sandbox.chains.rpc import Rpc, RpcFailed
from tests.contract.chain import PAYER
from tests.plugins.chains.bench import Bench
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]


def packed(folder: Path, content: bytes | None) -> Path:
    """A package as npm would leave it."""
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        name, body = ("package/bin/anvil", content) if content is not None else ("package/readme", b"")
        entry = tarfile.TarInfo(name)
        entry.size = len(body)
        archive.addfile(entry, io.BytesIO(body))
    return path


def pin(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    monkeypatch.setattr(binary, "INTEGRITY", dict.fromkeys(binary.INTEGRITY, digest))


def test_the_program_is_taken_out_once_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = packed(tmp_path, b"#!/bin/sh\nexit 0\n")
    pin(monkeypatch, package)
    asked: list[str] = []

    def pack(spec: str, folder: Path) -> Path:
        asked.append(spec)
        return package

    monkeypatch.setattr(binary, "_packed", pack)
    found = local_node(tmp_path / "cache")
    assert local_node(tmp_path / "cache") == found
    assert subprocess.run([found], check=False).returncode == 0
    (spec,) = asked
    assert spec.endswith(f"@{binary.VERSION}")


@pytest.mark.parametrize(("pinned", "content"), [(False, b"x"), (True, None)])
def test_another_package_is_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pinned: bool, content: bytes | None
) -> None:
    package = packed(tmp_path, content)
    if pinned:
        pin(monkeypatch, package)
    monkeypatch.setattr(binary, "_packed", lambda *_: package)
    with pytest.raises(NoLocalNode) as refused:
        local_node(tmp_path / "cache")
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "cache").rglob("anvil"))


def test_no_npm_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(binary.shutil, "which", lambda _: None)
    monkeypatch.setattr(binary, "find_spec", lambda _: None)
    with pytest.raises(NoLocalNode, match="neither npm nor"):
        local_node(tmp_path)


def test_npm_that_fails_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(binary, "_npm", lambda: [sys.executable, "-c", "raise SystemExit('no such package')"])
    with pytest.raises(NoLocalNode, match="no such package"):
        local_node(tmp_path)


def test_an_unknown_machine_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(binary.platform, "machine", lambda: "riscv64")
    with pytest.raises(NoLocalNode, match="isn't pinned for"):
        local_node(tmp_path)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalNode]:
    made = LocalNode(KINDS["celo"], tmp_path / "celo", keeps=True)
    made.start()
    yield made
    made.stop()


def test_a_kept_chain_is_there_again_at_the_same_place(node: LocalNode) -> None:
    url, controls = node.url, node.controls
    controls.give_coins(PAYER, 77)
    controls.mine(3)
    before = controls.block()["hash"]
    node.stop()
    assert not node.is_running
    node.start()
    assert (node.url, node.controls.block()["hash"]) == (url, before)
    assert int(node.controls.rpc("eth_getBalance", PAYER, "latest"), 16) == 77


def test_a_killed_node_leaves_nobody_behind(node: LocalNode) -> None:
    node.kill()
    assert not node.is_running
    with pytest.raises(RpcFailed):
        Rpc(node.url)("eth_chainId")
    node.start()
    assert int(node.controls.rpc("eth_chainId"), 16) == KINDS["celo"].chain_id


def test_a_crash_takes_back_nothing_that_was_final(tmp_path: Path) -> None:
    with LocalNode(KINDS["polygon"], tmp_path, block_time_s=1, keeps=True) as node:
        eventually(lambda: node.controls.height >= 5, within_s=20)
        final = node.controls.block("finalized")
        node.kill()
        node.start()
        assert node.controls.block(int(final["number"], 16))["hash"] == final["hash"]


def test_a_node_ends_with_the_one_who_started_it(tmp_path: Path) -> None:
    started = (
        "import sys; from pathlib import Path; from plugins.sandbox.chains.node import KINDS, LocalNode;"
        "node = LocalNode(KINDS['base'], Path(sys.argv[1])); node.start(); print(node.pid, flush=True);"
        "import os; os.kill(os.getpid(), 9)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", started, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == -9
    pid = int(ran.stdout)

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    eventually(gone, within_s=10)


def test_blocks_come_by_the_clock(tmp_path: Path) -> None:
    with LocalNode(KINDS["polygon"], tmp_path, block_time_s=1) as node:
        start = node.controls.height
        eventually(lambda: node.controls.height > start, within_s=10)


def test_a_program_that_does_not_start_is_said_in_one_line(tmp_path: Path) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(NoLocalNode, match="did not start"):
        LocalNode(KINDS["celo"], tmp_path / "celo", program=program).start()


def test_faults_are_armed_listed_and_dropped_over_http(celo: Bench) -> None:
    def control(verb: str, path: str, **body: object) -> requests.Response:
        return requests.request(verb, f"{celo.proxy.url}/control/{path}", json=body, timeout=10)

    made = control("POST", "faults", fault="error", method="eth_chainId", times=1, code=-5, message="go away")
    assert (made.status_code, made.json()["struck"]) == (201, 0)
    with pytest.raises(RpcFailed, match="go away"):
        Rpc(celo.proxy.url)("eth_chainId")
    (listed,) = control("GET", "faults").json()["faults"]
    assert (listed["fault"], listed["struck"], listed["times"]) == ("error", 1, 1)
    assert int(Rpc(celo.proxy.url)("eth_chainId"), 16) == celo.node.kind.chain_id
    assert control("GET", "calls").json()["calls"] == {"eth_chainId": 2}
    assert control("DELETE", "faults").json() == {"faults": []}
    refused = control("POST", "faults", fault="explode")
    assert (refused.status_code, "no fault is called explode" in refused.json()["error"]) == (400, True)
    assert control("POST", "faults").status_code == 400
    assert control("GET", "nothing").status_code == 404
