"""A place to pay to, as a paybill or till is, under a name of no provider: announces, answers, remembers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ports.abilities import Ability, History, HistoryPage, MayBePaid, OwnAddresses, Registers, Validation, Validator
from ports.callback import Door, Incoming, Reading
from ports.context import Context
from ports.errors import Unreadable
from ports.money import KES, Money
from ports.payment_rail import Collection, PaymentRail, Question, RailCapabilities, StartsBy
from ports.registration import CallbackScope, LookUp, LookUpBy, ReferenceForm, Registration, Repeat
from ports.report import ActionKind, Grade, MoneyIn, NextAction, Report, Status
from tests.fakes.asking import Abilities, over
from tests.fakes.context import MORNING, FakeLog

FAKE_PLACE = RailCapabilities(
    assets=(KES,),
    amount_min=100,
    amount_max=25_000_000,
    amount_granularity=100,
    reference_form=ReferenceForm(max_length=12, tagged=True),
    receipt_namespace="fake",
    callback=CallbackScope.PER_CONNECTION,
    look_up=LookUp.REPLIES,
    look_up_by=LookUpBy.RECEIPT,
    repeat=Repeat.SAFE,
    abilities=(Ability.HISTORY, Ability.VALIDATE, Ability.REGISTER),
    starts_by=StartsBy.PAY_TO,
    fixed_amount=False,
    one_payment=False,
)


class FakeValidator(Validator):
    """Reads and words "may this be paid?" in JSON."""

    def read(self, incoming: Incoming) -> MayBePaid:
        """What is asked."""
        try:
            body = json.loads(incoming.body)
            if not isinstance(body["reference"], str) or not body["units"]:
                raise ValueError("nothing is asked")
            return MayBePaid(reference=body["reference"], amount=Money(units=body["units"], asset=KES))
        except (ValueError, KeyError, TypeError):
            raise Unreadable("no question") from None

    def word(self, answer: Validation) -> bytes:
        """The reply."""
        return json.dumps({"answer": answer.value}).encode()


@dataclass(kw_only=True)
class FakePlace(PaymentRail, Abilities, History, Registers):
    """The provider is the list `money`; `asked` are the questions by receipt, whose answers `answer` words.

    `junk` are rows of its history that nobody can read: each stands before the sum of that place in `money`.
    """

    capabilities: RailCapabilities = FAKE_PLACE
    money: list[MoneyIn] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    registered: list[OwnAddresses] = field(default_factory=list)
    pulled: list[tuple[datetime, datetime, str | None]] = field(default_factory=list)
    pages: int = 50
    junk: list[int] = field(default_factory=list)
    log: FakeLog = field(default_factory=FakeLog)

    def registration(self, code: str, method: str) -> Registration[PaymentRail]:
        """An offer whose every connection is this very place."""

        def build(values: Mapping[str, object], context: Context) -> PaymentRail:
            return self

        return Registration(
            code=code,
            method=method,
            title="Place",
            capabilities=self.capabilities,
            build=build,
            validator=FakeValidator(),
        )

    def paid(
        self, units: int, reference: str | None, *, number: str | None = None, happened_at: datetime = MORNING
    ) -> MoneyIn:
        """Somebody pays; gives the sum as the provider remembers it."""
        travels = self.capabilities.reference_travels
        one = MoneyIn(
            receipt_namespace=self.capabilities.receipt_namespace,
            receipt_number=number or f"PL{len(self.money) + 1:08d}",
            amount=Money(units=units, asset=KES),
            happened_at=happened_at,
            reference=reference if travels else None,
        )
        self.money.append(one)
        return one

    def announcement(self, one: MoneyIn) -> Incoming:
        """What the provider posts to the connection's address."""
        return Incoming(body=_worded(one, with_reference=True), door=Door.CONNECTION)

    def answer(self, one: MoneyIn) -> Incoming:
        """What it posts to a question's own address: it repeats no reference."""
        return Incoming(body=_worded(one, with_reference=False), door=Door.CALL)

    def answer_to(self, question: Question) -> Incoming:
        """The same for whatever was asked about."""
        known = next((one for one in self.money if one.receipt_number == question.receipt_number), None)
        return self.answer(known) if known else Incoming(body=b'{"none": true}', door=Door.CALL)

    def start(self, collection: Collection) -> Report:
        """Where to pay; nobody is called."""
        places: tuple[tuple[str, str], ...] = (("paybill", "400200"), ("account", collection.reference))
        if not self.capabilities.reference_travels:
            places = (("till", "400201"),)
        action = NextAction(kind=ActionKind.PAY_TO, pay_to=places)
        return Report(status=Status.PENDING, grade=Grade.ANSWER, reference=collection.reference, next_action=action)

    def look_up(self, question: Question) -> Report:
        """Accepted; the answer comes to the ReplyTo. Without a receipt there is nothing to ask with."""
        if question.receipt_number is None:
            return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=question.reference)
        self._reach()
        self.asked.append(question)
        return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, asked=True)

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read what `announcement` and `answer` wrote."""
        try:
            body = json.loads(incoming.body)
            if "none" in body:
                nothing = Report(status=Status.NO_NEWS, grade=Grade.SOLICITED, found_nothing=True)
                return Reading(reports=(nothing,))
            if not body["units"]:
                raise ValueError("no money")
            one = MoneyIn(
                receipt_namespace=self.capabilities.receipt_namespace,
                receipt_number=body["number"],
                amount=Money(units=body["units"], asset=KES),
                happened_at=MORNING,
                reference=body.get("reference"),
            )
        except (ValueError, KeyError, TypeError):
            raise Unreadable("no callback of the place") from None
        grade = Grade.ANNOUNCED if incoming.door is Door.CONNECTION else Grade.SOLICITED
        return Reading(reports=(Report(status=Status.SUCCEEDED, grade=grade, money=(one,)),))

    def history(self, since: datetime, until: datetime, cursor: str | None) -> HistoryPage:
        """What came in, a page at a time; rows that can't be read are told in the log."""
        self.pulled.append((since, until, cursor))
        over(self._begin("history"))
        rows, at = self._rows(since), int(cursor or 0)
        page = rows[at : at + self.pages]
        money = tuple(one for one in page if one is not None)
        if len(money) < len(page):
            self.log.warning("history_rows_unreadable", rows=len(page) - len(money))
        more = at + self.pages < len(rows)
        return HistoryPage(money=money, next_cursor=str(at + self.pages) if more else None)

    def _rows(self, since: datetime) -> list[MoneyIn | None]:
        """Oldest first."""
        rows: list[MoneyIn | None] = []
        for place, one in enumerate(self.money):
            rows += [None] * self.junk.count(place)
            rows += [one] if one.happened_at is None or one.happened_at >= since else []
        return rows + [None] * self.junk.count(len(self.money))

    def register(self, addresses: OwnAddresses) -> str:
        """Keep the addresses."""
        error = self._begin("register")
        self.registered.append(addresses)
        over(error)
        return "registered"


def _worded(one: MoneyIn, *, with_reference: bool) -> bytes:
    units = one.amount.units if one.amount else 0
    body: dict[str, object] = {"number": one.receipt_number, "units": units}
    if with_reference and one.reference is not None:
        body["reference"] = one.reference
    return json.dumps(body).encode()


def till(capabilities: RailCapabilities = FAKE_PLACE) -> RailCapabilities:
    """The same where no reference travels."""
    return replace(capabilities, reference_travels=False)
