"""`wallet add|list|pause|resume`: the pooled wallets."""

from __future__ import annotations

import json
from typing import Any

import click

from gateway.adapters.cli.operator import act_of, read_id, reason
from gateway.domain.ids import Prefix, encode


@click.group("wallet")
def wallet() -> None:
    """Pooled wallets on chains."""


@wallet.command("add")
@click.option("--connection", "connection_id", required=True, help="con_… of the chain.")
@click.option("--address", required=True, help="0x…; the signer holds its key.")
@click.option("--title", required=True)
@click.option("--nonce", type=click.IntRange(min=0), default=0, show_default=True, help="Transactions it has sent.")
@reason
@click.pass_obj
def add(cli: Any, connection_id: str, address: str, title: str, nonce: int, reason: str) -> None:
    """Take up a wallet: what comes to it is seen and booked, and payouts may draw on it."""
    service = cli.gateway("operator").wallet_service
    made = service.add(read_id(Prefix.CONNECTION, connection_id), address, title, act_of(reason), nonce=nonce)
    click.echo(encode(Prefix.WALLET, made.id))


@wallet.command("list")
@click.pass_obj
def list_(cli: Any) -> None:
    """Each wallet, and what the books say that it holds, in base units."""
    for one in cli.gateway("operator").wallet_service.listed():
        click.echo(json.dumps(one, ensure_ascii=False))


@wallet.command("pause")
@click.argument("wallet_id")
@reason
@click.pass_obj
def pause(cli: Any, wallet_id: str, reason: str) -> None:
    """Send nothing from it; what comes in is seen and booked."""
    cli.gateway("operator").wallet_service.pause(read_id(Prefix.WALLET, wallet_id), act_of(reason))
    click.echo("paused")


@wallet.command("resume")
@click.argument("wallet_id")
@reason
@click.pass_obj
def resume(cli: Any, wallet_id: str, reason: str) -> None:
    """Send from it again."""
    cli.gateway("operator").wallet_service.resume(read_id(Prefix.WALLET, wallet_id), act_of(reason))
    click.echo("resumed")
