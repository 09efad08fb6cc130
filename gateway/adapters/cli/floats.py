"""`float list`, `float threshold`, `float move`: what floats hold, when a person is told, and moves over a provider."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from gateway.adapters.cli.operator import act_of, float_, live, read_id, reason
from gateway.application.representations import moment
from gateway.domain.errors import Invalid
from gateway.domain.ids import Prefix, encode

__all__ = ["float_"]


@float_.command("list")
@click.pass_obj
def list_(cli: Any) -> None:
    """Each float: by the books, promised, the provider's word and its age, and the threshold; minor units."""
    gateway = cli.gateway("operator")
    now: datetime = gateway.desk.now()
    for one in gateway.operation.floats.listed():
        age = None if one.told_at is None else max(0, int((now - one.told_at).total_seconds()))
        row = {
            "id": encode(Prefix.FLOAT, one.id),
            "title": one.title,
            "livemode": one.livemode,
            "currency": one.currency,
            "books": one.standing.held,
            "promised": one.standing.promised,
            "awaited": one.standing.awaited,
            "provider": one.told,
            "provider_at": moment(one.told_at) if one.told_at else None,
            "provider_age_s": age,
            "threshold": one.standing.low_units,
        }
        click.echo(json.dumps(row, ensure_ascii=False))


@float_.command("threshold")
@click.argument("float_id")
@click.argument("units", required=False, type=click.IntRange(min=0))
@reason
@click.pass_obj
def threshold(cli: Any, float_id: str, units: int | None, reason: str) -> None:
    """Tell a person when it holds less (minor units); without a sum, never."""
    gateway, wanted = cli.gateway("operator"), read_id(Prefix.FLOAT, float_id)
    gateway.operation.floats.set_threshold(wanted, units)
    gateway.desk.note(act_of(reason), f"float.threshold {units}", wanted)
    gateway.operation.tending.watch_floats()
    click.echo("set")


@float_.group("move", invoke_without_command=True)
@click.option("--connection", "connection_id", help="con_… that moves it.")
@click.option("--from", "source", help="flt_…")
@click.option("--to", "target", help="flt_…")
@click.option("--amount", type=int, help="Minor units.")
@click.option("--pockets", help="SOURCE:TARGET as the plugin names them, e.g. working:utility.")
@click.option("--reason", help="Why; it is kept for ever.")
@click.pass_context
def move(
    context: click.Context,
    connection_id: str | None,
    source: str | None,
    target: str | None,
    amount: int | None,
    pockets: str | None,
    reason: str | None,
) -> None:
    """Move our own money between two floats over a provider; a worker sends it. It is never sent twice."""
    if context.invoked_subcommand is not None:
        return
    names = (pockets or "").split(":")
    if not (connection_id and source and target and amount) or len(names) != 2 or not all(names):
        raise Invalid("give --connection, --from, --to, --amount and --pockets SOURCE:TARGET", code="move_invalid")
    made = context.obj.gateway("operator").operation.move_own(
        read_id(Prefix.CONNECTION, connection_id),
        read_id(Prefix.FLOAT, source),
        read_id(Prefix.FLOAT, target),
        amount,
        (names[0], names[1]),
        act_of(reason or ""),
    )
    click.echo(encode(Prefix.OWN_TRANSFER, made.id))


@move.command("list")
@live
@click.pass_obj
def list_moves(cli: Any, live: bool) -> None:
    """The last hundred moves, newest first."""
    for row in cli.gateway("operator").operation.floats.transfers(livemode=live):
        click.echo(json.dumps(row))


@move.command("resolve")
@click.argument("transfer_id")
@click.option("--arrived", "receipt_number", help="The statement's receipt number.")
@click.option("--failed", is_flag=True, help="The statement doesn't show it.")
@reason
@click.pass_obj
def resolve(cli: Any, transfer_id: str, receipt_number: str | None, failed: bool, reason: str) -> None:
    """Say what the provider's statement says of a move (owt_…)."""
    if failed is (receipt_number is not None):
        raise Invalid("give --arrived RECEIPT or --failed", code="resolution_invalid")
    wanted = read_id(Prefix.OWN_TRANSFER, transfer_id)
    done = cli.gateway("operator").operation.resolve_own(wanted, act_of(reason), receipt_number=receipt_number)
    click.echo(done.state.value)
