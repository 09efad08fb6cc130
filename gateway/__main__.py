"""`python -m gateway …`: every process but the web server's own, and the operator's commands."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from uuid import UUID

import click

from gateway import bootstrap, seeding
from gateway import settings as settings_
from gateway.adapters import logs, servers
from gateway.adapters.cli.connections import pause_mode, resume_mode
from gateway.adapters.cli.docs import docs
from gateway.adapters.cli.drill import drill
from gateway.adapters.cli.fees import fee
from gateway.adapters.cli.floats import float_
from gateway.adapters.cli.keys import keys
from gateway.adapters.cli.ledger import ledger
from gateway.adapters.cli.listen import events_group, listen
from gateway.adapters.cli.logs import logs_group
from gateway.adapters.cli.migrate import migrate
from gateway.adapters.cli.operator import alert, business, connection, overview
from gateway.adapters.cli.plugins import plugins
from gateway.adapters.cli.receipts import receipt
from gateway.adapters.cli.relay import relay
from gateway.adapters.cli.resolve import payment, payout, refund
from gateway.adapters.cli.sandbox import sandbox
from gateway.adapters.cli.sandbox_host import SandboxHost, SandboxWorld, SeededKeys
from gateway.adapters.cli.serve import serve
from gateway.adapters.cli.statements import statement
from gateway.adapters.cli.wallets import wallet
from gateway.adapters.cli.watcher import watcher
from gateway.adapters.cli.worker import worker
from gateway.adapters.jobs.queue import RqQueue
from gateway.adapters.jobs.relay import Relay
from gateway.adapters.jobs.supervisor import Supervisor
from gateway.adapters.jobs.watcher import Watcher
from gateway.application.interfaces import WebhookSender
from gateway.application.jobs import chores_of
from gateway.bootstrap import treasury, webhooks
from gateway.bootstrap.drill import Drill, restore_drill
from gateway.domain.errors import GatewayError


class Cli(SandboxHost):
    """What commands may ask for, built when it is asked for: `--help` needs no settings and no database."""

    @property
    def environ(self) -> Mapping[str, str]:
        return os.environ

    embedded_postgres = staticmethod(servers.embedded_postgres)
    embedded_valkey = staticmethod(servers.embedded_valkey)
    reachable_folder = staticmethod(servers.reachable_folder)
    free_port = staticmethod(servers.free_port)
    spawn = staticmethod(servers.spawn)

    @cached_property
    def settings(self) -> settings_.Settings:
        """The environment, read once; where it says nothing, the sandbox that was started in this folder."""
        found = settings_.read(os.environ if "GATEWAY_PUBLIC_URL" in os.environ else _sandbox_settings())
        logs.set_up(found.log_level)
        return found

    def gateway(self, role: str, *, threads: int = 4) -> bootstrap.Gateway:
        """A gateway for one role."""
        return bootstrap.Gateway(settings=self.settings, role=role, threads=threads)

    @property
    def pages(self) -> Mapping[str, Callable[[], str]]:
        """Generated pages beside those of the state tables."""
        from gateway.adapters.web.errors_page import errors_page

        return {"errors.md": errors_page}

    def workers(self, processes: Mapping[str, int], *, drain_s: float) -> Supervisor:
        """The workers. Plugins are loaded before the fork: a wrong one is told here, and all children share them."""
        _ = self.gateway("worker").plugins, self.settings.database_of("worker")
        return Supervisor(
            redis_url=self.settings.redis_url,
            processes=processes,
            drain_s=drain_s,
            equip=lambda: self.gateway("worker", threads=2).use_cases.run_due,
        )

    def relay(self) -> Relay:
        """The relay and its chores."""
        gateway = self.gateway("worker", threads=2)
        chores = chores_of(gateway.doors, lambda live, rows: gateway.ledger.drain(livemode=live, rows=rows))
        chores = (*chores, *gateway.operation.chores, gateway.pull_chore)
        return Relay(source=gateway.doors, queues=RqQueue(self.settings.redis_url), chores=chores)

    def watcher(self) -> Watcher:
        """Follows the chains."""
        gateway = self.gateway("worker", threads=4)
        return Watcher(chains=lambda: treasury.watched_chains(gateway.units), follow=gateway.follow_chain)

    def local_sender(self) -> WebhookSender:
        """Sends signed webhooks, also to this machine."""
        return webhooks.local_sender()

    def resend_event(self, event_id: UUID, endpoint_id: UUID | None) -> int:
        """Send an event again, as an operator."""
        return webhooks.resend_event(self.gateway("operator"), event_id, endpoint_id)

    def new_master_key(self) -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    def migrate(self, owner_url: str) -> None:
        from gateway.adapters.persistence import migrate as migrations

        migrations.migrate(owner_url)

    def sql_for_dba(self) -> str:
        """The part of the migrations that needs the right to create roles."""
        from gateway.adapters.persistence import migrate as migrations

        return migrations.print_sql_for_dba()

    def differences(self) -> list[str]:
        """What differs between the tables and a database that was migrated just now, on a server of its own."""
        from gateway.adapters.persistence import migrate as migrations
        from gateway.adapters.persistence.models import check_models_match

        with tempfile.TemporaryDirectory() as folder:
            data_dir = servers.reachable_folder(Path(folder) / "postgres")
            with servers.embedded_postgres(data_dir, durable=False) as running:
                running.ensure_database("gateway")
                url = running.url_for("gateway", "gateway")
                migrations.migrate(url)
                return check_models_match(url)

    def restore_drill(self, into: str | None, say: Callable[[str], None]) -> Drill:
        """Back the database up, bring the backup back elsewhere, and compare."""
        return restore_drill(self.settings.database_of("owner"), into, say)

    def seed_sandbox(self, world: SandboxWorld) -> SeededKeys:
        logs.set_up("warning")  # what the seed asks of the simulator is nobody's news
        seeded = seeding.seed_sandbox(
            settings_.read(world.environment), {**seeding.mpesa_of(world.mpesa_url), "base_url": world.mpesa_url}
        )
        return SeededKeys(business=seeded.business, secret_key=seeded.secret_key)


def _sandbox_settings() -> Mapping[str, str]:
    """What `make sandbox` kept for commands beside it; nothing where there is no sandbox."""
    kept = Path(".sandbox/sandbox.json")
    found: Mapping[str, str] = json.loads(kept.read_text()).get("settings", {}) if kept.is_file() else {}
    return {**os.environ, **found}


@click.group(context_settings={"max_content_width": 110})
@click.pass_context
def main(context: click.Context) -> None:
    """An open-source payment gateway for African commerce."""
    context.obj = Cli()


for command in (
    alert,
    business,
    connection,
    docs,
    fee,
    events_group,
    drill,
    float_,
    keys,
    ledger,
    listen,
    logs_group,
    migrate,
    overview,
    pause_mode,
    payment,
    payout,
    receipt,
    resume_mode,
    plugins,
    refund,
    relay,
    sandbox,
    serve,
    statement,
    wallet,
    watcher,
    worker,
):
    main.add_command(command)


def run() -> None:
    """Run a command; our own refusals are a sentence and exit status 2, never a traceback."""
    try:
        main(prog_name="python -m gateway")
    except GatewayError as refused:
        click.echo(f"{refused.code}: {refused.detail}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    run()
