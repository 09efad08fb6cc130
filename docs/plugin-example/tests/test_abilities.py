"""The contracts of what Acme Pay can do beside collecting: exactly what it declares, and refunds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from acme_pay import plugin, refunds
from acme_pay.rail import PROMPT, AcmePay
from simulated_acme import KEY, SimulatedAcme, simulated_acme

from plugins.kit.http import Answer
from ports.errors import AlreadyTaken
from ports.report import Grade, Report, Status
from tests.contract.abilities import AbilitiesContract, Offered
from tests.contract.asked import a_phone
from tests.contract.calls import CallContract, Calling
from tests.contract.refund import RefundContract, RefundLine
from tests.fakes.context import FakeWorld


@pytest.fixture
def acme() -> Iterator[SimulatedAcme]:
    with simulated_acme() as running:
        yield running


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
def line(acme: SimulatedAcme, world: FakeWorld) -> RefundLine:
    rail = AcmePay.build({"api_key": KEY, "base_url": acme.url}, world.context)
    return RefundLine(rail=rail, capabilities=PROMPT, provider=acme)


class TestOffer(AbilitiesContract):
    """Declared and had."""

    @pytest.fixture
    def offered(self) -> Offered:
        (offer,) = plugin.register_payment_rails()
        return Offered(registration=offer, adapter=offer.build({"api_key": KEY}, FakeWorld().context))


class TestRefunds(RefundContract):
    """Every promise of the ability `refund`; its fixture `line` stands above."""


def _refund(line: RefundLine) -> Callable[[], object]:
    return partial(line.rail.refund, line.order())


def _look_up_refund(line: RefundLine) -> Callable[[], object]:
    return partial(line.rail.look_up_refund, line.question(None))


@pytest.mark.parametrize("how", [_refund, _look_up_refund], scope="class")
class TestCalls(CallContract):
    """What each call of the ability raises, how often it calls, and for how long."""

    @pytest.fixture
    def calling(
        self, how: Callable[[RefundLine], Callable[[], object]], acme: SimulatedAcme, world: FakeWorld, line: RefundLine
    ) -> Calling:
        return Calling(
            call=how(line),
            orders=how is _refund,
            provider=acme,
            private=(KEY, a_phone(1)[-9:], line.order().reply_to.url),
            logged=lambda: repr(world.log.lines),
            timeout_s=PROMPT.call_timeout_s,
        )


def test_every_code_has_a_row_and_an_invented_one_is_told() -> None:
    for code, status in {
        refunds.DONE: Status.SUCCEEDED,
        refunds.WAITING: Status.PENDING,
        "ODD": Status.PENDING,
    }.items():
        told: dict[str, object] = {"id": "rf_1", "refund_id": "re-1", "code": code, "units": 1, "receipt": "AR1"}
        report = refunds.report_of(told, Grade.ANSWER)
        assert (report.status, report.unrecognised) == (status, "ODD" if code == "ODD" else None)
    for code, failure in refunds.FAILURES.items():
        failed = refunds.report_of({"id": "rf_1", "refund_id": "re-1", "code": code}, Grade.ANSWER)
        assert (failed.status, failed.failure) == (Status.FAILED, failure)


def test_an_id_that_another_refund_has_is_taken_and_nobody_elses_refund_is_ours() -> None:
    with pytest.raises(AlreadyTaken):
        refunds.ordered(Answer(status=409, body=b"{}"), "re-1")
    theirs = b'{"id": "rf_1", "refund_id": "re-2", "code": "DONE", "units": 1, "receipt": "AR1"}'
    nothing = Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference="re-1")
    assert refunds.looked_up(Answer(status=200, body=theirs), "re-1") == nothing
