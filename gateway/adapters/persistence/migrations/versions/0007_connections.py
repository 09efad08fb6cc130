"""What a connection is told and tells: breaker, windows, balances, ages."""

from __future__ import annotations

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it."""


def downgrade() -> None:
    """All of it goes, and with it what it holds."""
