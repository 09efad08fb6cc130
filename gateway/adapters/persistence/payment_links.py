"""Payment links as rows, and what their forms made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from gateway.adapters.persistence.tables import link_use as uses
from gateway.adapters.persistence.tables import payment_link as table
from gateway.adapters.persistence.transaction import Transaction, filtered
from gateway.application.interfaces import IdempotentCall, Page, PaymentLinks
from gateway.domain.errors import Conflict
from gateway.domain.payment_links import LinkUse, PaymentLink
from ports.money import ASSETS

_SECRET = "payment_link.secret"  # noqa: S105  # nosec B105
_SESSION_SECRET = "link_use.session_secret"  # noqa: S105  # nosec B105


class SqlPaymentLinks(PaymentLinks):
    """Payment links of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, link: PaymentLink, secret: str, idempotency: IdempotentCall | None) -> None:
        row = {
            "id": link.id,
            "created": link.created,
            "version": link.version,
            "currency": link.currency.code,
            "amount_units": link.amount_units,
            "amount_min": link.amount_min,
            "amount_max": link.amount_max,
            "secret": self._tx.seal(secret, _SECRET),
            "secret_hash": link.secret_hash,
            **_changeable(link),
        }
        if not self._tx.add_once(table, row, idempotency):
            raise Conflict("a link has this address already; create it again")

    def get(self, link_id: UUID, *, lock: bool = False) -> PaymentLink:
        return _link(self._tx.get(table, link_id, "payment link", lock=lock))

    def secret(self, link_id: UUID) -> str:
        row = self._tx.get(table, link_id, "payment link", columns=[table.c.secret])
        return self._tx.open(row.secret, _SECRET) or ""

    def save(self, link: PaymentLink) -> PaymentLink:
        return self._tx.saved(table, link, _changeable(link))

    def page(self, page: Page) -> tuple[Sequence[PaymentLink], bool]:
        rows, more = self._tx.page(table, page, *filtered(table, page, "active"))
        return [_link(row) for row in rows], more

    def use(self, link_id: UUID, token_hash: bytes) -> tuple[LinkUse, str] | None:
        mine = self._tx.own(uses), uses.c.link_id == link_id, uses.c.token_hash == token_hash
        row = self._tx.conn.execute(select(uses).where(*mine)).first()
        if row is None:
            return None
        use = LinkUse(
            id=row.id,
            created=row.created,
            link_id=row.link_id,
            token_hash=row.token_hash,
            session_id=row.session_id,
            payment_id=row.payment_id,
        )
        return use, self._tx.open(row.session_secret, _SESSION_SECRET) or ""

    def add_use(self, use: LinkUse, session_secret: str) -> None:
        row = {
            "id": use.id,
            "created": use.created,
            "link_id": use.link_id,
            "token_hash": use.token_hash,
            "session_id": use.session_id,
            "payment_id": use.payment_id,
            "session_secret": self._tx.seal(session_secret, _SESSION_SECRET),
        }
        self._tx.add(uses, row)


def _changeable(one: PaymentLink) -> dict[str, Any]:
    return {
        "updated": one.updated,
        "metadata": dict(one.metadata),
        "description": one.description,
        "max_uses": one.max_uses,
        "uses": one.uses,
        "expires_at": one.expires_at,
        "active": one.active,
        "success_url": one.success_url,
    }


def _link(row: Row[Any]) -> PaymentLink:
    return PaymentLink(
        id=row.id,
        business_id=row.business_id,
        livemode=row.livemode,
        created=row.created,
        updated=row.updated,
        version=row.version,
        metadata=row.metadata,
        currency=ASSETS[row.currency],
        amount_units=row.amount_units,
        amount_min=row.amount_min,
        amount_max=row.amount_max,
        description=row.description,
        max_uses=row.max_uses,
        uses=row.uses,
        expires_at=row.expires_at,
        active=row.active,
        success_url=row.success_url,
        secret_hash=row.secret_hash,
    )
