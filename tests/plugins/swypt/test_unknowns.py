"""What Swypt's papers leave open or contradict, row by row, and the careful way that is taken instead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from plugins.swypt.channel import OFFRAMP, SwyptOfframp
from plugins.swypt.history import CURSOR_MAX, PAGES_MAX
from plugins.swypt.rail import ONRAMP, SwyptOnramp
from ports.abilities import DeliveryState, FindingState, LostStart, TicketAbout, TicketOrder
from ports.callback import Door, Incoming
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused, Unreadable
from ports.money import Asset, Money
from ports.payout_channel import Bundle, Destination, DestinationKind, Instruction
from ports.report import Grade, Status
from tests.fakes.context import MORNING, FakeWorld
from tests.plugins.scripted import Act, ScriptedServer, hang_up, reply
from tests.plugins.swypt import papers
from tests.plugins.swypt.asking import (
    ASSETS,
    DEPOSIT,
    DEPOSITS,
    NOBODY,
    OFFRAMP_TICKET,
    ONRAMP_TICKET,
    PAYER,
    QUOTE,
    WITHDRAWALS,
    bundle,
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
from tests.plugins.swypt.papers import DEPOSIT_ROW, error, history
from tests.plugins.swypt.simulated import SimulatedSwypt, offramp_line, onramp_line, simulated


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


class TestPayoutSums:
    """10: what the recipient gets is exact, and named by the report, so that a difference shows."""

    @pytest.mark.parametrize("amount", [10, 99, 100, 101, 1_499, 1_500, 4_990, 5_000, 19_995, 25_000])
    @pytest.mark.parametrize("convention", ["amount_plus_fee", "amount"])
    def test_the_plan_brings_just_the_amount(self, tmp_path: Path, amount: int, convention: str) -> None:
        fee_from = "amount" if convention == "amount_plus_fee" else "beside"
        with simulated("offramp", tmp_path, fee_from=fee_from) as swypt:
            line = offramp_line(swypt, amount_convention=convention)
            channel = line.channel
            assert isinstance(channel, SwyptOfframp)
            plan = channel.plan_funding(shillings(amount), papers.WALLET)
            approve, call = plan.steps
            assert (approve.kind, call.kind, approve.units, approve.spends) == ("approve", "call", call.spends, 0)
            swypt.hashes.clear()
            funding = swypt.fund(1, units=call.spends)
            channel.submit(bundle(amount, funding, account="+254712000001"))
            swypt.finish()
            report = channel.look_up(question(None, funding=funding))
            assert report.amount is not None
            assert 0 <= report.amount.units - amount * 100 <= 1

    def test_a_payout_of_another_sum_says_so(self, offramp: SimulatedSwypt) -> None:
        line = offramp_line(offramp)
        offramp.sandbox.control.script("payout_short", endpoint="offramp")
        line.submit()
        offramp.finish()
        assert line.asked().amount == Money(units=115_965, asset=shillings(1).asset)


class TestFailedPayout:
    """11: the tokens of a failed payout are Swypt's debt; one ticket is written, nothing is sent again."""

    @pytest.mark.parametrize("script", ["payout_fails", "payout_fails_refunded"])
    def test_a_failure_keeps_the_funds(self, offramp: SimulatedSwypt, script: str) -> None:
        line = offramp_line(offramp)
        offramp.sandbox.control.script(script, endpoint="offramp")
        line.submit()
        offramp.finish()
        report = line.asked()
        assert report.failure is not None
        assert (report.status, report.failure.keeps_funds) == (Status.FAILED, True)
        (made,) = offramp.sandbox.control.get("withdrawals")["withdrawals"]
        assert bool(made["refund_tx"]) is (script == "payout_fails_refunded")

    def test_one_case_is_one_ticket(self, offramp: SimulatedSwypt) -> None:
        line = offramp_line(offramp)
        channel = line.channel
        assert isinstance(channel, SwyptOfframp)
        offramp.sandbox.control.script("payout_fails", endpoint="offramp")
        submitted = line.submit()
        offramp.finish()
        case = _ticket(TicketAbout.UNPAID, submitted.provider_reference, "USDT.celo", 6)
        assert channel.ticket(case) == channel.ticket(case)
        (kept,) = offramp.sandbox.control.get("tickets")["tickets"]
        assert (kept["side"], kept["fields"]["orderID"]) == ("off-ramp", submitted.provider_reference)


