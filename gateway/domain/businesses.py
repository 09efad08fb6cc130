"""Who is served: platforms, their businesses, and the keys by which they call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway.domain.api_keys import KeyKind
from gateway.domain.fees import Settlement

#: Whose rows are that belong to no business yet (money nobody claimed, a connection's own callbacks): the operator's.
#: No business has this id, so no key ever reaches such a row.
HOUSE = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The integrator."""

    id: UUID
    name: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """A shop. `shop_tag` (2 to 5 capital letters) begins every reference that a shopper reads.

    The capabilities are live mode's: test mode is always open.
    """

    id: UUID
    platform_id: UUID
    created: datetime
    updated: datetime
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    name: str
    shop_tag: str
    statement_descriptor: str
    support_contact: str | None = None
    settlement: Settlement = field(default_factory=Settlement)
    payments_enabled: bool = False
    payouts_enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as kept: only its hash, and the last four characters to recognise it by.

    `scopes` are a restricted key's; `addresses` are networks in CIDR, none for anywhere. `rolled_to` is the key that
    takes its place. `last_used` is exact to the minute.
    """

    id: UUID
    platform_id: UUID
    business_id: UUID | None
    livemode: bool
    created: datetime
    name: str
    key_hash: bytes
    last4: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    kind: KeyKind = KeyKind.SECRET
    scopes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    last_used: datetime | None = None
    rolled_to: UUID | None = None
