"""`connection check`, `show`, `set`, `rotate-secret`, `window`, `callers`, `pocket`; `pause` and `resume` of a mode."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from gateway.adapters.cli.operator import act_of, connection, read_id, reason
from gateway.domain.errors import Invalid
from gateway.domain.ids import Prefix, encode
from gateway.domain.maintenance import Halt, Listed
from ports.abilities import FindingState

_MARKS = {FindingState.OK: "ok   ", FindingState.WARNING: "LOOK ", FindingState.WRONG: "WRONG"}


@connection.command("check")
@click.argument("connection_id", required=False)
@click.option("--go-live", is_flag=True, help="Also all that must be done before real money.")
@click.pass_obj
def check(cli: Any, connection_id: str | None, go_live: bool) -> None:
    """Look at one connection, or at all, from all sides; exit status 1 when anything is wrong."""
    gateway = cli.gateway("operator")
    listed = gateway.directory.connections()
    if connection_id is not None:
        wanted = read_id(Prefix.CONNECTION, connection_id)
        gateway.directory.mode_of_connection(wanted)
        listed = [c for c in listed if c.id == wanted]
    bad = False
    for one in listed:
        checked = gateway.operation.check(one.id, livemode=one.livemode, go_live=go_live)
        bad = bad or checked.is_wrong
        click.echo(f"{encode(Prefix.CONNECTION, one.id)} {one.code} {one.title} {'live' if one.livemode else 'test'}")
        for found in checked.findings:
            due = f" (due {found.due:%Y-%m-%d})" if found.due else ""
            click.echo(f"  {_MARKS[found.state]} {found.name}: {found.words}{due}")
    if not listed:
        click.echo("no connection yet")
    if bad:
        sys.exit(1)


@connection.command("show")
@click.argument("connection_id")
@click.pass_obj
def show(cli: Any, connection_id: str) -> None:
    """All that is kept of it; of a secret its last four characters at most."""
    found = cli.gateway("operator").operation.configure.show(read_id(Prefix.CONNECTION, connection_id))
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


@connection.command("set")
@click.argument("connection_id")
@click.option("--config", type=click.Path(exists=True, path_type=Path), help="JSON file of what changes.")
@click.option("--field", "fields", multiple=True, help="NAME=VALUE, for what isn't secret; an empty value removes it.")
@reason
@click.pass_obj
def set_(cli: Any, connection_id: str, config: Path | None, fields: tuple[str, ...], reason: str) -> None:
    """Change its configuration: what isn't given stays, null removes a field, a masked secret stays as it is."""
    given = _read(config) | _fields(fields)
    if not given:
        raise Invalid("give --config or --field", code="configuration_invalid", param="/config")
    configure = cli.gateway("operator").operation.configure
    version = configure.change(read_id(Prefix.CONNECTION, connection_id), given, act_of(reason))
    click.echo(f"set; version {version}")


@connection.command("rotate-secret")
@click.argument("connection_id")
@click.argument("field")
@reason
@click.pass_obj
def rotate_secret(cli: Any, connection_id: str, field: str, reason: str) -> None:
    """Give one secret a new value, asked for without echo (or read from a pipe)."""
    piped = not sys.stdin.isatty()
    value = sys.stdin.readline().rstrip("\r\n") if piped else click.prompt(field, hide_input=True, err=True)
    configure = cli.gateway("operator").operation.configure
    version = configure.renew(read_id(Prefix.CONNECTION, connection_id), field, value, act_of(reason))
    click.echo(f"renewed; version {version}")


@connection.command("pocket")
@click.argument("connection_id")
@click.argument("name", required=False)
@reason
@click.pass_obj
def pocket(cli: Any, connection_id: str, name: str | None, reason: str) -> None:
    """Say which of the provider's pockets is its float; without a name, none."""
    cli.gateway("operator").operation.windows.set_pocket(
        read_id(Prefix.CONNECTION, connection_id), name, act_of(reason)
    )
    click.echo("set")


