"""What a connection is told and tells: breaker, windows, balances, ages."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"
#: Functions that are made anew here, and the files in which they stand as they were before.
_OLDER = (
    ("gateway.sql", "CREATE FUNCTION", "put_due", "gateway_app, gateway_worker, gateway_operator"),
    ("webhooks.sql", "CREATE OR REPLACE FUNCTION", "close_unit", "gateway_app, gateway_worker, gateway_operator"),
    ("webhooks.sql", "CREATE OR REPLACE FUNCTION", "claim_due", "gateway_worker, gateway_operator"),
    ("webhooks.sql", "CREATE FUNCTION", "set_lane", ""),
)


def upgrade() -> None:
    """Make it: every file of the room, by name."""
    for file in sorted(_SQL.glob("connections_*.sql")):
        _run(file.read_text())


def downgrade() -> None:
    """All of it goes, and with it what it holds; the functions are again what they were."""
    for file in sorted(_SQL.glob("undo_connections_*.sql"), reverse=True):
        _run(file.read_text())
    for file_name, head, name, roles in _OLDER:
        _run(f"SET ROLE gateway_owner; {_older(file_name, head, name)} {_granted(name, roles)} RESET ROLE;")


def _older(file_name: str, head: str, name: str) -> str:
    """A function as another file makes it, to be put back in its place."""
    text = (_SQL / file_name).read_text()
    start = text.index(f"{head} gateway.{name}(")
    body = text[start : text.index("END $$;", start) + len("END $$;")]
    return body.replace(head, "CREATE OR REPLACE FUNCTION", 1)


def _granted(name: str, roles: str) -> str:
    grant = f"GRANT EXECUTE ON FUNCTION gateway.{name} TO {roles};" if roles else ""
    return f"REVOKE ALL ON FUNCTION gateway.{name} FROM PUBLIC; {grant}"


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
