"""What travels between use cases and adapters: scopes, calls, pages, due work, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

#: A JSON object as the API shows it.
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """On whose behalf and in which mode a unit works; row-level policies are set from it."""

    business_id: UUID
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who calls, with which request: what events and answers remember of it.

    `idempotency` is the open idempotent call, when the caller sent a key. `owner_id` is the platform whose key acts for
    the business, None with a key of the business's own: idempotency keys of the two are apart. `due` is the work that a
    worker is at.
    """

    business_id: UUID
    livemode: bool
    request_id: str | None = None
    key_id: UUID | None = None
    owner_id: UUID | None = None
    idempotency: IdempotentCall | None = None
    due: AtHand | None = field(default=None, compare=False)

    @property
    def scope(self) -> Scope:
        """The scope of the call's units."""
        return Scope(business_id=self.business_id, livemode=self.livemode)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentCall:
    """A leased idempotency key: the object that this call makes bears `object_id`, also after a crash and a retry.

    `record_id` is the row of the key; `key_hash` and `fingerprint` go onto the object as well, under a unique key.
    `at` is the unit's time as the key was leased: a unit of the call works by it, and needs not ask.
    """

    record_id: UUID
    object_id: UUID
    key: str
    fingerprint: bytes
    owner_id: UUID | None = None
    at: datetime | None = None

    @property
    def key_hash(self) -> bytes:
        """32 bytes that stand for the key and its owner: the key itself may be anything that a caller thought of."""
        return sha256((self.owner_id.bytes if self.owner_id else b"") + self.key.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A keyset page: `limit` 1–100; at most one of the cursors; `created` bounds are inclusive/exclusive as named."""

    limit: int = 20
    starting_after: UUID | None = None
    ending_before: UUID | None = None
    created_gte: datetime | None = None
    created_gt: datetime | None = None
    created_lte: datetime | None = None
    created_lt: datetime | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Work that PostgreSQL remembers. There is one open row per (kind, subject): putting it again hurries it.

    `lane`: the connection that it goes over, where the database can't see it from the subject.
    """

    kind: str
    subject_id: UUID
    due_at: datetime
    lane: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Due work on its way to a worker, or in its hands.

    `generation` grows with every `put`: finishing an older one leaves the row due. `holder` is the worker that
    started on it, None before; `failures` counts the runs that failed in a row.
    """

    id: UUID
    kind: str
    subject_id: UUID
    business_id: UUID
    livemode: bool
    generation: int
    dispatches: int
    holder: int | None = None
    failures: int = 0

    @property
    def scope(self) -> Scope:
        """The scope of the work's units."""
        return Scope(business_id=self.business_id, livemode=self.livemode)


@dataclass(slots=True, kw_only=True)
class AtHand:
    """Due work that a worker is at; `ended` once a unit has finished its row in the unit's own commit."""

    claimed: Claimed
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyAddress:
    """A ReplyTo as kept: the secret's hash alone. `subject_kind` is `attempt` or `payout_attempt`."""

    id: UUID
    secret_hash: bytes
    connection_id: UUID
    business_id: UUID
    livemode: bool
    subject_kind: str
    subject_id: UUID
    purpose: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderExchange:
    """Evidence of one call we made: redacted, for timelines and support. `outcome` is a word (`pending`, `NotSent`)."""

    id: UUID
    subject_kind: str
    subject_id: UUID
    connection_id: UUID
    operation: str
    started_at: datetime
    ended_at: datetime
    outcome: str
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCallback:
    """A callback as it was kept: the body comes back decrypted. `purpose` is its address's: `look_up` for answers."""

    id: UUID
    reply_id: UUID
    connection_id: UUID
    subject_kind: str
    subject_id: UUID
    purpose: str
    received_at: datetime
    headers: Mapping[str, str]
    body: bytes
    peer: str
    weighed: bool


class AlreadyMade(Exception):
    """The object of an idempotency key exists: `object_id` names it, `same` says whether the request was the same."""

    def __init__(self, object_id: UUID, *, same: bool) -> None:
        super().__init__("an object with this idempotency key exists")
        self.object_id = object_id
        self.same = same
