"""What every ability's call promises, whatever it is about: which error means what, how often, how long, how quietly.

A binding subclasses CallContract and gives a fixture `calling`, once for each ability that calls the provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

import pytest

from plugins.kit.http import Answer, Budget, Http, Limits
from ports.errors import Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.report import FailureKind, Report, Status

#: How much shorter a call's limits are made where its patience is tried.
HURRY = 200


class CalledProvider(Protocol):
    """What the suite does on the provider's side of a call. What it is told holds from then on, unless it says next."""

    def calls(self) -> int:
        """How often the provider was called, for whatever purpose, tokens too."""

    def asked(self) -> int:
        """How often it was asked for this very thing, whatever came of it."""

    def done(self) -> int:
        """How often it did something: took an order, kept addresses. A question does nothing."""

    def lose_the_answer(self) -> None:
        """The next call takes effect, and its answer is lost."""

    def turn_away(self) -> None:
        """The next call is turned away before it is looked at: too many of them."""

    def refuse(self) -> None:
        """The next call is certainly refused: a field is wrong."""

    def talk_nonsense(self) -> Iterator[None]:
        """At each step the next call is answered in another shape that nobody knows."""

    def dawdle(self) -> None:
        """Answers begin, and never end."""

    def stop_listening(self) -> None:
        """Connections are refused."""

    def refuse_credentials(self) -> None:
        """The connection's credentials are worth nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """One call of an ability, ready to be made, and the provider that it goes to.

    `orders` says whether it changes something there or only asks. `private` may stand in no message of an error and in
    no line of `logged`. `timeout_s` is the declared `call_timeout_s`.
    """

    call: Callable[[], object]
    orders: bool
    provider: CalledProvider
    private: tuple[str, ...]
    logged: Callable[[], str]
    timeout_s: float


@contextmanager
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Inside, calls by `plugins.kit.http` have as much less time."""
    begin, exchange = Budget.__init__, Http.exchange

    def begin_hurried(self: Budget, total_s: float, now: Callable[[], float] = monotonic) -> None:
        begin(self, total_s / HURRY, now)

    def exchange_hurried(self: Http, call: str, method: str, path: str, **more: object) -> Answer:
        given = more.pop("limits", Limits())
        assert isinstance(given, Limits)
        times = {"read_s": given.read_s, "total_s": given.total_s, "least_s": given.least_s}
        limits = replace(given, **{name: length / HURRY for name, length in times.items()})  # type: ignore[arg-type]
        return exchange(self, call, method, path, limits=limits, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Budget, "__init__", begin_hurried)
        patched.setattr(Http, "exchange", exchange_hurried)
        yield


class CallContract:
    """Each test is one promise of ports.errors."""

    def test_one_call_asks_once(self, calling: Calling) -> None:
        calling.call()
        assert (calling.provider.asked(), calling.provider.done()) == (1, 1 if calling.orders else 0)

    def test_a_question_has_no_effect_however_often(self, calling: Calling) -> None:
        if not calling.orders:
            assert calling.call() == calling.call()
            assert calling.provider.done() == 0

    def test_a_refused_connection_is_not_sent(self, calling: Calling) -> None:
        calling.provider.stop_listening()
        with pytest.raises(NotSent):
            calling.call()
        assert calling.provider.done() == 0

    def test_a_connection_that_is_refused_later_is_not_sent_either(self, calling: Calling) -> None:
        calling.call()
        asked, done = calling.provider.asked(), calling.provider.done()
        calling.provider.stop_listening()
        with pytest.raises(NotSent):
            calling.call()
        assert (calling.provider.asked(), calling.provider.done()) == (asked, done)

    def test_wrong_credentials_are_misconfigured_after_one_call(self, calling: Calling) -> None:
        calling.provider.refuse_credentials()
        before = calling.provider.calls()
        with pytest.raises(Misconfigured):
            calling.call()
        assert (calling.provider.calls() - before, calling.provider.done()) == (1, 0)

    def test_an_answer_that_is_lost_is_unknown_and_nothing_is_sent_again(self, calling: Calling) -> None:
        calling.provider.lose_the_answer()
        with pytest.raises(OutcomeUnknown):
            calling.call()
        assert (calling.provider.asked(), calling.provider.done()) == (1, 1 if calling.orders else 0)

    def test_a_call_that_is_turned_away_at_the_gate_is_not_sent(self, calling: Calling) -> None:
        calling.provider.turn_away()
        if calling.orders:
            with pytest.raises(NotSent) as error:
                calling.call()
            assert error.value.retry_after_s > 0
        else:
            _learns_nothing(calling, NotSent)
        assert calling.provider.done() == 0

    def test_a_definite_refusal_is_refused_or_leaves_a_question_unanswered(self, calling: Calling) -> None:
        calling.provider.refuse()
        if calling.orders:
            with pytest.raises(Refused) as error:
                calling.call()
            # That one is the core's own word.
            assert error.value.failure.kind is not FailureKind.RAIL_UNAVAILABLE
        else:
            _learns_nothing(calling, OutcomeUnknown)
        assert calling.provider.done() == 0

    def test_an_answer_that_nobody_understands_is_unknown(self, calling: Calling) -> None:
        for _ in calling.provider.talk_nonsense():
            if calling.orders:
                with pytest.raises(OutcomeUnknown):
                    calling.call()
            else:
                _learns_nothing(calling, OutcomeUnknown)
        assert calling.provider.asked() > 0

    def test_a_call_keeps_its_time_limit(self, calling: Calling, monkeypatch: pytest.MonkeyPatch) -> None:
        calling.call()
        calling.provider.dawdle()
        began = monotonic()
        with hurried(monkeypatch), pytest.raises(OutcomeUnknown):
            calling.call()
        # The half second is for a busy machine.
        assert monotonic() - began < calling.timeout_s / HURRY + 0.5
        assert calling.provider.asked() == 2

    def test_nothing_secret_or_personal_is_in_a_message_or_in_the_log(self, calling: Calling) -> None:
        said: list[str] = []
        troubles = (
            calling.provider.lose_the_answer,
            calling.provider.turn_away,
            calling.provider.refuse,
            calling.provider.refuse_credentials,
            calling.provider.stop_listening,
        )
        calling.call()
        for trouble in troubles:
            trouble()
            try:
                said.append(repr(calling.call()))
            except PortError as error:
                said.append(f"{error} {error!r} {error.__cause__} {getattr(error, 'failure', '')}")
        said.append(calling.logged())
        assert [(word, text) for word in calling.private for text in said if word in text] == []


def _learns_nothing(calling: Calling, error: type[PortError]) -> None:
    """The question meets that error, or is answered that there is no news."""
    try:
        answer = calling.call()
    except error:
        return
    assert isinstance(answer, Report), "an answer was made up"
    assert (answer.status, answer.failure, answer.found_nothing, answer.asked) == (Status.NO_NEWS, None, False, False)
