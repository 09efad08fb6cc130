"""The official JavaScript verifier of Standard Webhooks takes what we send, and refuses it with one byte altered.

Node.js comes from the test packages; the verifier by its lock file, once for each content of that file, beside them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from tests.outbound.receivers import Received, a_receiver
from tests.outbound.test_sender import SECRET, send

HERE = Path(__file__).parent / "javascript"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def verifier() -> Path:
    """A folder with the verifier and what it needs, each at the version and digest that the lock file names."""
    parts = [HERE / name for name in ("package.json", "package-lock.json", "verify.js")]
    digest = sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:16]
    home = BIN.parent / f"webhook-verifier-{digest}"
    if not (home / "installed").exists():
        home.mkdir(exist_ok=True)
        for part in parts:
            shutil.copy(part, home)
        node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(home))
        (home / "installed").touch()
    return home


def node(program: str, *arguments: str, told: str = "") -> str:
    """What `node` or `npm` of the test packages prints."""
    run = subprocess.run(
        [BIN / program, *arguments],
        input=told,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def judged(verifier: Path, *deliveries: tuple[str, dict[str, str], bytes]) -> list[str]:
    """What the verifier says of each (secret, headers, body)."""
    lines = [
        json.dumps({"secret": secret, "headers": headers, "body": b64encode(body).decode()})
        for secret, headers, body in deliveries
    ]
    return node("node", str(verifier / "verify.js"), told="\n".join(lines)).splitlines()


@pytest.fixture
def got() -> Received:
    """A delivery as it arrived at a real server."""
    with a_receiver() as receiver:
        assert send(receiver.url).status == 200
        return receiver.received[0]


def test_it_takes_what_was_sent(verifier: Path, got: Received) -> None:
    assert judged(verifier, (SECRET, got.headers, got.body)) == ["accepted"]


def test_it_refuses_every_altered_byte(verifier: Path, got: Received) -> None:
    altered = [
        got.body[:place] + bytes([got.body[place] ^ 1]) + got.body[place + 1 :] for place in range(len(got.body))
    ]
    assert len(altered) > 10
    said = judged(verifier, *[(SECRET, got.headers, body) for body in altered])
    assert len(said) == len(altered)
    assert all(word.startswith("refused") for word in said), said


def test_it_refuses_another_secret_another_time_and_another_id(verifier: Path, got: Received) -> None:
    later = str(int(got.headers["webhook-timestamp"]) + 1)
    said = judged(
        verifier,
        ("whsec_" + b64encode(b"another secret of thirty-two byte").decode(), got.headers, got.body),
        (SECRET, {**got.headers, "webhook-timestamp": later}, got.body),
        (SECRET, {**got.headers, "webhook-id": "evt_2"}, got.body),
    )
    assert [word.split(":")[0] for word in said] == ["refused"] * 3
