"""Payment links as a business keeps them, and the public page that makes a payment each time that somebody pays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.amounts import asset_of, life_of, money_of
from gateway.application.answers import answered, refuse_other_request
from gateway.application.checkout import SESSION_LIFE_S, check_return_url
from gateway.application.commands import ListQuery, NewPayment
from gateway.application.interfaces import (
    AlreadyMade,
    Call,
    Chance,
    Json,
    LinkDoor,
    LinkFound,
    OpenUnit,
    Providers,
    UnitOfWork,
)
from gateway.application.lists import listed, page_of
from gateway.application.payments import announce_new, check_some_rail_takes, new_payment, require_open
from gateway.application.replies import secret_hash
from gateway.domain.checkout import CheckoutSession
from gateway.domain.errors import Invalid, NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.payment_links import LinkUse, PaymentLink
from ports.money import Money

#: What payments, and their business, know of where they came from.
LINK_KEY = "payment_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """`amount` in minor units, or None where the visitor types it from `amount_min` to `amount_max`."""

    currency: str
    amount: int | None = None
    amount_min: int | None = None
    amount_max: int | None = None
    description: str | None = None
    max_uses: int | None = None
    expires_at: datetime | None = None
    success_url: str | None = None
    metadata: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """What to change; fields that aren't named stay. A sum never changes: that is another link."""

    link_id: UUID
    fields: Json


class LinkUrl:
    """Makes a link's URL from its secret: `{public URL}/l/{secret}`."""

    __slots__ = ("_base",)

    def __init__(self, public_url: str) -> None:
        self._base = public_url.rstrip("/")

    def __call__(self, secret: str) -> str:
        return f"{self._base}/l/{secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageLinks:
    """Create, read and change payment links."""

    unit: OpenUnit
    chance: Chance
    url: LinkUrl
    providers: Providers

    def create(self, command: NewLink, call: Call) -> Json:
        """The link with its `url`. Raises Invalid naming the field."""
        _check_sum(self.providers, command)
        check_return_url(command.success_url, "/success_url")
        secret = self.chance.secret_hex()
        try:
            with self.unit(call.scope, call=call) as work:
                require_open(work, call, "payments")
                if command.expires_at is not None and command.expires_at <= work.now:
                    raise Invalid("expires_at must lie in the future", param="/expires_at")
                link = PaymentLink(
                    id=call.idempotency.object_id if call.idempotency else work.new_id(),
                    business_id=call.business_id,
                    livemode=call.livemode,
                    created=work.now,
                    updated=work.now,
                    metadata=dict(command.metadata or {}),
                    currency=asset_of(command.currency),
                    amount_units=command.amount,
                    amount_min=command.amount_min,
                    amount_max=command.amount_max,
                    description=command.description,
                    max_uses=command.max_uses,
                    expires_at=command.expires_at,
                    success_url=command.success_url,
                    secret_hash=secret_hash(secret),
                )
                work.links.add(link, secret, call.idempotency)
                return answered(work, 201, shown_link(link, work.now, url=self.url(secret)))
        except AlreadyMade as made:
            refuse_other_request(made)
            with self.unit(call.scope, call=call) as work:
                return answered(work, 201, self._shown(work, work.links.get(made.object_id)))

    def get(self, link_id: UUID, call: Call) -> Json:
        """One link, with its URL."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            return self._shown(work, work.links.get(link_id))

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of links, newest first. Filters: active."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found, more = work.links.page(page_of(query))
            return listed([self._shown(work, one) for one in found], more)

    def change(self, command: LinkChange, call: Call) -> Json:
        """The changed link: description, max_uses, expires_at, active, success_url, metadata."""
        fields = dict(command.fields)
        check_return_url(fields.get("success_url"), "/success_url")
        if "metadata" in fields:
            fields["metadata"] = dict(fields["metadata"] or {})
        with self.unit(call.scope, call=call) as work:
            link = work.links.get(command.link_id, lock=True)
            limit = fields.get("max_uses")
            if limit is not None and limit < link.uses:
                raise Invalid(f"the link was used {link.uses} times already", param="/max_uses")
            changed = work.links.save(replace(link, **fields, updated=work.now))
            return answered(work, 200, self._shown(work, changed))

    def _shown(self, work: UnitOfWork, link: PaymentLink) -> Json:
        return shown_link(link, work.now, url=self.url(work.links.secret(link.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkVisit:
    """All that the link's page needs. `closed` says why it takes no payment, or is None; amounts are minor units."""

    shop: str
    support_contact: str | None
    description: str | None
    currency: str
    amount_units: int | None
    amount_min: int | None
    amount_max: int | None
    closed: str | None
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLink:
    """The visitor's side: everything goes through the page's secret, hashed before it is looked up."""

    unit: OpenUnit
    doors: LinkDoor
    chance: Chance
    providers: Providers

    def show(self, secret: str) -> LinkVisit:
        """What the page shows. Raises NotFound for a secret that opens nothing."""
        found = self._find(secret)
        with self.unit(_call(found).scope, read_only=True) as work:
            link, business = work.links.get(found.link_id), work.businesses.get()
            return LinkVisit(
                shop=business.name,
                support_contact=business.support_contact,
                description=link.description,
                currency=link.currency.code,
                amount_units=link.amount_units,
                amount_min=link.amount_min,
                amount_max=link.amount_max,
                closed=link.closed_for(work.now),
                livemode=link.livemode,
            )

    def new_token(self) -> str:
        """128 random bits as hex for one form: whoever posts it again is led to what it made."""
        return self.chance.secret_hex()

    def pay(self, secret: str, token: str, amount: int | None, *, request_id: str | None = None) -> str | None:
        """Make a session and its payment; gives the secret of the session's page, None when the link is closed.

        The same form's `token` gives the same page however often it is posted. `amount` counts for open links alone.
        Raises Invalid (`amount_…`) for a sum out of bounds.
        """
        found = self._find(secret)
        call, hashed = _call(found, request_id), sha256(token.encode()).digest()
        with self.unit(call.scope, call=call) as work:
            link = work.links.get(found.link_id, lock=True)
            earlier = work.links.use(link.id, hashed)
            if earlier is not None:
                return earlier[1]
            if link.closed_for(work.now) is not None:
                return None
            require_open(work, call, "payments")
            money = self._sum(link, amount)
            return self._open(work, call, link, money, hashed)

    def _sum(self, link: PaymentLink, typed: int | None) -> Money:
        units = link.amount_units if link.amount_units is not None else typed
        if units is None:
            raise Invalid("type an amount", code="amount_invalid", param="/amount")
        money = money_of(units, link.currency.code)
        check_some_rail_takes(self.providers, money)
        if link.amount_min is not None and units < link.amount_min:
            raise Invalid("the amount is below the link's least", code="amount_too_small", param="/amount")
        if link.amount_max is not None and units > link.amount_max:
            raise Invalid("the amount is above the link's most", code="amount_too_large", param="/amount")
        return money

    def _open(self, work: UnitOfWork, call: Call, link: PaymentLink, money: Money, hashed: bytes) -> str:
        """The secret of a new session; the link's lock makes its count exact."""
        secret, session_id = self.chance.secret_hex(), work.new_id()
        order = NewPayment(
            amount=money.units,
            currency=money.asset.code,
            description=link.description,
            metadata={**link.metadata, LINK_KEY: encode(Prefix.PAYMENT_LINK, link.id)},
        )
        payment = new_payment(work, order, money, call, life_of(None, SESSION_LIFE_S), session_id=session_id)
        session = CheckoutSession(
            id=session_id,
            business_id=call.business_id,
            livemode=call.livemode,
            created=work.now,
            updated=work.now,
            metadata=dict(payment.metadata),
            payment_id=payment.id,
            secret_hash=secret_hash(secret),
            success_url=link.success_url,
            cancel_url=None,
            expires_at=payment.expires_at,
        )
        work.payments.add(payment, None)
        work.sessions.add(session, None)
        use = LinkUse(
            id=work.new_id(),
            created=work.now,
            link_id=link.id,
            token_hash=hashed,
            session_id=session.id,
            payment_id=payment.id,
        )
        work.links.add_use(use, secret)
        work.links.save(link.used(work.now))
        announce_new(work, payment)
        return secret

    def _find(self, secret: str) -> LinkFound:
        found = self.doors.link(secret_hash(secret))
        if found is None:
            raise NotFound("this page doesn't exist; check the link that the shop gave you")
        return found