@connection.command("callers")
@click.argument("connection_id")
@click.argument("mode", type=click.Choice([listed.value for listed in Listed]))
@click.option("--network", "networks", multiple=True, help="CIDR or address; those given replace the list.")
@reason
@click.pass_obj
def callers(cli: Any, connection_id: str, mode: str, networks: tuple[str, ...], reason: str) -> None:
    """Where its callbacks come from: off, log (keep, mark and tell) or enforce (404, nothing kept)."""
    windows = cli.gateway("operator").operation.windows
    wanted = read_id(Prefix.CONNECTION, connection_id)
    after = windows.list_callers(wanted, Listed(mode), networks, act_of(reason))
    click.echo(f"{after.listed.value}: {', '.join(after.networks) or 'no networks'}")


@connection.group("window")
def window() -> None:
    """Hours in which the provider takes no new work."""


@window.command("add")
@click.argument("connection_id")
@click.option("--from", "starts", required=True, help="23:00 each day, or 2026-11-24T23:00 once; East Africa Time.")
@click.option("--to", "ends", required=True, help="The same form.")
@reason
@click.pass_obj
def add_window(cli: Any, connection_id: str, starts: str, ends: str, reason: str) -> None:
    """Add one: daily between two times, or once between two moments."""
    daily = "T" not in starts
    if daily is not ("T" not in ends):
        raise Invalid("give two times of day, or two moments", code="window_invalid")
    windows = cli.gateway("operator").operation.windows
    made = windows.add(read_id(Prefix.CONNECTION, connection_id), starts, ends, act_of(reason), daily=daily)
    click.echo(made.id)


@window.command("list")
@click.argument("connection_id")
@click.pass_obj
def list_windows(cli: Any, connection_id: str) -> None:
    """Its windows."""
    gateway = cli.gateway("operator")
    operation = gateway.operation.windows.of(read_id(Prefix.CONNECTION, connection_id))
    for one in operation.windows:
        click.echo(f"{one.id} {'daily' if one.daily else 'once'} {one.starts} {one.ends}")
    if not operation.windows:
        click.echo("no windows")


@window.command("remove")
@click.argument("connection_id")
@click.argument("window_id")
@reason
@click.pass_obj
def remove_window(cli: Any, connection_id: str, window_id: str, reason: str) -> None:
    """Remove one; what waits for it goes within an hour at most."""
    windows = cli.gateway("operator").operation.windows
    windows.remove(read_id(Prefix.CONNECTION, connection_id), window_id, act_of(reason))
    click.echo("removed")


what = click.argument("what", type=click.Choice([halt.value for halt in Halt]))
mode = click.option("--live/--test", required=True, help="Which mode; it must be said.")


@click.command("pause")
@what
@mode
@reason
@click.pass_obj
def pause_mode(cli: Any, what: str, live: bool, reason: str) -> None:
    """Refuse new payments or payouts of a mode (503); what was sent finishes."""
    cli.gateway("operator").operation.windows.halt(Halt(what), act_of(reason), livemode=live)
    click.echo("paused")


@click.command("resume")
@what
@mode
@reason
@click.pass_obj
def resume_mode(cli: Any, what: str, live: bool, reason: str) -> None:
    """Take up again what `pause` stopped."""
    cli.gateway("operator").operation.windows.resume(Halt(what), act_of(reason), livemode=live)
    click.echo("resumed")


def _read(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text())
    except ValueError:
        raise Invalid("the file is no JSON", code="configuration_invalid", param="/config") from None
    if not isinstance(found, dict):
        raise Invalid("the file must hold one JSON object", code="configuration_invalid", param="/config")
    return found


def _fields(given: tuple[str, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise Invalid("a field is NAME=VALUE", code="configuration_invalid", param="/config")
        found[name] = value or None
    return found
