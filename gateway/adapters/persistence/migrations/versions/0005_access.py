"""Keys with kinds, scopes, lists and ends; a platform's calls."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"
_DOWN = """
SET ROLE gateway_owner;
DROP FUNCTION gateway.reseal;
DROP POLICY writes ON gateway.audit;
DROP POLICY of_platform ON gateway.business;
DROP POLICY of_platform_new ON gateway.business;
DROP POLICY of_platform_change ON gateway.business;
DROP POLICY own ON gateway.api_key;
REVOKE ALL ON gateway.api_key, gateway.audit, gateway.business FROM gateway_app;
GRANT SELECT ON gateway.business TO gateway_app;
DROP FUNCTION gateway.platform_event, gateway.platform_events, gateway.note_key_use, gateway.find_api_key;
DROP INDEX gateway.business_of_platform;
ALTER TABLE gateway.business DROP CONSTRAINT business_shop_tag;
DELETE FROM gateway.api_key WHERE kind <> 'secret' OR addresses <> '{}';
ALTER TABLE gateway.api_key DROP COLUMN kind, DROP COLUMN scopes, DROP COLUMN addresses, DROP COLUMN last_used,
  DROP COLUMN rolled_to;
RESET ROLE;
"""


def upgrade() -> None:
    """Make it."""
    _run((_SQL / "access.sql").read_text())


def downgrade() -> None:
    """Keys that only this revision can guard go."""
    _run(_DOWN)


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
