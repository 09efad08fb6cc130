"""Keys as a business manages them: made, listed, rolled with an overlap, revoked at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from gateway.application.answers import answered
from gateway.application.commands import ListQuery
from gateway.application.interfaces import Call, Chance, Json, KeyFound, OpenUnit, UnitOfWork
from gateway.application.lists import listed, page_of
from gateway.application.representations import moment
from gateway.domain.api_keys import (
    KEY_ALPHABET,
    KEY_LENGTH,
    KeyKind,
    checked_addresses,
    end_of_overlap,
    head_of,
    network_of,
)
from gateway.domain.businesses import ApiKey
from gateway.domain.errors import Conflict, Denied, Invalid
from gateway.domain.ids import Prefix, encode
from gateway.domain.scopes import checked_scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """`scopes` are a restricted key's, and only its; `addresses` networks in CIDR, none for anywhere."""

    kind: KeyKind
    name: str
    scopes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageKeys:
    """Each needs the caller's own key, `by`: a restricted one gives no more than it has."""

    unit: OpenUnit
    chance: Chance

    def create(self, command: NewKey, known: frozenset[str], by: KeyFound, call: Call) -> Json:
        """The key with `secret`, which is shown in this answer alone. `known` are all scopes that there are.

        Raises Invalid naming the field, Denied for a kind that the caller can't make.
        """
        scopes = _scopes(command, known, by)
        addresses = checked_addresses(command.addresses)
        if by.addresses and not _within(addresses, by):
            raise Denied("a key that is bound to addresses makes keys that are bound as well", code="address_not_held")
        with self.unit(call.scope, call=call) as work:
            work.access.act_for(by.platform_id)
            if command.expires_at is not None and command.expires_at <= work.now:
                raise Invalid("expires_at must lie in the future", param="/expires_at")
            key, secret = self._made(work, by, command.kind, command.name)
            key = replace(
                key, scopes=scopes, addresses=addresses, expires_at=_soonest(command.expires_at, by.expires_at)
            )
            work.access.add_key(key)
            _tell(work, "created", key)
            return answered(work, 201, {**shown_key(key), "secret": secret})

    def page(self, query: ListQuery, by: KeyFound, call: Call) -> Json:
        """A page of the business's keys in the mode, newest first, masked."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.access.act_for(by.platform_id)
            found, more = work.access.keys(page_of(query))
            return listed([shown_key(one) for one in found], more)

    def get(self, key_id: UUID, by: KeyFound, call: Call) -> Json:
        """One key, masked."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            work.access.act_for(by.platform_id)
            return shown_key(work.access.key(key_id))

    def roll(self, key_id: UUID, overlap_s: int, by: KeyFound, call: Call) -> Json:
        """A new key in the place of an old one, which works for `overlap_s` seconds more. Gives the new one.

        Raises Conflict (`key_ended`) when the old one has ended or was rolled before.
        """
        with self.unit(call.scope, call=call) as work:
            work.access.act_for(by.platform_id)
            old = work.access.key(key_id, lock=True)
            _check_may_touch(old, by)
            if _has_ended(old, work.now) or old.rolled_to is not None:
                raise Conflict("this key has ended or was rolled; make a new one", code="key_ended")
            key, secret = self._made(work, by, old.kind, old.name)
            key = replace(key, scopes=old.scopes, addresses=old.addresses, expires_at=old.expires_at)
            end = end_of_overlap(work.now, overlap_s, old.expires_at)
            work.access.add_key(key)
            work.access.change_key(old.id, {"expires_at": end, "rolled_to": key.id})
            _tell(work, "rolled", replace(old, expires_at=end, rolled_to=key.id))
            _tell(work, "created", key)
            return answered(work, 200, {**shown_key(key), "secret": secret})

    def revoke(self, key_id: UUID, by: KeyFound, call: Call) -> Json:
        """End a key: every web process refuses it within a second. Again: nothing more happens."""
        with self.unit(call.scope, call=call) as work:
            work.access.act_for(by.platform_id)
            key = work.access.key(key_id, lock=True)
            _check_may_touch(key, by)
            if key.revoked_at is None:
                key = replace(key, revoked_at=work.now)
                work.access.change_key(key.id, {"revoked_at": work.now})
                _tell(work, "revoked", key)
            return answered(work, 200, shown_key(key))

    def _made(self, work: UnitOfWork, by: KeyFound, kind: KeyKind, name: str) -> tuple[ApiKey, str]:
        return new_key(
            self.chance, work.new_id(), by.platform_id, work.scope.business_id, kind, name, work.now,
            livemode=work.scope.livemode,
        )  # fmt: skip


