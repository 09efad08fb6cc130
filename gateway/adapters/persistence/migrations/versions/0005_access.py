"""Keys with kinds, scopes, lists and ends; a platform's calls."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it."""


def downgrade() -> None:
    """All of it goes, and with it what it holds."""
