"""Money without a payment yet: announced sums, suspense, receipts of the house."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"
#: What is the house's can't stay: the older tables have no place for it. Its journals stay, as all journals do.
_DOWN = """
SET ROLE gateway_owner;
DROP FUNCTION gateway.promise_pulls, gateway.is_ambiguous, gateway.wanted_by,
  gateway.find_candidate, gateway.find_reference, gateway.find_reply;
DROP INDEX gateway.attempt_by_plain_reference;
DROP FUNCTION gateway.plain_reference;
DROP TABLE gateway.history_cursor, gateway.external_record;
ALTER TABLE gateway.connection DROP COLUMN policy;
DROP POLICY candidate ON gateway.receipt;
DELETE FROM gateway.receipt WHERE payment_id IS NULL;
DROP INDEX gateway.receipt_one_a_try, gateway.receipt_of_candidate, gateway.receipt_numberless;
ALTER TABLE gateway.receipt DROP CONSTRAINT receipt_house, ALTER COLUMN payment_id SET NOT NULL, DROP COLUMN sole,
  DROP COLUMN candidate_id, DROP COLUMN typed_masked, ADD FOREIGN KEY (business_id) REFERENCES gateway.business;
CREATE UNIQUE INDEX receipt_one_a_try ON gateway.receipt (business_id, livemode, attempt_id)
  WHERE attempt_id IS NOT NULL;
ALTER TABLE gateway.attempt DROP COLUMN idempotency_key, DROP COLUMN pay_to;
DELETE FROM gateway.provider_callback c USING gateway.reply_to r
  WHERE r.id = c.reply_id
    AND (r.subject_kind NOT IN ('attempt', 'payout_attempt') OR r.business_id NOT IN (SELECT id FROM gateway.business));
DELETE FROM gateway.reply_to
  WHERE subject_kind NOT IN ('attempt', 'payout_attempt') OR business_id NOT IN (SELECT id FROM gateway.business);
ALTER TABLE gateway.reply_to DROP CONSTRAINT reply_to_subject_kind_check,
  ADD CONSTRAINT reply_to_subject_kind_check CHECK (subject_kind IN ('attempt', 'payout_attempt')),
  ADD FOREIGN KEY (business_id) REFERENCES gateway.business;
RESET ROLE;
"""


def upgrade() -> None:
    """Make it."""
    _run((_SQL / "money_in.sql").read_text())


def downgrade() -> None:
    """All of it goes, and with it what it holds."""
    _run(_DOWN)


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
