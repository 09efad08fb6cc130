"""`python -m gateway drill`: rehearsals of bad days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import click

from gateway.adapters.cli.ledger import table
from gateway.application.ledger import Finding


class Drilled(Protocol):
    """What came back from a backup."""

    @property
    def tables(self) -> int: ...

    @property
    def rows(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    @property
    def different(self) -> Sequence[str]: ...

    @property
    def findings(self) -> Sequence[Finding]: ...

    @property
    def dump_s(self) -> float: ...

    @property
    def restore_s(self) -> float: ...

    @property
    def passed(self) -> bool: ...


class DrillCli(Protocol):
    """What the command gets from the process."""

    def restore_drill(self, into: str | None, say: Callable[[str], None]) -> Drilled:
        """Back up, restore, compare."""


@click.group("drill")
def drill() -> None:
    """Rehearse a bad day."""


@drill.command("restore")
@click.option(
    "--into",
    metavar="URL",
    help="The owner's URL of an empty database to restore into; without it a PostgreSQL of our own is started for it.",
)
@click.pass_obj
def restore(cli: DrillCli, into: str | None) -> None:
    """Back the database up, restore it elsewhere, compare every row and prove the restored books.

    Needs GATEWAY_DATABASE_URL_OWNER and only reads there. Exit status 1 when anything differs or the books don't hold.
    """
    found = cli.restore_drill(into, lambda words: click.echo(f"{words} ...", err=True))
    for line in table(found.findings):
        click.echo(line)
    click.echo(
        f"{found.rows:,} rows of {found.tables} tables, a backup of {found.bytes / 1e6:,.1f} MB:"
        f" backed up in {found.dump_s:.1f} s, restored in {found.restore_s:.1f} s."
    )
    for line in found.different:
        click.echo(click.style("differs", fg="red") + f"  {line}")
    if not found.passed:
        raise click.exceptions.Exit(1)
    click.echo("Every row came back, and the books hold.")
