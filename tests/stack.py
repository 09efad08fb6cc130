"""The whole gateway as a shop meets it: real processes, real servers, and the simulated M-Pesa."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from gateway.adapters.servers import RunningProcess, free_port, spawn
from plugins.sandbox.remote import Control
from plugins.sandbox.world import SandboxMpesa
from tests.servers import Database
from tests.waiting import eventually

MASTER_KEY = base64.b64encode(b"m" * 32).decode()
PROCESSES = ("serve", "worker", "relay")
ROLES = ("app", "worker", "operator", "owner")
PHONES = count(254700100000)
_SHOPS = count(1)


def a_phone() -> str:
    """A number that nobody used before and that no magic ending touches: it waits for its phone to decide."""
    return str(next(PHONES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of the API."""

    status: int
    body: Any
    headers: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass(slots=True, kw_only=True)
class Shop:
    """A business's side: calls the API with its key; each POST has an idempotency key of its own."""

    url: str
    key: str
    session: requests.Session = field(default_factory=requests.Session)
    keys: Iterator[int] = field(default_factory=lambda: count(1))
    #: No two clients of a test share one, nor do their idempotency keys.
    number: int = field(default_factory=lambda: next(_SHOPS))

    def call(self, method: str, path: str, body: Any = None, *, idem: str | None = None, **headers: str) -> Answer:
        """Any call. Connection trouble is raised as requests raises it."""
        sent = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if method == "POST":
            sent["Idempotency-Key"] = idem or f"test-{os.getpid()}-{self.number}-{next(self.keys)}"
        try:
            reply = self.session.request(method, self.url + path, json=body, headers=sent, timeout=20)
        except requests.ConnectionError:
            if method != "GET":
                raise
            # A web process was killed under this connection; reading again is harmless.
            eventually(lambda: ready(self.url), within_s=20, every_s=0.05)
            reply = self.session.request(method, self.url + path, headers=sent, timeout=20)
        found = reply.json() if reply.content else None
        return Answer(status=reply.status_code, body=found, headers=reply.headers)

    def get(self, path: str) -> Answer:
        """GET, which must be answered 200."""
        answer = self.call("GET", path)
        assert answer.status == 200, answer.body
        return answer

    def post(self, path: str, body: Any = None, *, idem: str | None = None) -> Answer:
        """POST, which must be answered 200 or 201."""
        answer = self.call("POST", path, body if body is not None else {}, idem=idem)
        assert answer.status in (200, 201), answer.body
        return answer

    def payment(self, amount: int = 150_000, **more: Any) -> Any:
        """A new payment."""
        return self.post("/v1/payments", {"amount": amount, "currency": "KES", **more}).body

    def confirm(self, payment_id: str, phone: str, **more: Any) -> Answer:
        """Ask that phone for a prompt, whatever the answer."""
        body = {"payment_method": {"type": "mpesa", "phone": phone}, **more}
        return self.call("POST", f"/v1/payments/{payment_id}/confirm", body)

    def payout(self, amount: int, phone: str, **more: Any) -> Answer:
        """Ask for a payout, whatever the answer."""
        body = {"amount": amount, "currency": "KES", "destination": {"type": "mpesa_phone", "phone": phone}, **more}
        return self.call("POST", "/v1/payouts", body)

    def status_of(self, path: str) -> str:
        """The status of a payment or payout."""
        return str(self.get(path)["status"])

    def becomes(self, path: str, status: str, *, within_s: float = 10) -> Any:
        """The object once it has that status."""

        def there() -> Any:
            found = self.get(path).body
            assert found["status"] == status, found
            return found

        return eventually(there, within_s=within_s, every_s=0.03)

    def balance(self) -> dict[str, int]:
        """Bucket → KES units."""
        found = self.get("/v1/balance").body
        names = ("pending", "available", "reserved", "withheld", "overpayments", "owed")
        return {name: sum(part["amount"] for part in found[name] if part["currency"] == "KES") for name in names}

    def events(self, **filters: str) -> list[Any]:
        """All events, oldest first."""
        query = "&".join(f"{k}={v}" for k, v in {"limit": "100", **filters}.items())
        return list(reversed(self.get(f"/v1/events?{query}")["data"]))


@dataclass(slots=True, kw_only=True)
class Receiver:
    """A shop's webhook receiver: keeps what came; `answer` decides what it says."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: int = 200

    def events(self) -> list[Any]:
        """The bodies, in order of arrival."""
        return [json.loads(body) for _, body in self.received]

    def types(self) -> list[str]:
        """The event types, in order of arrival."""
        return [event["type"] for event in self.events()]


@contextmanager
def a_receiver() -> Iterator[Receiver]:
    """A real HTTP server on loopback."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(receiver.answer)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True, kw_only=True)
