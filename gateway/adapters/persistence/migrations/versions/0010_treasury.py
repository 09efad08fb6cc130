"""Pooled wallets, sightings on chains, conversions, and the transactions that we sign."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_UP = (Path(__file__).parent.parent / "sql" / "treasury.sql").read_text()
_DOWN = """
SET ROLE gateway_owner;
DROP FUNCTION gateway.last_price, gateway.awaited_in, gateway.conversion_of_tx;
DROP TABLE gateway.chain_signed, gateway.chain_transfer, gateway.conversion, gateway.sighting, gateway.chain_header,
  gateway.chain_cursor, gateway.wallet;
ALTER TABLE gateway.receipt DROP COLUMN clearing_id;
RESET ROLE;
SET ROLE ledger_owner;
DROP FUNCTION ledger.position_of, ledger.know_assets;
RESET ROLE;
"""


def upgrade() -> None:
    """Make it."""
    _run(_UP)


def downgrade() -> None:
    """All of it goes, and with it what it holds; assets that the books know stay known."""
    _run(_DOWN)


def _run(sql: str) -> None:
    """Many statements at once: only the driver, without parameters, takes them as they are."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration has no connection")
    driver.execute(sql)