def _ticket(about: TicketAbout, order: str | None, asset: str, scale: int) -> TicketOrder:
    return TicketOrder(
        key="poa_1",
        about=about,
        provider_reference=order,
        amount=Money(units=10_000_000, asset=Asset(code=asset, scale=scale)),
        party=PAYER,
        text="Paid on Monday; <b>nothing</b> came",
    )


class TestTickets:
    """Tickets: in full where an order was paid and not delivered; once for a case, also when the answer got lost."""

    def test_paid_and_undelivered_goes_in_full(self, onramp: SimulatedSwypt) -> None:
        line = onramp_line(onramp)
        rail = line.rail
        assert isinstance(rail, SwyptOnramp)
        onramp.sandbox.control.script("success", endpoint="onramp")
        started = rail.start(line.collection())
        onramp.finish()
        rail.ticket(_ticket(TicketAbout.UNDELIVERED, started.provider_reference, "KES", 2))
        (kept,) = onramp.sandbox.control.get("tickets")["tickets"]
        assert kept["fields"] == {
            "phone": "254700000001",
            "amount": "100000",
            "description": f"Paid on Monday b nothing b came (order {started.provider_reference})",
            "side": "on-ramp",
            "userAddress": papers.WALLET,
            "symbol": "USDT",
            "tokenAddress": papers.TOKEN,
            "chain": "celo",
        }

    def test_a_lost_answer_makes_no_second_ticket(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        server.on(ONRAMP_TICKET, hang_up)
        case = _ticket(TicketAbout.UNDELIVERED, "D-ri3b1-7H", "KES", 2)
        with pytest.raises(OutcomeUnknown):
            rail.ticket(case)
        with pytest.raises(AlreadyTaken):
            rail.ticket(case)
        assert len(server.seen_at(ONRAMP_TICKET)) == 1

    def test_a_refused_one_may_be_tried_again(
        self, channel: SwyptOfframp, server: ScriptedServer, world: FakeWorld
    ) -> None:
        text = "No failed or pending transaction found with this orderID"
        server.on(OFFRAMP_TICKET, reply(404, error(text)), reply(200, papers.TICKET))
        case = _ticket(TicketAbout.UNPAID, "WD-xsy6e-HO", "USDT.celo", 6)
        with pytest.raises(Refused):
            channel.ticket(case)
        assert channel.ticket(case) == "67e2a1b2c3d4e5f601234567"
        assert world.shared.kept

    @pytest.mark.parametrize(
        ("message", "error_class"),
        [
            ("ValidationError: Side: `x` is not a valid enum value", Refused),
            ("Please provide all required inputs: phone, amount", Refused),
            ("No failed transaction found with this orderID", Refused),
            ("Unable to process refund ticket", OutcomeUnknown),
        ],
    )
    def test_its_errors(
        self, rail: SwyptOnramp, server: ScriptedServer, message: str, error_class: type[PortError]
    ) -> None:
        server.on(ONRAMP_TICKET, reply(400, error(message)))
        with pytest.raises(error_class):
            rail.ticket(_ticket(TicketAbout.UNDELIVERED, None, "KES", 2))


class TestDestinations:
    """12: telephones alone."""

    @pytest.mark.parametrize("kind", [kind for kind in DestinationKind if kind is not DestinationKind.MPESA_PHONE])
    def test_other_places_are_refused_before_anything_is_sent(
        self, channel: SwyptOfframp, server: ScriptedServer, kind: DestinationKind
    ) -> None:
        instruction = Instruction(
            reference="7a1e6c1e-9d0b-4b58-9d3e-000000000001",
            amount=shillings(20),
            destination=Destination(kind=kind, account="174379"),
            text="",
            reply_to=NOBODY,
        )
        with pytest.raises(Refused):
            channel.submit(Bundle(id="b", instructions=(instruction,), funding=papers.TX))
        assert server.seen == []

    def test_limits_that_came_later_leave_no_tokens_behind(self, server: ScriptedServer, world: FakeWorld) -> None:
        values = papers.channel_values(server.url) | {"amount_max": "15"}
        channel = SwyptOfframp.build(values, world.context)
        assert channel.submit(bundle(20)).reports[0].status is Status.PENDING
        with pytest.raises(Refused):
            channel.plan_funding(shillings(20), papers.WALLET)

    @pytest.mark.parametrize("funding", [None, "", "0x12", papers.TX + "0"])
    def test_nothing_is_sent_without_its_transaction(
        self, channel: SwyptOfframp, server: ScriptedServer, funding: str | None
    ) -> None:
        with pytest.raises(Refused):
            channel.submit(bundle(funding=funding))
        assert server.seen == []


class TestHints:
    """13: nobody is called by Swypt; what is posted wakes a question at most."""

    @pytest.mark.parametrize("door", list(Door))
    def test_a_hint_is_pending_and_weak(self, rail: SwyptOnramp, channel: SwyptOfframp, door: Door) -> None:
        for line, order in ((rail, "D-ri3b1-7H"), (channel, "WD-xsy6e-HO")):
            body = f'{{"status": "SUCCESS", "orderID": "{order}", "mpesaReceipt": "TBF842GPCO"}}'.encode()
            (report,) = line.read_callback(Incoming(body=body, door=door)).reports
            assert (report.status, report.grade.is_strong, report.money) == (Status.PENDING, False, ())
            assert (report.provider_reference, report.receipt_number) == (order, None)
            assert report.grade is (Grade.SOLICITED if door is Door.CALL else Grade.ANNOUNCED)

    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"x", b'{"orderID": "../admin"}', b'{"orderID": 7}'])
    def test_what_names_no_order_is_unreadable(self, rail: SwyptOnramp, body: bytes) -> None:
        with pytest.raises(Unreadable):
            rail.read_callback(Incoming(body=body, door=Door.CALL))


