"""Payment links and the log of requests."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UP = (Path(__file__).parent.parent / "sql" / "surface.sql").read_text()
_DOWN = """
SET ROLE gateway_owner;
DROP FUNCTION gateway.sweep_requests, gateway.keep_requests, gateway.find_link;
DROP TABLE gateway.request_log, gateway.link_use, gateway.payment_link;
RESET ROLE;
"""


def upgrade() -> None:
    """Make it."""
    _run(_UP)


def downgrade() -> None:
    """All of it goes, and with it what it holds."""
    _run(_DOWN)


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
