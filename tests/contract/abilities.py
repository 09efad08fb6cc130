"""What an offer says it can do, beside what its adapter has: exactly the same.

A binding subclasses AbilitiesContract and gives a fixture `offered`, once for each offer of the plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    Validator,
)
from ports.payment_rail import RailCapabilities, RefundDestination
from ports.registration import Registration, Repeat

#: What an adapter with the ability keeps. `validate` is the registration's own.
PROTOCOLS: Mapping[Ability, type] = {
    Ability.REFUND: Refunds,
    Ability.HISTORY: History,
    Ability.REGISTER: Registers,
    Ability.BALANCE: ReadsBalance,
    Ability.HOLDER_NAME: KnowsHolders,
    Ability.MOVE_OWN: MovesOwn,
    Ability.READ_FILE: ReadsFiles,
    Ability.SELF_CHECK: ChecksItself,
}
#: Those that only a rail, or only a channel, is ever asked for.
OF_RAILS = {Ability.REFUND, Ability.HISTORY, Ability.VALIDATE, Ability.REGISTER}
OF_CHANNELS = {Ability.HOLDER_NAME, Ability.MOVE_OWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An offer, and the adapter that it builds."""

    registration: Registration[object]
    adapter: object


class AbilitiesContract:
    """Each test is one promise of `Capabilities.abilities`."""

    def test_every_declared_ability_is_one_and_is_declared_once(self, offered: Offered) -> None:
        words = [Ability(word) for word in offered.registration.capabilities.abilities]
        assert len(words) == len(set(words))
        wrong = OF_CHANNELS if isinstance(offered.registration.capabilities, RailCapabilities) else OF_RAILS
        assert not wrong & set(words)

    def test_the_adapter_has_exactly_the_declared_abilities(self, offered: Offered) -> None:
        declared = set(offered.registration.capabilities.abilities)
        had = {word for word, protocol in PROTOCOLS.items() if isinstance(offered.adapter, protocol)}
        assert had == declared - {Ability.VALIDATE}

    def test_a_validator_stands_in_the_registration_where_it_is_declared(self, offered: Offered) -> None:
        declared = Ability.VALIDATE in offered.registration.capabilities.abilities
        assert isinstance(offered.registration.validator, Validator) is declared

    def test_what_is_said_of_refunds_fits_the_ability(self, offered: Offered) -> None:
        said = offered.registration.capabilities
        refunds = Ability.REFUND in said.abilities
        if isinstance(said, RailCapabilities):
            assert (said.refund_destination is not RefundDestination.NONE) is refunds
        if not refunds:
            assert (said.refund_repeat, said.partial_refunds) == (Repeat.DOUBLES, False)
