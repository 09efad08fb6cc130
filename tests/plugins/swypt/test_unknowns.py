"""What Swypt's papers leave open or contradict, row by row, and the careful way that is taken instead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from plugins.swypt.channel import OFFRAMP
from plugins.swypt.rail import ONRAMP, SwyptOnramp
from ports.abilities import DeliveryState, FindingState, LostStart
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown
from ports.report import Status
from tests.fakes.context import MORNING, FakeWorld
from tests.plugins.scripted import Act, ScriptedServer, hang_up, reply
from tests.plugins.swypt import papers
from tests.plugins.swypt.asking import (
    ASSETS,
    DEPOSIT,
    DEPOSITS,
    QUOTE,
    collection,
    delivery,
    lost,
    onramp_status,
    question,
    shillings,
)
from tests.plugins.swypt.asking import (
    ONRAMP as ONRAMP_PATH,
)
from tests.plugins.swypt.papers import DEPOSIT_ROW, history
from tests.plugins.swypt.simulated import SimulatedSwypt, onramp_line, simulated


@pytest.fixture
def onramp(tmp_path: Path) -> Iterator[SimulatedSwypt]:
    with simulated("onramp", tmp_path) as swypt:
        yield swypt


@pytest.fixture
def offramp(tmp_path: Path) -> Iterator[SimulatedSwypt]:
    with simulated("offramp", tmp_path) as swypt:
        yield swypt


class TestPaths:
    """1: two generations. Money never tries the other one."""

    def test_a_page_for_an_unknown_path_is_unknown_and_the_other_path_is_not_tried(self, tmp_path: Path) -> None:
        with simulated("onramp", tmp_path, profile="v1") as swypt:
            line = onramp_line(swypt, profile="v2")
            with pytest.raises(OutcomeUnknown):
                line.rail.start(line.collection())
            assert swypt.collections() == 0

    def test_a_probe_reads_the_assets_alone(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        rail.self_check(MORNING)
        assert [(seen.method, seen.path) for seen in server.seen] == [("GET", ASSETS)]


class TestPins:
    """3: addresses are pinned; the list is only held against them."""

    @pytest.mark.parametrize(
        ("change", "state"),
        [
            ({}, FindingState.OK),
            ({"address": "0x" + "66" * 20}, FindingState.WRONG),
            ({"decimals": 18}, FindingState.WRONG),
            ({"symbol": "XUSD"}, FindingState.WRONG),
            ({"address": papers.TOKEN.lower(), "decimals": "6"}, FindingState.OK),
        ],
    )
    def test_a_list_that_differs_is_wrong_and_stops_money(
        self, server: ScriptedServer, world: FakeWorld, change: papers.Body, state: FindingState
    ) -> None:
        listed = papers.ASSETS["crypto"]["celo"][0] | change
        server.on(ASSETS, reply(200, papers.ASSETS | {"crypto": {"celo": [listed]}}))
        rail = SwyptOnramp.build(papers.rail_values(server.url), world.context)
        (finding,) = rail.self_check(MORNING)
        assert finding.state is state
        calls = len(server.seen)
        if state is FindingState.OK:
            assert rail.start(collection()).status is Status.PENDING
            return
        for act in (lambda: rail.start(collection()), lambda: rail.deliver(delivery())):
            with pytest.raises(Misconfigured):
                act()
        assert len(server.seen) == calls

    def test_a_second_contract_under_the_same_symbol_is_wrong(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        twin = papers.ASSETS["crypto"]["celo"][0] | {"address": "0x" + "66" * 20}
        tokens = [*papers.ASSETS["crypto"]["celo"], twin]
        server.on(ASSETS, reply(200, papers.ASSETS | {"crypto": {"celo": tokens}}))
        assert rail.self_check(MORNING)[0].state is FindingState.WRONG

    def test_a_wrapped_list_reads_as_well(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        server.on(ASSETS, reply(200, {"statusCode": 200, "message": "ok", "data": papers.ASSETS}))
        assert rail.self_check(MORNING)[0].state is FindingState.OK

    @pytest.mark.parametrize("act", [reply(500, papers.SERVER_ERROR), hang_up, reply(401), reply(200, b"<html>")])
    def test_a_list_that_cannot_be_had_is_a_warning_and_stops_nothing(
        self, rail: SwyptOnramp, server: ScriptedServer, act: Act
    ) -> None:
        server.on(ASSETS, act)
        assert rail.self_check(MORNING)[0].state is FindingState.WARNING
        assert rail.start(collection()).status is Status.PENDING


class TestLostStart:
    """4: nothing keeps a prompt from being doubled. A lost start is looked for, and never sent again."""

    @pytest.mark.parametrize("script", ["lost_ack", "html_504_accepted", "error_500_accepted", "malformed_accepted"])
    def test_one_prompt_and_the_history_suggests_it(self, onramp: SimulatedSwypt, script: str) -> None:
        line = onramp_line(onramp)
        rail = line.rail
        assert isinstance(rail, SwyptOnramp)
        onramp.sandbox.control.script(script, endpoint="onramp")
        with pytest.raises(OutcomeUnknown):
            rail.start(line.collection(5))
        onramp.finish()
        assert onramp.collections() == 1
        payer = line.collection(5).payer
        assert payer is not None
        asked = LostStart(amount=shillings(1), payer=payer, since=MORNING, until=MORNING + timedelta(minutes=2))
        (suggestion,) = rail.find_lost(asked)
        assert suggestion.money is not None
        assert suggestion.money.amount == shillings(1)
        found = rail.look_up(question(suggestion.provider_reference))
        assert (found.status, found.money[0].receipt_number) == (
            Status.SUCCEEDED,
            suggestion.money.receipt_number,
        )

    @pytest.mark.parametrize(
        ("change", "is_found"),
        [
            ({}, True),
            ({"Amount": "21.00"}, True),
            ({"PhoneNumber": "254700000001"}, True),
            ({"createdAt": "2026-11-24T10:30:00.000Z"}, True),
            ({"createdAt": None, "TransactionDate": None}, True),
            ({"createdAt": "2026-11-24T09:00:00.000Z"}, False),
            ({"createdAt": "2026-11-24T12:00:00.000Z"}, False),
            ({"Amount": 22}, False),
            ({"PhoneNumber": 254700000002}, False),
            ({"orderID": None}, False),
        ],
    )
    def test_only_payer_amount_and_time_together_suggest(
        self, rail: SwyptOnramp, server: ScriptedServer, change: papers.Body, is_found: bool
    ) -> None:
        row = DEPOSIT_ROW | {"createdAt": "2026-11-24T07:30:02.000Z"} | change
        server.on(DEPOSITS, reply(200, history(row)))
        assert len(rail.find_lost(lost())) == (1 if is_found else 0)

    def test_an_order_that_was_not_paid_is_suggested_without_money(
        self, rail: SwyptOnramp, server: ScriptedServer
    ) -> None:
        row = DEPOSIT_ROW | {"createdAt": "2026-11-24T07:30:02.000Z", "MpesaReceiptNumber": "ws_CO_1"}
        server.on(DEPOSITS, reply(200, history(row)))
        (suggestion,) = rail.find_lost(lost())
        assert (suggestion.provider_reference, suggestion.money) == ("D-ri3b1-7H", None)


class TestFeeOnTop:
    """5: whether the payer is asked for the fee is set; by default exactly the amount is asked."""

    @pytest.mark.parametrize(("fee_on_top", "asked"), [("no", "100"), ("yes", "101")])
    def test_what_the_payer_is_asked(
        self, server: ScriptedServer, world: FakeWorld, fee_on_top: str, asked: str
    ) -> None:
        rail = SwyptOnramp.build(papers.rail_values(server.url) | {"fee_on_top": fee_on_top}, world.context)
        rail.start(collection(100))
        assert server.seen_at(ONRAMP_PATH)[0].json["amount"] == asked
        server.on(DEPOSITS, reply(200, history(DEPOSIT_ROW | {"Amount": int(asked)})))
        (money,) = rail.history(MORNING, MORNING, None).money
        assert money.amount == shillings(100)

    @pytest.mark.parametrize("act", [hang_up, reply(500, papers.SERVER_ERROR), reply(200, b"<html>")])
    def test_without_the_fee_nobody_is_prompted_yet(self, server: ScriptedServer, world: FakeWorld, act: Act) -> None:
        server.on(QUOTE, act)
        rail = SwyptOnramp.build(papers.rail_values(server.url) | {"fee_on_top": "yes"}, world.context)
        with pytest.raises(NotSent):
            rail.start(collection(100))
        assert server.seen_at(ONRAMP_PATH) == []


class TestDeposit:
    """6: a deposit may be repeated; "already processed" is never a failure."""

    def test_a_lost_deposit_is_found_and_not_doubled(self, onramp: SimulatedSwypt) -> None:
        line = onramp_line(onramp)
        rail = line.rail
        assert isinstance(rail, SwyptOnramp)
        onramp.sandbox.control.script("deposit_lost_ack", endpoint="onramp")
        started = rail.start(line.collection())
        onramp.finish()
        order = delivery(started.provider_reference or "")
        with pytest.raises(OutcomeUnknown):
            rail.deliver(order)
        with pytest.raises(AlreadyTaken):
            rail.deliver(order)
        told = rail.look_up_delivery(order)
        assert (told.state, told.units) == (DeliveryState.SENT, 7_738)
        assert onramp.sandbox.control.get("journal")["counts"]["effects"]["tokens invented"] == 1

    def test_rate_trouble_is_unknown_and_the_next_one_delivers(self, onramp: SimulatedSwypt) -> None:
        line = onramp_line(onramp)
        rail = line.rail
        assert isinstance(rail, SwyptOnramp)
        onramp.sandbox.control.script("deposit_rate_trouble", endpoint="onramp")
        started = rail.start(line.collection())
        onramp.finish()
        order = delivery(started.provider_reference or "")
        with pytest.raises(OutcomeUnknown):
            rail.deliver(order)
        assert rail.look_up_delivery(order).state is DeliveryState.NO_NEWS
        assert rail.deliver(order).state is DeliveryState.SENT

    def test_before_the_money_is_there_it_comes_later(self, onramp: SimulatedSwypt) -> None:
        line = onramp_line(onramp)
        rail = line.rail
        assert isinstance(rail, SwyptOnramp)
        started = rail.start(line.collection())
        with pytest.raises(NotSent):
            rail.deliver(delivery(started.provider_reference or ""))

    @pytest.mark.parametrize(
        ("script", "state"),
        [
            ("no_hash", DeliveryState.PENDING),
            ("foreign_hash", DeliveryState.SENT),
            ("delivered_never", DeliveryState.SENT),
            ("delivered_short", DeliveryState.SENT),
            ("delivered_over", DeliveryState.SENT),
            ("delivered_late", DeliveryState.PENDING),
        ],
    )
    def test_what_is_said_is_handed_on_and_not_believed(
        self, onramp: SimulatedSwypt, script: str, state: DeliveryState
    ) -> None:
        line = onramp_line(onramp)
        rail = line.rail
        assert isinstance(rail, SwyptOnramp)
        onramp.sandbox.control.script(script, endpoint="onramp")
        started = rail.start(line.collection())
        onramp.finish()
        assert rail.deliver(delivery(started.provider_reference or "")).state is state

    def test_another_wallet_is_never_named(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        with pytest.raises(Misconfigured):
            rail.deliver(delivery(address="0x" + "66" * 20))
        assert server.seen_at(DEPOSIT) == []

    @pytest.mark.parametrize("hash_", ["0x12", "0x" + "zz" * 32, 17, None, "0x" + "1f" * 33])
    def test_what_is_no_hash_is_none(self, rail: SwyptOnramp, server: ScriptedServer, hash_: object) -> None:
        server.on(DEPOSIT, reply(200, papers.DEPOSITED | {"hash": hash_}))
        sent = rail.deliver(delivery())
        assert (sent.state, sent.tx) == (DeliveryState.PENDING, None)


class TestSilence:
    """7: pending may last for days, and a success may come late."""

    @pytest.mark.parametrize(
        ("script", "at_first"), [("late_success", Status.PENDING), ("late_after_failure", Status.FAILED)]
    )
    def test_a_late_success_is_told(self, onramp: SimulatedSwypt, script: str, at_first: Status) -> None:
        line = onramp_line(onramp)
        onramp.sandbox.control.script(script, endpoint="onramp")
        started = line.rail.start(line.collection())
        onramp.finish()
        assert line.rail.look_up(line.question(started)).status is at_first
        onramp.sandbox.control.advance(600)
        assert line.rail.look_up(line.question(started)).status is Status.SUCCEEDED

    @pytest.mark.parametrize("said", [ONRAMP, OFFRAMP])
    def test_it_is_asked_quickly_for_minutes_and_slowly_for_days(self, said: object) -> None:
        assert isinstance(said, (type(ONRAMP), type(OFFRAMP)))
        ladder = said.look_up_ladder_s
        assert ladder[0] == 8
        assert sum(wait for wait in ladder if wait <= 30) >= 170
        assert ladder[-1] == 3600
        assert said.look_up_life_s == 72 * 3600
        assert getattr(said, "absence_s", None) is None


class TestWords:
    """8: an unknown word is pending, and someone is told."""

    @pytest.mark.parametrize(
        ("word", "status", "unrecognised"),
        [
            (" success ", Status.SUCCEEDED, None),
            ("Success", Status.SUCCEEDED, None),
            ("failed", Status.FAILED, None),
            ("Cancelled ", Status.FAILED, None),
            ("awaitTransaction", Status.PENDING, "AWAITTRANSACTION"),
            ("", Status.PENDING, "no status"),
            (None, Status.PENDING, "no status"),
            (0, Status.PENDING, "no status"),
            ("254700000001 paid", Status.PENDING, "?"),
        ],
    )
    def test_words_are_compared_trimmed_and_in_any_case(
        self, rail: SwyptOnramp, server: ScriptedServer, word: object, status: Status, unrecognised: str | None
    ) -> None:
        body = {"status": "success", "data": papers.PAID["data"] | {"status": word}}
        server.on(onramp_status("D-ri3b1-7H"), reply(200, body))
        report = rail.look_up(question("D-ri3b1-7H"))
        assert (report.status, report.unrecognised) == (status, unrecognised)
        assert bool(report.money) is (status is Status.SUCCEEDED)

    @pytest.mark.parametrize(
        ("receipt", "is_one"),
        [
            ("TBF842GPCO", True),
            ("ws_CO_15022025083848183700000001", False),
            ("tbf842gpco", False),
            ("TBF842GPC", False),
            ("TBF842GPCO1", False),
            (None, False),
            (1234567890, False),
        ],
    )
    def test_a_receipt_is_ten_capitals_and_digits(
        self, rail: SwyptOnramp, server: ScriptedServer, receipt: object, is_one: bool
    ) -> None:
        details = papers.PAID["data"]["details"] | {"mpesaReceipt": receipt}
        body = {"status": "success", "data": papers.PAID["data"] | {"details": details}}
        server.on(onramp_status("D-ri3b1-7H"), reply(200, body))
        (money,) = rail.look_up(question("D-ri3b1-7H")).money
        assert money.receipt_number == (receipt if is_one else None)

    def test_a_receipt_of_what_is_not_paid_is_none(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        body = {"status": "success", "data": papers.PAID["data"] | {"status": "PENDING"}}
        server.on(onramp_status("D-ri3b1-7H"), reply(200, body))
        report = rail.look_up(question("D-ri3b1-7H"))
        assert (report.money, report.receipt_number) == ((), None)


class TestRates:
    """9: the rate moves between quote and deposit; what came is for our node to say."""

    @pytest.mark.parametrize("drift_bps", [-300, 300])
    def test_tokens_are_counted_when_they_are_released(self, tmp_path: Path, drift_bps: int) -> None:
        with simulated("onramp", tmp_path, drift_bps=drift_bps) as swypt:
            line = onramp_line(swypt)
            rail = line.rail
            assert isinstance(rail, SwyptOnramp)
            quoted = rail.quote_in(shillings(1)).get.units
            swypt.sandbox.control.script("success", endpoint="onramp")
            started = rail.start(line.collection())
            swypt.finish()
            order = delivery(started.provider_reference or "")
            rail.deliver(order)
            told = rail.look_up_delivery(order).units
            assert told is not None
            assert (told < quoted) is (drift_bps > 0)
