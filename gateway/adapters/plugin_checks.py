"""What an offer must keep before the gateway starts with it: its contract version, and capabilities that make sense."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass

from ports.abilities import (
    Ability,
    ChecksItself,
    History,
    KnowsHolders,
    MovesOwn,
    ReadsBalance,
    ReadsFiles,
    Refunds,
    Registers,
)
from ports.payment_rail import RailCapabilities, StartsBy
from ports.payout_channel import ChannelCapabilities
from ports.registration import CONTRACT_VERSION, CallbackScope, Capabilities, LookUp, ReferenceForm, Registration

#: Ability → the protocol that the built adapter must keep.
PROTOCOLS: Mapping[str, type] = {
    Ability.REFUND: Refunds,
    Ability.HISTORY: History,
    Ability.REGISTER: Registers,
    Ability.BALANCE: ReadsBalance,
    Ability.HOLDER_NAME: KnowsHolders,
    Ability.MOVE_OWN: MovesOwn,
    Ability.READ_FILE: ReadsFiles,
    Ability.SELF_CHECK: ChecksItself,
}

_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
#: The text of a UUID.
_UUID_LENGTH = 36


def rail_faults(offer: object) -> list[str]:
    """What is wrong with an offered rail, in sentences; nothing when it is sound."""
    if not isinstance(offer, Registration):
        return ["not a Registration"]
    faults = _offer_faults(offer)
    said = offer.capabilities
    if not isinstance(said, RailCapabilities):
        return [*faults, "a rail declares RailCapabilities"]
    if said.starts_by is StartsBy.PROMPT:
        if said.prompt_life_s < 1:
            faults.append("a prompt has a life of at least a second")
        if said.callback is CallbackScope.NONE and said.look_up is LookUp.NONE:
            faults.append("a prompt without callback and look-up can never end")
    if said.grace_s < 0:
        faults.append("grace_s is below zero")
    return [*faults, *_capability_faults(said)]


def channel_faults(offer: object) -> list[str]:
    """What is wrong with an offered channel, in sentences; nothing when it is sound."""
    if not isinstance(offer, Registration):
        return ["not a Registration"]
    faults = _offer_faults(offer)
    said = offer.capabilities
    if not isinstance(said, ChannelCapabilities):
        return [*faults, "a channel declares ChannelCapabilities"]
    if not said.destinations:
        faults.append("no destination")
    if said.max_items < 1:
        faults.append("max_items is below one")
    if said.absence_s is not None and said.absence_s < 1:
        faults.append("absence_s is below one second")
    if said.cut_off_hours is not None and not 0 <= said.cut_off_hours[0] < said.cut_off_hours[1] <= 24:
        faults.append("cut_off_hours are not (from, to) of one day")
    return [*faults, *_capability_faults(said)]


#: Fields of a Registration or of its capabilities that the next version of the contract won't have, and what to do. A
#: hook that goes is marked at its specification (`hookspec(warn_on_impl=…)`), and pluggy warns.
DEPRECATED: dict[str, str] = {}


def deprecated_in(offer: object) -> list[tuple[str, str]]:
    """What of an offer is deprecated: fields that are set to something else than their default, with advice."""
    places = [offer, getattr(offer, "capabilities", None)]
    return [
        (one.name, DEPRECATED[one.name])
        for place in places
        if is_dataclass(place) and not isinstance(place, type)
        for one in fields(place)
        if one.name in DEPRECATED and getattr(place, one.name) != _default(one)
    ]


def _default(one: Field[object]) -> object:
    return one.default if one.default_factory is MISSING else one.default_factory()


def missing_protocols(line: object, said: Capabilities) -> list[str]:
    """The abilities that an adapter declares and doesn't keep, each with the protocol that it lacks.

    `validate` is kept by the registration, and asked nothing of the adapter."""
    return [
        f"{ability} is declared, but the adapter lacks {_shortfall(line, PROTOCOLS[ability])}"
        for ability in said.abilities
        if ability in PROTOCOLS and not isinstance(line, PROTOCOLS[ability])
    ]


def _shortfall(line: object, protocol: type) -> str:
    wanted = [name for name in vars(protocol) if not name.startswith("_")]
    lacking = [f"{name}()" for name in wanted if not hasattr(line, name)]
    return f"ports.abilities.{protocol.__name__} ({', '.join(lacking)})"


def _offer_faults(offer: Registration[object]) -> list[str]:
    faults = []
    if offer.contract != CONTRACT_VERSION:
        faults.append(f"written for version {offer.contract} of the contract; this gateway speaks {CONTRACT_VERSION}")
    if not _CODE.fullmatch(offer.code):
        faults.append("the code is small letters, digits and _")
    if not _CODE.fullmatch(offer.method):
        faults.append("the method is small letters, digits and _")
    # Types promise these too, but a plugin may never have been type-checked.
    functions: list[object] = [offer.build, offer.redact]
    if not all(map(callable, functions)):
        faults.append("build and redact are functions")
    schema: object = offer.config_schema
    if not isinstance(schema, Mapping):
        faults.append("the configuration schema is no object")
    return faults


def _capability_faults(said: Capabilities) -> list[str]:
    faults = [*_amount_faults(said), *_reference_faults(said.reference_form), *_look_up_faults(said)]
    if not said.receipt_namespace:
        faults.append("no receipt namespace")
    for name in ("concurrency", "calls_per_s", "call_timeout_s"):
        if getattr(said, name) < 1:
            faults.append(f"{name} is below one")
    if len(set(said.abilities)) != len(said.abilities):
        faults.append("an ability is named twice")
    if unknown := [word for word in said.abilities if word not in set(Ability)]:
        faults.append(f"there is no ability {', '.join(map(str, unknown))}")
    return faults


def _amount_faults(said: Capabilities) -> list[str]:
    faults = []
    if not said.assets:
        faults.append("no asset")
    if said.amount_granularity < 1:
        return [*faults, "amount_granularity is below one"]
    if not 0 < said.amount_min <= said.amount_max:
        faults.append("amount_min is above amount_max, or not above zero")
    if said.amount_min % said.amount_granularity or said.amount_max % said.amount_granularity:
        faults.append("amount_min and amount_max are no multiples of amount_granularity")
    return faults


def _reference_faults(form: ReferenceForm) -> list[str]:
    if form.max_length < 1 or not form.alphabet or len(set(form.alphabet)) != len(form.alphabet):
        return ["the reference form has no length, or an alphabet with a letter twice or none"]
    if form.uuid and form.max_length < _UUID_LENGTH:
        return [f"a UUID has {_UUID_LENGTH} characters"]
    return []


def _look_up_faults(said: Capabilities) -> list[str]:
    if said.look_up is LookUp.NONE:
        return []
    faults = []
    if not said.look_up_ladder_s or min(said.look_up_ladder_s) < 1:
        faults.append("look_up_ladder_s has no waits, or one below a second")
    if said.look_up_life_s < 1:
        faults.append("look_up_life_s is below one")
    if said.floor_s < 0 or any(wait < 0 for wait in said.woken_ladder_s):
        faults.append("a wait between look-ups is below zero")
    if said.look_up is LookUp.REPLIES and said.callback is CallbackScope.NONE:
        faults.append("answers that come later need a callback")
    return faults
