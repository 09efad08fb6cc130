"""The pages' texts: no state without words, in no language, and the same things filled in everywhere."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import fields

import pytest

from gateway.adapters.web.amount_words import in_words
from gateway.adapters.web.checkout_view import words_of
from gateway.adapters.web.wording import WORDINGS, Labels, Lang, Say, Trouble, Wording
from gateway.application.checkout import PageState
from tests.browser.gallery import VISIT

ENGLISH, SWAHILI = WORDINGS[Lang.EN], WORDINGS[Lang.SW]
KNOWN = set(words_of(VISIT))


def _texts(wording: Wording) -> Iterator[tuple[str, str]]:
    """Every text of a language with a name for it."""
    says: list[tuple[str, Say]] = [(state.value, say) for state, say in wording.states.items()]
    says += [(trouble.name, say) for trouble, say in wording.troubles.items()]
    for name, say in [*says, ("pay_again", wording.pay_again)]:
        yield from ((f"{name}.{part.name}", getattr(say, part.name)) for part in fields(Say))
    for one in fields(Labels):
        value = getattr(wording.labels, one.name)
        yield from enumerated(one.name, value if isinstance(value, tuple) else (value,))


def enumerated(name: str, values: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((f"{name}[{place}]", value) for place, value in enumerate(values))


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("lang", Lang)
def test_every_state_and_every_trouble_has_words(lang: Lang) -> None:
    assert set(WORDINGS[lang].states) == set(PageState)
    assert set(WORDINGS[lang].troubles) == set(Trouble)
    assert not [name for name, text in _texts(WORDINGS[lang]) if not text.strip()]


def test_both_languages_fill_in_the_same() -> None:
    english, swahili = dict(_texts(ENGLISH)), dict(_texts(SWAHILI))
    assert english.keys() == swahili.keys()
    for name, text in english.items():
        assert _blanks(text) == _blanks(swahili[name]) <= KNOWN, name


def test_the_languages_are_not_copies_of_each_other() -> None:
    swahili = dict(_texts(SWAHILI))
    assert [name for name, text in _texts(ENGLISH) if text == swahili[name]] == []


@pytest.mark.parametrize("lang", Lang)
def test_nothing_is_claimed_to_be_untaken_where_that_is_not_known(lang: Lang) -> None:
    nothing = {Lang.EN: ("nothing was taken", "nothing was paid"), Lang.SW: ("hakuna",)}[lang]
    open_states = (
        PageState.SENDING,
        PageState.DELAYED,
        PageState.WAITING,
        PageState.PERHAPS_WAITING,
        PageState.CONFIRMING,
        PageState.UNKNOWN,
        PageState.UNREACHABLE,
        PageState.PART_PAID,
    )
    for state in open_states:
        say = WORDINGS[lang].states[state]
        assert not any(word in f"{say.fact} {say.todo}".lower() for word in nothing), state


@pytest.mark.parametrize(
    ("shillings", "english", "swahili"),
    [
        (999, None, None),
        (1_000, "one thousand shillings", "shilingi elfu moja"),
        (1_001, "one thousand and one shillings", "shilingi elfu moja na moja"),
        (1_500, "one thousand five hundred shillings", "shilingi elfu moja mia tano"),
        (2_050, "two thousand and fifty shillings", "shilingi elfu mbili na hamsini"),
        (3_121, "three thousand one hundred and twenty-one shillings", "shilingi elfu tatu mia moja ishirini na moja"),
        (9_910, "nine thousand nine hundred and ten shillings", "shilingi elfu tisa mia tisa na kumi"),
        # `elfu kumi na moja` would be 10,001 and 11,000 alike.
        (10_001, "ten thousand and one shillings", None),
        (11_000, "eleven thousand shillings", None),
        (249_999, "two hundred and forty-nine thousand nine hundred and ninety-nine shillings", None),
        (1_000_000, None, None),
    ],
)
def test_amounts_in_words(shillings: int, english: str | None, swahili: str | None) -> None:
    assert in_words(shillings * 100, "KES", Lang.EN) == english
    assert in_words(shillings * 100, "KES", Lang.SW) == swahili


def test_cents_are_not_put_in_words() -> None:
    assert in_words(150_050, "KES", Lang.EN) is None


@pytest.mark.parametrize("lang", Lang)
def test_no_two_sums_share_their_words(lang: Lang) -> None:
    said = [words for shillings in range(1_000, 12_000) if (words := in_words(shillings * 100, "KES", lang))]
    assert len(said) == len(set(said)) >= 9_000
