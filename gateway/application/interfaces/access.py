"""What managing keys and businesses needs of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from gateway.application.interfaces.values import Json, Page
from gateway.domain.businesses import ApiKey, Business


class Access(Protocol):
    """Keys of the unit's business, and businesses of a platform. `act_for` comes first: without it nothing is seen."""

    def act_for(self, platform_id: UUID) -> None:
        """Show what is this platform's."""

    def add_key(self, key: ApiKey) -> None:
        """Keep a new key."""

    def key(self, key_id: UUID, *, lock: bool = False) -> ApiKey:
        """One key, without its hash. `lock`: nobody else who locks it has it until the unit ends. Raises NotFound."""

    def keys(self, page: Page) -> tuple[Sequence[ApiKey], bool]:
        """A page of keys, newest first, and whether there are more."""

    def change_key(self, key_id: UUID, values: Mapping[str, Any]) -> None:
        """Change `expires_at`, `revoked_at` or `rolled_to`."""

    def add_business(self, one: Business) -> None:
        """Keep a new business. Raises Conflict (`shop_tag_taken`)."""

    def business(self, business_id: UUID, platform_id: UUID) -> Business:
        """One business of the platform. Raises NotFound."""

    def businesses(self, page: Page, platform_id: UUID) -> tuple[Sequence[Business], bool]:
        """A page of the platform's businesses."""

    def save_business(self, one: Business) -> Business:
        """Write a business under its version. Raises Conflict (`stale_version`)."""

    def events(self, page: Page, platform_id: UUID) -> tuple[Sequence[Json], bool]:
        """A page of events of all businesses of the platform, in the unit's mode, newest first. Filter: type."""

    def event(self, event_id: UUID, platform_id: UUID) -> Json:
        """One of them. Raises NotFound."""

    def audit(self, actor: str, action: str, subject_id: UUID, reason: str) -> None:
        """Keep who did what, in the unit."""
