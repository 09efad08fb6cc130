"""Keys and businesses as a platform or a business manages them, under the row policies of the web role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from gateway.adapters.persistence.businesses import business_of
from gateway.adapters.persistence.tables import api_key, audit, business
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Access, Json, KeyFound, Page
from gateway.domain.api_keys import KeyKind, network_of
from gateway.domain.businesses import ApiKey, Business
from gateway.domain.errors import Conflict, NotFound

#: Everything but the hash, which web may write and never read.
_OPEN = tuple(column for column in api_key.c if column.name != "key_hash")


class SqlAccess(Access):
    """`platform` is the caller's platform: the policies show nothing of another's."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def act_for(self, platform_id: UUID) -> None:
        self._tx.conn.execute(select(func.set_config("app.platform", str(platform_id), True)))

    def add_key(self, key: ApiKey) -> None:
        self._tx.conn.execute(insert(api_key), key_row(key))

    def key(self, key_id: UUID, *, lock: bool = False) -> ApiKey:
        # No row lock: the role may not update the whole row. The lock is on the id, and the transaction's.
        if lock:
            self._tx.conn.execute(text("SELECT pg_advisory_xact_lock(:it)"), {"it": key_id.int & (2**63 - 1)})
        return _key(self._tx.get(api_key, key_id, "key", columns=_OPEN))

    def keys(self, page: Page) -> tuple[Sequence[ApiKey], bool]:
        rows, more = self._tx.page(api_key, page, columns=_OPEN)
        return [_key(row) for row in rows], more

    def change_key(self, key_id: UUID, values: Mapping[str, Any]) -> None:
        self._tx.conn.execute(update(api_key).where(self._tx.own(api_key), api_key.c.id == key_id).values(**values))

    def add_business(self, one: Business) -> None:
        try:
            self._tx.conn.execute(insert(business), business_row(one))
        except IntegrityError as error:
            if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != "business_shop_tag":
                raise
            raise Conflict("another business has this shop tag", code="shop_tag_taken", param="/shop_tag") from None

    def business(self, business_id: UUID, platform_id: UUID) -> Business:
        stmt = select(business).where(business.c.id == business_id, business.c.platform_id == platform_id)
        row = self._tx.conn.execute(stmt).first()
        if row is None:
            raise NotFound("there is no such business")
        return business_of(row)

    def businesses(self, page: Page, platform_id: UUID) -> tuple[Sequence[Business], bool]:
        stmt = select(business).where(business.c.platform_id == platform_id)
        if page.ending_before is not None:
            stmt = stmt.where(business.c.id > page.ending_before).order_by(business.c.id)
        else:
            if page.starting_after is not None:
                stmt = stmt.where(business.c.id < page.starting_after)
            stmt = stmt.order_by(business.c.id.desc())
        found = [business_of(row) for row in self._tx.conn.execute(stmt.limit(page.limit + 1))]
        shown = found[: page.limit]
        return (shown[::-1] if page.ending_before is not None else shown), len(found) > page.limit

    def save_business(self, one: Business) -> Business:
        stmt = update(business).where(business.c.id == one.id, business.c.version == one.version)
        kept = ("metadata", "name", "statement_descriptor", "support_contact", "settlement", "updated")
        row = {name: value for name, value in business_row(one).items() if name in kept}
        if self._tx.conn.execute(stmt.values(**row, version=one.version + 1)).rowcount != 1:
            raise Conflict("somebody changed it in the meantime; read it again", code="stale_version")
        return self.business(one.id, one.platform_id)

    def events(self, page: Page, platform_id: UUID) -> tuple[Sequence[Json], bool]:
        found = func.gateway.platform_events(
            platform_id,
            self._tx.scope.livemode,
            page.filters.get("type"),
            page.starting_after,
            page.ending_before,
            page.limit + 1,
        ).table_valued("id", "payload")
        rows = self._tx.conn.execute(select(found.c.payload)).scalars().all()
        shown = list(rows[: page.limit])
        return (shown[::-1] if page.ending_before is not None else shown), len(rows) > page.limit

    def event(self, event_id: UUID, platform_id: UUID) -> Json:
        asked = select(func.gateway.platform_event(platform_id, self._tx.scope.livemode, event_id))
        found: Json | None = self._tx.conn.execute(asked).scalar()
        if found is None:
            raise NotFound("there is no such event")
        return found

    def audit(self, actor: str, action: str, subject_id: UUID, reason: str) -> None:
        row = {"actor": actor, "action": action, "subject_id": subject_id, "reason": reason, "at": self._tx.now}
        self._tx.conn.execute(insert(audit).values(id=self._tx.new_id(), **row))


def key_found(row: Any) -> KeyFound:
    """What authentication is told of a key."""
    return KeyFound(
        key_id=row.key_id,
        platform_id=row.platform_id,
        business_id=row.business_id,
        livemode=row.livemode,
        kind=KeyKind(row.kind),
        scopes=frozenset(row.scopes),
        addresses=tuple(network_of(text) for text in row.addresses),
        expires_at=row.expires_at,
        acts_for=row.acts_for,
    )


def key_row(key: ApiKey) -> dict[str, Any]:
    """The row of a key."""
    return {
        "id": key.id,
        "platform_id": key.platform_id,
        "business_id": key.business_id,
        "livemode": key.livemode,
        "created": key.created,
        "name": key.name,
        "key_hash": key.key_hash,
        "last4": key.last4,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "kind": key.kind.value,
        "scopes": list(key.scopes),
        "addresses": list(key.addresses),
        "last_used": key.last_used,
        "rolled_to": key.rolled_to,
    }


def business_row(one: Business) -> dict[str, Any]:
    """The row of a business."""
    return {
        "id": one.id,
        "platform_id": one.platform_id,
        "created": one.created,
        "updated": one.updated,
        "version": one.version,
        "metadata": dict(one.metadata),
        "name": one.name,
        "shop_tag": one.shop_tag,
        "statement_descriptor": one.statement_descriptor,
        "support_contact": one.support_contact,
        "settlement": str(one.settlement),
        "payments_enabled": one.payments_enabled,
        "payouts_enabled": one.payouts_enabled,
    }


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        platform_id=row.platform_id,
        business_id=row.business_id,
        livemode=row.livemode,
        created=row.created,
        name=row.name,
        key_hash=b"",
        last4=row.last4,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        kind=KeyKind(row.kind),
        scopes=tuple(row.scopes),
        addresses=tuple(row.addresses),
        last_used=row.last_used,
        rolled_to=row.rolled_to,
    )