class Stack:
    """The processes and what a test needs of them. `environment` is complete for any process of the gateway."""

    environment: dict[str, str]
    url: str
    mpesa: SandboxMpesa
    logs: Path
    database: Database
    shop: Shop
    processes: dict[str, RunningProcess] = field(default_factory=dict)

    @property
    def control(self) -> Control:
        """The simulator's control."""
        return self.mpesa.control

    def start(self, name: str, *, module: str = "gateway", **environment: str) -> RunningProcess:
        """Start (again) one of `serve`, `worker`, `relay`; a crash test names another module and what it must do."""
        process = spawn(
            name,
            [sys.executable, "-m", module, name],
            log=self.logs / f"{name}.log",
            env={**self.environment, **environment},
            cwd=Path.cwd(),
        )
        self.processes[name] = process
        if name == "serve":
            eventually(lambda: ready(self.url), within_s=60, every_s=0.05)
        return process

    def kill(self, name: str) -> None:
        """kill −9, with all it started."""
        self.processes.pop(name).kill()

    def stop(self) -> None:
        """Ask all to end, then make them."""
        for process in self.processes.values():
            process.ask()
        for process in self.processes.values():
            process.stop(within_s=5)
            process.kill()
        self.processes.clear()

    def advance(self, seconds: int) -> None:
        """Move the gateway's clock and the simulator's."""
        self.shop.post("/v1/test_helpers/clock/advance", {"seconds": seconds})
        self.control.advance(seconds)

    def check_books(self) -> None:
        """`ledger check` must pass."""
        found = spawn_and_wait([sys.executable, "-m", "gateway", "ledger", "check"], self.environment, self.logs)
        assert found == 0, (self.logs / "once.log").read_text()


def spawn_and_wait(command: list[str], environment: Mapping[str, str], logs: Path, *, within_s: float = 60) -> int:
    """Run a command to its end; gives its exit status."""
    process = spawn("once", command, log=logs / "once.log", env=environment, cwd=Path.cwd())
    return int(eventually(lambda: None if process.status is None else str(process.status), within_s=within_s))


def ready(url: str) -> bool:
    """Whether the API answers."""
    try:
        return requests.get(url + "/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def environment_of(database: Database, redis_url: str, url: str) -> dict[str, str]:
    """All settings of a sandbox installation on these servers."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")},
        **{
            f"GATEWAY_DATABASE_URL_{role.upper()}": database.url(role)
            for role in ("app", "worker", "operator", "owner")
        },
        "GATEWAY_ENVIRONMENT": "sandbox",
        "GATEWAY_REDIS_URL": redis_url,
        "GATEWAY_PUBLIC_URL": url,
        "GATEWAY_WEB_BIND": urlsplit(url).netloc,
        "GATEWAY_WEB_WORKERS": "1",
        "GATEWAY_MASTER_KEY": MASTER_KEY,
        "GATEWAY_LOG_LEVEL": "warning",
    }


@contextmanager
def a_stack(
    database: Database,
    redis_url: str,
    folder: Path,
    *,
    seed: int = 1,
    start: tuple[str, ...] = ("serve", "worker", "relay"),
    changed: Callable[[dict[str, str]], dict[str, str]] = dict,
    world: dict[str, Any] | None = None,
) -> Iterator[Stack]:
    """Everything seeded and running; `start` names the processes. The simulator runs in this process, over HTTP.

    `changed` gives the environment that all processes get for the usual one; `world` is the simulator's.
    """
    from gateway import seeding, settings

    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{free_port(0)}"
    environment = changed(environment_of(database, redis_url, url))
    with ExitStack() as cleanup:
        quick = {"scripted_answer_s": 0.1, "settle_s": 0.05, "result_s": 0.05}
        mpesa = SandboxMpesa(state_dir=folder / "mpesa", seed=seed, settings=quick, world=world)
        mpesa.start()
        cleanup.callback(mpesa.stop)
        key = seeding.seed_sandbox(settings.read(environment), mpesa.credentials).secret_key
        stack = Stack(
            environment=environment,
            url=url,
            mpesa=mpesa,
            logs=folder,
            database=database,
            shop=Shop(url=url, key=key),
        )
        cleanup.callback(stack.stop)
        cleanup.callback(stack.shop.session.close)
        for name in start:
            stack.start(name)
        yield stack
