"""`python -m gateway sandbox`: the whole gateway on this machine, with a simulated M-Pesa, until Ctrl-C."""

from __future__ import annotations

import http.client
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

import click

from gateway.adapters.cli.sandbox_crew import Crew, Part
from gateway.adapters.cli.sandbox_folder import SandboxFolder
from gateway.adapters.cli.sandbox_host import Child, SandboxHost, SandboxWorld, SeededKeys

DATABASE = "gateway"
#: Which role each process connects as.
ROLES = {"OWNER": "gateway", "APP": "gateway_app", "WORKER": "gateway_worker", "OPERATOR": "gateway_operator"}
_DATABASE_SETTINGS = tuple(f"GATEWAY_DATABASE_URL_{role}" for role in ROLES)
_MPESA_PORT = 8790
_SHOP_PORT = 8791


class _Stopped(BaseException):
    """Somebody wants us to end. Not an Exception, so that nothing on the way mistakes it for a failure."""


@click.command("sandbox")
@click.option("--dir", "directory", default=".sandbox", show_default=True, type=click.Path(path_type=Path))
@click.option("--port", default=8080, show_default=True, help="Of the API; another is taken when it is busy.")
@click.option("--reset", is_flag=True, help="Forget what the sandbox kept, and end.")
@click.pass_obj
def sandbox(host: SandboxHost, directory: Path, port: int, reset: bool) -> None:
    """Start everything on this machine, with a simulated M-Pesa; Ctrl-C stops it."""
    _refuse_elsewhere(host.environ)
    root = directory.absolute()
    folder = SandboxFolder(root=root, postgres=host.reachable_folder(root / "postgres"))
    try:
        if reset:
            there = folder.forget()
            click.echo(f"forgotten: {root}" if there else f"there was nothing to forget in {root}")
            return
        with _signals_heard(), folder.held():
            _run(host, folder, port)
    except _Stopped:
        click.echo("stopped; nothing is left running")
    except (RuntimeError, OSError) as trouble:
        raise click.ClickException(str(trouble)) from trouble


def _refuse_elsewhere(environ: Mapping[str, str]) -> None:
    found = environ.get("GATEWAY_ENVIRONMENT") or "sandbox"
    if found != "sandbox":
        raise click.ClickException(
            f"GATEWAY_ENVIRONMENT is {found}: the sandbox's servers and keys are for trying things out, nothing else"
        )


