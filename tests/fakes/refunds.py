"""A rail that gives money back: the fake rail with the ability `refund`, scriptable and journaled like the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from ports.abilities import Ability, RefundOrder
from ports.callback import Door, Incoming, Reading
from ports.errors import AlreadyTaken, OutcomeUnknown
from ports.money import Money
from ports.payment_rail import Question, RailCapabilities, RefundDestination
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain
from tests.fakes.rail import FAKE_PROMPT, FakeRail, Outcome

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
class RefundingRail(FakeRail):
    """The journal is `orders` and `refund_questions`; OutcomeUnknown and AlreadyTaken come after the order was taken,
    every other scripted error before."""

    orders: list[RefundOrder] = field(default_factory=list)
    refund_questions: list[Question] = field(default_factory=list)
    given: list[GivenBack] = field(default_factory=list)
    _refunds: list[Outcome] = field(default_factory=list)

    def on_refund(self, *outcomes: Outcome) -> None:
        """What the next orders meet, one each."""
        self._refunds.extend(outcomes)

    def refund(self, order: RefundOrder) -> Report:
        self.orders.append(order)
        self._reach()
        script = self._refunds.pop(0) if self._refunds else None
        if isinstance(script, Exception) and not isinstance(script, OutcomeUnknown | AlreadyTaken):
            raise script
        self.given.append(GivenBack(order=order, provider_reference=f"refund-{len(self.given) + 1}"))
        if isinstance(script, Exception):
            raise script
        return script or self._report(self.given[-1], Grade.ANSWER)

    def look_up_refund(self, question: Question) -> Report:
        self.refund_questions.append(question)
        self._reach()
        found = [g for g in self.given if g.order.reference == question.reference]
        if not found:
            return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference, found_nothing=True)
        return self._report(found[-1], Grade.ANSWER)

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
        one = self.given[place]
        body = {"refund": one.order.reference, "code": one.code, "number": one.number, "units": one.order.amount.units}
        return Incoming(body=json.dumps(body).encode(), door=Door.CALL)

    def read_callback(self, incoming: Incoming) -> Reading:
        try:
            body = json.loads(incoming.body)
        except ValueError:
            return super().read_callback(incoming)
        if not isinstance(body, dict) or "refund" not in body:
            return super().read_callback(incoming)
        one = next(g for g in self.given if g.order.reference == body["refund"])
        told = GivenBack(
            order=one.order, provider_reference=one.provider_reference, code=body["code"], number=body["number"]
        )
        report = self._report(told, Grade.SOLICITED)
        if report.amount is not None:
            report = replace(report, amount=Money(units=body["units"], asset=self.capabilities.assets[0]))
        return Reading(reports=(report,), reply_body=b"{}")

    def _report(self, one: GivenBack, grade: Grade) -> Report:
        report = Report(
            status=Status.PENDING,
            grade=grade,
            reference=one.order.reference,
            provider_reference=one.provider_reference,
        )
        if one.code in FAILURES:
            return replace(report, status=Status.FAILED, failure=FAILURES[one.code])
        if one.code == DONE:
            return replace(report, status=Status.SUCCEEDED, receipt_number=one.number, amount=one.order.amount)
        return report
