"""A whole installation that can be hurt: durable PostgreSQL and Valkey, the simulated M-Pesa, web, relay, worker."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

from gateway.adapters.servers import (
    RunningPostgres,
    RunningProcess,
    RunningValkey,
    embedded_postgres,
    embedded_valkey,
    free_port,
    spawn,
)
from plugins.sandbox.remote import Control
from tests.servers import Database
from tests.stack import Shop, Stack, environment_of
from tests.waiting import eventually

#: The processes that are killed, in the order in which a plan names them.
VICTIMS = ("web", "worker", "relay", "postgresql", "redis")
_PROCESS = {"web": "serve", "worker": "worker", "relay": "relay"}
#: A world that answers quickly: what takes a person or Safaricom seconds takes a tenth of one.
QUICK = {"scripted_answer_s": 0.1, "settle_s": 0.05, "result_s": 0.05, "slow_s": 4.0, "pending_s": 3.0}


@dataclass(slots=True, kw_only=True)
class Scene:
    """One installation. `stack` has the shop, the simulator's control and the processes."""

    folder: Path
    cleanup: ExitStack
    postgres: RunningPostgres
    valkey: RunningValkey
    stack: Stack
    database: Database
    killed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VICTIMS, 0))

    def kill(self, victim: str, *, away_s: float = 0.0) -> None:
        """kill −9 one of VICTIMS, leave it dead for a while, and start it again."""
        self.killed[victim] += 1
        if victim == "postgresql":
            port = self.postgres.port
            self.postgres.kill()
            time.sleep(away_s)
            self.postgres = self.cleanup.enter_context(embedded_postgres(self.folder / "postgres", port=port))
        elif victim == "redis":
            port = self.valkey.port
            self.valkey.kill()
            time.sleep(away_s)
            self.valkey = self.cleanup.enter_context(embedded_valkey(self.folder / "valkey", port=port))
        else:
            self.stack.kill(_PROCESS[victim])
            time.sleep(away_s)
            self.stack.start(_PROCESS[victim])

    def a_shop(self) -> Shop:
        """Another client with the business's key, for a thread of its own."""
        return Shop(url=self.stack.url, key=self.stack.shop.key)

    def books(self) -> str:
        """What `ledger check` prints; raises AssertionError when it finds something."""
        self.stack.check_books()
        return (self.folder / "once.log").read_text()


@contextmanager
def a_scene(
    folder: Path, *, seed: int, settings: dict[str, Any] | None = None, more: Mapping[str, str] | None = None
) -> Iterator[Scene]:
    """Everything started, migrated and seeded, with KES 1,000,000 in the payout float.

    `settings` are the simulator's; `more` is put into the environment of all processes.
    """
    from gateway import seeding
    from gateway import settings as reading
    from gateway.adapters.persistence.migrate import migrate

    folder.mkdir(parents=True)
    folder.chmod(0o711)
    with ExitStack() as cleanup:
        postgres = cleanup.enter_context(embedded_postgres(folder / "postgres"))
        valkey = cleanup.enter_context(embedded_valkey(folder / "valkey"))
        postgres.ensure_database("chaos")
        database = Database(name="chaos", server=postgres)
        migrate(database.url("owner"))
        mpesa_url, _ = a_simulator(folder, cleanup, seed, {**QUICK, **(settings or {})})
        url = f"http://127.0.0.1:{free_port(0)}"
        environment = environment_of(database, valkey.url_for(), url)
        account = {**seeding.mpesa_of(mpesa_url), "base_url": mpesa_url}
        key = seeding.seed_sandbox(reading.read(environment), account).secret_key
        control: Any = SimpleNamespace(control=Control(mpesa_url))
        stack = Stack(
            environment={**environment, **(more or {})},
            url=url,
            mpesa=control,
            logs=folder,
            database=database,
            shop=Shop(url=url, key=key),
        )
        cleanup.callback(stack.stop)
        for name in ("serve", "worker", "relay"):
            stack.start(name)
        yield Scene(folder=folder, cleanup=cleanup, postgres=postgres, valkey=valkey, stack=stack, database=database)


def a_simulator(folder: Path, cleanup: ExitStack, seed: int, settings: dict[str, Any]) -> tuple[str, RunningProcess]:
    """The simulated M-Pesa in a process of its own, so that it shares no lock with those who drive and judge."""
    (folder / "world.json").write_text(json.dumps({"settings": settings}))
    port = free_port(0)
    command = [sys.executable, "-m", "plugins.sandbox", "--port", str(port), "--seed", str(seed)]
    command += ["--state-dir", str(folder / "mpesa"), "--config", str(folder / "world.json")]
    process = spawn("mpesa", command, log=folder / "mpesa.log", env=dict(os.environ), cwd=Path.cwd())
    cleanup.callback(process.kill)
    cleanup.callback(process.stop)
    url = f"http://127.0.0.1:{port}"
    eventually(_answers(url + "/healthz"), within_s=20, every_s=0.05)
    return url, process


def _answers(url: str) -> Callable[[], bool]:
    def probe() -> bool:
        try:
            return requests.get(url, timeout=2).status_code == 200
        except requests.RequestException:
            return False

    return probe
