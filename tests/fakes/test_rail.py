"""The fake rail keeps the contract that it stands in for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ports.callback import ReplyTo
from ports.errors import OutcomeUnknown, Refused
from ports.money import KES, Money
from ports.registration import Repeat
from ports.report import Failure, FailureKind, Grade, Report, Status
from tests.contract.payment_rail import PaymentRailContract, RailLine
from tests.fakes.rail import FAILURES, FAKE_PROMPT, PAID, WAITING, FakeRail


class FakeRailSimulator:
    """Drives the fake through its own scripts."""

    def __init__(self, rail: FakeRail) -> None:
        self.rail = rail
        self.ends: dict[str, tuple[str, Money | None]] = {}
        self.bodies: dict[str, list[bytes]] = {}

    def reply_to(self, reference: str) -> ReplyTo:
        return ReplyTo(url=f"https://gw.example/cb/{reference.encode().hex()}")

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        self.ends[reference] = (code, claims)

    def finish(self) -> None:
        for one in self.rail.tries:
            reference = one.collection.reference
            if one.code == WAITING and reference in self.ends:
                code, claims = self.ends.pop(reference)
                told = self.rail.pay(reference, amount=claims) if code == PAID else self.rail.fail(reference, code)
                self.bodies.setdefault(reference, []).append(told.body)

    def posted(self, reference: str) -> list[bytes]:
        return list(self.bodies.get(reference, []))

    def collections_of(self, reference: str) -> int:
        return len(self.rail.of(reference))

    def collections(self) -> int:
        return len(self.rail.tries)

    def calls(self) -> int:
        return self.rail.calls

    def hang_up_after_accepting(self) -> None:
        self.rail.on_start(OutcomeUnknown("no whole answer"))

    def stop_listening(self) -> None:
        self.rail.reachable = False

    def refuse_credentials(self) -> None:
        self.rail.trusted = False


@pytest.mark.parametrize("repeat", list(Repeat), ids=lambda repeat: repeat.value, scope="class")
class TestFakeRail(PaymentRailContract):
    """The fake, once for each word of `repeat`."""

    @pytest.fixture
    def line(self, repeat: Repeat) -> RailLine:
        rail = FakeRail(capabilities=replace(FAKE_PROMPT, repeat=repeat))
        return RailLine(
            rail=rail,
            capabilities=rail.capabilities,
            simulator=FakeRailSimulator(rail),
            codes={PAID: Status.SUCCEEDED, WAITING: Status.PENDING} | dict.fromkeys(FAILURES, Status.FAILED),
            paid=PAID,
            unpaid="canceled",
            invented="odd",
            private=(),
        )


def test_scripts_are_used_once_and_the_journal_keeps_everything() -> None:
    rail = FakeRail()
    simulator = FakeRailSimulator(rail)
    line = RailLine(
        rail=rail,
        capabilities=FAKE_PROMPT,
        simulator=simulator,
        codes={},
        paid=PAID,
        unpaid="",
        invented="",
        private=(),
    )
    rail.on_start(Refused(Failure(kind=FailureKind.OVER_LIMIT)), OutcomeUnknown("lost"))
    rail.on_look_up(Report(status=Status.SUCCEEDED, grade=Grade.ANSWER))
    with pytest.raises(Refused):
        line.rail.start(line.collection(1))
    with pytest.raises(OutcomeUnknown):
        line.rail.start(line.collection(2))
    started = line.rail.start(line.collection(3))
    assert line.rail.look_up(line.question(started)).status is Status.SUCCEEDED
    assert line.rail.look_up(line.question(started)).status is Status.PENDING
    assert [one.reference for one in rail.started] == [line.reference(number) for number in (1, 2, 3)]
    assert [one.collection.reference for one in rail.tries] == [line.reference(2), line.reference(3)]
    assert (len(rail.looked_up), rail.read) == (2, [])


def test_another_amount_than_asked_can_be_claimed() -> None:
    rail = FakeRail()
    line = RailLine(
        rail=rail,
        capabilities=FAKE_PROMPT,
        simulator=FakeRailSimulator(rail),
        codes={},
        paid=PAID,
        unpaid="",
        invented="",
        private=(),
    )
    rail.start(line.collection())
    callback = rail.pay(line.reference(1), amount=Money(units=700, asset=KES))
    (report,) = rail.read_callback(callback).reports
    assert report.money[0].amount == Money(units=700, asset=KES)
