"""Alembic's environment: it runs on the connection that the runner hands over, and knows no configuration file."""

from __future__ import annotations

from alembic import context


def run() -> None:
    """Run the revisions that are asked for, all of them in one transaction or none."""
    context.configure(connection=context.config.attributes["connection"], version_table_schema="public")
    with context.begin_transaction():
        context.run_migrations()


run()
