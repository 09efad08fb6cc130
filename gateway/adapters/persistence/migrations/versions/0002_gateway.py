"""The application's tables, with their functions, row policies and rights, in the schema `gateway`."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"
#: Tables first, then functions, then who may use them.
_PARTS = (
    "gateway_tables.sql",
    "gateway_tables_of_record.sql",
    "gateway.sql",
    "gateway_doors.sql",
    "gateway_rights.sql",
)
_DOWN = """
SET ROLE ledger_owner;
DROP POLICY promise ON ledger.account;
DROP POLICY promise ON ledger.balance;
DROP POLICY promise ON ledger.balance_delta;
REVOKE ALL ON ALL TABLES IN SCHEMA ledger FROM gateway_owner;
REVOKE USAGE ON SCHEMA ledger FROM gateway_owner;
RESET ROLE;
DROP SCHEMA gateway CASCADE;
"""


def upgrade() -> None:
    """Make the schema and all that is in it."""
    for name in _PARTS:
        _run((_SQL / name).read_text())


def downgrade() -> None:
    """All of it goes, and with it what it holds."""
    _run(_DOWN)


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
