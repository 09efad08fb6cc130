"""Webhook endpoints as a business keeps them, and events as it reads them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.answers import answered
from gateway.application.commands import EndpointChange, ListQuery, NewEndpoint
from gateway.application.interfaces import Call, Chance, Due, Json, OpenUnit, Page, UnitOfWork
from gateway.application.lists import listed, page_of
from gateway.application.replays import make_good
from gateway.domain.addresses import is_loopback, may_go_to
from gateway.domain.errors import Invalid, NotFound
from gateway.domain.webhooks import (
    EVENT_TYPES,
    OVERLAP_MAX_S,
    DeliveryState,
    EndpointState,
    PayloadStyle,
    WebhookEndpoint,
)

URL_LENGTH_MAX = 2048
#: Names that mean this machine; only where loopback is allowed.
_OWN_NAMES = ("localhost",)
#: A name in letters that name servers know. One that ends in a number is an address in some dress: 0x7f.1, 2130706433.
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE)
_NUMBER = re.compile(r"(^|\.)(0x[0-9a-f]*|[0-9]+)$", re.IGNORECASE)
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageEndpoints:
    """Create, read, change and delete webhook endpoints. `allow_loopback`: this installation is for development."""

    unit: OpenUnit
    chance: Chance
    allow_loopback: bool = False

    def create(self, command: NewEndpoint, call: Call) -> Json:
        """The endpoint with its `secret`, which is shown to its maker alone. Raises Invalid naming the field."""
        check_url(command.url, allow_loopback=self.allow_loopback)
        events = checked_events(command.enabled_events)
        secret = new_secret(self.chance)
        with self.unit(call.scope, call=call) as work:
            endpoint = WebhookEndpoint(
                id=call.idempotency.object_id if call.idempotency else work.new_id(),
                business_id=call.business_id,
                livemode=call.livemode,
                created=work.now,
                updated=work.now,
                metadata=dict(command.metadata),
                url=command.url,
                secret=secret,
                enabled_events=events,
                description=command.description,
                payload=PayloadStyle(command.payload),
            )
            work.endpoints.add(endpoint)
            return answered(work, 201, shown.endpoint(endpoint, secret=secret))

    def get(self, endpoint_id: UUID, call: Call) -> Json:
        """One endpoint, without its secret."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            return shown.endpoint(work.endpoints.get(endpoint_id))

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of endpoints, newest first."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found, more = work.endpoints.page(page_of(query))
            return listed([shown.endpoint(e) for e in found], more)

    def change(self, command: EndpointChange, call: Call) -> Json:
        """The changed endpoint. Enabling it again sends what was open when it was disabled, and what it missed."""
        if command.url is not None:
            check_url(command.url, allow_loopback=self.allow_loopback)
        with self.unit(call.scope, call=call) as work:
            # Locked, since a worker may write at this moment what a try said of it.
            before = work.endpoints.get(command.endpoint_id, lock=True)
            wanted = _changed(before, command, work.now)
            if wanted != before:
                wanted = work.endpoints.save(replace(wanted, updated=work.now))
            if before.state is EndpointState.DISABLED and wanted.state is EndpointState.ENABLED:
                _resume(work, wanted.id)
                make_good(work, before)
            return answered(work, 200, shown.endpoint(wanted))

    def delete(self, endpoint_id: UUID, call: Call) -> None:
        """Delete it; its open deliveries end. Raises NotFound when it is gone already."""
        with self.unit(call.scope, call=call) as work:
            work.endpoints.delete(endpoint_id)

    def rotate(self, endpoint_id: UUID, overlap_s: int, call: Call) -> Json:
        """The endpoint with a new `secret`, shown this once; for `overlap_s` seconds the old one signs beside it.

        Rotating again within that time ends the older secret: at most two sign. Raises Invalid out of bounds.
        """
        if not 0 <= overlap_s <= OVERLAP_MAX_S:
            raise Invalid(f"overlap_s must be 0 to {OVERLAP_MAX_S} seconds", param="/overlap_s")
        secret = new_secret(self.chance)
        with self.unit(call.scope, call=call) as work:
            endpoint = work.endpoints.get(endpoint_id, lock=True)
            until = work.now + timedelta(seconds=overlap_s) if overlap_s else None
            rotated = replace(endpoint, secret=secret, previous_until=until, updated=work.now)
            return answered(work, 200, shown.endpoint(work.endpoints.rotate(rotated), secret=secret))

    def delivery(self, endpoint_id: UUID, delivery_id: UUID, call: Call) -> Json:
        """One delivery with each of its tries."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            one = work.deliveries.get(delivery_id)
            if one.endpoint_id != endpoint_id:
                raise NotFound("this endpoint has no such delivery")
            types = work.events.types([one.event_id])
            found = shown.delivery(one, event_type=types.get(one.event_id))
            return {**found, "attempts": [shown.delivery_try(t) for t in work.deliveries.tries(one.id)]}

    def deliveries(self, endpoint_id: UUID, query: ListQuery, call: Call) -> Json:
        """A page of what was told to it, newest first. Filters: state."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.endpoints.get(endpoint_id)
            found, more = work.deliveries.page(endpoint_id, page_of(query))
            types = work.events.types([d.event_id for d in found]) if found else {}
            return listed([shown.delivery(d, event_type=types.get(d.event_id)) for d in found], more)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEvents:
    """Read events: each as it was sent, with the payload that was fixed at the change."""

    unit: OpenUnit

    def get(self, event_id: UUID, call: Call) -> Json:
        """One event."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            return dict(work.events.get(event_id).payload)

    def page(self, query: ListQuery, call: Call) -> Json:
        """A page of events, newest first. Filters: those of `Events.page`."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found, more = work.events.page(page_of(query))
            return listed([dict(e.payload) for e in found], more)


