"""One child process: started tied to us, watched until ready, and never left behind."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gateway.adapters.servers.account import Account

#: How long a start waits for the last server on its folder to finish.
LOCK_WITHIN_S = 5.0
_TETHER = Path(__file__).with_name("tether.py")
_POLL_S = 0.015
_PORT_TRIES = 5
_PORT_TAKEN = "ddress already in use"


class ServerTrouble(RuntimeError):
    """A server can't be started or used here; the message is a sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningProcess:
    """A child of ours and the file its output goes to."""

    name: str
    log: Path
    popen: subprocess.Popen[bytes] = field(repr=False)

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    @property
    def status(self) -> int | None:
        """How it ended: its exit status, minus the signal's number for a signal; None while it lives."""
        return self.popen.poll()

    def ask(self, what: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal; a dead child doesn't mind."""
        if self.alive:
            self.popen.send_signal(what)

    def stop(self, *, ask: signal.Signals = signal.SIGTERM, within_s: float = 5.0) -> None:
        """Ask it to end, and after `within_s` seconds end it and all it started. Harmless once it has ended."""
        if not self.alive:
            return
        self.ask(ask)
        with suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout=within_s)
        self.kill()

    def kill(self) -> None:
        """End it and all it started, as a power cut would, and collect it. Not for one that ended long ago."""
        self.popen.kill()
        _kill_session(self.popen.pid)
        self.popen.wait()

    def wait_until(self, ready: Callable[[], bool], *, within_s: float) -> None:
        """Come back once `ready()` is true. Raises ServerTrouble with the end of its log if it dies or dawdles."""
        deadline = time.monotonic() + within_s
        while not ready():
            try:
                code = self.popen.wait(timeout=_POLL_S)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    raise ServerTrouble(f"{self.name} was not ready within {within_s:g} s{self.last_words()}") from None
            else:
                raise ServerTrouble(f"{self.name} ended at once with status {code}{self.last_words()}")

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, ready to be put behind a sentence; names the file."""
        tail = self.log.read_text(errors="replace").splitlines()[-lines:] if self.log.exists() else []
        return "".join(f"\n    {line}" for line in ("; see " + str(self.log), *tail))


def spawn(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    keep_fds: Sequence[int] = (),
) -> RunningProcess:
    """Start `command` (its first word an absolute path) in a session of its own, output appended to `log`.

    No shell reads the command, and the child's standard input is empty.
    On Linux it gets `death_signal` when the *thread* that called us ends, so call from one that lives as long as
    the child should. Its own session keeps a Ctrl-C for the parent, which then stops its children in order.
    """
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    tether = [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), str(int(death_signal)), str(uid), str(gid)]
    with log.open("ab") as output:
        popen = subprocess.Popen(  # noqa: S603  # nosec B603
            [*tether, "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            pass_fds=tuple(keep_fds),
        )
    return RunningProcess(name=name, log=log, popen=popen)


def serve(
    *, port: int, start: Callable[[int], RunningProcess], ready: Callable[[int, int], bool], within_s: float
) -> tuple[int, RunningProcess]:
    """Start a server on `port`, or for 0 on a free one, and wait for `ready(port, pid)`; whatever fails leaves nothing.

    Between choosing a free port and binding it another program may take it: then the next one is tried.
    Gives the port back with the process. Raises ServerTrouble.
    """
    for last in (False,) * (0 if port else _PORT_TRIES - 1) + (True,):
        chosen = port or free_port()
        process = start(chosen)
        try:
            process.wait_until(partial(ready, chosen, process.pid), within_s=within_s)
        except BaseException as trouble:
            process.stop()
            if last or not (isinstance(trouble, ServerTrouble) and _PORT_TAKEN in str(trouble)):
                raise
        else:
            return chosen, process
    raise AssertionError("the last try returns or raises")


def free_port(wanted: int = 0) -> int:
    """A TCP port on 127.0.0.1 that nobody listens on: `wanted` if it is free, else one the system picks."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerTrouble("no free port on 127.0.0.1")


@contextmanager
def folder_lock(folder: Path) -> Iterator[int]:
    """Hold `folder` for one server. Hand the descriptor to the child: the lock then lasts as long as its last process.

    A server whose parent was just killed may still be closing its files, hence the wait. Raises ServerTrouble.
    """
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_WITHIN_S
        while not _taken(handle):
            if time.monotonic() > deadline:
                raise ServerTrouble(f"another server is running on {folder}; stop it first")
            threading.Event().wait(_POLL_S)
        yield handle
    finally:
        os.close(handle)


def _kill_session(leader: int) -> None:
    """Kill what is left of the session `leader` began: a child of a child may have outlived the one we knew."""
    if not Path("/proc/self/stat").exists():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
        return
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            session = int(entry.read_text().rpartition(")")[2].split()[3])
            if session == leader:
                os.kill(int(entry.parent.name), signal.SIGKILL)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
