"""Every body that Swypt's documentation prints, through the port, and every error text it names for each call."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from plugins.swypt.channel import SwyptOfframp
from plugins.swypt.rail import SwyptOnramp
from ports.abilities import DeliveryState
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.report import FailureKind, Status
from tests.fakes.context import FakeWorld
from tests.plugins.scripted import Act, ScriptedServer, hang_up, raw, reply, reset
from tests.plugins.swypt import papers
from tests.plugins.swypt.asking import (
    DEPOSIT,
    DEPOSITS,
    OFFRAMP,
    ONRAMP,
    QUOTE,
    WITHDRAWALS,
    bundle,
    collection,
    delivery,
    offramp_status,
    onramp_status,
    question,
    shillings,
)
from tests.plugins.swypt.papers import error

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def test_a_start_says_what_the_papers_want(rail: SwyptOnramp, server: ScriptedServer) -> None:
    report = rail.start(collection())
    assert (report.status, report.provider_reference) == (Status.PENDING, "D-rclsg-VL")
    (seen,) = server.seen_at(ONRAMP)
    assert seen.json == {
        "partyA": "254700000001",
        "amount": "100",
        "side": "onramp",
        "userAddress": papers.WALLET,
        "tokenAddress": papers.TOKEN,
    }
    assert (seen.headers["x-api-key"], seen.headers["x-api-secret"]) == ("5a" * 16, "c3" * 32)
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize("is_v1", [False, True], ids=["v2", "v1"])
def test_each_generation_has_paths_of_its_own(server: ScriptedServer, world: FakeWorld, is_v1: bool) -> None:
    profile = {"profile": "v1" if is_v1 else "v2"}
    paths = {
        "/swypt-quotes" if is_v1 else "/fx-quotes": papers.QUOTE_IN,
        "/swypt-onramp" if is_v1 else "/onramp-orders": papers.STARTED,
        "/order-onramp-status/D-ri3b1-7H" if is_v1 else "/onramp-order-status/D-ri3b1-7H": papers.PAID,
        "/swypt-deposit" if is_v1 else "/deposit": papers.DEPOSITED,
        "/swypt-order-offramp" if is_v1 else "/offramp-orders": papers.ORDERED,
        "/order-offramp-status/WD-xsy6e-HO" if is_v1 else "/offramp-order-status/WD-xsy6e-HO": papers.OUT_PAID,
        "/swypt-supported-assets" if is_v1 else "/listed-assets": papers.ASSETS,
    }
    server.script.clear()
    for path, body in paths.items():
        server.on(path, reply(200, body))
    rail = SwyptOnramp.build(papers.rail_values(server.url) | profile, world.context)
    channel = SwyptOfframp.build(papers.channel_values(server.url) | profile, world.context)
    rail.start(collection())
    rail.look_up(question("D-ri3b1-7H"))
    rail.deliver(delivery())
    rail.self_check(world.clock())
    channel.submit(bundle())
    channel.look_up(question("WD-xsy6e-HO"))
    assert {seen.path for seen in server.seen} == set(paths)
    (ordered,) = [seen.json for seen in server.seen if "offramp" in seen.path and seen.method == "POST"]
    assert ("userAddress" in ordered) is not is_v1


@pytest.mark.parametrize(
    ("body", "order", "status"),
    [
        (papers.PAID, "D-ri3b1-7H", Status.SUCCEEDED),
        (papers.PENDING, "D-roug7-UT", Status.PENDING),
        (papers.FAILED, "D-rm3qn-3Q", Status.FAILED),
        (papers.CANCELLED, "D-rclsg-VL", Status.FAILED),
    ],
)
def test_a_printed_status_reads(
    rail: SwyptOnramp, server: ScriptedServer, body: papers.Body, order: str, status: Status
) -> None:
    server.on(onramp_status(order), reply(200, body))
    report = rail.look_up(question(order))
    assert (report.status, report.unrecognised, report.provider_reference) == (status, None, order)
    receipts = [money.receipt_number for money in report.money]
    assert receipts == (["TBF842GPCO"] if status is Status.SUCCEEDED else [])


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Insufficient balance", FailureKind.INSUFFICIENT_FUNDS),
        ("Request cancelled by user", FailureKind.CANCELED_BY_PAYER),
        ("The initiator information is invalid.", FailureKind.WRONG_PIN),
        ("DS timeout user cannot be reached", FailureKind.NO_ANSWER),
        ("Something else", FailureKind.OTHER),
    ],
)
def test_a_message_says_why_and_never_whether(
    rail: SwyptOnramp, server: ScriptedServer, message: str, kind: FailureKind
) -> None:
    for word, is_failed in (("FAILED", True), ("PENDING", False)):
        body = {"status": "success", "data": {"status": word, "message": message, "orderID": "D-aaaaa-AA"}}
        server.on(onramp_status("D-aaaaa-AA"), reply(200, body))
        report = rail.look_up(question("D-aaaaa-AA"))
        assert (report.failure.kind if report.failure else None) == (kind if is_failed else None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (papers.OUT_PENDING, Status.PENDING),
        (papers.OUT_PAID, Status.SUCCEEDED),
        (papers.OUT_FAILED, Status.FAILED),
    ],
)
def test_a_printed_payout_reads(
    channel: SwyptOfframp, server: ScriptedServer, body: papers.Body, status: Status
) -> None:
    server.on(offramp_status("WD-xsy6e-HO"), reply(200, body))
    report = channel.look_up(question("WD-xsy6e-HO"))
    paid = ("TB21GOZTI9", shillings(20)) if status is Status.SUCCEEDED else (None, None)
    assert (report.status, (report.receipt_number, report.amount)) == (status, paid)
    if status is Status.FAILED:
        assert report.failure is not None
        assert (report.failure.detail, report.failure.keeps_funds) == ("Transaction timeout (1234)", True)


def test_a_printed_deposit_reads(rail: SwyptOnramp, server: ScriptedServer) -> None:
    sent = rail.deliver(delivery())
    assert (sent.state, sent.tx) == (DeliveryState.SENT, papers.TX)
    (seen,) = server.seen_at(DEPOSIT)
    assert seen.json == {
        "chain": "celo",
        "address": papers.WALLET,
        "orderID": "D-ri3b1-7H",
        "project": "mama-njeri",
    }


def test_a_deposit_may_say_how_many_tokens(rail: SwyptOnramp, server: ScriptedServer) -> None:
    server.on(DEPOSIT, reply(200, papers.DEPOSITED | {"cryptoAmount": "0.1621872103799815"}))
    assert rail.deliver(delivery()).units == 162_187


def test_a_printed_order_reads(channel: SwyptOfframp, server: ScriptedServer) -> None:
    (report,) = channel.submit(bundle()).reports
    assert (report.status, report.provider_reference) == (Status.PENDING, "WD-xsy6e-HO")
    (seen,) = server.seen_at(OFFRAMP)
    assert seen.json == {
        "chain": "celo",
        "hash": papers.TX,
        "partyB": "254700000001",
        "tokenAddress": papers.TOKEN,
        "project": "mama-njeri",
        "userAddress": papers.WALLET,
    }


def test_printed_quotes_read(rail: SwyptOnramp, server: ScriptedServer) -> None:
    rate = rail.quote_in(shillings(100))
    assert (rate.get.units, rate.fee, rate.limit_min, rate.limit_max) == (
        773_874,
        shillings(1),
        shillings(1),
        shillings(10_000),
    )
    (seen,) = server.seen_at(QUOTE)
    assert seen.json == {
        "type": "onramp",
        "amount": "100",
        "fiatCurrency": "KES",
        "cryptoCurrency": "USDT",
        "network": "celo",
    }


def _quoted_out(rail: SwyptOnramp, server: ScriptedServer, body: papers.Body, tokens: str) -> Any:
    server.on(QUOTE, reply(200, body))
    from plugins.kit.http import Budget

    return rail.service.quote(is_onramp=False, amount=Decimal(tokens), symbol="USDT", network="celo", budget=Budget(30))


def test_the_printed_off_ramp_quote_reads(rail: SwyptOnramp, server: ScriptedServer) -> None:
    quote = _quoted_out(rail, server, papers.QUOTE_OUT, "0.2")
    assert (quote.rate, quote.got, quote.fee) == (Decimal("129.45"), Decimal("25.8900"), Decimal(1))
    assert (quote.limit_min, quote.limit_max) == (shillings(10), shillings(30_000))
    (seen,) = server.seen_at(QUOTE)
    assert (seen.json["category"], seen.json["amount"]) == ("B2C", "0.2")


def test_a_sum_may_come_back_through_their_floating_point(rail: SwyptOnramp, server: ScriptedServer) -> None:
    body = papers.QUOTE_OUT | {"data": papers.QUOTE_OUT["data"] | {"inputAmount": 0.20000000000000001}}
    assert _quoted_out(rail, server, body, "0.200000000000000004").rate == Decimal("129.45")


@pytest.mark.parametrize(
    ("fee", "least", "most"),
    [(papers.FEE_APRIL, Decimal(6), Decimal(6)), (papers.FEE_JUNE, Decimal("6.0"), Decimal("6.02")), ({}, None, None)],
)
def test_older_fees_read(
    rail: SwyptOnramp, server: ScriptedServer, fee: papers.Body, least: Decimal | None, most: Decimal | None
) -> None:
    body = papers.QUOTE_OUT | {"data": papers.QUOTE_OUT["data"] | {"fee": fee}}
    quote = _quoted_out(rail, server, body, "0.2")
    if least is None or most is None:
        assert quote.fee is None
    else:
        assert least <= quote.fee <= most


@pytest.mark.parametrize("told", [0.0077, 129.45, "129.45"])
def test_a_rate_may_be_told_either_way_up(rail: SwyptOnramp, server: ScriptedServer, told: object) -> None:
    body = papers.QUOTE_OUT | {"data": papers.QUOTE_OUT["data"] | {"exchangeRate": told}}
    assert abs(_quoted_out(rail, server, body, "0.2").rate - Decimal("129.45")) < 1


@pytest.mark.parametrize(
    "change",
    [
        {"exchangeRate": 180},
        {"outputAmount": "0"},
        {"outputAmount": None},
        {"inputAmount": "0.3"},
        {"outputAmount": "1e9"},
    ],
)
def test_a_quote_that_contradicts_itself_is_none(
    rail: SwyptOnramp, server: ScriptedServer, change: papers.Body
) -> None:
    body = papers.QUOTE_OUT | {"data": papers.QUOTE_OUT["data"] | change}
    with pytest.raises(OutcomeUnknown):
        _quoted_out(rail, server, body, "0.2")


def test_printed_histories_read(rail: SwyptOnramp, channel: SwyptOfframp, server: ScriptedServer) -> None:
    server.on(DEPOSITS, reply(200, papers.history(papers.DEPOSIT_ROW)))
    (money,) = rail.history(rail.context.clock(), rail.context.clock(), None).money
    assert (money.receipt_number, money.amount, money.provider_reference) == (
        "TG18XQ2A4B",
        shillings(21),
        "D-ri3b1-7H",
    )
    assert money.payer_hint == "+2547•••••001"
    told = rail.look_up_delivery(delivery())
    assert (told.state, told.tx, told.units) == (DeliveryState.SENT, papers.TX, 162_187)
    server.on(WITHDRAWALS, reply(200, papers.history(papers.WITHDRAWAL_ROW)))
    server.on(offramp_status("WD-xsy6e-HO"), reply(200, papers.OUT_PAID))
    assert channel.look_up(question(None, funding=papers.TX)).provider_reference == "WD-xsy6e-HO"


# Errors

ANY_CODE = (200, 400, 404, 500)

START_ERRORS: list[tuple[Act, type[PortError]]] = [
    *[
        (reply(http, error("Failed to record the onramp transaction order")), Refused if http < 500 else OutcomeUnknown)
        for http in ANY_CODE
    ],
    *[
        (reply(http, error("Failed to initiate STK Push payment")), Refused if http < 500 else OutcomeUnknown)
        for http in ANY_CODE
    ],
    *[(reply(http, error("An error occurred during the STK Push transaction")), OutcomeUnknown) for http in ANY_CODE],
    *[(reply(http, error("Something that no paper has")), OutcomeUnknown) for http in ANY_CODE],
    *[(reply(http, papers.SERVER_ERROR), OutcomeUnknown) for http in (200, 500)],
    *[(reply(http, error("API key and secret are required")), Misconfigured) for http in (200, 400, 401, 403)],
    *[(reply(http, error("Invalid API credentials")), Misconfigured) for http in (200, 401, 403)],
    (reply(401), Misconfigured),
    (reply(429, error("Too many requests")), NotSent),
    (reply(429, HTML), NotSent),
    (reply(403, HTML), OutcomeUnknown),
    (reply(502, HTML), OutcomeUnknown),
    (reply(504, HTML), OutcomeUnknown),
    (reply(200, HTML), OutcomeUnknown),
    (reply(200, b""), OutcomeUnknown),
    (reply(200, b'{"status":"success","data":{"orde'), OutcomeUnknown),
    (reply(200, b"[]"), OutcomeUnknown),
    (reply(200, b'{"status":"success","data":NaN}'), OutcomeUnknown),
    (reply(200, {"status": "success", "data": {}}), OutcomeUnknown),
    (reply(200, {"status": "success", "data": {"orderID": "D rclsg VL"}}), OutcomeUnknown),
    (reply(500, papers.STARTED), OutcomeUnknown),
    (reply(302, b"", Location="http://127.0.0.1:1/"), OutcomeUnknown),
    (hang_up, OutcomeUnknown),
    (reset, OutcomeUnknown),
    (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), OutcomeUnknown),
]


@pytest.mark.parametrize(("act", "error_class"), START_ERRORS)
def test_an_error_of_a_start(rail: SwyptOnramp, server: ScriptedServer, act: Act, error_class: type[PortError]) -> None:
    server.on(ONRAMP, act)
    with pytest.raises(error_class):
        rail.start(collection())
    assert len(server.seen_at(ONRAMP)) == 1


DEPOSIT_ERRORS = [
    ("Missing required parameters: address or orderID", Misconfigured),
    ("No transaction found for orderID: D-ri3b1-7H", Refused),
    ("Transaction D-ri3b1-7H: STK push payment is being processed", NotSent),
    ("Transaction D-ri3b1-7H: Payment failed", Refused),
    ("Transaction D-ri3b1-7H has already been processed", AlreadyTaken),
    ("Transaction D-ri3b1-7H has already been processed for crypto transfer", AlreadyTaken),
    ("Invalid chain: XYZ", Misconfigured),
    ("XYZ chain is not supported", Misconfigured),
    ("Failed to process celo transaction: nonce too low", OutcomeUnknown),
    ("Failed to process celo transaction: no exchange rate", OutcomeUnknown),
    ("Invalid API credentials", Misconfigured),
    ("Something that no paper has", OutcomeUnknown),
]


@pytest.mark.parametrize("http", ANY_CODE)
@pytest.mark.parametrize(("message", "error_class"), DEPOSIT_ERRORS)
def test_an_error_of_a_deposit(
    rail: SwyptOnramp, server: ScriptedServer, message: str, error_class: type[PortError], http: int
) -> None:
    server.on(DEPOSIT, reply(http, error(message)))
    with pytest.raises(error_class):
        rail.deliver(delivery())


OFFRAMP_ERRORS = [
    ("Missing required parameters: tokenAddress, hash, or phone number", Misconfigured),
    ("Missing required ICP parameters", Misconfigured),
    ("Unsupported blockchain: XYZ", Misconfigured),
    ("Something that no paper has", OutcomeUnknown),
]


@pytest.mark.parametrize("http", ANY_CODE)
@pytest.mark.parametrize(("message", "error_class"), OFFRAMP_ERRORS)
def test_an_error_of_a_payout(
    channel: SwyptOfframp, server: ScriptedServer, message: str, error_class: type[PortError], http: int
) -> None:
    server.on(OFFRAMP, reply(http, error(message)))
    with pytest.raises(error_class):
        channel.submit(bundle())


@pytest.mark.parametrize("http", [200, 400, 409, 500])
def test_the_same_hash_names_the_same_order(channel: SwyptOfframp, server: ScriptedServer, http: int) -> None:
    server.on(OFFRAMP, reply(http, papers.TAKEN))
    with pytest.raises(AlreadyTaken) as taken:
        channel.submit(bundle())
    assert taken.value.provider_reference == "WD-xsy6e-HO"


@pytest.mark.parametrize("http", [200, 400, 404])
@pytest.mark.parametrize(
    "message", ["Transaction D-aaaaa-AA not found", "Transaction with the following D-aaaaa-AA the not found"]
)
def test_an_unknown_order_found_nothing(
    rail: SwyptOnramp, channel: SwyptOfframp, server: ScriptedServer, message: str, http: int
) -> None:
    server.on(onramp_status("D-aaaaa-AA"), reply(http, error(message)))
    server.on(offramp_status("D-aaaaa-AA"), reply(http, error(message)))
    for report in (rail.look_up(question("D-aaaaa-AA")), channel.look_up(question("D-aaaaa-AA"))):
        assert (report.status, report.found_nothing, report.failure) == (Status.NO_NEWS, True, None)


@pytest.mark.parametrize(
    "act", [reply(200, error("Failed to check deposit status")), reply(200, papers.SERVER_ERROR), reply(504, HTML)]
)
def test_a_question_without_answer_says_nothing(rail: SwyptOnramp, server: ScriptedServer, act: Act) -> None:
    server.on(onramp_status("D-aaaaa-AA"), act)
    with pytest.raises(OutcomeUnknown):
        rail.look_up(question("D-aaaaa-AA"))


def test_news_of_another_order_is_none_of_ours(
    rail: SwyptOnramp, channel: SwyptOfframp, server: ScriptedServer
) -> None:
    server.on(onramp_status("D-aaaaa-AA"), reply(200, papers.PAID))
    server.on(offramp_status("D-aaaaa-AA"), reply(200, papers.OUT_FAILED))
    assert rail.look_up(question("D-aaaaa-AA")).status is Status.NO_NEWS
    assert channel.look_up(question("D-aaaaa-AA")).status is Status.NO_NEWS


@pytest.mark.parametrize("http", [200, 400, 404])
def test_no_rows_come_as_an_error(rail: SwyptOnramp, channel: SwyptOfframp, server: ScriptedServer, http: int) -> None:
    server.on(DEPOSITS, reply(http, papers.NO_DEPOSITS))
    server.on(WITHDRAWALS, reply(http, papers.NO_WITHDRAWALS))
    page = rail.history(rail.context.clock(), rail.context.clock(), None)
    assert (page.money, page.next_cursor) == ((), None)
    assert rail.look_up_delivery(delivery()).state is DeliveryState.NO_NEWS
    assert channel.look_up(question(None, funding=papers.TX)).status is Status.NO_NEWS


def test_a_quote_may_be_refused(rail: SwyptOnramp, server: ScriptedServer) -> None:
    server.on(QUOTE, reply(400, papers.QUOTE_BAD))
    with pytest.raises(Misconfigured):
        rail.quote_in(shillings(100))
    server.on(QUOTE, reply(400, {"statusCode": 400, "message": "Invalid amount", "error": "Amount exceeds the limit"}))
    with pytest.raises(Refused):
        rail.quote_in(shillings(100))
