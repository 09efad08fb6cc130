"""Rotating secrets, endpoints' health, replays, how long events stay, and the end of a unit."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UP = (Path(__file__).parent.parent / "sql" / "webhooks.sql").read_text()
_DOWN = """
SET ROLE gateway_owner;
DROP FUNCTION gateway.sweep_events, gateway.close_unit;
DROP TABLE gateway.webhook_replay, gateway.event_swept;
UPDATE gateway.outbox SET queue = 'send', kind = 'webhook.deliver' WHERE queue = 'slow' AND done_at IS NOT NULL;
DELETE FROM gateway.outbox WHERE queue = 'slow';
ALTER TABLE gateway.delivery DROP COLUMN earlier_tries;
ALTER TABLE gateway.delivery_try DROP COLUMN duration_ms;
DROP TRIGGER webhook_endpoint_rotates ON gateway.webhook_endpoint;
DROP FUNCTION gateway.keep_previous_secret;
UPDATE gateway.webhook_endpoint SET state = 'enabled' WHERE state = 'failing';
ALTER TABLE gateway.webhook_endpoint DROP COLUMN previous_secret, DROP COLUMN previous_until, DROP COLUMN payload,
  DROP COLUMN failing_since, DROP COLUMN slow_until, DROP COLUMN disabled_at,
  DROP CONSTRAINT webhook_endpoint_state_check,
  ADD CONSTRAINT webhook_endpoint_state_check CHECK (state IN ('enabled', 'disabled'));
RESET ROLE;
"""


def upgrade() -> None:
    """Make it."""
    _run(_UP)


def downgrade() -> None:
    """What came with it goes."""
    _run(_DOWN)


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
