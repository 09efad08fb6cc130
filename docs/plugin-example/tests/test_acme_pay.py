"""The port's contract, kept against the simulated Acme Pay; and what only Acme Pay does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from acme_pay import wire
from acme_pay.rail import PROMPT, AcmePay
from simulated_acme import KEY, SimulatedAcme, simulated_acme

from plugins.kit.http import Answer
from ports.context import Environment
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.report import Status
from tests.contract.payment_rail import PaymentRailContract, RailLine
from tests.fakes.context import FakeWorld


def line_to(acme: SimulatedAcme) -> RailLine:
    """The rail, and what the suite has to know of the provider."""
    return RailLine(
        rail=AcmePay.build({"api_key": KEY, "base_url": acme.url}, FakeWorld().context),
        capabilities=PROMPT,
        simulator=acme,
        codes={wire.PAID: Status.SUCCEEDED, wire.WAITING: Status.PENDING} | dict.fromkeys(wire.FAILURES, Status.FAILED),
        paid=wire.PAID,
        unpaid="DECLINED",
        invented="ODD",
        private=(KEY,),
    )


class TestAcmePay(PaymentRailContract):
    """Every promise of the port."""

    @pytest.fixture
    def line(self) -> Iterator[RailLine]:
        with simulated_acme() as acme:
            yield line_to(acme)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, Misconfigured),
        (409, AlreadyTaken),
        (422, Refused),
        (429, NotSent),
        (400, OutcomeUnknown),
        (500, OutcomeUnknown),
        (302, OutcomeUnknown),
        (200, OutcomeUnknown),
    ],
)
def test_what_an_answer_without_a_charge_means(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        wire.started(Answer(status=status, body=b"<html>"), "SHOP-1")


def test_a_question_that_is_not_answered_is_no_news_and_nobody_elses_charge_is_ours() -> None:
    theirs = b'{"id": "ch_1", "order_id": "SHOP-2", "code": "WAITING"}'
    for answer in (Answer(status=503), Answer(status=200, body=b"<html>"), Answer(status=200, body=theirs)):
        report = wire.looked_up(answer, "SHOP-1")
        assert (report.status, report.found_nothing) == (Status.NO_NEWS, False)
    assert wire.looked_up(Answer(status=404), "SHOP-1").found_nothing


def test_a_live_connection_goes_to_acme_pay_alone() -> None:
    live = FakeWorld(environment=Environment.LIVE).context
    with pytest.raises(Misconfigured, match="/base_url"):
        AcmePay.build({"api_key": KEY, "base_url": "http://127.0.0.1:1"}, live)
    assert AcmePay.build({"api_key": KEY}, live).config.base_url == "https://api.acme-pay.example"


def test_a_phone_is_not_shown() -> None:
    assert b"254" not in wire.redacted(b'{"id": "ch_1", "code": "PAID", "phone": "+254712345678"}')
    assert wire.redacted(b"+254712345678") == b"<13 bytes that are no JSON object>"
