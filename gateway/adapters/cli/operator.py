"""The operator's commands: businesses, keys, connections, floats. Each asks for a reason and leaves an audit row."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from gateway.application.operators import Act
from gateway.domain.errors import Invalid, NotFound
from gateway.domain.fees import FeeSchedule
from gateway.domain.ids import Prefix, decode, encode

reason = click.option("--reason", required=True, help="Why; it is kept for ever.")
live = click.option("--live/--test", default=False, help="Which mode; test when left out.")


def act_of(why: str) -> Act:
    """Who acts: the account on this machine."""
    return Act(actor=getpass.getuser(), reason=why)


def read_id(prefix: Prefix, text: str) -> UUID:
    """An id as typed. Raises Invalid."""
    try:
        return decode(prefix, text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no id like {prefix}_…: {error}", code="id_invalid") from None


@click.group("business")
def business() -> None:
    """Create businesses and their keys."""


@business.command("create")
@click.argument("name")
@click.option("--tag", required=True, help="2 to 5 capital letters: the head of every reference its shoppers read.")
@click.option("--platform", help="plt_…; a platform of the same name is created when left out.")
@click.option("--settlement", default="instant", show_default=True, help="instant, or T+n.")
@click.option("--contact", help="How shoppers reach the shop.")
@reason
@click.pass_obj
def create(
    cli: Any, name: str, tag: str, platform: str | None, settlement: str, contact: str | None, reason: str
) -> None:
    """Create a business."""
    desk, act = cli.gateway("operator").desk, act_of(reason)
    platform_id = read_id(Prefix.PLATFORM, platform) if platform else desk.add_platform(name, act).id
    made = desk.add_business(platform_id, name, tag, act, settlement=settlement, support_contact=contact)
    click.echo(encode(Prefix.BUSINESS, made.id))


@business.command("open")
@click.argument("business_id")
@click.option("--payments/--no-payments", default=True)
@click.option("--payouts/--no-payouts", default=True)
@reason
@click.pass_obj
def open_(cli: Any, business_id: str, payments: bool, payouts: bool, reason: str) -> None:
    """Open or close a business's live capabilities."""
    desk = cli.gateway("operator").desk
    desk.open_business(read_id(Prefix.BUSINESS, business_id), act_of(reason), payments=payments, payouts=payouts)
    click.echo("done")


@business.command("key")
@click.argument("business_id")
@click.option("--name", default="secret key", show_default=True)
@live
@reason
@click.pass_obj
def key(cli: Any, business_id: str, name: str, live: bool, reason: str) -> None:
    """Issue a secret key; it is shown this once."""
    desk = cli.gateway("operator").desk
    wanted = read_id(Prefix.BUSINESS, business_id)
    found = next((b for b in desk.directory.businesses() if b.id == wanted), None)
    if found is None:
        raise NotFound("there is no such business")
    made, secret = desk.issue_key(found, livemode=live, name=name, act=act_of(reason))
    click.echo(f"{encode(Prefix.API_KEY, made.id)} is its id, for `business revoke`", err=True)
    click.echo(secret)


@business.command("revoke")
@click.argument("key_id")
@reason
@click.pass_obj
def revoke_key(cli: Any, key_id: str, reason: str) -> None:
    """End a key (key_…) at once."""
    cli.gateway("operator").desk.revoke_key(read_id(Prefix.API_KEY, key_id), act_of(reason))
    click.echo("revoked")


@business.command("fee")
@click.argument("product", type=click.Choice(["collect", "payout"]))
@click.option("--business", "business_id", help="biz_…; the platform-wide price when left out.")
@click.option("--flat", default=0, show_default=True, help="Minor units.")
@click.option("--bps", default=0, show_default=True, help="Hundredths of a percent.")
@click.option("--cap", type=int, help="Minor units.")
@reason
@click.pass_obj
def fee(cli: Any, product: str, business_id: str | None, flat: int, bps: int, cap: int | None, reason: str) -> None:
    """Set a price from now on; payments that froze an earlier one keep it."""
    desk = cli.gateway("operator").desk
    schedule = FeeSchedule(id=desk.new_id(), version=1, flat_units=flat, bps=bps, cap_units=cap)
    desk.set_fee(schedule, product, read_id(Prefix.BUSINESS, business_id) if business_id else None, act_of(reason))
    click.echo(encode(Prefix.FEE_SCHEDULE, schedule.id))


