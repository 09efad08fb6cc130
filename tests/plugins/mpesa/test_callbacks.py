"""What M-Pesa posts: push callbacks, B2C results, time-outs, answers to questions; in every shape they were seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.mpesa.codes import PAYOUT_CODES, PUSH_CODES, STATUS_WORDS
from plugins.mpesa.results import REPLY, read_payout_callback, read_push_callback
from ports.callback import Door
from ports.errors import Unreadable
from ports.money import KES, Money
from ports.report import FailureKind, Grade, Report, Status
from tests.plugins.mpesa.papers import (
    CHECKOUT,
    PAYOUT,
    RECEIPT,
    items,
    paid,
    paid_out,
    parameters,
    posted,
    push_callback,
    result,
    status_answer,
)

TEN = Money(units=1000, asset=KES)


def push(body: object, door: Door = Door.CALL) -> Report:
    reading = read_push_callback(posted(body, door))
    assert (reading.reply_status, json.loads(reading.reply_body)) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    (report,) = reading.reports
    return report


def payout(body: object, door: Door = Door.CALL) -> Report:
    reading = read_payout_callback(posted(body, door))
    assert (reading.reply_status, reading.reply_body) == (200, REPLY)
    (report,) = reading.reports
    return report


class TestPushCallback:
    """What is posted at the end of a push."""

    def test_success_brings_receipt_amount_time_and_a_masked_payer(self) -> None:
        report = push(paid())
        assert (report.status, report.grade) == (Status.SUCCEEDED, Grade.SOLICITED)
        assert (report.reference, report.provider_reference) == (None, CHECKOUT)
        (money,) = report.money
        assert (money.receipt_namespace, money.receipt_number, money.amount) == ("mpesa_ke", RECEIPT, TEN)
        assert money.happened_at == datetime(2019, 12, 19, 7, 21, 15, tzinfo=UTC)
        assert money.payer_hint == "+2547•••••149"

    def test_at_the_long_lived_url_it_is_announced(self) -> None:
        assert push(paid(), Door.CONNECTION).grade is Grade.ANNOUNCED

    @pytest.mark.parametrize("amount", [10, 10.0, "10", "10.00"])
    def test_the_amount_has_many_types(self, amount: object) -> None:
        assert push(paid(Amount=amount)).money[0].amount == TEN

    @pytest.mark.parametrize("zero", [0, "0", " 0 ", 0.0])
    def test_the_code_has_many_types(self, zero: object) -> None:
        assert push(push_callback(zero, metadata={"Item": items()})).status is Status.SUCCEEDED

    def test_items_are_found_by_name_in_any_order(self) -> None:
        assert push(push_callback(0, metadata={"Item": items()[::-1]})).money == push(paid()).money

    @pytest.mark.parametrize("phone", [None, "2547 ***** 126", "9f86d081884c7d65", 0, [], {}])
    def test_the_phone_may_be_masked_hashed_or_absent(self, phone: object) -> None:
        assert push(paid(PhoneNumber=phone)).status is Status.SUCCEEDED

    def test_a_time_that_can_not_be_read_is_left_out(self) -> None:
        assert push(paid(TransactionDate="soon")).money[0].happened_at is None

    def test_a_balance_may_have_a_value(self) -> None:
        assert push(paid(Balance=12345.67)).money == push(paid()).money

    @pytest.mark.parametrize(
        "changed",
        [
            {"MpesaReceiptNumber": None},
            {"MpesaReceiptNumber": "OAK0000000"},
            {"MpesaReceiptNumber": "short"},
            {"MpesaReceiptNumber": 1234567890},
            {"Amount": None},
            {"Amount": "ten"},
            {"Amount": -10},
            {"Amount": 10.001},
            {"Amount": True},
        ],
    )
    def test_success_without_receipt_or_amount_wakes_and_moves_nothing(self, changed: dict[str, object]) -> None:
        report = push(paid(**changed))
        assert (report.status, report.money) == (Status.PENDING, ())
        assert report.unrecognised == "success without receipt or amount"

    def test_two_amounts_are_none(self) -> None:
        report = push(push_callback(0, metadata={"Item": [*items(), {"Name": "Amount", "Value": 99}]}))
        assert (report.status, report.money) == (Status.PENDING, ())

    @pytest.mark.parametrize("metadata", [None, {}, [], "odd", {"Item": None}, {"Item": {"Name": "Balance"}}])
    def test_success_without_metadata_is_pending(self, metadata: object) -> None:
        assert push(push_callback(0, metadata=metadata)).status is Status.PENDING

    @pytest.mark.parametrize("code", sorted(set(PUSH_CODES) - {"0"}))
    def test_every_code_has_its_row(self, code: str) -> None:
        row = PUSH_CODES[code]
        for spelling in (code, int(code)) if code.isdigit() else (code,):
            report = push(push_callback(spelling, "[STK_CB - ]DS timeout user cannot be reached."))
            assert (report.status, report.money, report.unrecognised) == (row.verdict.status, (), None)
            assert report.failure == row.failure(code)

    @pytest.mark.parametrize("code", [777, "777", "00", "R000002"])
    def test_an_invented_code_is_pending_and_told(self, code: object) -> None:
        report = push(push_callback(code, metadata={"Item": items()}))
        assert (report.status, report.money, report.unrecognised) == (Status.PENDING, (), str(code))

    def test_a_failure_with_metadata_brings_no_money(self) -> None:
        report = push(push_callback(1032, metadata={"Item": items()}))
        assert (report.status, report.money) == (Status.FAILED, ())

    def test_twice_reads_the_same(self) -> None:
        assert push(paid()) == push(paid())

    @pytest.mark.parametrize("end", range(0, 420, 7))
    def test_cut_short_is_unreadable(self, end: int) -> None:
        whole = json.dumps(paid()).encode()
        with pytest.raises(Unreadable) as caught:
            read_push_callback(posted(whole[: min(end, len(whole) - 1)]))
        assert (caught.value.reply_status, caught.value.reply_body) == (200, REPLY)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"Body": None},
            {"Body": {"stkCallback": []}},
            {"Body": {"stkCallback": {"ResultCode": 0}}},
            {"Body": {"stkCallback": {"CheckoutRequestID": CHECKOUT}}},
            {"Body": {"stkCallback": {"ResultCode": True, "CheckoutRequestID": CHECKOUT}}},
            {"Body": {"stkCallback": {"ResultCode": 0, "CheckoutRequestID": "a\x00b"}}},
            {"TransactionType": "Pay Bill", "TransID": "RKL51ZDR4F", "TransAmount": "5.00"},
            paid_out(),
            [],
            b"",
            b"Amount=10&ResultCode=0",
            b"<xml/>",
            b'{"Body":{"stkCallback":{"ResultCode":0,"CheckoutRequestID":"x","a":NaN}}}',
        ],
    )
    def test_another_shape_is_unreadable(self, body: object) -> None:
        with pytest.raises(Unreadable):
            push(body)


class TestPayoutResult:
    """What is posted at the end of a B2C payment."""

    def test_success_brings_receipt_amount_and_time(self) -> None:
        report = payout(paid_out())
        assert (report.status, report.grade, report.reference) == (Status.SUCCEEDED, Grade.SOLICITED, PAYOUT)
        assert (report.provider_reference, report.receipt_number) == ("AG_20240706_20106e9209f64bebd05b", "SG632NMUAB")
        assert (report.amount, report.happened_at) == (TEN, datetime(2024, 7, 6, 19, 48, 52, tzinfo=UTC))

    @pytest.mark.parametrize("kind", [0, "0", None])
    @pytest.mark.parametrize("code", [0, "0"])
    def test_codes_and_types_may_be_text(self, code: object, kind: object) -> None:
        body = paid_out()
        body["Result"] |= {"ResultCode": code, "ResultType": kind}  # type: ignore[operator]
        assert payout(body).status is Status.SUCCEEDED

    def test_more_to_come_is_pending(self) -> None:
        for kind in (1, "1"):
            body = paid_out()
            body["Result"] |= {"ResultType": kind}  # type: ignore[operator]
            assert (payout(body).status, payout(body).reference) == (Status.PENDING, PAYOUT)

    @pytest.mark.parametrize(
        "changed",
        [
            {"TransactionReceipt": None},
            {"TransactionReceipt": "OAK0000000"},
            {"TransactionAmount": None},
            {"TransactionAmount": "many"},
        ],
    )
    def test_success_without_receipt_or_amount_moves_nothing(self, changed: dict[str, object]) -> None:
        report = payout(paid_out(**changed))
        assert (report.status, report.receipt_number, report.amount) == (Status.PENDING, None, None)
        assert report.unrecognised == "success without receipt or amount"

    @pytest.mark.parametrize("code", sorted(set(PAYOUT_CODES) - {"0"}))
    def test_every_code_has_its_row(self, code: str) -> None:
        row = PAYOUT_CODES[code]
        for spelling in (code, int(code)) if code.isdigit() else (code,):
            report = payout(result(spelling, ResultDesc="It went wrong.", TransactionID="OAK0000000"))
            assert (report.status, report.failure) == (row.verdict.status, row.failure(code))
            assert (report.reference, report.receipt_number, report.unrecognised) == (PAYOUT, None, None)

    @pytest.mark.parametrize("code", [777, "SFC_XX", "100000003"])
    def test_an_invented_code_is_pending_and_told(self, code: object) -> None:
        report = payout(result(code))
        assert (report.status, report.unrecognised) == (Status.PENDING, str(code))

    @pytest.mark.parametrize(
        "shape",
        [
            {"ResultParameter": {"Key": "CreditPartyName", "Value": "254708374149 - John"}},
            {"ResultParameter": {"Key": "CreditPartyName"}},
            parameters(ActionType=None, ErrorMsg="No", BOCompletedTime=20240706224852),
            {"ResultParameter": []},
            {"ResultParameter": None},
            [],
            None,
            "odd",
        ],
    )
    @pytest.mark.parametrize(
        "reference_data",
        [
            {
                "ReferenceItem": {
                    "Key": "QueueTimeoutURL",
                    "Value": "https://internal.example/mpesa/b2cresults/v1/submit",
                }
            },
            {"ReferenceItem": [{"Key": "Occasion"}, {"Key": "QueueTimeoutURL", "Value": None}]},
            {"ReferenceItem": {"Key": "Occasion"}},
            None,
        ],
    )
    def test_failures_have_many_shapes(self, shape: object, reference_data: object) -> None:
        report = payout(result("2040", ResultParameters=shape, ReferenceData=reference_data))
        assert (report.status, report.reference) == (Status.FAILED, PAYOUT)
        assert report.failure is not None
        assert report.failure.kind is FailureKind.DESTINATION_INVALID

    def test_a_result_under_an_id_of_theirs_is_known_by_its_internal_url(self) -> None:
        url = {"Key": "QueueTimeoutURL", "Value": "https://internal.example/mpesa/b2cresults/v1/submit"}
        body = result(1, OriginatorConversationID="29112-34801843-1", ReferenceData={"ReferenceItem": [url]})
        assert (payout(body).status, payout(body).reference) == (Status.FAILED, None)

    def test_wrong_credentials_are_our_set_up(self) -> None:
        failure = payout(result(2001, ResultDesc="The initiator information is invalid.")).failure
        assert failure is not None
        assert failure.kind is FailureKind.SET_UP

    def test_a_text_of_progress_wins_towards_pending(self) -> None:
        assert payout(result(1, ResultDesc="The transaction is being processed")).status is Status.PENDING

    def test_names_with_apostrophes_and_repeated_keys_lose_nothing(self) -> None:
        body = paid_out()
        body["Result"]["ResultParameters"]["ResultParameter"].append(  # type: ignore[index]
            {"Key": "ReceiverPartyPublicName", "Value": "254708374149 - Jane O'Neil"}
        )
        assert payout(body).status is Status.SUCCEEDED

    def test_another_receipt_under_the_same_key_is_no_receipt(self) -> None:
        body = paid_out()
        body["Result"]["ResultParameters"]["ResultParameter"].append(  # type: ignore[index]
            {"Key": "TransactionReceipt", "Value": "SG632NMUAC"}
        )
        assert payout(body).status is Status.PENDING


class TestQueueTimeOut:
    """What is posted when a request waited too long: unknown, and never a failure."""

    def test_our_own_request_is_pending(self) -> None:
        echo = {"OriginatorConversationID": PAYOUT, "InitiatorName": "testapi", "SecurityCredential": "…", "Amount": 10}
        report = payout(echo)
        assert (report.status, report.reference, report.failure) == (Status.PENDING, PAYOUT, None)

    def test_our_own_question_is_no_news(self) -> None:
        echo = {"Initiator": "testapi", "CommandID": "TransactionStatusQuery", "OriginalConversationID": PAYOUT}
        assert (payout(echo).status, payout(echo).reference) == (Status.NO_NEWS, PAYOUT)

    @pytest.mark.parametrize("text", ["The request timed out.", "Request timeout", "time out in queue", "Time-out"])
    def test_in_a_results_clothes_it_is_pending(self, text: str) -> None:
        assert payout(result(1, ResultDesc=text)).status is Status.PENDING


class TestStatusAnswer:
    """The answer to a Transaction Status question."""

    def test_completed_brings_receipt_amount_and_the_payouts_own_ids(self) -> None:
        report = payout(status_answer())
        assert (report.status, report.grade, report.reference) == (Status.SUCCEEDED, Grade.SOLICITED, PAYOUT)
        assert (report.receipt_number, report.amount) == ("SG632NMUAB", TEN)
        assert report.provider_reference == "AG_20240706_20106e9209f64bebd05b"
        assert report.happened_at == datetime(2024, 7, 6, 19, 48, 52, tzinfo=UTC)

    @pytest.mark.parametrize("word", sorted(STATUS_WORDS))
    @pytest.mark.parametrize("spell", [str.title, str.upper, lambda word: f"  {word} "])
    def test_every_word_has_its_row(self, word: str, spell: object) -> None:
        report = payout(status_answer(spell(word)))  # type: ignore[operator]
        assert (report.status, report.unrecognised) == (STATUS_WORDS[word].verdict.status, None)
        assert report.receipt_number == ("SG632NMUAB" if word == "completed" else None)

    @pytest.mark.parametrize("word", ["Vanished", "", None, 7])
    def test_an_invented_word_is_pending_and_told(self, word: object) -> None:
        report = payout(status_answer(word))
        assert report.status is Status.PENDING
        assert report.unrecognised is not None

    @pytest.mark.parametrize("changed", [{"ReceiptNo": None}, {"ReceiptNo": "SG70000000"}, {"Amount": None}])
    def test_completed_without_receipt_or_amount_moves_nothing(self, changed: dict[str, object]) -> None:
        assert payout(status_answer(**changed)).status is Status.PENDING

    def test_an_answer_that_does_not_say_whose_it_is(self) -> None:
        report = payout(status_answer(OriginatorConversationID=None))
        assert (report.status, report.reference) == (Status.SUCCEEDED, None)

    @pytest.mark.parametrize("theirs", ["3213-416199-2", "f1e2-4b95-a71d-b30d3cdbb7a7942864", PAYOUT])
    def test_no_such_receipt_found_nothing(self, theirs: str) -> None:
        report = payout(result(2032, OriginatorConversationID=theirs, TransactionID="SG70000000"))
        assert (report.status, report.found_nothing, report.failure) == (Status.NO_NEWS, True, None)

    @pytest.mark.parametrize("theirs", ["3213-416199-2", "f1e2-4b95-a71d-b30d3cdbb7a7942864", None, ""])
    @pytest.mark.parametrize("code", [1, 21, 25, 2001, "SFC_IC0003", 15, 777])
    def test_a_question_that_failed_never_fails_the_payout(self, code: object, theirs: object) -> None:
        body = result(
            code,
            OriginatorConversationID=theirs,
            TransactionID="SG70000000",
            ReferenceData={"ReferenceItem": {"Key": "Occasion"}},
        )
        report = payout(body)
        assert (report.status, report.found_nothing) == (Status.NO_NEWS, False)

    def test_an_answer_with_more_to_come_is_no_news(self) -> None:
        body = status_answer()
        body["Result"] |= {"ResultType": "1"}  # type: ignore[operator]
        assert (payout(body).status, payout(body).receipt_number) == (Status.NO_NEWS, None)

    def test_a_question_refused_for_our_set_up_says_so(self) -> None:
        failure = payout(result(21, OriginatorConversationID="3213-416199-2")).failure
        assert failure is not None
        assert failure.kind is FailureKind.SET_UP


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Result": None},
        {"Result": {}},
        {"Result": {"ResultCode": True}},
        {"OriginatorConversationID": "3213-416199-2"},
        {"OriginatorConversationID": "a b"},
        paid(),
        [],
        b"",
        b"\x00",
        json.dumps(paid_out()).encode()[:-5],
    ],
)
def test_another_shape_at_a_payouts_url_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable) as caught:
        payout(body)
    assert caught.value.reply_body == REPLY


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@given(metadata=anything, code=anything, checkout=anything)
def test_no_push_callback_breaks_the_reader(metadata: object, code: object, checkout: object) -> None:
    body = {"Body": {"stkCallback": {"ResultCode": code, "CheckoutRequestID": checkout, "CallbackMetadata": metadata}}}
    try:
        assert push(body).grade is Grade.SOLICITED
    except Unreadable:
        return


@given(inner=anything, code=anything, kind=anything, ids=anything, references=anything)
def test_no_result_breaks_the_reader(
    inner: object, code: object, kind: object, ids: object, references: object
) -> None:
    body = result(code, ResultType=kind, OriginatorConversationID=ids, ResultParameters=inner, ReferenceData=references)
    try:
        assert payout(body).grade is Grade.SOLICITED
    except Unreadable:
        return
