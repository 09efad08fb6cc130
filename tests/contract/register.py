"""The promises of ports.abilities.Registers: the provider is told exactly our addresses, and nobody else is.

A binding subclasses RegisterContract and gives a fixture `line`. Every test has a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ports.abilities import OwnAddresses, Registers
from ports.callback import ReplyTo
from ports.errors import Refused
from ports.report import FailureKind

#: What a provider says is shown to an operator: a sentence, no page.
WORDS_MAX = 200
ANNOUNCED, VALIDATION = (f"https://gw.example/in/{letter * 2}/{letter * 32}" for letter in "ab")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLine:
    """A rail and the provider behind it: `known` is where it announces money and asks for validation, if told."""

    rail: Registers
    known: Callable[[], tuple[str, str | None] | None]


def addresses(validation: str | None = VALIDATION) -> OwnAddresses:
    """Ours."""
    return OwnAddresses(
        announced=ReplyTo(url=ANNOUNCED), validation=None if validation is None else ReplyTo(url=validation)
    )


class RegisterContract:
    """Each test is one promise of the ability."""

    def test_the_provider_knows_our_addresses_and_says_so(self, line: RegisterLine) -> None:
        words = line.rail.register(addresses())
        assert line.known() == (ANNOUNCED, VALIDATION)
        assert 0 < len(words) <= WORDS_MAX

    def test_without_an_address_for_validation_money_is_announced_all_the_same(self, line: RegisterLine) -> None:
        line.rail.register(addresses(None))
        known = line.known()
        assert known is not None
        assert known[0] == ANNOUNCED
        assert known[1] in (None, ANNOUNCED)

    def test_again_is_a_yes_or_a_refusal_and_never_anothers_address(self, line: RegisterLine) -> None:
        line.rail.register(addresses())
        refused = _again(line)
        if refused is not None:
            assert (refused.failure.kind, bool(refused.failure.detail)) == (FailureKind.OTHER, True)
        assert line.known() == (ANNOUNCED, VALIDATION)

    def test_the_words_do_not_repeat_an_address(self, line: RegisterLine) -> None:
        said = [line.rail.register(addresses())]
        if (refused := _again(line)) is not None:
            said.append(f"{refused} {refused.failure}")
        assert not [text for text in said for url in (ANNOUNCED, VALIDATION) if url in text]


def _again(line: RegisterLine) -> Refused | None:
    """Register once more; gives the refusal, if it is one."""
    try:
        line.rail.register(addresses())
    except Refused as refused:
        return refused
    return None
