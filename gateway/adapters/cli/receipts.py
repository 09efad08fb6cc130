"""`receipt list`, `receipt assign`, and a connection's addresses and trust: the operator's side of money in."""

from __future__ import annotations

import json
from typing import Any

import click

from gateway.adapters.cli.operator import act_of, connection, live, read_id, reason
from gateway.domain.errors import Invalid
from gateway.domain.external_records import Policy
from gateway.domain.ids import Prefix


@click.group("receipt")
def receipt() -> None:
    """Money that arrived."""


@receipt.command("list")
@click.option("--unmatched", is_flag=True, required=True, help="What is in suspense.")
@live
@click.pass_obj
def list_(cli: Any, unmatched: bool, live: bool) -> None:
    """What is in suspense, oldest first."""
    found = cli.gateway("operator").money_in.receipts.unmatched(livemode=live) if unmatched else []
    click.echo(json.dumps(found, indent=2))


@receipt.command("assign")
@click.argument("receipt_id")
@click.argument("to")
@live
@reason
@click.pass_obj
def assign(cli: Any, receipt_id: str, to: str, live: bool, reason: str) -> None:
    """Give it to a payment (pay_…), or let a business (biz_…) see it and assign it itself."""
    receipts, act, which = (
        cli.gateway("operator").money_in.receipts,
        act_of(reason),
        read_id(Prefix.RECEIPT, receipt_id),
    )
    if to.startswith("biz_"):
        receipts.to_business(which, read_id(Prefix.BUSINESS, to), act, livemode=live)
        click.echo("offered")
        return
    receipts.to_payment(which, read_id(Prefix.PAYMENT, to), act)
    click.echo("assigned")


@receipt.command("conflicts")
@live
@click.pass_obj
def conflicts(cli: Any, live: bool) -> None:
    """Sums whose reports contradict one another, oldest first, with what each report says."""
    click.echo(json.dumps(cli.gateway("operator").money_in.conflicts.all(livemode=live), indent=2))


@receipt.command("decide")
@click.argument("record_id")
@click.option(
    "--accept", is_flag=True, help="Take what the strongest report says; a statement is stronger than an answer."
)
@click.option("--amount", type=int, help="With --accept: the one of these sums, in minor units.")
@click.option("--dismiss", is_flag=True, help="It is no money of ours: nothing is booked.")
@live
@reason
@click.pass_obj
def decide(cli: Any, record_id: str, accept: bool, amount: int | None, dismiss: bool, live: bool, reason: str) -> None:
    """Settle a sum (ext_…) whose reports contradict one another."""
    if accept is dismiss or (dismiss and amount is not None):
        raise Invalid("say either --accept, perhaps with --amount, or --dismiss", code="resolution_invalid")
    sums, act, which = (
        cli.gateway("operator").money_in.conflicts,
        act_of(reason),
        read_id(Prefix.EXTERNAL_RECORD, record_id),
    )
    if dismiss:
        sums.dismiss(which, act, livemode=live)
        click.echo("dismissed")
        return
    click.echo(f"accepted {sums.accept(which, act, livemode=live, units=amount)}")


@connection.command("register")
@click.argument("connection_id")
@reason
@click.pass_obj
def register(cli: Any, connection_id: str, reason: str) -> None:
    """Make the connection's long-lived addresses and tell the provider; prints what it said."""
    click.echo(cli.gateway("operator").money_in.register(read_id(Prefix.CONNECTION, connection_id), act_of(reason)))


@connection.command("policy")
@click.argument("connection_id")
@click.option("--validation/--no-validation", default=False, help="Refuse unknown references and other sums.")
@click.option("--trust-address", "addresses", multiple=True, help="Believe announcements from it, up to the ceiling.")
@click.option("--ceiling", type=int, default=0, help="In minor units: above it an announcement proves nothing.")
@reason
@click.pass_obj
def policy(
    cli: Any, connection_id: str, validation: bool, addresses: tuple[str, ...], ceiling: int, reason: str
) -> None:
    """How far its announcements are trusted, and whether "may this be paid?" is looked up."""
    wanted = Policy(validation=validation, announced_addresses=addresses, announced_ceiling_units=ceiling)
    cli.gateway("operator").money_in.set_policy(read_id(Prefix.CONNECTION, connection_id), wanted, act_of(reason))
    click.echo("set")