def new_secret(chance: Chance) -> str:
    """`whsec_` and 32 random bytes in base 64: a key as Standard Webhooks wants it."""
    key = bytes.fromhex(chance.secret_hex() + chance.secret_hex())
    return "whsec_" + base64.b64encode(key).decode()


def check_url(url: str, *, allow_loopback: bool, param: str = "/url") -> None:
    """Where webhooks may go: an absolute https URL without credentials, to a public host. Raises Invalid.

    Where loopback is allowed, this machine may be named, also by plain http. What a name resolves to is checked again
    at each send.
    """
    parts = _parts(url, param)
    host = (parts.hostname or "").rstrip(".")
    try:
        own, open_ = is_loopback(host), may_go_to(host, allow_loopback=allow_loopback)
    except ValueError:
        own = host in _OWN_NAMES or host.endswith(".localhost")
        open_ = (allow_loopback or not own) and _NAME.fullmatch(host) is not None and _NUMBER.search(host) is None
    if not open_:
        raise _refused("webhooks go to public addresses only", param)
    if parts.scheme != "https" and not (own and allow_loopback):
        raise _refused("webhooks go over https only: give an https:// URL", param)


def _parts(url: str, param: str) -> SplitResult:
    if len(url) > URL_LENGTH_MAX:
        raise _refused(f"give a URL of at most {URL_LENGTH_MAX} characters", param)
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _refused("write the URL in printable ASCII: other letters percent-encoded, a name in punycode", param)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("give an absolute https:// URL with a valid host and port", param) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _refused("give an absolute https:// URL", param)
    if parts.username is not None or parts.password is not None:
        raise _refused("a URL must not hold a user name or password; webhooks are signed instead", param)
    if parts.fragment:
        raise _refused("a webhook URL has no fragment (#…)", param)
    return parts


def checked_events(wanted: tuple[str, ...], param: str = "/enabled_events") -> tuple[str, ...]:
    """The wanted events, each once: types, families with `.*`, or `*`. Raises Invalid naming the first wrong one."""
    if not wanted:
        raise Invalid('name at least one event, or "*" for all', code="event_type_unknown", param=param)
    for place, word in enumerate(wanted):
        if not _is_known(word):
            raise Invalid(
                "there is no such event; give a type (payment.succeeded), a family (payment.*) or *",
                code="event_type_unknown",
                param=f"{param}/{place}",
                extra={"known": list(EVENT_TYPES)},
            )
    return tuple(dict.fromkeys(wanted))


def _is_known(word: str) -> bool:
    if word.endswith(".*"):
        return any(known.startswith(word[:-1]) for known in EVENT_TYPES)
    return word == "*" or word in EVENT_TYPES


def _changed(one: WebhookEndpoint, command: EndpointChange, now: datetime) -> WebhookEndpoint:
    if command.url is not None:
        one = replace(one, url=command.url)
    if command.enabled_events is not None:
        one = replace(one, enabled_events=checked_events(command.enabled_events))
    if command.description is not None:
        one = replace(one, description=command.description)
    if command.metadata is not None:
        one = replace(one, metadata=dict(command.metadata))
    if command.payload is not None:
        one = replace(one, payload=PayloadStyle(command.payload))
    if command.enabled is True and one.state is EndpointState.DISABLED:
        one = one.enabled(now)
    elif command.enabled is False and one.state is not EndpointState.DISABLED:
        one = one.disabled("by_owner", now)
    return one


def _resume(work: UnitOfWork, endpoint_id: UUID) -> None:
    """Make its open deliveries due."""
    for state in (DeliveryState.PENDING, DeliveryState.RETRYING):
        last, more = None, True
        while more:
            page = Page(limit=_PAGE, starting_after=last, filters={"state": state})
            found, more = work.deliveries.page(endpoint_id, page)
            for delivery in found:
                work.due.put(Due(kind="webhook.deliver", subject_id=delivery.id, due_at=work.now))
                last = delivery.id


def _refused(detail: str, param: str) -> Invalid:
    return Invalid(detail, code="url_invalid", param=param)
