"""The promises of ports.abilities.Validator: the provider's question as asked, and our answer as it understands it.

A binding subclasses ValidateContract and gives a fixture `line`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ports.abilities import MayBePaid, Validation, Validator
from ports.callback import Door
from ports.errors import Unreadable
from ports.money import Money
from ports.payment_rail import RailCapabilities
from tests.contract.asked import a_phone, called, nothing_outside


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateLine:
    """A validator; `body` is what the provider posts when a customer wants to pay, `pays` whether it takes the money
    after that answer; `broken` are questions that have lost something."""

    validator: Validator
    capabilities: RailCapabilities
    body: Callable[[str, Money, str], bytes]
    pays: Callable[[bytes], bool]
    broken: tuple[bytes, ...]

    def asked(self, reference: str = "SHOP-7K2M4Q", units: int | None = None) -> bytes:
        """The question of a customer."""
        amount = Money(units=units or self.capabilities.amount_min, asset=self.capabilities.assets[0])
        return self.body(reference, amount, a_phone(1))

    def read(self, body: bytes) -> MayBePaid:
        return self.validator.read(called(body, Door.CONNECTION))


class ValidateContract:
    """Each test is one promise of the ability."""

    def test_a_question_is_read_as_it_was_asked(self, line: ValidateLine) -> None:
        for units in (line.capabilities.amount_min, line.capabilities.amount_max):
            asked = line.read(line.asked(units=units))
            assert asked == MayBePaid(
                reference="SHOP-7K2M4Q", amount=Money(units=units, asset=line.capabilities.assets[0])
            )

    def test_what_a_customer_types_wrong_is_told_as_typed(self, line: ValidateLine) -> None:
        assert line.read(line.asked("shop 7k2m4o")).reference == "shop 7k2m4o"
        assert line.read(line.asked("")).reference == ""

    def test_the_money_is_taken_after_a_yes_alone(self, line: ValidateLine) -> None:
        words = {answer: line.validator.word(answer) for answer in Validation}
        assert [answer for answer in Validation if line.pays(words[answer])] == [Validation.ACCEPT]
        assert len(set(words.values())) == len(Validation)

    def test_it_is_pure(self, line: ValidateLine, monkeypatch: pytest.MonkeyPatch) -> None:
        body = line.asked()
        with nothing_outside(monkeypatch):
            assert line.read(body) == line.read(body)
            assert line.validator.word(Validation.ACCEPT) == line.validator.word(Validation.ACCEPT)

    def test_a_question_cut_short_is_unreadable(self, line: ValidateLine) -> None:
        body = line.asked().rstrip()
        for end in range(len(body)):
            with pytest.raises(Unreadable):
                line.read(body[:end])

    def test_a_question_that_lost_something_is_unreadable(self, line: ValidateLine) -> None:
        assert line.broken
        for body in (*line.broken, b"[]", b'"x"', b"null", b"\xff\xfe", b""):
            with pytest.raises(Unreadable) as error:
                line.read(body)
            assert a_phone(1)[-9:] not in f"{error.value} {error.value!r}"

    def test_a_customer_is_named_nowhere(self, line: ValidateLine) -> None:
        assert a_phone(1)[-9:] not in repr(line.read(line.asked()))