def shown_link(one: PaymentLink, now: datetime, *, url: str) -> Json:
    """A payment link as the API shows it."""
    return {
        "id": encode(Prefix.PAYMENT_LINK, one.id),
        "object": "payment_link",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "created": shown.moment(one.created),
        "updated": shown.moment(one.updated),
        "version": one.version,
        "metadata": dict(one.metadata),
        "amount": one.amount_units,
        "amount_min": one.amount_min,
        "amount_max": one.amount_max,
        "currency": one.currency.code,
        "description": one.description,
        "max_uses": one.max_uses,
        "uses": one.uses,
        "expires_at": shown.moment(one.expires_at),
        "active": one.active,
        "status": one.closed_for(now) or "open",
        "success_url": one.success_url,
        "url": url,
    }


def _check_sum(providers: Providers, command: NewLink) -> None:
    if command.amount is not None:
        if command.amount_min is not None or command.amount_max is not None:
            raise Invalid("give an amount, or bounds for an open one", code="link_amount_invalid", param="/amount")
        check_some_rail_takes(providers, money_of(command.amount, command.currency))
        return
    low, high = command.amount_min, command.amount_max
    for units in (low, high):
        if units is not None:
            check_some_rail_takes(providers, money_of(units, command.currency))
    asset_of(command.currency)
    if low is not None and high is not None and low > high:
        raise Invalid("amount_min must not be above amount_max", code="link_amount_invalid", param="/amount_min")


def _call(found: LinkFound, request_id: str | None = None) -> Call:
    return Call(business_id=found.business_id, livemode=found.livemode, request_id=request_id)