@contextmanager
def _signals_heard() -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM into an exception; while that unwinds, more of them change nothing."""
    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks us to outlive the terminal
        wanted.append(signal.SIGHUP)

    def heard(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in wanted:
            signal.signal(number, signal.SIG_IGN)
        raise _Stopped

    before = {number: signal.signal(number, heard) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(host: SandboxHost, folder: SandboxFolder, port: int) -> None:
    began = time.monotonic()
    folder.make()
    with ExitStack() as stack:
        servers, environment = _servers(host, folder, stack)
        world = _world(host, folder, environment, port)
        crew = Crew(
            spawn=host.spawn, environment=world.environment, logs=folder.logs, servers=servers, note=folder.keep
        )
        stack.callback(crew.stop)
        parts = _parts(world, folder)
        crew.start(parts["mpesa"])
        host.migrate(world.environment["GATEWAY_DATABASE_URL_OWNER"])
        crew.wait_until_ready("mpesa")
        keys = host.seed_sandbox(world)
        for name in ("web", "worker", "relay"):
            crew.start(parts[name])
        crew.wait_until_ready("web")
        folder.keep({"api": world.public_url, "secret_key": keys.secret_key})
        crew.start(parts["shop"])
        crew.wait_until_ready("shop")
        _show(folder, world, keys, took_s=time.monotonic() - began)
        crew.watch()


def _servers(host: SandboxHost, folder: SandboxFolder, stack: ExitStack) -> tuple[list[Child], dict[str, str]]:
    """Start PostgreSQL and Valkey unless the environment names others; gives back the settings that lead to them."""
    servers: list[Child] = []
    settings = {
        name: host.environ[name] for name in (*_DATABASE_SETTINGS, "GATEWAY_REDIS_URL") if host.environ.get(name)
    }
    given = [name for name in _DATABASE_SETTINGS if name in settings]
    if given and len(given) < len(_DATABASE_SETTINGS):
        missing = ", ".join(name for name in _DATABASE_SETTINGS if name not in settings)
        raise click.ClickException(f"for a database of your own set these as well: {missing}")
    if not given:
        if not folder.postgres.is_relative_to(folder.root):
            click.echo(
                f"PostgreSQL, which never runs as root, can't reach {folder.root}: its data is in {folder.postgres}"
            )
        postgres = stack.enter_context(host.embedded_postgres(folder.postgres))
        postgres.ensure_database(DATABASE)
        servers.append(postgres.process)
        for role, user in ROLES.items():
            settings[f"GATEWAY_DATABASE_URL_{role}"] = postgres.url_for(user, DATABASE)
    if "GATEWAY_REDIS_URL" not in settings:
        valkey = stack.enter_context(host.embedded_valkey(folder.valkey))
        servers.append(valkey.process)
        settings["GATEWAY_REDIS_URL"] = valkey.url_for()
    return servers, settings


def _world(host: SandboxHost, folder: SandboxFolder, settings: Mapping[str, str], port: int) -> SandboxWorld:
    web = _port(host, "the API", port)
    mpesa = _port(host, "the simulated M-Pesa", folder.port("mpesa", _MPESA_PORT))
    shop = _port(host, "the demo shop", folder.port("shop", _SHOP_PORT))
    folder.keep({"mpesa_port": mpesa, "shop_port": shop})
    public_url, mpesa_url, shop_url = (f"http://127.0.0.1:{port}" for port in (web, mpesa, shop))
    environment = {
        **host.environ,
        **settings,
        "GATEWAY_ENVIRONMENT": "sandbox",
        "GATEWAY_MASTER_KEY": host.environ.get("GATEWAY_MASTER_KEY") or folder.master_key(host.new_master_key),
        "GATEWAY_PUBLIC_URL": public_url,
        "GATEWAY_WEB_BIND": f"127.0.0.1:{web}",
        "PYTHONUNBUFFERED": "1",
    }
    folder.keep({"settings": {name: value for name, value in environment.items() if name.startswith("GATEWAY_")}})
    return SandboxWorld(
        environment=environment,
        public_url=public_url,
        mpesa_url=mpesa_url,
        mpesa_state=folder.mpesa,
        shop_url=shop_url,
        shop_state=folder.shop,
    )


def _port(host: SandboxHost, whose: str, wanted: int) -> int:
    port = host.free_port(wanted)
    if port != wanted:
        click.echo(f"port {wanted} is taken: {whose} uses {port}")
    return port


def _parts(world: SandboxWorld, folder: SandboxFolder) -> dict[str, Part]:
    def gateway(name: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "gateway", name)

    mpesa_port = str(urlsplit(world.mpesa_url).port)
    mpesa = (sys.executable, "-m", "plugins.sandbox", "--port", mpesa_port, "--state-dir", str(world.mpesa_state))
    shop_port = str(urlsplit(world.shop_url).port)
    kept = ("--state-dir", str(world.shop_state), "--sandbox", str(folder.mark))
    shop = (sys.executable, "-m", "plugins.sandbox.shop", "--port", shop_port, *kept)
    parts = (
        Part(name="mpesa", command=mpesa, ready_url=f"{world.mpesa_url}/healthz"),
        Part(name="web", command=gateway("serve"), ready_url=f"{world.public_url}/readyz"),
        Part(name="worker", command=gateway("worker")),
        Part(name="relay", command=gateway("relay")),
        Part(name="shop", command=shop, ready_url=f"{world.shop_url}/healthz"),
    )
    return {part.name: part for part in parts}


def _show(folder: SandboxFolder, world: SandboxWorld, keys: SeededKeys, *, took_s: float) -> None:
    """Say what to open, with a first checkout session made by the very call we print."""
    order = {"amount": 150000, "currency": "KES", "success_url": f"{world.public_url}/docs"}
    addresses = {
        "checkout": _first_checkout(world.public_url, keys.secret_key, order),
        "phone": f"{world.mpesa_url}/",
        "shop": f"{world.shop_url}/",
        "docs": f"{world.public_url}/docs",
        "api": world.public_url,
        "secret_key": keys.secret_key,
    }
    folder.keep(addresses)
    click.echo(
        f"""
{keys.business} is open for business, {took_s:.1f} s after the start. Ctrl-C stops it.
Data and logs: {folder.root}

  checkout page  {addresses["checkout"]}
  phone          {addresses["phone"]}
  demo shop      {addresses["shop"]}
  API docs       {addresses["docs"]}
  secret key     {keys.secret_key}

  another checkout page:
  curl -s {world.public_url}/v1/checkout/sessions -H 'Authorization: Bearer {keys.secret_key}' \\
    -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s%N)" \\
    -d '{json.dumps(order)}'
"""
    )


def _first_checkout(public_url: str, secret_key: str, order: Mapping[str, object]) -> str:
    """Make a session through the API and give back the address of its page. Raises RuntimeError with what was said."""
    where = urlsplit(public_url)
    line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    headers = {
        "Authorization": f"Bearer {secret_key}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"sandbox-{time.time_ns()}",
    }
    try:
        line.request("POST", "/v1/checkout/sessions", body=json.dumps(order), headers=headers)
        answer = line.getresponse()
        said = answer.read().decode(errors="replace")
    except http.client.HTTPException as trouble:
        raise RuntimeError(f"the API did not make a first checkout session: {trouble!r}") from trouble
    finally:
        line.close()
    if answer.status != 201:
        raise RuntimeError(f"the API did not make a first checkout session: {answer.status} {said[:300]}")
    return str(json.loads(said)["url"])
