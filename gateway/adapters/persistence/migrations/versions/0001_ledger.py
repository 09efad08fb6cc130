"""The roles, and the ledger with its functions, views, row policies and rights."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Roles first; then tables, what writes them, and what reads them."""
    for name in ("roles.sql", "ledger.sql", "ledger_posting.sql", "ledger_reading.sql"):
        _run((_SQL / name).read_text())


def downgrade() -> None:
    """The ledger goes, with what it holds. The roles stay: they belong to the server, and others may use them."""
    _run("DROP SCHEMA ledger CASCADE")


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
