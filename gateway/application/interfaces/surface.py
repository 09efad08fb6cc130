"""What use cases need for replays of webhooks, payment links and the log of requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces.values import IdempotentCall, Json, Page
from gateway.domain.payment_links import LinkUse, PaymentLink
from gateway.domain.webhooks import Replay


class Replays(Protocol):
    """Replays of the unit's business and mode."""

    def add(self, replay: Replay) -> None:
        """Insert."""

    def get(self, replay_id: UUID, *, lock: bool = False) -> Replay:
        """The replay. Raises NotFound."""

    def save(self, replay: Replay) -> Replay:
        """Write cursor, count and end, guarded by version."""

    def is_running(self, endpoint_id: UUID) -> bool:
        """Whether one that somebody asked for runs."""


class PaymentLinks(Protocol):
    """Payment links of the unit's business and mode."""

    def add(self, link: PaymentLink, secret: str, idempotency: IdempotentCall | None) -> None:
        """Insert; the secret is kept encrypted, and its hash. Raises AlreadyMade as payments do."""

    def get(self, link_id: UUID, *, lock: bool = False) -> PaymentLink:
        """The link. Raises NotFound."""

    def secret(self, link_id: UUID) -> str:
        """What stands in its URL."""

    def save(self, link: PaymentLink) -> PaymentLink:
        """Write what may change, guarded by version. Raises Conflict."""

    def page(self, page: Page) -> tuple[Sequence[PaymentLink], bool]:
        """A page, newest first. Filters: active."""

    def use(self, link_id: UUID, token_hash: bytes) -> tuple[LinkUse, str] | None:
        """What a form's token made, with the secret of its session's page."""

    def add_use(self, use: LinkUse, session_secret: str) -> None:
        """Insert; the caller holds the link's lock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFound:
    """What a link page's secret gives."""

    link_id: UUID
    business_id: UUID
    livemode: bool


class LinkDoor(Protocol):
    """The look-up of a link from before its business is known."""

    def link(self, secret_hash: bytes) -> LinkFound | None:
        """The link that the page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One call of the API: `request` and `response` are redacted bodies, kept of refused calls alone."""

    id: UUID
    business_id: UUID
    livemode: bool
    at: datetime
    key_id: UUID | None
    method: str
    route: str | None
    status: int
    duration_ms: int
    code: str | None = None
    idempotency_key: bytes | None = None
    request: Json | None = field(default=None, repr=False)
    response: Json | None = field(default=None, repr=False)


class Requests(Protocol):
    """Logged calls of the unit's business and mode."""

    def get(self, request_id: UUID) -> LoggedRequest | None:
        """One of them."""


class RequestSink(Protocol):
    """Where web's notes go, many at a time, past every unit."""

    def keep(self, rows: Sequence[LoggedRequest]) -> None:
        """Insert; a row that is there already stays."""

    def find(self, request_id: UUID) -> LoggedRequest | None:
        """A call of any business; operators alone may look."""
