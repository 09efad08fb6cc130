"""A payment rail whose provider is a few dictionaries: scriptable, journaled, and kept to the port's contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ports.callback import Door, Incoming, Reading
from ports.context import Context
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused, Unreadable
from ports.money import KES, Money
from ports.payment_rail import Collection, PaymentRail, Question, RailCapabilities, StartsBy
from ports.registration import CallbackScope, LookUp, LookUpBy, ReferenceForm, Registration, Repeat
from ports.report import (
    ActionKind,
    Failure,
    FailureKind,
    Grade,
    MoneyIn,
    NextAction,
    Report,
    Status,
    TryAgain,
)
from tests.fakes.context import MORNING

#: A prompt, as M-Pesa's is, under a name of no provider.
FAKE_PROMPT = RailCapabilities(
    assets=(KES,),
    amount_min=100,
    amount_max=25_000_000,
    amount_granularity=100,
    reference_form=ReferenceForm(max_length=12, tagged=True),
    receipt_namespace="fake",
    callback=CallbackScope.PER_CALL,
    look_up=LookUp.ANSWERS,
    look_up_by=LookUpBy.PROVIDER_REFERENCE,
    repeat=Repeat.DOUBLES,
    calls_per_s=1_000,
    concurrency=50,
    starts_by=StartsBy.PROMPT,
    fixed_amount=True,
    one_payment=True,
    prompt_life_s=90,
    grace_s=60,
)

PAID = "paid"
#: The fake provider's whole table of codes.
FAILURES: Mapping[str, Failure] = {
    "broke": Failure(kind=FailureKind.INSUFFICIENT_FUNDS, provider_code="broke"),
    "canceled": Failure(kind=FailureKind.CANCELED_BY_PAYER, provider_code="canceled"),
    "wrong_pin": Failure(kind=FailureKind.WRONG_PIN, provider_code="wrong_pin"),
    "silence": Failure(kind=FailureKind.NO_ANSWER, provider_code="silence"),
    "limit": Failure(kind=FailureKind.OVER_LIMIT, provider_code="limit", try_again=TryAgain.ANOTHER_WAY),
    "set_up": Failure(kind=FailureKind.SET_UP, provider_code="set_up", try_again=TryAgain.NEVER),
}
WAITING = "waiting"

#: What a script makes of one call: an error to raise, or a report to give.
Outcome = Exception | Report


@dataclass(kw_only=True)
class Try:
    """One collection at the fake provider; `code` is how it stands, `claims` what its callback says of the amount."""

    collection: Collection
    provider_reference: str
    code: str = WAITING
    receipt_number: str | None = None
    claims: Money | None = None
    happened_at: datetime = MORNING


@dataclass(kw_only=True)
class FakeRail(PaymentRail):
    """The journal is `started`, `looked_up` and `read`: everything asked, in order, whatever was answered.

    An outcome given to `on_start` is used once. OutcomeUnknown and AlreadyTaken are raised after the collection took
    effect, every other error before; a Report is given in place of the provider's word. Without a script the provider
    tells the truth.
    """

    capabilities: RailCapabilities = FAKE_PROMPT
    started: list[Collection] = field(default_factory=list)
    looked_up: list[Question] = field(default_factory=list)
    read: list[Incoming] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    calls: int = 0
    reachable: bool = True
    trusted: bool = True
    _starts: list[Outcome] = field(default_factory=list)
    _look_ups: list[Outcome] = field(default_factory=list)

    # Scripts

    def on_start(self, *outcomes: Outcome) -> None:
        """What the next starts meet, one each."""
        self._starts.extend(outcomes)

    def on_look_up(self, *outcomes: Outcome) -> None:
        """What the next look-ups meet, one each."""
        self._look_ups.extend(outcomes)

    def pay(self, reference: str, *, amount: Money | None = None, happened_at: datetime = MORNING) -> Incoming:
        """The payer pays the latest try of that reference; gives the callback. `amount` is what the callback claims."""
        return self._end(reference, PAID, amount, happened_at)

    def fail(self, reference: str, code: str = "canceled") -> Incoming:
        """The latest try of that reference fails; gives the callback."""
        return self._end(reference, code, None, MORNING)

    def _end(self, reference: str, code: str, claims: Money | None, happened_at: datetime) -> Incoming:
        one = self.of(reference)[-1]
        one.code, one.claims, one.happened_at = code, claims, happened_at
        if code == PAID and one.receipt_number is None:
            one.receipt_number = f"FK{self.tries.index(one) + 1:08d}"
        return self.callback(reference)

    def callback(self, reference: str, door: Door = Door.CALL) -> Incoming:
        """What the provider posts about the latest try of that reference, as it stands."""
        one = self.of(reference)[-1]
        body: dict[str, object] = {"id": one.provider_reference, "code": one.code}
        if one.code == PAID:
            told = one.collection.amount if one.claims is None else one.claims
            body |= {"receipt": one.receipt_number, "units": told.units, "at": one.happened_at.isoformat()}
        return Incoming(body=json.dumps(body).encode(), door=door)

    # Reading the journal

    def of(self, reference: str) -> list[Try]:
        """The tries that took effect under that reference."""
        return [one for one in self.tries if one.collection.reference == reference]

    def registration(self, code: str = "fake_prompt", method: str = "fake") -> Registration[PaymentRail]:
        """An offer whose every connection is this very rail."""

        def build(values: Mapping[str, object], context: Context) -> PaymentRail:
            return self

        return Registration(code=code, method=method, title="Fake", capabilities=self.capabilities, build=build)

    # The port

    def start(self, collection: Collection) -> Report:
        """Prompt; the same reference twice does what the capabilities' `repeat` says."""
        self.started.append(collection)
        _fits(collection.amount, self.capabilities)
        self._reach()
        script = self._starts.pop(0) if self._starts else None
        if isinstance(script, Exception) and not isinstance(script, OutcomeUnknown | AlreadyTaken):
            raise script
        known = self.of(collection.reference)
        if known and self.capabilities.repeat is Repeat.REFUSED:
            raise AlreadyTaken("the reference is known already", provider_reference=known[-1].provider_reference)
        if not known or self.capabilities.repeat is Repeat.DOUBLES:
            self.tries.append(Try(collection=collection, provider_reference=f"fake-{len(self.tries) + 1}"))
        if isinstance(script, Exception):
            raise script
        return script or Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=collection.reference,
            provider_reference=self.of(collection.reference)[-1].provider_reference,
            next_action=NextAction(kind=ActionKind.PROMPT, life_s=self.capabilities.prompt_life_s),
        )

    def look_up(self, question: Question) -> Report:
        """Tell how the try stands; like a push query, neither receipt nor amount."""
        self.looked_up.append(question)
        nothing = Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference)
        if question.provider_reference is None:
            return nothing
        self._reach()
        if self._look_ups:
            return _given(self._look_ups.pop(0))
        one = next((one for one in self.tries if one.provider_reference == question.provider_reference), None)
        if one is None:
            return nothing
        money = (MoneyIn(receipt_namespace=self.capabilities.receipt_namespace),) if one.code == PAID else ()
        report = _word(one.code, Grade.ANSWER)
        return replace(report, reference=question.reference, provider_reference=one.provider_reference, money=money)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read what `callback` wrote."""
        self.read.append(incoming)
        grade = grade_of(incoming)
        try:
            body = json.loads(incoming.body)
            report = replace(_word(body["code"], grade), provider_reference=body["id"])
            if report.status is Status.SUCCEEDED:
                report = replace(report, money=(self._money(body),))
        except (ValueError, KeyError, TypeError):
            raise Unreadable("no callback of the fake provider") from None
        return Reading(reports=(report,), reply_body=b"{}")

    def _money(self, body: Mapping[str, object]) -> MoneyIn:
        units = body["units"]
        if not isinstance(units, int):
            raise TypeError("units")
        return MoneyIn(
            receipt_namespace=self.capabilities.receipt_namespace,
            receipt_number=str(body["receipt"]),
            amount=Money(units=units, asset=self.capabilities.assets[0]),
            happened_at=datetime.fromisoformat(str(body["at"])),
        )

    def _reach(self) -> None:
        if not self.reachable:
            raise NotSent("no connection")
        self.calls += 1
        if not self.trusted:
            raise Misconfigured("the keys are worth nothing")


def grade_of(incoming: Incoming) -> Grade:
    """What unsigned news by that door is worth."""
    return Grade.SOLICITED if incoming.door is Door.CALL else Grade.ANNOUNCED


def _given(outcome: Outcome) -> Report:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _word(code: str, grade: Grade) -> Report:
    if code in (PAID, WAITING):
        return Report(status=Status.SUCCEEDED if code == PAID else Status.PENDING, grade=grade)
    if code in FAILURES:
        return Report(status=Status.FAILED, grade=grade, failure=FAILURES[code])
    return Report(status=Status.PENDING, grade=grade, unrecognised=code)


def _fits(amount: Money, capabilities: RailCapabilities) -> None:
    inside = capabilities.amount_min <= amount.units <= capabilities.amount_max
    if not inside or amount.units % capabilities.amount_granularity or amount.asset not in capabilities.assets:
        raise Refused(Failure(kind=FailureKind.OTHER, try_again=TryAgain.NEVER))
