"""The ways to pay and to be paid that a business can use: what each can do by its plugin, and whether it works."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.application.interfaces import Call, Json, OpenUnit, Providers, UnitOfWork
from gateway.application.representations import moment
from gateway.domain.connections import Connection
from gateway.domain.maintenance import Halt
from ports.abilities import Ability
from ports.payment_rail import RailCapabilities, StartsBy
from ports.payout_channel import ChannelCapabilities
from ports.registration import Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRails:
    """Lists what is connected in the caller's mode."""

    unit: OpenUnit
    providers: Providers

    def __call__(self, call: Call) -> Json:
        """A list in one page: ways to collect first. What no connection serves is left out."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            data = [*self._collecting(work), *self._paying(work)]
        return {"object": "list", "data": data, "has_more": False, "next_cursor": None}

    def _collecting(self, work: UnitOfWork) -> Iterable[Json]:
        for method, codes in self.providers.methods().items():
            connection = work.connections.for_method(codes)
            if connection is not None:
                offer = self.providers.rail_capabilities(connection.code)
                standing = _standing(work, connection, Halt.PAYMENTS)
                yield {**_said(method, "collect", offer), **_of_rail(offer), **standing}

    def _paying(self, work: UnitOfWork) -> Iterable[Json]:
        for kind, codes in self.providers.destinations().items():
            connection = work.connections.for_method(codes)
            if connection is not None:
                offer = self.providers.channel_capabilities(connection.code)
                standing = _standing(work, connection, Halt.PAYOUTS)
                yield {**_said(kind, "pay_out", offer), **_of_channel(offer), **standing}


def _said(method: str, direction: str, offer: Capabilities) -> Json:
    return {
        "object": "rail",
        "method": method,
        "direction": direction,
        "currencies": [asset.code for asset in offer.assets],
        "amount_min": offer.amount_min,
        "amount_max": offer.amount_max,
        "amount_granularity": offer.amount_granularity,
        "callbacks": offer.callback.value,
        "look_up": offer.look_up.value,
    }


def _of_rail(offer: RailCapabilities) -> Json:
    return {
        "starts_by": offer.starts_by.value,
        "fixed_amount": offer.fixed_amount,
        "prompt_life_s": offer.prompt_life_s if offer.starts_by is StartsBy.PROMPT else None,
        "refunds": {
            "supported": Ability.REFUND.value in offer.abilities,
            "partial": Ability.REFUND.value in offer.abilities and offer.partial_refunds,
            "destination": offer.refund_destination.value,
        },
        "destinations": [],
    }


def _of_channel(offer: ChannelCapabilities) -> Json:
    return {
        "starts_by": None,
        "fixed_amount": True,
        "prompt_life_s": None,
        "refunds": None,
        "destinations": [kind.value for kind in offer.destinations],
    }


def _standing(work: UnitOfWork, connection: Connection, what: Halt) -> Json:
    """Whether something new is taken now; else why not, and until when where that is known."""
    held = connection.hold(what, work.now)
    if held is not None:
        return _unavailable(held.reason, held.until)
    wait_s = work.breakers.get(connection.id).refuses_for_s(work.now)
    if wait_s:
        return _unavailable("not_answering", work.now + timedelta(seconds=wait_s))
    return {"status": "available", "reason": None, "until": None}


def _unavailable(reason: str, until: datetime | None) -> Json:
    word = "paused" if reason == "channel_unavailable" else reason
    return {"status": "unavailable", "reason": word, "until": None if until is None else moment(until)}
