"""The fake channel keeps the contract that it stands in for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ports.callback import ReplyTo
from ports.errors import NotSent, OutcomeUnknown
from ports.money import Money
from ports.registration import LookUp, Repeat
from ports.report import Grade, Report, Status
from tests.contract.payout_channel import ChannelLine, PayoutChannelContract
from tests.fakes.channel import FAILURES, FAKE_PHONES, PAID, WAITING, FakeChannel


class FakeChannelSimulator:
    """Drives the fake through its own scripts."""

    def __init__(self, channel: FakeChannel) -> None:
        self.channel = channel
        self.ends: dict[str, tuple[str, Money | None]] = {}
        self.bodies: dict[str, list[bytes]] = {}
        self.names: dict[str, str] = {}
        self.answered = 0

    def reply_to(self, name: str) -> ReplyTo:
        url = f"https://gw.example/cb/{name.encode().hex()}"
        self.names[url] = name
        return ReplyTo(url=url)

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        self.ends[reference] = (code, claims)

    def finish(self) -> None:
        for one in self.channel.taken:
            reference = one.instruction.reference
            if one.code == WAITING and reference in self.ends:
                code, claims = self.ends.pop(reference)
                paid = code == PAID
                told = self.channel.pay(reference, amount=claims) if paid else self.channel.fail(reference, code)
                self.bodies.setdefault(reference, []).append(told.body)
        for question in self.channel.looked_up[self.answered :]:
            name = self.names[question.reply_to.url]
            self.bodies.setdefault(name, []).append(self.channel.answer_to(question).body)
        self.answered = len(self.channel.looked_up)

    def posted(self, name: str) -> list[bytes]:
        return list(self.bodies.get(name, []))

    def payouts_of(self, reference: str) -> int:
        return len(self.channel.of(reference))

    def payouts(self) -> int:
        return len(self.channel.taken)

    def calls(self) -> int:
        return self.channel.calls

    def hang_up_after_accepting(self) -> None:
        self.channel.on_submit(OutcomeUnknown("no whole answer"))

    def stop_listening(self) -> None:
        self.channel.reachable = False

    def refuse_credentials(self) -> None:
        self.channel.trusted = False


def line_to(channel: FakeChannel) -> ChannelLine:
    return ChannelLine(
        channel=channel,
        capabilities=channel.capabilities,
        simulator=FakeChannelSimulator(channel),
        codes={PAID: Status.SUCCEEDED, WAITING: Status.PENDING} | dict.fromkeys(FAILURES, Status.FAILED),
        paid=PAID,
        unpaid="nobody",
        invented="odd",
        private=(),
    )


@pytest.mark.parametrize("look_up", [LookUp.ANSWERS, LookUp.REPLIES], ids=lambda word: word.value, scope="class")
@pytest.mark.parametrize("repeat", list(Repeat), ids=lambda word: word.value, scope="class")
class TestFakeChannel(PayoutChannelContract):
    """The fake, once for each word of `repeat` and each way to answer a question."""

    @pytest.fixture
    def line(self, repeat: Repeat, look_up: LookUp) -> ChannelLine:
        return line_to(FakeChannel(capabilities=replace(FAKE_PHONES, repeat=repeat, look_up=look_up)))


def test_scripts_are_used_once_and_the_journal_keeps_everything() -> None:
    channel = FakeChannel()
    line = line_to(channel)
    channel.on_submit(NotSent("no connection"), OutcomeUnknown("lost"))
    channel.on_look_up(OutcomeUnknown("lost"))
    with pytest.raises(NotSent):
        line.submit(1)
    with pytest.raises(OutcomeUnknown):
        line.submit(1)
    with pytest.raises(OutcomeUnknown):
        line.asked(1)
    assert (len(channel.submitted), len(channel.taken), len(channel.looked_up)) == (2, 1, 1)
    channel.forget(line.reference(1))
    assert line.asked(1).found_nothing


def test_money_can_come_back_after_it_was_paid() -> None:
    channel = FakeChannel(capabilities=replace(FAKE_PHONES, look_up=LookUp.ANSWERS))
    line = line_to(channel)
    paid = line.read(line.ended(PAID)[-1])
    news = line.read(channel.give_back(line.reference(1)).body)
    assert (news.status, news.receipt_number, news.amount) == (Status.RETURNED, paid.receipt_number, paid.amount)
    assert line.asked() == replace(news, grade=Grade.ANSWER)


def test_a_report_can_stand_in_for_the_providers_word() -> None:
    channel = FakeChannel()
    said = Report(status=Status.SUCCEEDED, grade=Grade.SIGNED)
    channel.on_submit(said)
    assert line_to(channel).submit() == said
