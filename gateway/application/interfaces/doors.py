"""What works before a business is known: look-ups that give ids only, callbacks, idempotency keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from gateway.application.interfaces.values import (
    Call,
    Claimed,
    IdempotentCall,
    Json,
)
from gateway.domain.api_keys import KeyKind, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFound:
    """What an API key gives: whose it is, and what it may do. `business_id` is None for a platform's key.

    `acts_for` is the business that the caller named, when the key may act for it; the key's own when none was named.
    """

    key_id: UUID
    platform_id: UUID
    business_id: UUID | None
    livemode: bool
    kind: KeyKind = KeyKind.SECRET
    scopes: frozenset[str] = frozenset()
    addresses: tuple[Network, ...] = ()
    expires_at: datetime | None = None
    acts_for: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFound:
    """What a callback's secret gives."""

    reply_id: UUID
    connection_id: UUID
    code: str
    tag: str
    business_id: UUID
    livemode: bool
    subject_kind: str
    subject_id: UUID
    purpose: str = ""
    float_id: UUID | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFound:
    """What a checkout page's secret gives."""

    session_id: UUID
    business_id: UUID
    livemode: bool


class Doors(Protocol):
    """The four look-ups from before a business is known; each gives ids only."""

    def api_key(self, key_hash: bytes, business_id: UUID | None = None) -> KeyFound | None:
        """A usable key: not revoked, not expired. `business_id` is the business that the caller names."""

    def note_key_use(self, key_ids: Sequence[UUID]) -> None:
        """Keep that these keys were used, to the minute."""

    def reply(self, secret_hash: bytes) -> ReplyFound | None:
        """The call a callback answers."""

    def wanted(self, float_id: UUID, reference: str, *, livemode: bool) -> int | None:
        """How much the payment behind a reference on that float still wants; None when nobody's is."""

    def promise_pulls(self, codes: Sequence[str]) -> int:
        """Put the reading of histories for connections of these codes where nobody has; gives how many."""

    def session(self, secret_hash: bytes) -> SessionFound | None:
        """The session a page shows."""

    def claim_due(self, rooms: Mapping[str, int], shares: Mapping[str, int] | None = None) -> Sequence[Claimed]:
        """Take due rows for the queues, of each as many as it has room for: also rows whose lease ran out.

        Of one lane at most `shares[queue]` are on their way (`domain.due.SHARES` where it isn't said), and of a
        connection no more than its capabilities and its breaker let through.

        Each gets a short lease, for its way through the queue: what is lost there is claimed again after it."""

    def due(self, due_id: UUID) -> Claimed | None:
        """Start on a row: it is this worker's alone until its kind's lease runs out or the worker is gone. None when it
        is done, not due, or in another worker's hands."""

    def finish(self, claimed: Claimed, *, again_at: datetime | None) -> None:
        """Mark done, or due again at that time; when it was put again meanwhile (a newer generation) it stays due.

        Nothing happens when the row went on without this worker, after its lease."""

    def fail(self, claimed: Claimed, *, after_s: int) -> None:
        """Due again in so many seconds, one failure more; after the fifth in a row a person is told, once."""

    def extend(self, claimed: Claimed, seconds: int) -> None:
        """Lengthen the lease of work in progress."""

    def free_abandoned(self) -> int:
        """Make rows due at once whose worker is gone; gives how many."""

    def sweep(self, limit: int) -> int:
        """Forget done work, keys past their time and old prompts, at most `limit` of each; gives how many went."""


class CallbackStore(Protocol):
    """Where web keeps a callback before it answers."""

    def store(self, found: ReplyFound, *, body: bytes, headers: Mapping[str, str], peer: str) -> bool:
        """Keep it, encrypted, with its due work, in one transaction. False when the same bytes came before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An idempotent call may run."""

    call: IdempotentCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """It ran before: its stored answer."""

    status: int
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """Another process runs it now; come back in `retry_after_s`."""

    retry_after_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The key was used for another request."""


class IdempotencyKeys(Protocol):
    """The store of idempotency keys: each call is a transaction of its own."""

    def begin(
        self, call: Call, key: str, fingerprint: bytes, *, object_id: UUID, keep_days: int
    ) -> Begun | Replay | InFlight | Mismatch:
        """Insert the key with the object's id and a lease, or tell what became of the earlier call.

        A lease that ran out is taken over with the **first** object id."""

    def refuse(self, call: Call, idempotent: IdempotentCall, status: int, body: Json) -> None:
        """Store a final 4xx answer."""

    def release(self, call: Call, idempotent: IdempotentCall) -> None:
        """End the lease without an answer: the next call with the key runs (5xx, `busy`)."""
