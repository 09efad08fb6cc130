"""A payout channel whose provider is a few dictionaries: scriptable, journaled, and kept to the port's contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ports.callback import Door, Incoming, Reading
from ports.context import Context
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused, Unreadable
from ports.money import KES, Money
from ports.payment_rail import Question
from ports.payout_channel import (
    Bundle,
    ChannelCapabilities,
    DestinationKind,
    Instruction,
    PayoutChannel,
    Submission,
)
from ports.registration import CallbackScope, LookUp, LookUpBy, ReferenceForm, Registration, Repeat
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain
from tests.fakes.context import MORNING

#: Payouts to phones, as M-Pesa's are, under a name of no provider.
FAKE_PHONES = ChannelCapabilities(
    assets=(KES,),
    amount_min=1_000,
    amount_max=25_000_000,
    amount_granularity=100,
    reference_form=ReferenceForm(max_length=36, alphabet="0123456789abcdef-", uuid=True),
    receipt_namespace="fake",
    callback=CallbackScope.PER_CALL,
    look_up=LookUp.REPLIES,
    look_up_by=LookUpBy.OUR_REFERENCE,
    repeat=Repeat.REFUSED,
    calls_per_s=1_000,
    concurrency=50,
    look_up_ladder_s=(30, 90, 480),
    look_up_life_s=90_000,
    destinations=(DestinationKind.MPESA_PHONE,),
    absence_s=600,
)

PAID, WAITING, RETURNED = "paid", "waiting", "returned"
#: The fake provider's whole table of failures.
FAILURES: Mapping[str, Failure] = {
    "nobody": Failure(kind=FailureKind.DESTINATION_INVALID, provider_code="nobody", try_again=TryAgain.NEVER),
    "float_empty": Failure(
        kind=FailureKind.INSUFFICIENT_FUNDS, provider_code="float_empty", try_again=TryAgain.LATER, after_s=600
    ),
    "limit": Failure(kind=FailureKind.OVER_LIMIT, provider_code="limit", try_again=TryAgain.ANOTHER_WAY),
    "set_up": Failure(kind=FailureKind.SET_UP, provider_code="set_up", try_again=TryAgain.NEVER),
}

#: What a script makes of one call: an error to raise, or a report to give.
Outcome = Exception | Report


@dataclass(kw_only=True)
class Payout:
    """One payout at the fake provider; `code` is how it stands, `claims` what its result says of the amount."""

    instruction: Instruction
    provider_reference: str
    code: str = WAITING
    receipt_number: str | None = None
    claims: Money | None = None
    happened_at: datetime = MORNING


@dataclass(kw_only=True)
class FakeChannel(PayoutChannel):
    """The journal is `submitted`, `looked_up` and `read`: everything asked, in order, whatever was answered.

    An outcome given to `on_submit` is used once. OutcomeUnknown and AlreadyTaken are raised after the payouts were
    taken, every other error before; a Report is given for a bundle of one in place of the provider's word. Without a
    script the provider tells the truth. With look_up `replies` the answer to a question is `answer_to` it.
    """

    capabilities: ChannelCapabilities = FAKE_PHONES
    submitted: list[Bundle] = field(default_factory=list)
    looked_up: list[Question] = field(default_factory=list)
    read: list[Incoming] = field(default_factory=list)
    taken: list[Payout] = field(default_factory=list)
    calls: int = 0
    reachable: bool = True
    trusted: bool = True
    _submits: list[Outcome] = field(default_factory=list)
    _look_ups: list[Outcome] = field(default_factory=list)

    # Scripts

    def on_submit(self, *outcomes: Outcome) -> None:
        """What the next submits meet, one each."""
        self._submits.extend(outcomes)

    def on_look_up(self, *outcomes: Outcome) -> None:
        """What the next look-ups meet, one each."""
        self._look_ups.extend(outcomes)

    def pay(self, reference: str, *, amount: Money | None = None, happened_at: datetime = MORNING) -> Incoming:
        """The payout of that reference succeeds; gives its result. `amount` is what the result claims."""
        return self._end(reference, PAID, amount, happened_at)

    def fail(self, reference: str, code: str = "nobody") -> Incoming:
        """The payout of that reference fails; gives its result."""
        return self._end(reference, code, None, MORNING)

    def give_back(self, reference: str, *, happened_at: datetime = MORNING) -> Incoming:
        """The money of a paid payout comes back; gives the news."""
        return self._end(reference, RETURNED, None, happened_at)

    def forget(self, reference: str) -> None:
        """The provider knows no such payout, as if it had never been taken."""
        self.taken = [one for one in self.taken if one.instruction.reference != reference]

    def _end(self, reference: str, code: str, claims: Money | None, happened_at: datetime) -> Incoming:
        one = self.of(reference)[-1]
        one.code, one.claims, one.happened_at = code, claims, happened_at
        if code == PAID and one.receipt_number is None:
            one.receipt_number = f"FP{self.taken.index(one) + 1:08d}"
        return self.result(reference)

    def result(self, reference: str, door: Door = Door.CALL) -> Incoming:
        """What the provider posts about the payout of that reference, as it stands."""
        return Incoming(body=json.dumps(self._told(reference)).encode(), door=door)

    def answer_to(self, question: Question) -> Incoming:
        """What the provider posts to a question's own URL, as the payout stands."""
        return self.result(question.reference)

    def _told(self, reference: str) -> dict[str, object]:
        known = self.of(reference)
        if not known:
            return {"reference": reference, "code": "none"}
        one = known[-1]
        told = one.instruction.amount if one.claims is None else one.claims
        body: dict[str, object] = {"reference": reference, "id": one.provider_reference, "code": one.code}
        if one.receipt_number is not None:
            body |= {"receipt": one.receipt_number, "units": told.units, "at": one.happened_at.isoformat()}
        return body

    # Reading the journal

    def of(self, reference: str) -> list[Payout]:
        """The payouts that were taken under that reference."""
        return [one for one in self.taken if one.instruction.reference == reference]

    def registration(self, code: str = "fake_phones", method: str = "fake_phone") -> Registration[PayoutChannel]:
        """An offer whose every connection is this very channel."""

        def build(values: Mapping[str, object], context: Context) -> PayoutChannel:
            return self

        return Registration(code=code, method=method, title="Fake", capabilities=self.capabilities, build=build)

    # The port

    def submit(self, bundle: Bundle) -> Submission:
        """Take the payouts; the same reference twice does what the capabilities' `repeat` says."""
        self.submitted.append(bundle)
        if not 1 <= len(bundle.instructions) <= self.capabilities.max_items:
            raise _refused()
        for instruction in bundle.instructions:
            _fits(instruction, self.capabilities)
        self._reach()
        script = self._submits.pop(0) if self._submits else None
        if isinstance(script, Exception) and not isinstance(script, OutcomeUnknown | AlreadyTaken):
            raise script
        reports = tuple(self._take(instruction) for instruction in bundle.instructions)
        if isinstance(script, Exception):
            raise script
        return Submission(reports=reports if script is None else (script,))

    def _take(self, instruction: Instruction) -> Report:
        known = self.of(instruction.reference)
        if known and self.capabilities.repeat is Repeat.REFUSED:
            raise AlreadyTaken("the reference is known already", provider_reference=known[-1].provider_reference)
        if not known or self.capabilities.repeat is Repeat.DOUBLES:
            known = [Payout(instruction=instruction, provider_reference=f"fake-{len(self.taken) + 1}")]
            self.taken += known
        return Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=instruction.reference,
            provider_reference=known[-1].provider_reference,
        )

    def look_up(self, question: Question) -> Report:
        """Take the question (`replies`), or answer it (`answers`)."""
        self.looked_up.append(question)
        self._reach()
        if self._look_ups:
            return _given(self._look_ups.pop(0))
        if self.capabilities.look_up is LookUp.REPLIES:
            return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference, asked=True)
        return self._report(self._told(question.reference), Grade.ANSWER)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read what `result` and `answer_to` wrote."""
        self.read.append(incoming)
        grade = Grade.SOLICITED if incoming.door is Door.CALL else Grade.ANNOUNCED
        try:
            report = self._report(json.loads(incoming.body), grade)
        except (ValueError, KeyError, TypeError):
            raise Unreadable("no result of the fake provider") from None
        return Reading(reports=(report,), reply_body=b"{}")

    def _report(self, body: Mapping[str, object], grade: Grade) -> Report:
        code, reference = str(body["code"]), str(body["reference"])
        if code == "none":
            return Report(status=Status.NO_NEWS, grade=grade, reference=reference, found_nothing=True)
        report = Report(status=Status.PENDING, grade=grade, reference=reference, provider_reference=str(body["id"]))
        if code in FAILURES:
            return replace(report, status=Status.FAILED, failure=FAILURES[code])
        if code not in (PAID, RETURNED):
            return replace(report, unrecognised=None if code == WAITING else code)
        units = body["units"]
        if not isinstance(units, int):
            raise TypeError("units")
        return replace(
            report,
            status=Status.SUCCEEDED if code == PAID else Status.RETURNED,
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


def _given(outcome: Outcome) -> Report:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _refused() -> Refused:
    return Refused(Failure(kind=FailureKind.OTHER, try_again=TryAgain.NEVER))


def _fits(instruction: Instruction, capabilities: ChannelCapabilities) -> None:
    amount = instruction.amount
    inside = capabilities.amount_min <= amount.units <= capabilities.amount_max
    if not inside or amount.units % capabilities.amount_granularity or amount.asset not in capabilities.assets:
        raise _refused()
    if instruction.destination.kind not in capabilities.destinations:
        raise _refused()
