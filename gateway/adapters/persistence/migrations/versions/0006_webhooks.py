"""Rotating secrets, endpoints' health, fair lanes, replays, and how long events stay."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UP = (Path(__file__).parent.parent / "sql" / "webhooks.sql").read_text()
#: The two functions as the first release had them: they are read from where they stand.
_OLD = Path(__file__).parent.parent / "sql"


def _older(file: str, name: str) -> str:
    """A function as another file makes it, to be put back in its place."""
    text = (_OLD / file).read_text()
    start = text.index(f"CREATE FUNCTION gateway.{name}(")
    body = text[start : text.index("END $$;", start) + len("END $$;")]
    return body.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


_DOWN = """
SET ROLE gateway_owner;
DROP FUNCTION gateway.sweep_events;
DROP TABLE gateway.webhook_replay, gateway.event_swept;
DROP TRIGGER outbox_lane ON gateway.outbox;
DROP FUNCTION gateway.set_lane;
UPDATE gateway.outbox SET queue = 'send', kind = 'webhook.deliver' WHERE queue = 'slow' AND done_at IS NOT NULL;
DELETE FROM gateway.outbox WHERE queue = 'slow';
ALTER TABLE gateway.outbox DROP COLUMN lane, DROP CONSTRAINT outbox_queue_check,
  ADD CONSTRAINT outbox_queue_check CHECK (queue IN ('pay', 'ask', 'send', 'tend'));
CREATE INDEX outbox_due ON gateway.outbox (queue, due_at) WHERE done_at IS NULL AND lease_until IS NULL;
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
    """What came with it goes; the functions are again what they were."""
    older = _older("gateway.sql", "close_unit") + _older("gateway_doors.sql", "claim_due")
    _run(_DOWN.replace("RESET ROLE;", older + "RESET ROLE;"))


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
