"""`python -m gateway migrate`: brings the database up to date, or says what would change."""

from __future__ import annotations

from typing import Any

import click


@click.command("migrate")
@click.option(
    "--check", is_flag=True, help="Change nothing: fail when models and migrations differ (needs no database)."
)
@click.option("--print-sql-for-dba", is_flag=True, help="Print the part that needs the right to create roles.")
@click.pass_obj
def migrate(cli: Any, check: bool, print_sql_for_dba: bool) -> None:
    """Migrate the database of GATEWAY_DATABASE_URL_OWNER."""
    if print_sql_for_dba:
        click.echo(cli.sql_for_dba())
    elif check:
        differences = cli.differences()
        if differences:
            raise click.ClickException("models and migrations differ:\n" + "\n".join(differences))
        click.echo("models and migrations agree")
    else:
        cli.migrate(cli.settings.database_of("owner"))
        click.echo("the database is up to date")
