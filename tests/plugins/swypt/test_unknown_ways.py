"""What Swypt's papers leave open about payouts, tickets, hints, pages, times, limits and a wallet that all share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.swypt.channel import SwyptOfframp
from plugins.swypt.history import CURSOR_MAX, PAGES_MAX
from plugins.swypt.rail import SwyptOnramp
from ports.abilities import DeliveryState, LostStart, TicketAbout, TicketOrder
from ports.callback import Door, Incoming
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused, Unreadable
from ports.money import Asset, Money
from ports.payout_channel import Bundle, Destination, DestinationKind, Instruction
from ports.report import Grade, Status
from tests.fakes.context import MORNING, FakeWorld
from tests.plugins.scripted import Act, ScriptedServer, hang_up, reply
from tests.plugins.swypt import papers
from tests.plugins.swypt.asking import (
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
