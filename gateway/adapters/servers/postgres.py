"""PostgreSQL from a wheel: loopback only, trust authentication only there, gone when its parent is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.servers.account import Account, closed_folder, lent_account
from gateway.adapters.servers.binaries import postgres_programs
from gateway.adapters.servers.process import RunningProcess, ServerTrouble, folder_lock, serve, spawn

SUPERUSER = "gateway"
_INITDB = (
    f"--username={SUPERUSER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-sync",
)
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "250",
}
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_READY_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPostgres:
    """A server that answers on 127.0.0.1:`port`."""

    port: int
    process: RunningProcess
    folder: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def url_for(self, user: str = SUPERUSER, database: str = "postgres") -> str:
        """A SQLAlchemy URL; no password, since loopback is trusted."""
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def ensure_database(self, name: str, *, owner: str = SUPERUSER) -> None:
        """Create the database `name` unless it is there."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url_for().replace("+psycopg", ""), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if found is None:
                statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(statement.format(sql.Identifier(name), sql.Identifier(owner)))

    def stop(self) -> None:
        """Shut down in good order: sessions are cut, everything is written. Harmless when it is gone already."""
        self.process.stop(ask=signal.SIGINT, within_s=10)

    def kill(self) -> None:
        """SIGKILL, then wait until its last process has let go of the data: a crash, for tests of recovery."""
        self.process.kill()
        with folder_lock(self.folder):
            pass


@contextmanager
def embedded_postgres(
    data_dir: Path, *, port: int = 0, durable: bool = True, production: bool = False
) -> Iterator[RunningPostgres]:
    """Run PostgreSQL on `data_dir` (made on first use, kept afterwards) until the block is left, however it is left.

    `port` 0 takes a free one. `durable=False` gives up crash safety for speed: for tests that never pull the plug.
    `data_dir` holds `data`, `postgres.log` and `lock`. As root the server runs as `nobody`.
    Raises ServerTrouble with a sentence saying what to do, always when `production` is true.
    """
    if production:
        raise ServerTrouble(
            "the embedded PostgreSQL is never used in production: set GATEWAY_DATABASE_URL_APP and its sisters"
        )
    folder = data_dir.absolute()
    account = lent_account(folder / "data")
    _prepare(folder, account)
    with folder_lock(folder) as lock:
        programs = postgres_programs(account)
        _first_time(folder, programs, account)
        running = _started(folder, programs, account, port=port, durable=durable, lock=lock)
    try:
        yield running
    finally:
        running.stop()


def _prepare(folder: Path, account: Account | None) -> None:
    """Make the folder and hand it to the account; say early, and by name, which folder on the way is closed to it."""
    folder.mkdir(parents=True, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    if account is not None and (closed := closed_folder(folder, account)):
        raise ServerTrouble(
            f"PostgreSQL does not run as root, and as {account.name} it cannot reach {folder}:"
            f" {closed} is closed to it. Choose a data folder elsewhere, for example under /var/tmp"
        )
    data = folder / "data"
    if account is None and data.exists() and data.stat().st_uid != os.geteuid():
        raise ServerTrouble(f"{data} belongs to another user; remove {folder} as that user, or choose another folder")


def _first_time(folder: Path, programs: Path, account: Account | None) -> None:
    """Run initdb beside the final place and rename: an interrupted first start leaves nothing half made."""
    data, partial = folder / "data", folder / "data.partial"
    if data.exists():
        return
    shutil.rmtree(partial, ignore_errors=True)
    log = folder / "postgres.log"
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603  # nosec B603
            [programs / "initdb", "-D", partial, *_INITDB],
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            cwd=folder,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_READY_WITHIN_S,
            check=False,
        )
    if done.returncode != 0:
        raise ServerTrouble(f"initdb failed with status {done.returncode}; see {log}")
    partial.rename(data)


def _started(
    folder: Path, programs: Path, account: Account | None, *, port: int, durable: bool, lock: int
) -> RunningPostgres:
    def start(on: int) -> RunningProcess:
        settings = {**_SETTINGS, **({} if durable else _CARELESS), "port": str(on)}
        return spawn(
            "PostgreSQL",
            [str(programs / "postgres"), "-D", str(folder / "data"), *(f"--{k}={v}" for k, v in settings.items())],
            log=folder / "postgres.log",
            env=_ENVIRONMENT,
            cwd=folder,
            account=account,
            death_signal=signal.SIGINT,
            keep_fds=(lock,),
        )

    taken, process = serve(
        port=port, start=start, ready=lambda _, pid: _is_ready(folder, pid), within_s=_READY_WITHIN_S
    )
    return RunningPostgres(port=taken, process=process, folder=folder)


def _is_ready(folder: Path, pid: int) -> bool:
    """What pg_ctl asks: the pid file is this server's (a crash leaves an old one) and its eighth line says ready."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"
