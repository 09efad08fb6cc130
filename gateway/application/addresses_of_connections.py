"""A connection's long-lived addresses: made by an operator, told to the provider, and what is answered there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces import Directory, OpenUnit, Providers, ReplyFound
from gateway.application.money_in import house
from gateway.application.operators import Act, OperatorDesk
from gateway.application.replies import Replying
from gateway.domain.errors import Conflict, Invalid, Unprocessable
from gateway.domain.external_records import Policy
from ports.abilities import Ability, MayBePaid, OwnAddresses, Registers, Validation
from ports.callback import Door, Incoming
from ports.errors import PortError, Refused


class Wanted(Protocol):
    """Looks up how much the payment behind a reference still wants."""

    def __call__(self, float_id: UUID, reference: str, *, livemode: bool) -> int | None:
        """None when nobody has that reference, or it wants nothing any more."""


#: What a reply address of a connection is about.
CONNECTION_SUBJECT = "connection"
ANNOUNCED = "announced"
VALIDATION = "validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterConnection:
    """Make a connection's addresses and tell the provider."""

    unit: OpenUnit
    providers: Providers
    replying: Replying
    directory: Directory
    desk: OperatorDesk

    def __call__(self, connection_id: UUID, act: Act) -> str:
        """What the provider said. Raises Conflict when it refuses, as when addresses are registered already."""
        livemode = self.directory.mode_of_connection(connection_id)
        with self.unit(house(livemode)) as work:
            connection = work.connections.get(connection_id)
            abilities = self.providers.rail_capabilities(connection.code).abilities
            if Ability.REGISTER not in abilities:
                raise Unprocessable("this rail has nothing to register", code="method_not_available")
            made = {
                purpose: self.replying.open(
                    work, connection, subject_kind=CONNECTION_SUBJECT, subject_id=connection.id, purpose=purpose
                )
                for purpose in (ANNOUNCED, *((VALIDATION,) if Ability.VALIDATE in abilities else ()))
            }
        rail = self.providers.rail(connection)
        if not isinstance(rail, Registers):
            raise Unprocessable("this rail has nothing to register", code="method_not_available")
        try:
            said = rail.register(OwnAddresses(announced=made[ANNOUNCED], validation=made.get(VALIDATION)))
        except Refused as refused:
            detail = refused.failure.detail or refused.failure.provider_code
            raise Conflict(
                f"the provider refused: {detail}. Where addresses are registered already, it must forget them first",
                code="registration_refused",
            ) from refused
        except PortError as trouble:
            raise Conflict(f"the provider gave no answer: {trouble}", code="registration_unknown") from trouble
        self.desk.note(act, "connection.register", connection_id)
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPolicy:
    """How far a connection's announcements are trusted, and whether "may this be paid?" is looked up."""

    directory: Directory
    desk: OperatorDesk

    def __call__(self, connection_id: UUID, policy: Policy, act: Act) -> None:
        """Raises NotFound; Invalid for a list of addresses without a ceiling."""
        if policy.announced_addresses and policy.announced_ceiling_units <= 0:
            raise Invalid("trusting addresses needs a ceiling", code="policy_invalid")
        self.directory.set_policy(connection_id, policy.kept())
        self.desk.note(act, "connection.policy", connection_id)


def validated(providers: Providers, found: ReplyFound, wanted: Wanted, *, body: bytes, peer: str) -> bytes | None:
    """The answer to "may this be paid?", worded by the adapter; None where it can't word one.

    Anything that goes wrong inside accepts: money that a person wants to pay is never refused for a fault of ours.
    """
    validator = providers.validator(found.code)
    if validator is None:
        return None
    answer = Validation.ACCEPT
    if Policy.read(found.policy).validation:
        try:
            asked = validator.read(Incoming(body=body, door=Door.CONNECTION, peer=peer))
            answer = _answer(found, asked, wanted)
        except Exception:
            # Within the provider's few seconds there is nobody to ask: accept.
            answer = Validation.ACCEPT
    return validator.word(answer)


def _answer(found: ReplyFound, asked: MayBePaid, wanted: Wanted) -> Validation:
    if found.float_id is None:
        return Validation.ACCEPT
    units = wanted(found.float_id, asked.reference, livemode=found.livemode)
    if units is None:
        return Validation.UNKNOWN_REFERENCE
    return Validation.ACCEPT if units == asked.amount.units else Validation.WRONG_AMOUNT
