"""What the operator does before there is an admin API: every act has a reason and leaves an audit row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from gateway.application.interfaces import Chance, Directory, Json, NewId
from gateway.application.ledger import LedgerService
from gateway.application.platforms import check_shop_tag
from gateway.domain import postings
from gateway.domain.businesses import ApiKey, Business, Platform
from gateway.domain.connections import Connection, Float
from gateway.domain.errors import Conflict, Invalid
from gateway.domain.fees import FeeSchedule, Settlement
from gateway.domain.ids import Prefix, encode
from gateway.domain.ledger import Journal

KEY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who acts, and why; both are kept for ever."""

    actor: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise Invalid("give a reason; it is kept with what you do", code="reason_required", param="/reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorDesk:
    """The operator's acts, past the row-level policies."""

    directory: Directory
    ledger: LedgerService
    new_id: NewId
    chance: Chance
    now: Callable[[], datetime]

    def add_platform(self, name: str, act: Act) -> Platform:
        """A platform, under which businesses are created."""
        platform = Platform(id=self.new_id(), name=name, created=self.now())
        self.directory.add_platform(platform)
        self._audit(act, "platform.create", platform.id)
        return platform

    def add_business(
        self,
        platform_id: UUID,
        name: str,
        shop_tag: str,
        act: Act,
        *,
        settlement: str = "instant",
        support_contact: str | None = None,
    ) -> Business:
        """A business. `shop_tag` is 2 to 5 capital letters, the head of every reference that its shoppers read."""
        check_shop_tag(shop_tag)
        try:
            policy = Settlement.parse(settlement)
        except ValueError as error:
            raise Invalid(str(error), code="settlement_invalid", param="/settlement") from None
        now = self.now()
        business = Business(
            id=self.new_id(),
            platform_id=platform_id,
            created=now,
            updated=now,
            name=name,
            shop_tag=shop_tag,
            statement_descriptor=name[:22],
            support_contact=support_contact,
            settlement=policy,
        )
        self.directory.add_business(business)
        self._audit(act, "business.create", business.id)
        return business

    def open_business(self, business_id: UUID, act: Act, *, payments: bool, payouts: bool) -> None:
        """Open or close a live business's capabilities; test mode is always open."""
        self.directory.open_business(business_id, payments=payments, payouts=payouts, now=self.now())
        self._audit(act, f"business.open payments={payments} payouts={payouts}", business_id)

    def issue_key(self, business: Business, *, livemode: bool, name: str, act: Act) -> tuple[ApiKey, str]:
        """A secret key: the row as kept, and the text that is shown this once."""
        secret = f"sk_{'live' if livemode else 'test'}_{self.chance.pick(KEY_ALPHABET, 40)}"
        key = ApiKey(
            id=self.new_id(),
            platform_id=business.platform_id,
            business_id=business.id,
            livemode=livemode,
            created=self.now(),
            name=name,
            key_hash=sha256(secret.encode()).digest(),
            last4=secret[-4:],
        )
        self.directory.add_key(key)
        self._audit(act, "api_key.create", key.id)
        return key, secret

    def revoke_key(self, key_id: UUID, act: Act) -> None:
        """End a key: web processes refuse it within a second."""
        self.directory.revoke_key(key_id, now=self.now())
        self._audit(act, "api_key.revoke", key_id)

    def close_alert(self, alert_id: UUID, act: Act) -> None:
        """Say that a person has looked."""
        self.directory.close_alert(alert_id, now=self.now())
        self._audit(act, "alert.close", alert_id)

    def add_float(self, title: str, *, livemode: bool, act: Act, currency: str = "KES") -> Float:
        """A pocket of money with a provider."""
        pocket = Float(id=self.new_id(), livemode=livemode, title=title, currency=currency, created=self.now())
        self.directory.add_float(pocket)
        self._audit(act, "float.create", pocket.id)
        return pocket

    def add_connection(
        self,
        code: str,
        title: str,
        float_id: UUID,
        config: Mapping[str, object],
        *,
        livemode: bool,
        act: Act,
    ) -> Connection:
        """A configured plugin; the caller has checked the configuration against its schema."""
        now = self.now()
        connection = Connection(
            id=self.new_id(),
            livemode=livemode,
            created=now,
            updated=now,
            title=title,
            code=code,
            tag=self.chance.secret_hex()[:8],
            float_id=float_id,
            config=dict(config),
        )
        self.directory.add_connection(connection)
        self._audit(act, "connection.create", connection.id)
        return connection

    def resume_connection(self, connection_id: UUID, act: Act) -> None:
        """Take up work again on a paused connection."""
        self.directory.set_connection_state(connection_id, paused_for=None, now=self.now())
        self._audit(act, "connection.resume", connection_id)

    def pause_connection(self, connection_id: UUID, act: Act) -> None:
        """Let nothing out over a connection, questions neither; callbacks are taken in."""
        self.directory.set_connection_state(connection_id, paused_for=act.reason, now=self.now())
        self._audit(act, "connection.pause", connection_id)

    def set_fee(
        self, schedule: FeeSchedule, product: str, business_id: UUID | None, act: Act, *, since: datetime | None = None
    ) -> None:
        """A price for `collect` or `payout`, from now or `since` on; payments that froze an earlier one keep it."""
        self.directory.add_fee_schedule(
            schedule, product=product, business_id=business_id, effective_from=since or self.now()
        )
        self._audit(act, f"fee_schedule.create {product}", schedule.id)

    def record_move(
        self, source: UUID | None, target: UUID, units: int, *, livemode: bool, act: Act, ticket: str
    ) -> None:
        """Money moved in the provider's portal: between two floats, or the owners' own (`source` None) into one.

        `ticket` makes it happen once: the same ticket again changes nothing.
        """
        if units <= 0:
            raise Invalid("an amount is a positive whole number of minor units", code="amount_invalid", param="/amount")
        at = self.now()
        if source == target:
            raise Conflict("source and target are the same float", code="same_float")
        for journal in _move(source, target, units, livemode=livemode, ticket=ticket, at=at):
            self.ledger.post_now(journal)
        self.directory.settle_float_alert(target)
        self._audit(act, f"float.record {ticket}", target)

    def overview(self) -> Json:
        """Platforms, businesses, connections, floats and open alerts, for a person to read."""
        return {
            "platforms": [encode(Prefix.PLATFORM, p.id) + " " + p.name for p in self.directory.platforms()],
            "businesses": [encode(Prefix.BUSINESS, b.id) + " " + b.name for b in self.directory.businesses()],
            "connections": [
                f"{encode(Prefix.CONNECTION, c.id)} {c.code} {c.title} {c.state.value}"
                for c in self.directory.connections()
            ],
            "floats": [encode(Prefix.FLOAT, f.id) + " " + f.title for f in self.directory.floats()],
            "alerts": list(self.directory.alerts()),
        }

    def note(self, act: Act, action: str, subject_id: UUID | None) -> None:
        """Keep who did what, and why."""
        self._audit(act, action, subject_id)

    def _audit(self, act: Act, action: str, subject_id: UUID | None) -> None:
        self.directory.audit(act.actor, action, subject_id, act.reason, self.now())


def _move(
    source: UUID | None, target: UUID, units: int, *, livemode: bool, ticket: str, at: datetime
) -> Sequence[Journal]:
    if source is None:
        return [postings.owners_funding(ticket, target, units, livemode=livemode, at=at)]
    return [
        postings.own_sent(ticket, source, units, livemode=livemode, at=at),
        postings.own_received(ticket, target, units, livemode=livemode, at=at),
    ]