class TestPages:
    """14: how to page isn't documented: what comes is believed, and no loop goes on for ever."""

    def test_pages_are_followed_by_the_cursor(self, tmp_path: Path) -> None:
        with simulated("onramp", tmp_path, page_rows=10) as swypt:
            line = onramp_line(swypt)
            rail = line.rail
            assert isinstance(rail, SwyptOnramp)
            for number in range(1, 56):
                swypt.sandbox.control.script("success", endpoint="onramp")
                rail.start(line.collection(number))
            swypt.finish()
            found, cursor, pages = [], None, 0
            while True:
                page = rail.history(MORNING, MORNING, cursor)
                found += [money.receipt_number for money in page.money]
                cursor, pages = page.next_cursor, pages + 1
                if cursor is None:
                    break
            assert (len(found), len(set(found)), pages) == (55, 55, 2)

    @pytest.mark.parametrize("pages", ["first", "endless"])
    def test_a_provider_that_pages_wrongly_ends_it(self, tmp_path: Path, pages: str) -> None:
        with simulated("onramp", tmp_path, pages=pages, page_rows=2) as swypt:
            line = onramp_line(swypt)
            rail = line.rail
            assert isinstance(rail, SwyptOnramp)
            for number in range(1, 6):
                rail.start(line.collection(number))
            before = swypt.calls()
            assert rail.look_up_delivery(delivery("D-nosuc-NN")).state is DeliveryState.NO_NEWS
            assert swypt.calls() - before <= PAGES_MAX

    def test_a_cursor_never_runs_for_ever(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        row = DEPOSIT_ROW | {"createdAt": "2026-11-24T07:30:02.000Z"}
        server.on(DEPOSITS, *[reply(200, history(row, page=page, pages=10**6)) for page in (1, CURSOR_MAX)])
        assert rail.history(MORNING, MORNING, None).next_cursor == "2"
        assert rail.history(MORNING, MORNING, str(CURSOR_MAX)).next_cursor is None

    def test_rows_before_the_window_end_it(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        server.on(DEPOSITS, reply(200, history(DEPOSIT_ROW, pages=9)))
        assert rail.history(MORNING, MORNING, None).next_cursor is None

    def test_too_many_calls_slow_the_connection(self, tmp_path: Path) -> None:
        with simulated("onramp", tmp_path, calls_per_s=1) as swypt:
            line = onramp_line(swypt)
            line.rail.look_up(question("D-nosuc-NN"))
            with pytest.raises(NotSent) as slow:
                line.rail.look_up(question("D-nosuc-NN"))
            assert (slow.value.whole_connection, slow.value.retry_after_s) == (True, 1)


class TestTimes:
    """15: printed times are of two zones under one letter; none of them dates anything."""

    @pytest.mark.parametrize("times", ["iso", "epoch", "digits"])
    def test_no_printed_time_dates_money(self, tmp_path: Path, times: str) -> None:
        with simulated("onramp", tmp_path, times=times) as swypt:
            line = onramp_line(swypt)
            rail = line.rail
            assert isinstance(rail, SwyptOnramp)
            started, _ = line.ended(line.paid)
            report = rail.look_up(line.question(started))
            assert (report.happened_at, report.money[0].happened_at) == (None, None)
            assert [money.happened_at for money in rail.history(MORNING, MORNING, None).money] == [None]


class TestLimits:
    """16: the quote's limits hold, within the configured ones, before anything is sent."""

    def test_above_the_quoted_limit_nobody_is_prompted(self, server: ScriptedServer, world: FakeWorld) -> None:
        values = papers.rail_values(server.url) | {"amount_max": "250000"}
        rail = SwyptOnramp.build(values, world.context)
        rail.start(collection(100))
        with pytest.raises(Refused):
            rail.start(collection(10_001))
        assert (len(server.seen_at(ONRAMP_PATH)), len(server.seen_at(QUOTE))) == (1, 1)
        world.clock.forward(601)
        rail.start(collection(100))
        assert len(server.seen_at(QUOTE)) == 2

    def test_a_price_for_paying_out_limits_no_prompt(self, tmp_path: Path) -> None:
        with simulated("onramp", tmp_path) as swypt:
            line = onramp_line(swypt)
            rail = line.rail
            assert isinstance(rail, SwyptOnramp)
            rail.quote_out(shillings(500))
            assert rail.start(line.collection(1, shillings(1))).status is Status.PENDING

    @pytest.mark.parametrize("act", [hang_up, reply(500, papers.SERVER_ERROR), reply(200, b"<html>"), reply(429)])
    def test_without_a_quote_the_configured_limits_hold(
        self, rail: SwyptOnramp, server: ScriptedServer, act: Act
    ) -> None:
        server.on(QUOTE, act)
        assert rail.start(collection(10_000)).status is Status.PENDING
        with pytest.raises(Refused):
            rail.start(collection(10_001))

    def test_a_plan_keeps_to_the_quoted_limit(self, tmp_path: Path) -> None:
        with simulated("offramp", tmp_path, limit_out_max=1_000) as swypt:
            channel = offramp_line(swypt).channel
            assert isinstance(channel, SwyptOfframp)
            channel.plan_funding(shillings(1_000), papers.WALLET)
            with pytest.raises(Refused):
                channel.plan_funding(shillings(1_001), papers.WALLET)

    def test_a_plan_spends_from_our_wallet_alone(self, channel: SwyptOfframp, server: ScriptedServer) -> None:
        with pytest.raises(Misconfigured):
            channel.plan_funding(shillings(20), "0x" + "66" * 20)
        assert server.seen == []


class TestOneWallet:
    """17: everybody's rows are in one list; only names match."""

    def test_a_row_of_another_order_is_not_ours(self, rail: SwyptOnramp, server: ScriptedServer) -> None:
        server.on(DEPOSITS, reply(200, history(DEPOSIT_ROW)))
        assert rail.look_up_delivery(delivery("D-ri3b1-7h")).state is DeliveryState.NO_NEWS

    def test_a_row_of_another_transaction_is_not_ours(self, channel: SwyptOfframp, server: ScriptedServer) -> None:
        server.on(WITHDRAWALS, reply(200, history(papers.WITHDRAWAL_ROW)))
        report = channel.look_up(question(None, funding="0x" + "2e" * 32))
        assert (report.status, report.provider_reference) == (Status.NO_NEWS, None)

    def test_two_like_orders_are_two_suggestions(self, onramp: SimulatedSwypt) -> None:
        line = onramp_line(onramp)
        rail = line.rail
        assert isinstance(rail, SwyptOnramp)
        for _ in range(2):
            rail.start(line.collection())
        asked = LostStart(amount=shillings(1), payer=line.collection().payer or "", since=MORNING, until=MORNING)
        assert len({one.provider_reference for one in rail.find_lost(asked)}) == 2
