"""The ports' contract, kept by the Swypt plugin against the simulated Swypt, by both generations of paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.swypt.channel import SwyptOfframp
from ports.errors import AlreadyTaken, OutcomeUnknown, Unreadable
from ports.report import Grade, Status
from tests.contract.asked import called, nothing_outside
from tests.contract.payment_rail import AskedRailContract, RailLine
from tests.contract.payout_channel import AskedChannelContract, ChannelLine
from tests.plugins.swypt.simulated import FundedLine, offramp_line, onramp_line, simulated

V2: dict[str, object] = {}
V1: dict[str, object] = {"profile": "v1", "numbers": "texts", "phones": "number", "times": "digits", "words": "padded"}


@pytest.mark.parametrize("dialect", [V2, V1], ids=["v2", "v1"], scope="class")
class TestOnramp(AskedRailContract):
    """The on-ramp."""

    @pytest.fixture
    def line(self, dialect: dict[str, object], tmp_path: Path) -> Iterator[RailLine]:
        with simulated("onramp", tmp_path, **dialect) as swypt:
            yield onramp_line(swypt, profile=str(dialect.get("profile", "v2")))

    def test_a_paid_order_brings_its_receipt(self, line: RailLine) -> None:
        receipts = set()
        for number in (1, 2):
            started, _ = line.ended(line.paid, number)
            (money,) = line.rail.look_up(line.question(started)).money
            assert (money.receipt_namespace, money.provider_reference) == ("mpesa_ke", started.provider_reference)
            assert money.receipt_number
            assert (money.payer_hint or "").count("•") == 5
            receipts.add(money.receipt_number)
        assert len(receipts) == 2

    def test_a_hint_wakes_and_proves_nothing(self, line: RailLine, monkeypatch: pytest.MonkeyPatch) -> None:
        started, _ = line.ended(line.unpaid)
        body = f'{{"status": "success", "data": {{"status": "SUCCESS", "orderID": "{started.provider_reference}"}}}}'
        with nothing_outside(monkeypatch):
            report = line.read(body.encode())
        assert (report.status, report.grade, report.money) == (Status.PENDING, Grade.SOLICITED, ())
        assert report.provider_reference == started.provider_reference
        for end in range(len(body)):
            with pytest.raises(Unreadable):
                line.rail.read_callback(called(body[:end].encode()))


@pytest.mark.parametrize("dialect", [V2, V1], ids=["v2", "v1"], scope="class")
class TestOfframp(AskedChannelContract):
    """The off-ramp. With v1 there is no history, so a lost order is found by sending the same hash again."""

    def test_a_look_up_after_a_lost_answer_finds_the_payout(self, line: ChannelLine) -> None:
        assert isinstance(line.channel, SwyptOfframp)
        line.simulator.will_end(line.reference(1), line.paid)
        line.simulator.hang_up_after_accepting()
        with pytest.raises(OutcomeUnknown):
            line.submit()
        line.simulator.finish()
        if not line.channel.service.has_histories:
            with pytest.raises(AlreadyTaken):
                line.submit()
        assert line.asked().status is Status.SUCCEEDED

    @pytest.fixture
    def line(self, dialect: dict[str, object], tmp_path: Path) -> Iterator[FundedLine]:
        with simulated("offramp", tmp_path, **dialect) as swypt:
            yield offramp_line(swypt, profile=str(dialect.get("profile", "v2")))

    def test_every_word_has_a_row(self, line: FundedLine) -> None:
        for number, (code, status) in enumerate(sorted(line.codes.items()), start=1):
            line.ended(code, number)
            report = line.asked(number)
            assert (code, report.status, report.unrecognised) == (code, status, None)
            assert (report.failure is not None) == (status is Status.FAILED)
            assert report.failure is None or (report.failure.provider_code, report.failure.keeps_funds) == (code, True)

    def test_an_invented_word_is_pending_and_unrecognised(self, line: FundedLine) -> None:
        line.ended(line.invented)
        report = line.asked()
        assert (report.status, report.unrecognised, report.receipt_number) == (Status.PENDING, line.invented, None)

    def test_a_paid_one_names_receipt_and_sum(self, line: FundedLine) -> None:
        line.ended(line.paid)
        report = line.asked()
        assert report.receipt_number
        # Ten tokens at 129.45, less six shillings.
        assert report.amount is not None
        assert (report.amount.units, report.provider_reference) == (128_850, line.theirs[1])