def new_key(
    chance: Chance,
    key_id: UUID,
    platform_id: UUID,
    business_id: UUID | None,
    kind: KeyKind,
    name: str,
    now: datetime,
    *,
    livemode: bool,
) -> tuple[ApiKey, str]:
    """A key as it is kept, and its text, which nobody can make from that again."""
    secret = head_of(kind, livemode=livemode) + chance.pick(KEY_ALPHABET, KEY_LENGTH)
    key = ApiKey(
        id=key_id,
        platform_id=platform_id,
        business_id=business_id,
        livemode=livemode,
        created=now,
        name=name,
        key_hash=sha256(secret.encode()).digest(),
        last4=secret[-4:],
        kind=kind,
    )
    return key, secret


def shown_key(key: ApiKey) -> Json:
    """A key as the API shows it: never enough to use it."""
    return {
        "id": encode(Prefix.API_KEY, key.id),
        "object": "api_key",
        "livemode": key.livemode,
        "business": None if key.business_id is None else encode(Prefix.BUSINESS, key.business_id),
        "created": moment(key.created),
        "kind": key.kind.value,
        "name": key.name,
        "masked": f"{head_of(key.kind, livemode=key.livemode)}…{key.last4}",
        "scopes": list(key.scopes),
        "addresses": list(key.addresses),
        "expires_at": moment(key.expires_at),
        "revoked_at": moment(key.revoked_at),
        "last_used": moment(key.last_used),
        "rolled_to": None if key.rolled_to is None else encode(Prefix.API_KEY, key.rolled_to),
    }


def _scopes(command: NewKey, known: frozenset[str], by: KeyFound) -> tuple[str, ...]:
    held = by.scopes if by.kind is KeyKind.RESTRICTED else None
    if held is not None and command.kind is not KeyKind.RESTRICTED:
        raise Denied("a restricted key makes restricted keys alone", code="scope_not_held")
    if (command.kind is KeyKind.RESTRICTED) is not bool(command.scopes):
        raise Invalid("a restricted key needs scopes, and no other takes any", code="scope_unknown", param="/scopes")
    return checked_scopes(command.scopes, known, held)


def _check_may_touch(key: ApiKey, by: KeyFound) -> None:
    """A restricted key rolls and revokes what has no more than it has itself: rolling shows a secret."""
    if by.kind is KeyKind.RESTRICTED and (key.kind is not KeyKind.RESTRICTED or not by.scopes >= set(key.scopes)):
        raise Denied("that key may do more than this one", code="scope_not_held")


def _within(addresses: tuple[str, ...], by: KeyFound) -> bool:
    return bool(addresses) and all(
        any(
            new.version == held.version and new.subnet_of(held)  # type: ignore[arg-type]
            for held in by.addresses
        )
        for new in map(network_of, addresses)
    )


def _soonest(asked: datetime | None, makers: datetime | None) -> datetime | None:
    """A key doesn't outlive the one that made it, when that one ends by a date."""
    ends = [end for end in (asked, makers) if end is not None]
    return min(ends) if ends else None


def _has_ended(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)


def _tell(work: UnitOfWork, what: str, key: ApiKey) -> None:
    """The event, and the audit row, in the same unit."""
    work.events.put(f"api_key.{what}", key.id, shown_key(key))
    call = work.call
    actor = f"key {encode(Prefix.API_KEY, call.key_id)}" if call is not None and call.key_id else "gateway"
    reason = f"request {call.request_id}" if call is not None and call.request_id else "by the API"
    work.access.audit(actor, f"api_key.{what}", key.id, reason)
