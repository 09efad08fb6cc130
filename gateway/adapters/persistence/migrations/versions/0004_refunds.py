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
DROP FUNCTION gateway.promise_refund, gateway.settle_float_alert, gateway.float_short, gateway.held_on,
  gateway.promised_of, gateway.find_receipt;
DROP TABLE gateway.quote, gateway.recovery, gateway.reversal, gateway.acceptance;
DROP TABLE gateway.refund_attempt, gateway.refund;
DELETE FROM gateway.provider_callback USING gateway.reply_to r
  WHERE r.id = reply_id AND r.subject_kind NOT IN ('attempt', 'payout_attempt');
DELETE FROM gateway.reply_to WHERE subject_kind NOT IN ('attempt', 'payout_attempt');
ALTER TABLE gateway.reply_to DROP CONSTRAINT reply_to_subject_kind_check,
  ADD CONSTRAINT reply_to_subject_kind_check CHECK (subject_kind IN ('attempt', 'payout_attempt'));
ALTER TABLE gateway.receipt DROP COLUMN refunded_units, DROP COLUMN reversed_units, DROP COLUMN over_spent_units;
ALTER TABLE gateway.fee_schedule DROP COLUMN method, DROP COLUMN bearer, DROP COLUMN customer_bps;
RESET ROLE;
"""


def upgrade() -> None:
    """Make it."""
    _run((_SQL / "refunds.sql").read_text())


def downgrade() -> None:
    """What came with it goes; the promise of a float is again what it was."""
    text = (_SQL / "gateway_doors.sql").read_text()
    start = text.index("CREATE FUNCTION gateway.promise_float(")
    older = text[start : text.index("END $$;", start) + len("END $$;")]
    restored = older.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
    _run(_DOWN.replace("DROP FUNCTION", f"{restored}\nDROP FUNCTION", 1))


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