@click.group("float")
def float_() -> None:
    """Pockets of money with providers."""


@float_.command("add")
@click.argument("title")
@live
@reason
@click.pass_obj
def add_float(cli: Any, title: str, live: bool, reason: str) -> None:
    """Add a float."""
    made = cli.gateway("operator").desk.add_float(title, livemode=live, act=act_of(reason))
    click.echo(encode(Prefix.FLOAT, made.id))


@float_.command("record")
@click.option("--from", "source", help="flt_…; the owners' own money when left out.")
@click.option("--to", "target", required=True, help="flt_…")
@click.option("--amount", required=True, type=int, help="Minor units.")
@click.option("--ticket", required=True, help="The portal's number; the same one again changes nothing.")
@live
@reason
@click.pass_obj
def record(cli: Any, source: str | None, target: str, amount: int, ticket: str, live: bool, reason: str) -> None:
    """Book money that was moved in the provider's portal."""
    desk = cli.gateway("operator").desk
    desk.record_move(
        read_id(Prefix.FLOAT, source) if source else None,
        read_id(Prefix.FLOAT, target),
        amount,
        livemode=live,
        act=act_of(reason),
        ticket=ticket,
    )
    click.echo("booked")


@click.group("connection")
def connection() -> None:
    """Plugins configured with accounts at providers."""


@connection.command("add")
@click.argument("code")
@click.option("--title", required=True)
@click.option("--float", "float_id", required=True, help="flt_…")
@click.option(
    "--config", required=True, type=click.Path(exists=True, path_type=Path), help="JSON file; delete it after."
)
@live
@reason
@click.pass_obj
def add(cli: Any, code: str, title: str, float_id: str, config: Path, live: bool, reason: str) -> None:
    """Connect a plugin; the configuration is checked, and kept encrypted."""
    gateway = cli.gateway("operator")
    values = json.loads(config.read_text())
    made = gateway.connect(code, title, read_id(Prefix.FLOAT, float_id), values, livemode=live, act=act_of(reason))
    click.echo(encode(Prefix.CONNECTION, made.id))


@connection.command("pause")
@click.argument("connection_id")
@reason
@click.pass_obj
def pause(cli: Any, connection_id: str, reason: str) -> None:
    """Let nothing out over it, questions neither; callbacks are taken in."""
    cli.gateway("operator").desk.pause_connection(read_id(Prefix.CONNECTION, connection_id), act_of(reason))
    click.echo("paused")


@connection.command("resume")
@click.argument("connection_id")
@reason
@click.pass_obj
def resume(cli: Any, connection_id: str, reason: str) -> None:
    """Take up work again."""
    cli.gateway("operator").desk.resume_connection(read_id(Prefix.CONNECTION, connection_id), act_of(reason))
    click.echo("resumed")


@click.command("overview")
@click.pass_obj
def overview(cli: Any) -> None:
    """Platforms, businesses, connections, floats and open alerts."""
    click.echo(json.dumps(cli.gateway("operator").desk.overview(), indent=2))


@click.group("alerts", invoke_without_command=True)
@click.pass_context
def alert(context: click.Context) -> None:
    """What a person must look at, newest first."""
    if context.invoked_subcommand is not None:
        return
    cli = context.obj
    found = cli.gateway("operator").desk.overview()["alerts"]
    for row in found:
        click.echo(json.dumps(row))
    if not found:
        click.echo("nothing waits for a person")


@alert.command("close")
@click.argument("alert_id")
@reason
@click.pass_obj
def close(cli: Any, alert_id: str, reason: str) -> None:
    """Say that it was looked at; the same trouble raises a new one."""
    cli.gateway("operator").desk.close_alert(read_id(Prefix.ALERT, alert_id), act_of(reason))
    click.echo("closed")
