"""The ports' contract, kept by the M-Pesa plugin against the simulated M-Pesa, in each dialect it can speak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.mpesa.codes import PAYOUT_CODES, PUSH_CODES
from plugins.mpesa.payout import B2C, MpesaB2c
from plugins.mpesa.rail import PUSH, MpesaPush
from ports.report import Status
from tests.contract.payment_rail import PaymentRailContract, RailLine
from tests.contract.payout_channel import ChannelLine, PayoutChannelContract
from tests.plugins.mpesa.simulated import SimulatedMpesa, simulated

NEW: dict[str, object] = {}
OLD: dict[str, object] = {
    "identifiers": "old",
    "callback_phone": "masked",
    "status_shape": "live",
    "queue_timeout_body": "result",
}


@pytest.mark.parametrize("dialect", [NEW, OLD], ids=["new", "old"], scope="class")
class TestPush(PaymentRailContract):
    """The push rail."""

    @pytest.fixture
    def line(self, dialect: dict[str, object], tmp_path: Path) -> Iterator[RailLine]:
        with simulated("push", tmp_path, **dialect) as mpesa:
            yield push_line(mpesa)


@pytest.mark.parametrize("dialect", [NEW, OLD], ids=["new", "old"], scope="class")
class TestB2c(PayoutChannelContract):
    """The B2C channel."""

    @pytest.fixture
    def line(self, dialect: dict[str, object], tmp_path: Path) -> Iterator[ChannelLine]:
        with simulated("b2c", tmp_path, **dialect) as mpesa:
            yield b2c_line(mpesa)


def push_line(mpesa: SimulatedMpesa) -> RailLine:
    known = mpesa.credentials()
    values = {name: known[name] for name in ("consumer_key", "consumer_secret", "shortcode", "passkey")}
    return RailLine(
        rail=MpesaPush.build(values | {"base_url": mpesa.url}, mpesa.world.context),
        capabilities=PUSH,
        simulator=mpesa,
        codes={code: row.verdict.status for code, row in PUSH_CODES.items()},
        paid="0",
        unpaid="1032",
        invented="31337",
        private=(str(values["consumer_key"]), str(values["consumer_secret"]), str(values["passkey"])),
    )


def b2c_line(mpesa: SimulatedMpesa) -> ChannelLine:
    known = mpesa.credentials()
    names = ("consumer_key", "consumer_secret", "initiator_name", "initiator_password", "certificate_pem")
    values = {name: known[name] for name in names} | {"shortcode": known["b2c_shortcode"], "base_url": mpesa.url}
    channel = MpesaB2c.build(values, mpesa.world.context)
    return ChannelLine(
        channel=channel,
        capabilities=B2C,
        simulator=mpesa,
        codes={code: row.verdict.status for code, row in PAYOUT_CODES.items()},
        paid="0",
        unpaid="2040",
        invented="31337",
        private=(*(str(values[name]) for name in names[:4]), channel.operator.credential),
    )


class TestAgainstTheSimulator:
    """Days that the suites don't have: what M-Pesa does of its own accord."""

    @pytest.fixture
    def push(self, tmp_path: Path) -> Iterator[RailLine]:
        with simulated("push", tmp_path) as mpesa:
            yield push_line(mpesa)

    @pytest.fixture
    def b2c(self, tmp_path: Path) -> Iterator[ChannelLine]:
        with simulated("b2c", tmp_path) as mpesa:
            yield b2c_line(mpesa)

    def test_a_new_token_ends_the_old_one_and_the_call_goes_through(self, push: RailLine) -> None:
        push.rail.start(push.collection(1))
        for number in range(2, 5):
            push.simulator.finish()
            assert isinstance(push.simulator, SimulatedMpesa)
            push.simulator.server.sim.tokens.remove("sandbox-consumer-key")
            assert push.rail.start(push.collection(number)).status is Status.PENDING
        assert push.simulator.collections() == 4

    def test_a_question_while_the_prompt_is_open_is_pending(self, push: RailLine) -> None:
        started = push.rail.start(push.collection())
        assert push.rail.look_up(push.question(started)).status is Status.PENDING

    @pytest.mark.parametrize("script", ["query_unknown", "query_blocked"])
    def test_a_query_that_fails_is_no_news(self, push: RailLine, script: str) -> None:
        assert isinstance(push.simulator, SimulatedMpesa)
        push.simulator.arm({"behaviour": script, "endpoint": "push"})
        started = push.rail.start(push.collection())
        push.simulator.finish()
        assert push.rail.look_up(push.question(started)).status is Status.NO_NEWS

    @pytest.mark.parametrize("body", ["request", "result"])
    @pytest.mark.parametrize("script", ["queue_timeout_paid", "queue_timeout_unpaid"])
    def test_a_queue_time_out_is_never_a_failure(self, b2c: ChannelLine, body: str, script: str) -> None:
        assert isinstance(b2c.simulator, SimulatedMpesa)
        with b2c.simulator.server.sim.turn():
            b2c.simulator.server.sim.change_settings({"queue_timeout_body": body})
        b2c.simulator.arm({"behaviour": script, "endpoint": "b2c"})
        b2c.submit()
        b2c.simulator.finish()
        report = b2c.read(b2c.simulator.posted(b2c.reference(1))[0])
        assert (report.status, report.reference, report.failure) == (Status.PENDING, b2c.reference(1), None)
        assert b2c.asked().status is (Status.SUCCEEDED if script == "queue_timeout_paid" else Status.NO_NEWS)

    def test_a_question_of_a_locked_operator_says_nothing_of_the_payout(self, b2c: ChannelLine) -> None:
        assert isinstance(b2c.simulator, SimulatedMpesa)
        b2c.ended(b2c.paid)
        shortcode = b2c.simulator.server.sim.world.shortcodes["600992"]
        nobody = {"600992": replace(shortcode, initiators=())}
        b2c.simulator.server.sim.world = replace(b2c.simulator.server.sim.world, shortcodes=nobody)
        report = b2c.asked()
        assert (report.status, report.found_nothing) == (Status.NO_NEWS, False)
        assert report.failure is not None
