"""What a test holds in its hands: Daraja as a library sees it, a receiver for its news, and the library itself."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from plugins.sandbox.world import SandboxMpesa, running_sandbox
from tests.outbound.certificates import Authority
from tests.plugins.sandbox.clients.tunnel import HOST, Tunnel
from tests.plugins.sandbox.merchant import NOON, Inbox, open_inbox
from tests.waiting import eventually

HERE = Path(__file__).parent
# What this session's own environment must not bring along: its proxies, and its Python packages.
LEFT_OUT = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "PYTHONPATH")
ANSWERS_WITHIN_S = 60


class Raised(Exception):
    """The library raised; `kind` is the name of its class, `told` what it tells of Daraja's answer."""

    def __init__(self, kind: str, says: str, told: Any) -> None:
        super().__init__(f"{kind}: {says}")
        self.kind, self.says, self.told = kind, says, told


class Library:
    """A library in a process of its own, asked line by line."""

    def __init__(self, command: Sequence[str], settings: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._ask(dict(settings))

    def __call__(self, call: str, *args: Any, **kwargs: Any) -> Any:
        """Call the library by its own words: `stk_push`, `express.push`. Raises Raised."""
        answer = self._ask({"call": call, "args": args, "kwargs": kwargs})
        if "raised" in answer:
            raise Raised(answer["raised"], answer["says"], answer.get("told"))
        return answer["answer"]

    def _ask(self, asked: Any) -> Any:
        ears, mouth = self._process.stdout, self._process.stdin
        assert ears is not None
        assert mouth is not None
        mouth.write(json.dumps(asked) + "\n")
        assert select.select([ears], [], [], ANSWERS_WITHIN_S)[0], "the library does not answer"
        line = ears.readline()
        assert line, "the library ended; its own words are above"
        return json.loads(line)

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(slots=True, kw_only=True)
class Daraja:
    """The simulator behind the name of the real one. `folder` is a library's to keep files in."""

    sandbox: SandboxMpesa
    inbox: Inbox
    tunnel: Tunnel
    folder: Path
    keys: dict[str, Any]
    phones: Iterator[int] = field(default_factory=lambda: count(254711000001))

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which HTTP clients of Python and Node.js find the proxy and trust its certificate."""
        plain = {name: value for name, value in os.environ.items() if name.upper() not in LEFT_OUT}
        authority = str(self.folder / "authority.pem")
        trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"), authority)
        return {**plain, **trust, "HTTPS_PROXY": self.tunnel.url}

    def phone(self) -> int:
        """A customer of his own for a test: he waits to be told what to do."""
        return next(self.phones)

    def at(self, path: str) -> str:
        """A URL of the receiver."""
        return self.inbox.url + path

    def news(self, path: str) -> dict[str, Any]:
        """The one body posted there, once what is due has happened."""

        def posted() -> bool:
            # What is asked of us first (validation) is answered on real threads, and goes on in the simulator's time.
            self.sandbox.control.advance(2)
            return bool(self.inbox.at(path))

        eventually(posted, within_s=10, every_s=0.02)
        (body,) = self.inbox.at(path)
        return body

    @property
    def last(self) -> Any:
        """The library's last call as it went by."""
        return self.tunnel.exchanges[-1]


@contextmanager
def a_daraja(folder: Path, seed: int) -> Iterator[Daraja]:
    """Everything running, its clock stopped at noon; at the end, proof that no other host was asked for."""
    authority = Authority.new(folder)
    (folder / "authority.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    with running_sandbox(state_dir=folder / "mpesa", seed=seed, frozen_at=NOON) as sandbox, open_inbox() as inbox:
        tunnel = Tunnel(sandbox.url, authority.server_for(HOST))
        try:
            yield Daraja(sandbox=sandbox, inbox=inbox, tunnel=tunnel, folder=folder, keys=sandbox.credentials)
            assert tunnel.refused == []
        finally:
            tunnel.close()
