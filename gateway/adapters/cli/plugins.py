"""`python -m gateway plugins`: what is installed and enabled, and what it offers."""

from __future__ import annotations

from typing import Any

import click


@click.command("plugins")
@click.pass_obj
def plugins(cli: Any) -> None:
    """List the enabled plugins' offers."""
    found = cli.gateway("worker").plugins
    for port, offers in (("rail", found.rails), ("channel", found.channels)):
        for code, offer in offers.items():
            told = offer.capabilities
            click.echo(
                f"{port:8} {code:16} method {offer.method:14} {told.amount_min}–{told.amount_max} minor units,"
                f" steps of {told.amount_granularity}; contract {offer.contract}"
            )
