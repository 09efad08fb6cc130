"""The sandbox's processes: started together, watched, restarted when one is killed, and stopped together."""

from __future__ import annotations

import http.client
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import click

from gateway.adapters.cli.sandbox_host import Child

_LOOK_EVERY_S = 0.1
_READY_WITHIN_S = 30.0
#: One that ends of itself younger than this would end again; the sandbox then stops and says why.
_GROWN_UP_S = 5.0
_SOMEBODY_DID = (-signal.SIGKILL, -signal.SIGTERM)
_STOP_WITHIN_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process: its command, and the address that answers below 400 once it is ready."""

    name: str
    command: tuple[str, ...]
    ready_url: str | None = None


class Spawn(Protocol):
    """Starts one process, its output going to `log`."""

    def __call__(self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> Child: ...


@dataclass(slots=True, kw_only=True)
class Crew:
    """Everybody who works in the sandbox. `servers` are watched too, but stopped by whoever started them.

    `say` is for the person at the terminal, `note` takes the process numbers after every start.
    """

    spawn: Spawn
    environment: Mapping[str, str]
    logs: Path
    servers: Sequence[Child] = ()
    say: Callable[[str], None] = click.echo
    note: Callable[[Mapping[str, object]], None] = lambda _: None
    _at_work: dict[str, tuple[Part, Child, float]] = field(default_factory=dict)

    def start(self, part: Part) -> None:
        child = self.spawn(
            part.name,
            part.command,
            log=self.logs / f"{part.name}.log",
            env=self.environment,
            cwd=Path.cwd(),
        )
        self._at_work[part.name] = (part, child, time.monotonic())
        self.note({"pids": {name: child.pid for name, (_, child, _) in self._at_work.items()}})

    def wait_until_ready(self, *names: str) -> None:
        """Come back once those with an address answer. Raises ClickException if anyone ends first, or it takes long."""
        deadline = time.monotonic() + _READY_WITHIN_S
        waiting = [part for part, _, _ in self._at_work.values() if part.name in names and part.ready_url]
        while waiting := [part for part in waiting if not answers(part.ready_url or "")]:
            self.look(forgive=False)
            if time.monotonic() > deadline:
                child = self._at_work[waiting[0].name][1]
                raise click.ClickException(
                    f"{child.name} was not ready within {_READY_WITHIN_S:g} s{child.last_words()}"
                )
            threading.Event().wait(_LOOK_EVERY_S / 4)

    def watch(self) -> None:
        """Look after everybody until a signal's exception passes through, or somebody can't be kept at work."""
        while True:
            self.look(forgive=True)
            threading.Event().wait(_LOOK_EVERY_S)

    def look(self, *, forgive: bool) -> None:
        """Restart whom somebody killed. Raises ClickException naming a server that ended, or one that won't stay up."""
        for server in self.servers:
            if server.status is not None:
                raise click.ClickException(f"{server.name} ended with {_told(server)}{server.last_words()}")
        for part, child, since in list(self._at_work.values()):
            if child.status is None:
                continue
            child.kill()
            was_killed = child.status in _SOMEBODY_DID
            if not forgive or not (was_killed or time.monotonic() - since > _GROWN_UP_S):
                raise click.ClickException(f"{child.name} ended with {_told(child)}{child.last_words()}")
            self.say(f"{child.name} ended with {_told(child)}; starting it again (log: {child.log})")
            self.start(part)

    def stop(self) -> None:
        """Ask all at once, give each what is left of the time, then sweep up what they started themselves."""
        deadline = time.monotonic() + _STOP_WITHIN_S
        children = [child for _, child, _ in self._at_work.values()]
        for child in children:
            child.ask()
        for child in children:
            child.stop(within_s=max(0.0, deadline - time.monotonic()))
            child.kill()
        self._at_work.clear()


def _told(child: Child) -> str:
    status = child.status or 0
    return f"signal {-status}" if status < 0 else f"status {status}"


def answers(url: str) -> bool:
    """Whether a GET is answered below 400."""
    where = urlsplit(url)
    line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=2)
    try:
        line.request("GET", where.path or "/")
        return line.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()
