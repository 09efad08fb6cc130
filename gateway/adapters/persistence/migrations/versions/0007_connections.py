"""What a connection is told and tells: breaker, windows, balances, ages."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Make it: every file of the room, by name."""
    for file in sorted(_SQL.glob("connections_*.sql")):
        _run(file.read_text())


def downgrade() -> None:
    """All of it goes, and with it what it holds."""
    for file in sorted(_SQL.glob("undo_connections_*.sql"), reverse=True):
        _run(file.read_text())


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
