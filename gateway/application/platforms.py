"""A platform's own affairs: its businesses, and the events of all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from gateway.application.answers import answered
from gateway.application.commands import ListQuery
from gateway.application.interfaces import Call, Json, KeyFound, OpenUnit, Scope
from gateway.application.lists import listed, page_of
from gateway.application.representations import business as shown
from gateway.domain.businesses import HOUSE, Business
from gateway.domain.errors import Denied, Invalid
from gateway.domain.fees import Settlement
from gateway.domain.ids import Prefix, encode

#: How much of a name a statement shows, where nothing else is said.
DESCRIPTOR_MAX = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBusiness:
    """`shop_tag`: 2 to 5 capital letters, of this business alone. `settlement`: `instant` or `T+n`."""

    name: str
    shop_tag: str
    statement_descriptor: str | None = None
    support_contact: str | None = None
    settlement: str = "instant"
    metadata: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageBusinesses:
    """For a platform's keys; `by` is the caller's. Anything of another platform is not there."""

    unit: OpenUnit

    def create(self, command: NewBusiness, by: KeyFound, call: Call) -> Json:
        """The business. Its live capabilities are closed until the operator opens them.

        The same idempotent call again gives the same business. Raises Conflict (`shop_tag_taken`), Invalid.
        """
        _check_is_platforms(by)
        check_shop_tag(command.shop_tag)
        settlement = _settlement(command.settlement)
        with self.unit(_house(call), call=call) as work:
            work.access.act_for(by.platform_id)
            one = Business(
                id=call.idempotency.object_id if call.idempotency else work.new_id(),
                platform_id=by.platform_id,
                created=work.now,
                updated=work.now,
                metadata=dict(command.metadata or {}),
                name=command.name,
                shop_tag=command.shop_tag,
                statement_descriptor=command.statement_descriptor or command.name[:DESCRIPTOR_MAX],
                support_contact=command.support_contact,
                settlement=settlement,
            )
            work.access.add_business(one)
            work.access.audit(actor_of(call), "business.create", one.id, f"request {call.request_id}")
            return answered(work, 201, shown(one))

    def page(self, query: ListQuery, by: KeyFound, call: Call) -> Json:
        """A page of the platform's businesses, newest first; a business's own key sees itself."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            if by.business_id is not None:
                return listed([shown(work.businesses.get())], more=False)
            work.access.act_for(by.platform_id)
            found, more = work.access.businesses(page_of(query), by.platform_id)
            return listed([shown(one) for one in found], more)

    def get(self, business_id: UUID, by: KeyFound, call: Call) -> Json:
        """One business."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.access.act_for(_platform_for(business_id, by))
            return shown(work.access.business(business_id, by.platform_id))

    def change(self, business_id: UUID, fields: dict[str, Any], by: KeyFound, call: Call) -> Json:
        """The changed business. A shop tag never changes: it stands on shoppers' statements. Emits business.updated."""
        # Looked up in the caller's own scope first: in the business's, a stranger's would be there.
        self.get(business_id, by, call)
        with self.unit(Scope(business_id=business_id, livemode=call.livemode), call=call) as work:
            work.access.act_for(_platform_for(business_id, by))
            one = work.access.business(business_id, by.platform_id)
            if "settlement" in fields:
                # When money becomes available is the platform's to say, not its shop's.
                _check_is_platforms(by)
                fields = {**fields, "settlement": _settlement(fields["settlement"])}
            if "metadata" in fields:
                fields = {**fields, "metadata": dict(fields["metadata"] or {})}
            changed = work.access.save_business(replace(one, **fields, updated=work.now))
            before, after = shown(one), shown(changed)
            previous = {name: before[name] for name in before if before[name] != after[name] and name in fields}
            work.events.put("business.updated", changed.id, after, previous)
            work.access.audit(actor_of(call), "business.change", one.id, f"request {call.request_id}")
            return after

    def events(self, query: ListQuery, by: KeyFound, call: Call) -> Json:
        """A page of events of all the platform's businesses in the mode, newest first. Filter: type."""
        with self.unit(_house(call), call=call, read_only=True) as work:
            found, more = work.access.events(page_of(query), by.platform_id)
            return listed(list(found), more)

    def event(self, event_id: UUID, by: KeyFound, call: Call) -> Json:
        """One of them."""
        with self.unit(_house(call), call=call, read_only=True) as work:
            return work.access.event(event_id, by.platform_id)


def actor_of(call: Call) -> str:
    """Who acted, for the audit: the key, and the platform when it acts for a business."""
    key = f"key {encode(Prefix.API_KEY, call.key_id)}" if call.key_id else "gateway"
    return key if call.owner_id is None else f"{key} of {encode(Prefix.PLATFORM, call.owner_id)}"


def check_shop_tag(tag: str) -> None:
    """Raises Invalid."""
    if not (2 <= len(tag) <= 5 and tag.isascii() and tag.isalpha() and tag.isupper()):
        raise Invalid("a shop tag is 2 to 5 capital letters", code="shop_tag_invalid", param="/shop_tag")


def _check_is_platforms(by: KeyFound) -> None:
    if by.business_id is not None:
        raise Denied("this is for the platform's own keys", code="platform_key_required")


def _platform_for(business_id: UUID, by: KeyFound) -> UUID:
    """The platform to look in; of a business's own key's, nothing but itself is there."""
    return by.platform_id if by.business_id in (None, business_id) else HOUSE


def _settlement(text: str) -> Settlement:
    try:
        return Settlement.parse(text)
    except ValueError as error:
        raise Invalid(str(error), code="settlement_invalid", param="/settlement") from None


def _house(call: Call) -> Scope:
    return Scope(business_id=HOUSE, livemode=call.livemode)
