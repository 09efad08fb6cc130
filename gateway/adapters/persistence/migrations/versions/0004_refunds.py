"""Refunds, reversals and debts, quotes, and who bears a fee."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"
_DOWN = """
SET ROLE gateway_owner;
REVOKE EXECUTE ON FUNCTION gateway.public_id FROM gateway_operator;
DROP FUNCTION gateway.find_origin, gateway.find_orders, gateway.find_loose, gateway.take_receipt;
DROP FUNCTION gateway.promise_refund, gateway.promise_float, gateway.float_short, gateway.held_on,
  gateway.promised_of, gateway.find_receipt;
DROP TABLE gateway.quote, gateway.recovery, gateway.reversal, gateway.acceptance;
DROP TABLE gateway.refund_attempt, gateway.refund;
DELETE FROM gateway.provider_callback USING gateway.reply_to r
  WHERE r.id = reply_id AND r.subject_kind IN ('refund', 'refund_payout');
DELETE FROM gateway.reply_to WHERE subject_kind IN ('refund', 'refund_payout');
REVOKE UPDATE (updated, version, available_on, released_at) ON gateway.receipt FROM gateway_app;
ALTER TABLE gateway.receipt DROP COLUMN refunded_units, DROP COLUMN reversed_units, DROP COLUMN over_spent_units;
ALTER TABLE gateway.fee_schedule DROP COLUMN method, DROP COLUMN bearer, DROP COLUMN customer_bps;
RESET ROLE;
"""


def upgrade() -> None:
    """Make it."""
    _run((_SQL / "refunds.sql").read_text())


def downgrade() -> None:
    """What came with it goes."""
    _run(_DOWN)


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
