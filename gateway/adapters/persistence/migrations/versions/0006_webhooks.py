"""Rotating secrets, filters, and notices of endpoints."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it."""


def downgrade() -> None:
    """All of it goes, and with it what it holds."""
