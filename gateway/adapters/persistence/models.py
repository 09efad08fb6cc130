"""Whether the tables that the code believes in are those that the migrations made."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from gateway.adapters.persistence.columns import SCHEMA
from gateway.adapters.persistence.tables import metadata


def check_models_match(url: str) -> list[str]:
    """What differs between `tables.py` and the migrated database at `url`, a line each; empty when nothing does.

    Tables, columns, types, keys and indexes are compared. Checks, policies and rights stand in the migrations alone.
    """
    # The migrating role may bear the schema's name, and then it would be searched by default and not told by name.
    engine = create_engine(url, poolclass=NullPool, connect_args={"options": "-c search_path=public"})
    try:
        with engine.connect() as conn:
            options = {"include_schemas": True, "include_name": _ours, "compare_type": True}
            context = MigrationContext.configure(conn, opts=options)
            return [_said(difference) for difference in compare_metadata(context, metadata)]
    finally:
        engine.dispose()


def _ours(name: str | None, kind: str, _: Any) -> bool:
    """The ledger's schema is written in SQL alone."""
    return name == SCHEMA if kind == "schema" else True


def _said(difference: Any) -> str:
    """`add_column gateway.payment …` from alembic's tuples, which come alone or in lists."""
    parts = difference[0] if isinstance(difference, list) else difference
    return " ".join(str(part) for part in parts if part is not None and part != {})
