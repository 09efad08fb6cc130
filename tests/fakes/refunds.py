"""A rail that gives money back: the fake rail with the ability `refund`, scriptable and journaled like the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ports.abilities import Ability, RefundOrder, Refunds
from ports.callback import Door, Incoming, Reading
from ports.errors import AlreadyTaken, OutcomeUnknown, Refused, Unreadable
from ports.money import Money
from ports.payment_rail import Question, RailCapabilities, RefundDestination
from ports.registration import Repeat
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain
from tests.fakes.rail import FAKE_PROMPT, FakeRail, Outcome, grade_of

#: A prompt whose money can go back over the rail, only whole, to where it came from.
FAKE_REFUNDING: RailCapabilities = replace(
    FAKE_PROMPT, abilities=(Ability.REFUND,), refund_destination=RefundDestination.ORIGIN
)
#: The same, in parts too.
FAKE_PARTS = replace(FAKE_REFUNDING, partial_refunds=True)

DONE, WAITING = "done", "waiting"
FAILURES = {
    "too_old": Failure(kind=FailureKind.OTHER, provider_code="too_old", try_again=TryAgain.ANOTHER_WAY),
    "later": Failure(kind=FailureKind.OTHER, provider_code="later", try_again=TryAgain.LATER, after_s=60),
    "already": Failure(kind=FailureKind.OTHER, provider_code="already", try_again=TryAgain.NEVER),
}


@dataclass(kw_only=True)
class GivenBack:
    """One refund at the fake provider and how it stands."""

    order: RefundOrder
    provider_reference: str
    code: str = WAITING
    number: str | None = None


@dataclass(kw_only=True)
class RefundingRail(FakeRail, Refunds):
    """The journal is `orders` and `refund_questions`; OutcomeUnknown and AlreadyTaken come after the order was taken,
    every other scripted error before."""

    orders: list[RefundOrder] = field(default_factory=list)
    refund_questions: list[Question] = field(default_factory=list)
    given: list[GivenBack] = field(default_factory=list)
    capabilities: RailCapabilities = FAKE_REFUNDING
    _refunds: list[Outcome] = field(default_factory=list)

    def on_refund(self, *outcomes: Outcome) -> None:
        """What the next orders meet, one each."""
        self._refunds.extend(outcomes)

    def refund(self, order: RefundOrder) -> Report:
        """Take the order; the same reference twice does what `refund_repeat` says."""
        self.orders.append(order)
        self._can_give(order)
        self._reach()
        script = self._refunds.pop(0) if self._refunds else None
        if isinstance(script, Exception) and not isinstance(script, OutcomeUnknown | AlreadyTaken):
            raise script
        known, repeat = self._of(order.reference), self.capabilities.refund_repeat
        if known and repeat is Repeat.REFUSED:
            raise AlreadyTaken("the reference is known already", provider_reference=known[-1].provider_reference)
        if not known or repeat is Repeat.DOUBLES:
            self.given.append(GivenBack(order=order, provider_reference=f"refund-{len(self.given) + 1}"))
        if isinstance(script, Exception):
            raise script
        return script or self._report(_told(self._of(order.reference)[-1]), Grade.ANSWER)

    def _can_give(self, order: RefundOrder) -> None:
        """A part only where it is declared, never more than was received, and nothing of a payment without a number."""
        wrong = order.amount.asset not in self.capabilities.assets or order.amount.asset != order.received.asset
        wrong = wrong or not 0 < order.amount.units <= order.received.units or not order.receipt_number
        if wrong or (order.amount != order.received and not self.capabilities.partial_refunds):
            raise Refused(Failure(kind=FailureKind.OTHER, try_again=TryAgain.ANOTHER_WAY))

    def _of(self, reference: str) -> list[GivenBack]:
        return [one for one in self.given if one.order.reference == reference]

    def look_up_refund(self, question: Question) -> Report:
        """Tell how the refund stands."""
        self.refund_questions.append(question)
        self._reach()
        found = self._of(question.reference)
        if not found:
            return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference, found_nothing=True)
        return self._report(_told(found[-1]), Grade.ANSWER)

    def give(self, place: int = -1) -> Incoming:
        """An order is done; gives its result."""
        one = self.given[place]
        one.code, one.number = DONE, one.number or f"RV{self.given.index(one) + 1:08d}"
        return self.refund_result(place)

    def refuse(self, code: str, place: int = -1) -> Incoming:
        """An order fails; gives its result."""
        self.given[place].code = code
        return self.refund_result(place)

    def refund_result(self, place: int = -1) -> Incoming:
        """What the provider posts about an order as it stands."""
        return Incoming(body=json.dumps(_told(self.given[place])).encode(), door=Door.CALL)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read what `refund_result` wrote, or a collection's news."""
        try:
            body = json.loads(incoming.body)
        except ValueError:
            return super().read_callback(incoming)
        if not isinstance(body, dict) or "refund" not in body:
            return super().read_callback(incoming)
        try:
            return Reading(reports=(self._report(body, grade_of(incoming)),), reply_body=b"{}")
        except (ValueError, KeyError, TypeError):
            raise Unreadable("no refund of the fake provider") from None

    def _report(self, told: Mapping[str, object], grade: Grade) -> Report:
        report = Report(
            status=Status.PENDING, grade=grade, reference=str(told["refund"]), provider_reference=str(told["id"])
        )
        code = str(told["code"])
        if code in FAILURES:
            return replace(report, status=Status.FAILED, failure=FAILURES[code])
        if code != DONE:
            return replace(report, unrecognised=None if code == WAITING else code)
        units = told["units"]
        if not isinstance(units, int):
            raise TypeError("units")
        amount = Money(units=units, asset=self.capabilities.assets[0])
        return replace(report, status=Status.SUCCEEDED, receipt_number=str(told["number"]), amount=amount)


def _told(one: GivenBack) -> dict[str, object]:
    return {
        "refund": one.order.reference,
        "id": one.provider_reference,
        "code": one.code,
        "number": one.number,
        "units": one.order.amount.units,
    }
