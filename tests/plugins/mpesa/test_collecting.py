"""Paybills and tills: where to pay, confirmations in every dress, validation, registration, questions and Pull."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.mpesa import wire_more
from plugins.mpesa.c2b import C2bValidator, MpesaCollects
from ports.abilities import OwnAddresses, RefundOrder, Validation
from ports.callback import Door, ReplyTo
from ports.errors import Misconfigured, NotSent, OutcomeUnknown, Refused, Unreadable
from ports.money import KES, Money
from ports.report import ActionKind, FailureKind, Grade, Status
from tests.fakes.context import MORNING, FakeWorld
from tests.plugins.mpesa.asking import OAUTH, STATUS, collection, question
from tests.plugins.mpesa.papers import (
    B2C_OK,
    RECEIPT,
    REPLY_TO,
    TOKEN_OK,
    certificate,
    error,
    parameters,
    posted,
    result,
    status_answer,
)
from tests.plugins.scripted import ScriptedServer, hang_up, reply, scripted_server

V1, V2 = wire_more.register_path("v1"), wire_more.register_path("v2")
PULL, PULL_REGISTER, REVERSAL = wire_more.PULL_PATH, wire_more.PULL_REGISTER_PATH, wire_more.REVERSAL_PATH
ADDRESSES = OwnAddresses(announced=ReplyTo(url="https://gw.example/in/aa/01"), validation=None)
CONFIRMATION = {
    "TransactionType": "Pay Bill",
    "TransID": "RKL51ZDR4F",
    "TransTime": "20231121121325",
    "TransAmount": "5.00",
    "BusinessShortCode": "600966",
    "BillRefNumber": " shop-7k2m4q ",
    "InvoiceNumber": "",
    "OrgAccountBalance": "25.00",
    "ThirdPartyTransID": "",
    "MSISDN": "2547 ***** 126",
    "FirstName": "NICHOLAS",
    "MiddleName": "",
    "LastName": "",
}
ROW = {
    "transactionId": "RKL51ZDR4F",
    "trxDate": "2020-08-05T10:13:00Z",
    "msisdn": 254722000000,
    "sender": "UAT2",
    "transactiontype": "c2b-pay-bill-debit",
    "billreference": "37207636392",
    "amount": "168.00",
    "organizationname": "Daraja Pull API Test",
}


def values(base_url: str, **more: str) -> dict[str, object]:
    known = {
        "consumer_key": "consumer-key-3",
        "consumer_secret": "consumer-secret-3",
        "shortcode": "600966",
        "base_url": base_url,
        "initiator_name": "testapi",
        "initiator_password": "Safaricom999!*!",
        "certificate_pem": certificate().pem,
    }
    return {**known, **more}


@pytest.fixture
def daraja() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        running.on(OAUTH, reply(200, TOKEN_OK))
        yield running


@pytest.fixture
def paybill(daraja: ScriptedServer) -> MpesaCollects:
    return MpesaCollects.paybill(values(daraja.url), FakeWorld().context)


def bodies(server: ScriptedServer, path: str) -> list[Any]:
    """What was sent to a path, oldest first."""
    return [seen.json for seen in server.seen if seen.path == path]


def confirmed(**changed: object) -> Any:
    rail = MpesaCollects.paybill(values("http://127.0.0.1:9"), FakeWorld().context)
    return rail.read_callback(posted({**CONFIRMATION, **changed}, Door.CONNECTION))


def refund_order(**changed: object) -> RefundOrder:
    whole = Money(units=15_000, asset=KES)
    order = RefundOrder(
        reference="re-1",
        amount=whole,
        receipt_number=RECEIPT,
        received=whole,
        payer=None,
        text="Refund",
        reply_to=REPLY_TO,
    )
    return replace(order, **changed)  # type: ignore[arg-type]


def test_a_paybill_says_where_to_pay_and_calls_nobody(paybill: MpesaCollects, daraja: ScriptedServer) -> None:
    report = paybill.start(collection(payer=None))
    assert (report.status, report.grade, report.asked) == (Status.PENDING, Grade.ANSWER, False)
    assert report.next_action is not None
    assert (report.next_action.kind, dict(report.next_action.pay_to)) == (
        ActionKind.PAY_TO,
        {"paybill": "600966", "account": "SHOP-7K2M4Q"},
    )
    assert daraja.seen == []


def test_a_till_says_its_own_number() -> None:
    rail = MpesaCollects.till(values("http://127.0.0.1:9", till="600111"), FakeWorld().context)
    action = rail.start(collection(payer=None)).next_action
    assert action is not None
    assert dict(action.pay_to) == {"till": "600111"}
    with pytest.raises(Misconfigured, match="/till"):
        MpesaCollects.till(values("http://127.0.0.1:9"), FakeWorld().context)


class TestConfirmation:
    """It is the money, and nobody signed it."""

    def test_it_brings_receipt_amount_time_and_what_was_typed(self) -> None:
        (report,) = confirmed().reports
        assert (report.status, report.grade, report.reference) == (Status.SUCCEEDED, Grade.ANNOUNCED, None)
        (money,) = report.money
        assert (money.receipt_number, money.amount) == ("RKL51ZDR4F", Money(units=500, asset=KES))
        assert money.happened_at == datetime(2023, 11, 21, 9, 13, 25, tzinfo=UTC)
        assert money.reference == "shop-7k2m4q"
        assert money.payer_hint == "+2547•••••126"
        assert "NICHOLAS" not in repr(report)

    @pytest.mark.parametrize(
        ("changed", "hint", "typed"),
        [
            ({"MSISDN": "254708374149"}, "+2547•••••149", "shop-7k2m4q"),
            ({"MSISDN": 254708374149}, "+2547•••••149", "shop-7k2m4q"),
            ({"MSISDN": "ee" * 32}, None, "shop-7k2m4q"),
            ({"MSISDN": None, "FirstName": None}, None, "shop-7k2m4q"),
            ({"BillRefNumber": ""}, "+2547•••••126", None),
            ({"BillRefNumber": 2041}, "+2547•••••126", "2041"),
            ({"BillRefNumber": None}, "+2547•••••126", None),
            ({"TransAmount": 5, "TransTime": 20231121121325}, "+2547•••••126", "shop-7k2m4q"),
        ],
    )
    def test_its_other_dresses(self, changed: dict[str, object], hint: str | None, typed: str | None) -> None:
        (money,) = confirmed(**changed).reports[0].money
        assert (money.payer_hint, money.reference, money.amount) == (hint, typed, Money(units=500, asset=KES))

    @pytest.mark.parametrize(
        "changed",
        [
            {"TransID": ""},
            {"TransID": "RKL51ZDR4"},
            {"TransAmount": "0.00"},
            {"TransAmount": "-5"},
            {"TransAmount": []},
        ],
    )
    def test_without_receipt_or_amount_it_is_nothing(self, changed: dict[str, object]) -> None:
        with pytest.raises(Unreadable):
            confirmed(**changed)


def test_validation_is_read_and_answered_in_m_pesas_words() -> None:
    validator = C2bValidator()
    asked = validator.read(posted({**CONFIRMATION, "OrgAccountBalance": ""}, Door.CONNECTION))
    assert (asked.reference, asked.amount) == ("shop-7k2m4q", Money(units=500, asset=KES))
    assert json.loads(validator.word(Validation.ACCEPT))["ResultCode"] == "0"
    assert json.loads(validator.word(Validation.UNKNOWN_REFERENCE))["ResultCode"] == "C2B00012"
    assert json.loads(validator.word(Validation.WRONG_AMOUNT))["ResultCode"] == "C2B00013"
    with pytest.raises(Unreadable):
        validator.read(posted({"TransAmount": "x"}, Door.CONNECTION))


class TestRegister:
    """Once in production."""

    @pytest.mark.parametrize("code", ["0", "00000000"])
    def test_both_urls_are_told(self, paybill: MpesaCollects, daraja: ScriptedServer, code: str) -> None:
        answer = {"OriginatorCoversationID": "x", "ResponseCode": code, "ResponseDescription": "Success"}
        daraja.on(V2, reply(200, answer))
        assert paybill.register(ADDRESSES) == "Success"
        body = bodies(daraja, V2)[0]
        assert (body["ShortCode"], body["ResponseType"]) == ("600966", "Completed")
        assert body["ConfirmationURL"] == body["ValidationURL"] == ADDRESSES.announced.url

    def test_version_1_and_pull_are_settings(self, daraja: ScriptedServer) -> None:
        chosen = values(daraja.url, c2b_version="v1", nominated_number="254722000000")
        rail = MpesaCollects.paybill(chosen, FakeWorld().context)
        daraja.on(V1, reply(200, {"ResponseCode": "0", "ResponseDescription": "ok"}))
        daraja.on(PULL_REGISTER, reply(200, {"Response Status": "1001", "ResponseDescription": "there"}))
        assert rail.register(ADDRESSES) == "ok; Pull: registered before"

    def test_pulls_trouble_leaves_our_urls_registered_and_can_be_mended_later(self, daraja: ScriptedServer) -> None:
        rail = MpesaCollects.paybill(values(daraja.url, nominated_number="254722000000"), FakeWorld().context)
        daraja.on(V2, reply(200, {"ResponseCode": "0", "ResponseDescription": "ok"}))
        daraja.on(PULL_REGISTER, hang_up)
        assert rail.register(ADDRESSES).startswith("ok; Pull: not registered")
        daraja.on(V2, reply(500, error("500.003.1001", "Urls are already registered")))
        daraja.on(PULL_REGISTER, reply(200, {"ResponseStatus": "1000"}))
        with pytest.raises(Refused) as caught:
            rail.register(ADDRESSES)
        assert caught.value.failure.detail.endswith("(Pull: registered)")
        assert len(bodies(daraja, PULL_REGISTER)) == 2

    def test_pull_is_not_asked_for_where_our_urls_were_refused(self, daraja: ScriptedServer) -> None:
        rail = MpesaCollects.paybill(values(daraja.url, nominated_number="254722000000"), FakeWorld().context)
        daraja.on(V2, reply(400, error("400.002.02", "Bad Request - Invalid ShortCode")))
        with pytest.raises(Refused):
            rail.register(ADDRESSES)
        assert bodies(daraja, PULL_REGISTER) == []

    @pytest.mark.parametrize("text", ["Urls are already registered", "Duplicate notification info, old broker"])
    def test_registered_already_is_a_refusal_that_says_what_to_do(
        self, paybill: MpesaCollects, daraja: ScriptedServer, text: str
    ) -> None:
        daraja.on(V2, reply(500, error("500.003.1001", text)))
        with pytest.raises(Refused) as caught:
            paybill.register(ADDRESSES)
        assert "URL management" in caught.value.failure.detail

    def test_trouble_behind_it_is_unknown(self, paybill: MpesaCollects, daraja: ScriptedServer) -> None:
        soap = {"Envelope": {"Body": {"Fault": {"faultcode": "soap:Server", "faultstring": "ServiceCallout failed"}}}}
        daraja.on(V2, reply(500, soap))
        with pytest.raises(OutcomeUnknown):
            paybill.register(ADDRESSES)


class TestQuestionAboutAReceipt:
    """Asked now, answered at its own URL."""

    def test_it_names_the_receipt(self, paybill: MpesaCollects, daraja: ScriptedServer) -> None:
        daraja.on(STATUS, reply(200, B2C_OK))
        report = paybill.look_up(replace(question(None), receipt_number=RECEIPT))
        assert (report.status, report.asked) == (Status.NO_NEWS, True)
        assert bodies(daraja, STATUS)[0]["TransactionID"] == RECEIPT
        assert "OriginalConversationID" not in bodies(daraja, STATUS)[0]

    def test_without_a_receipt_or_an_operator_nobody_is_called(self, daraja: ScriptedServer) -> None:
        plain = {k: v for k, v in values(daraja.url).items() if not k.startswith(("initiator", "certificate"))}
        rail = MpesaCollects.paybill(plain, FakeWorld().context)
        assert rail.look_up(replace(question(None), receipt_number=RECEIPT)).asked is False
        assert daraja.seen == []

    def test_completed_brings_the_money(self, paybill: MpesaCollects) -> None:
        (report,) = paybill.read_callback(posted(status_answer(), Door.CALL, of_question=True)).reports
        assert (report.status, report.grade) == (Status.SUCCEEDED, Grade.SOLICITED)
        (money,) = report.money
        assert (money.receipt_number, money.amount) == (report.receipt_number, report.amount)

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("Cancelled", Status.FAILED),
            ("Declined", Status.FAILED),
            ("Expired", Status.FAILED),
            ("Initiated", Status.PENDING),
            ("Pending  Authorized", Status.PENDING),
            ("Levitating", Status.PENDING),
        ],
    )
    def test_the_other_words(self, paybill: MpesaCollects, word: str, status: Status) -> None:
        answer = status_answer(word)
        (report,) = paybill.read_callback(posted(answer, Door.CALL, of_question=True)).reports
        assert (report.status, report.money) == (status, ())
        assert (report.unrecognised is not None) == (word == "Levitating")

    def test_no_such_receipt(self, paybill: MpesaCollects) -> None:
        (report,) = paybill.read_callback(posted(result("2032"), Door.CALL, of_question=True)).reports
        assert (report.status, report.found_nothing) == (Status.NO_NEWS, True)

    def test_a_question_that_failed_says_nothing_of_the_payment(self, paybill: MpesaCollects) -> None:
        (report,) = paybill.read_callback(posted(result("21"), Door.CALL, of_question=True)).reports
        assert report.status is Status.NO_NEWS
        assert report.failure is not None
        assert report.failure.kind is FailureKind.SET_UP


class TestPull:
    """What callbacks lost."""

    def test_a_busy_shops_two_days_are_read(self, paybill: MpesaCollects, daraja: ScriptedServer) -> None:
        rows = [{**ROW, "transactionId": f"RKL{number:07d}"} for number in range(1, 5_001)]
        daraja.on(PULL, reply(200, {"ResponseCode": "1000", "Response": [rows]}))
        page = paybill.history(MORNING - timedelta(hours=3), MORNING, None)
        assert len(page.money) == 5_000
        paybill.history(MORNING - timedelta(hours=3), MORNING, page.next_cursor)
        assert [asked["OffSetValue"] for asked in bodies(daraja, PULL)] == ["0", "5000"]

    def test_a_window_that_is_forgotten_there_is_not_asked_about(
        self, paybill: MpesaCollects, daraja: ScriptedServer
    ) -> None:
        page = paybill.history(MORNING - timedelta(hours=90), MORNING - timedelta(hours=60), None)
        assert (page.money, page.next_cursor, bodies(daraja, PULL)) == ((), None, [])

    def test_rows_in_lists_within_lists(self, paybill: MpesaCollects, daraja: ScriptedServer) -> None:
        daraja.on(
            PULL, reply(200, {"ResponseCode": "1000", "Response": [[ROW, {**ROW, "transactionId": "RKL51ZDR4G"}]]})
        )
        page = paybill.history(MORNING - timedelta(days=9), MORNING, None)
        assert [m.receipt_number for m in page.money] == ["RKL51ZDR4F", "RKL51ZDR4G"]
        first = page.money[0]
        assert (first.amount, first.reference, first.payer_hint) == (
            Money(units=16_800, asset=KES),
            "37207636392",
            "+2547•••••000",
        )
        assert first.happened_at == datetime(2020, 8, 5, 7, 13, tzinfo=UTC)
        assert page.next_cursor is not None
        assert page.next_cursor.startswith("2 ")
        asked = bodies(daraja, PULL)[0]
        assert asked["OffSetValue"] == "0"
        since = datetime.strptime(asked["StartDate"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=wire_more.EAT)
        assert MORNING - since < timedelta(hours=48)

    def test_pages_of_a_window_at_the_edge_of_its_memory_begin_alike(self, daraja: ScriptedServer) -> None:
        world = FakeWorld()
        paybill = MpesaCollects.paybill(values(daraja.url), world.context)
        rows = [[{**ROW, "transactionId": f"RKL51ZD{n:03d}"} for n in page] for page in ((1, 2), (3, 4), (5, 6))]
        daraja.on(PULL, *(reply(200, {"ResponseCode": "1000", "Response": [page]}) for page in rows))
        since, cursor = MORNING - timedelta(hours=60), None
        for seconds in (0, 60, 600):
            world.clock.forward(seconds)
            cursor = paybill.history(since, MORNING, cursor).next_cursor
        asked = [(body["StartDate"], body["OffSetValue"]) for body in bodies(daraja, PULL)]
        # The third comes when that beginning is forgotten: it starts anew, and what was read is known by its receipts.
        assert asked[0][0] == asked[1][0] < asked[2][0]
        assert [offset for _, offset in asked] == ["0", "2", "0"]

    def test_an_offset_that_is_not_heeded_ends_and_is_told(self, daraja: ScriptedServer) -> None:
        world = FakeWorld()
        paybill = MpesaCollects.paybill(values(daraja.url), world.context)
        daraja.on(PULL, reply(200, {"ResponseCode": "1000", "Response": [[ROW]]}))
        since = MORNING - timedelta(hours=1)
        first = paybill.history(since, MORNING, None)
        second = paybill.history(since, MORNING, first.next_cursor)
        assert (second.money, second.next_cursor) == (first.money, None)
        assert ("warning", "pull_offset_ignored", {"offset": 1}) in world.log.lines

    @pytest.mark.parametrize(
        "answer",
        [
            {"RequestID": "x", "ResponseCode": "1001", "ResponseMessage": "No records found"},
            {"ResponseCode": "1000", "Response": "[[]]"},
            {"ResponseCode": "1000", "Response": [[]]},
        ],
    )
    def test_nothing_found(self, paybill: MpesaCollects, daraja: ScriptedServer, answer: dict[str, object]) -> None:
        daraja.on(PULL, reply(200, answer))
        page = paybill.history(MORNING - timedelta(hours=1), MORNING, "7")
        assert (page.money, page.next_cursor) == ((), None)
        assert bodies(daraja, PULL)[0]["OffSetValue"] == "7"

    def test_a_row_that_cannot_be_read_hides_no_other(self, paybill: MpesaCollects, daraja: ScriptedServer) -> None:
        rows = [[{**ROW, "amount": "lots"}, ROW]]
        daraja.on(PULL, reply(200, {"ResponseCode": "1000", "Response": rows}))
        assert len(paybill.history(MORNING, MORNING, None).money) == 1

    def test_trouble(self, paybill: MpesaCollects, daraja: ScriptedServer) -> None:
        daraja.on(PULL, reply(500, error("500.003.02", "Spike arrest")))
        with pytest.raises(NotSent):
            paybill.history(MORNING, MORNING, None)
        daraja.on(PULL, reply(200, {"ResponseCode": "1002"}))
        with pytest.raises(OutcomeUnknown):
            paybill.history(MORNING, MORNING, None)


class TestReversal:
    """A refund over the rail itself."""

    def test_it_is_ordered_once_and_named_by_their_id(self, paybill: MpesaCollects, daraja: ScriptedServer) -> None:
        daraja.on(REVERSAL, reply(200, B2C_OK))
        report = paybill.refund(refund_order())
        assert (report.status, report.provider_reference) == (Status.PENDING, B2C_OK["OriginatorConversationID"])
        body = bodies(daraja, REVERSAL)[0]
        assert (body["TransactionID"], body["Amount"], body["RecieverIdentifierType"]) == (RECEIPT, 150, "11")
        assert certificate().open(body["SecurityCredential"]) == "Safaricom999!*!"

    def test_an_answer_that_was_lost_is_unknown(self, paybill: MpesaCollects, daraja: ScriptedServer) -> None:
        daraja.on(REVERSAL, hang_up)
        with pytest.raises(OutcomeUnknown):
            paybill.refund(refund_order())
        assert len(bodies(daraja, REVERSAL)) == 1

    def test_what_it_cannot_do_is_refused_before_anything_is_sent(
        self, paybill: MpesaCollects, daraja: ScriptedServer
    ) -> None:
        for order in (
            refund_order(amount=Money(units=5_000, asset=KES)),
            refund_order(receipt_number=""),
            refund_order(receipt_number="ABC0000000"),
        ):
            with pytest.raises(Refused):
                paybill.refund(order)
        assert daraja.seen == []

    def test_its_result(self, paybill: MpesaCollects) -> None:
        told = result(
            "0",
            TransactionID="SKE52PAWR9",
            ResultParameters=parameters(
                DebitAccountBalance="Utility Account|KES|7722179.62|7722179.62|0.00|0.00",
                Amount=150,
                TransCompletedTime=20211114132030,
                OriginalTransactionID=RECEIPT,
                Charge=0,
            ),
        )
        (report,) = paybill.read_callback(posted(told, Door.CALL)).reports
        assert (report.status, report.receipt_number, report.amount) == (
            Status.SUCCEEDED,
            "SKE52PAWR9",
            Money(units=15_000, asset=KES),
        )

    @pytest.mark.parametrize(
        ("charged", "units"), [(0, []), (22, [2_200]), ("22.40", [2_240]), ("Reversal Fee|KES|5.00", [500]), ("", [])]
    )
    def test_what_it_cost_is_told_for_its_own_receipt(
        self, paybill: MpesaCollects, charged: object, units: list[int]
    ) -> None:
        told = parameters(Amount=150, TransCompletedTime=20211114132030, OriginalTransactionID=RECEIPT, Charge=charged)
        reading = paybill.read_callback(
            posted(result("0", TransactionID="SKE52PAWR9", ResultParameters=told), Door.CALL)
        )
        assert [(one.number, one.amount.units) for one in reading.charges] == [("SKE52PAWR9", n) for n in units]

    @pytest.mark.parametrize(
        ("code", "status"),
        [("R000002", Status.FAILED), ("R000001", Status.PENDING), ("1", Status.FAILED), ("Z9", Status.PENDING)],
    )
    def test_its_other_results(self, paybill: MpesaCollects, code: str, status: Status) -> None:
        (report,) = paybill.read_callback(posted(result(code), Door.CALL)).reports
        assert report.status is status
        assert (report.unrecognised is not None) == (code == "Z9")


def test_balances_are_read_to_the_cent_or_not_at_all(paybill: MpesaCollects) -> None:
    told = "Working Account|KES|700000.00|700000.00|0.00|0.00&Charges Paid Account|KES|-1540.50|-1540.50|0.00|0.00"
    answer = result("0", ResultParameters=parameters(AccountBalance=told, BOCompletedTime=20211114132030))
    reading = paybill.read_callback(posted(answer, Door.CALL, of_question=True))
    assert [(p.name, p.balance.units, p.is_owed) for p in reading.pockets] == [
        ("Working Account", 70_000_000, False),
        ("Charges Paid Account", 154_050, True),
    ]
    assert reading.reports == ()
    broken = result("0", ResultParameters=parameters(AccountBalance=told.replace("700000.00|7", "lots|7")))
    with pytest.raises(Unreadable):
        paybill.read_callback(posted(broken, Door.CALL, of_question=True))
