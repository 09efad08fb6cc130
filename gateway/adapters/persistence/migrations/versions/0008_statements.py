"""Imported statements and what they were matched with."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UP = (Path(__file__).parent.parent / "sql" / "statements.sql").read_text()
_DOWN = """
SET ROLE ledger_owner;
DROP POLICY statements ON ledger.leg;
DROP POLICY statements ON ledger.journal;
REVOKE SELECT ON ledger.journal, ledger.leg FROM gateway_owner;
RESET ROLE;
SET ROLE gateway_owner;
DROP VIEW gateway.statement_line_now;
DROP FUNCTION gateway.late_lines, gateway.statement_conflicts, gateway.held_on_at, gateway.payouts_missing,
  gateway.find_money_out, gateway.settle_known_lines;
DELETE FROM gateway.outbox WHERE kind = 'statement.settle';
DROP INDEX gateway.report_of_money_out, gateway.refund_attempt_by_receipt, gateway.payout_attempt_by_receipt;
DROP TABLE gateway.statement_line, gateway.statement;
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
