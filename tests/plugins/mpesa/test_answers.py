"""What each answer to our own calls means: the table of the portal, row by row, and every oddity around it."""

from __future__ import annotations

import json

import pytest

from plugins.kit.http import Answer
from plugins.mpesa.codes import PAYOUT_CODES, PUSH_CODES, Verdict
from plugins.mpesa.faults import Meaning, fault_of
from plugins.mpesa.mapping import payout_asked, payout_sent, push_looked_up, push_started
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.report import ActionKind, FailureKind, Grade, Status, TryAgain
from tests.plugins.mpesa.papers import (
    B2C_OK,
    CHECKOUT,
    INCAPSULA,
    PAYOUT,
    PENDING_500,
    PUSH_OK,
    SOAP,
    apigee,
    error,
    query_answer,
)


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, body=content, headers={k.replace("_", "-"): v for k, v in headers.items()})


#: Answers that money calls share, and the error each asks for.
SHARED: list[tuple[Answer, type[PortError]]] = [
    (answer(400, error("400.002.02", "Bad Request - Invalid PhoneNumber")), Refused),
    (answer(400, error("400.002.05", "Invalid Request Payload")), Refused),
    (answer(400, error("400.003.02", "Bad Request")), Refused),
    (answer(404, error("404.001.03", "Invalid Access Token")), Misconfigured),
    (answer(401, error("401.002.01", "Error Occurred - Invalid Access Token")), Misconfigured),
    (answer(401, error("401.003.01", "Invalid API call as no apiproduct match found")), Misconfigured),
    (answer(400, error("400.003.01", "Invalid Access Token")), Misconfigured),
    (answer(401, error("401.001", "Invalid token")), Misconfigured),
    (answer(401, apigee("keymanagement.service.invalid_access_token", "Invalid access token")), Misconfigured),
    (answer(401), Misconfigured),
    (answer(404, error("404.001.01", "Resource not found")), Misconfigured),
    (answer(404, error("404.002.01", "Resource not found")), Misconfigured),
    (answer(404, error("404.003.01", "Resource not found")), Misconfigured),
    (answer(404, error("404.001.04", "Invalid Authentication Header")), Misconfigured),
    (answer(405, error("405.001", "Method Not Allowed")), Misconfigured),
    (answer(403, error("403.002.1001", "Not authorized")), Misconfigured),
    (answer(500, error("500.003.02", "Error Occurred: Spike Arrest Violation")), NotSent),
    (answer(500, error("500.003.03", "Error Occurred: Quota Violation")), NotSent),
    (answer(429), NotSent),
    (answer(429, INCAPSULA), NotSent),
    (answer(500, apigee("policies.ratelimit.SpikeArrestViolation", "Spike arrest violation.")), NotSent),
    (answer(429, apigee("policies.ratelimit.QuotaViolation", "Rate limit quota violation.")), NotSent),
    (answer(500, error("500.003.02", "System is busy. Please try again in few minutes.")), OutcomeUnknown),
    (answer(500, error("500.003.1001", "Internal Server Error")), OutcomeUnknown),
    (answer(500, error("500.001.1001", "Server error")), OutcomeUnknown),
    (
        answer(500, error("00.002.1001", "Service is currently under maintenance. Please try again later")),
        OutcomeUnknown,
    ),
    (answer(503, error("500.999.99", "never seen")), OutcomeUnknown),
    (answer(502), OutcomeUnknown),
    (answer(503), OutcomeUnknown),
    (answer(504, b"upstream request timeout"), OutcomeUnknown),
    (answer(403, INCAPSULA), OutcomeUnknown),
    (answer(503, INCAPSULA), OutcomeUnknown),
    (answer(500, SOAP), OutcomeUnknown),
    (answer(504, apigee("messaging.adaptors.http.flow.GatewayTimeout", "Gateway Timeout")), OutcomeUnknown),
    (answer(400), OutcomeUnknown),
    (answer(404, b"<html>Not Found</html>"), OutcomeUnknown),
    (answer(302, b"", location="https://elsewhere.example"), OutcomeUnknown),
    (answer(200), OutcomeUnknown),
    (answer(200, INCAPSULA), OutcomeUnknown),
    (answer(200, []), OutcomeUnknown),
    (answer(200, {}), OutcomeUnknown),
    (answer(200, {"ResponseCode": None}), OutcomeUnknown),
    (answer(200, json.dumps(PUSH_OK).encode()[:-9]), OutcomeUnknown),
]


def named(rows: list[tuple[Answer, type[PortError]]]) -> list[object]:
    return [pytest.param(a, e, id=f"{a.status} {a.body[:70].decode()}") for a, e in rows]


@pytest.mark.parametrize(("given", "expected"), named(SHARED))
def test_a_push_and_a_payout_read_the_shared_rows_alike(given: Answer, expected: type[PortError]) -> None:
    with pytest.raises(PortError) as push:
        push_started(given, "SHOP-7K2M4Q")
    with pytest.raises(PortError) as payout:
        payout_sent(given, PAYOUT)
    assert (type(push.value), type(payout.value)) == (expected, expected)


class TestPush:
    """Answers to processrequest."""

    @pytest.mark.parametrize("yes", ["0", 0, "00", "00000000", " 0 "])
    def test_accepted_is_a_prompt_to_answer(self, yes: object) -> None:
        report = push_started(answer(200, PUSH_OK | {"ResponseCode": yes}), "SHOP-7K2M4Q")
        assert (report.status, report.grade, report.reference) == (Status.PENDING, Grade.ANSWER, "SHOP-7K2M4Q")
        assert report.provider_reference == CHECKOUT
        assert report.next_action is not None
        assert (report.next_action.kind, report.next_action.life_s) == (ActionKind.PROMPT, 90)

    @pytest.mark.parametrize("no_id", [None, "", 5.5, "with blanks", "x" * 129, ["list"], "nul\x00"])
    def test_accepted_without_an_id_is_unknown(self, no_id: object) -> None:
        with pytest.raises(OutcomeUnknown):
            push_started(answer(200, PUSH_OK | {"CheckoutRequestID": no_id}), "SHOP-7K2M4Q")

    @pytest.mark.parametrize("code", ["1", 1, "17", "26", "4999", "SFC_IC0003"])
    def test_another_response_code_is_a_refusal(self, code: object) -> None:
        with pytest.raises(Refused) as caught:
            push_started(answer(200, {"ResponseCode": code, "ResponseDescription": "no"}), "SHOP-7K2M4Q")
        assert caught.value.failure.provider_code == str(code)

    @pytest.mark.parametrize(
        "text", ["Merchant does not exist", "Wrong credentials", "[MerchantValidate] - Wrong credentials"]
    )
    def test_a_wrong_shortcode_or_passkey_is_our_set_up(self, text: str) -> None:
        with pytest.raises(Misconfigured):
            push_started(answer(500, error("500.001.1001", text)), "SHOP-7K2M4Q")

    def test_an_open_prompt_is_a_refusal_for_a_minute(self) -> None:
        text = "Unable to lock subscriber, a transaction is already in process for the current subscriber"
        with pytest.raises(Refused) as caught:
            push_started(answer(500, error("500.001.1001", text)), "SHOP-7K2M4Q")
        assert (caught.value.failure.try_again, caught.value.failure.after_s) == (TryAgain.LATER, 60)

    def test_being_processed_is_unknown(self) -> None:
        with pytest.raises(OutcomeUnknown):
            push_started(answer(500, PENDING_500), "SHOP-7K2M4Q")

    def test_a_refused_number_blames_the_destination(self) -> None:
        with pytest.raises(Refused) as caught:
            push_started(answer(400, error("400.002.02", "Bad Request - Invalid PhoneNumber")), "SHOP-7K2M4Q")
        assert caught.value.failure.kind is FailureKind.DESTINATION_INVALID

    def test_too_fast_slows_the_whole_connection(self) -> None:
        with pytest.raises(NotSent) as caught:
            push_started(answer(429, b"", retry_after="17"), "SHOP-7K2M4Q")
        assert (caught.value.retry_after_s, caught.value.whole_connection) == (17, True)

    @pytest.mark.parametrize("nonsense", ["", "soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 30])
    def test_a_wait_that_is_no_number_becomes_ours(self, nonsense: str) -> None:
        with pytest.raises(NotSent) as caught:
            push_started(answer(429, b"", retry_after=nonsense), "SHOP-7K2M4Q")
        assert caught.value.retry_after_s == 30


class TestPayout:
    """Answers to B2C v3."""

    @pytest.mark.parametrize("yes", ["0", 0, "00000000"])
    def test_accepted_is_pending(self, yes: object) -> None:
        report = payout_sent(answer(200, B2C_OK | {"ResponseCode": yes}), PAYOUT)
        assert (report.status, report.grade, report.reference) == (Status.PENDING, Grade.ANSWER, PAYOUT)
        assert report.provider_reference == "AG_20240706_20106e9209f64bebd05b"

    @pytest.mark.parametrize(
        "given",
        [
            answer(500, error("500.002.1001", "Duplicate OriginatorConversationID.")),
            answer(500, error("500.002.1001", "")),
            answer(400, error("400.002.02", "Bad Request - Duplicate OriginatorConversationID")),
            answer(200, {"ResponseCode": "15", "ResponseDescription": "Duplicate Detected"}),
            answer(200, {"ResponseCode": "1", "ResponseDescription": "Duplicate request"}),
        ],
    )
    def test_a_duplicate_is_taken_and_never_refused(self, given: Answer) -> None:
        with pytest.raises(AlreadyTaken):
            payout_sent(given, PAYOUT)

    def test_maintenance_under_the_duplicates_code_is_unknown(self) -> None:
        with pytest.raises(OutcomeUnknown):
            payout_sent(answer(500, error("500.002.1001", "Service is currently under maintenance.")), PAYOUT)

    @pytest.mark.parametrize("code", ["18", "20", "21", "22", "2001", "8006", "2028", "11", "2006"])
    def test_a_wrong_initiator_pauses_the_connection(self, code: str) -> None:
        with pytest.raises(Misconfigured):
            payout_sent(answer(200, {"ResponseCode": code, "ResponseDescription": "no"}), PAYOUT)

    @pytest.mark.parametrize(
        "code", [c for c, row in PAYOUT_CODES.items() if row.verdict is Verdict.AMBIGUOUS and c != "15"]
    )
    def test_an_ambiguous_code_is_unknown(self, code: str) -> None:
        with pytest.raises(OutcomeUnknown):
            payout_sent(answer(200, {"ResponseCode": code, "ResponseDescription": "?"}), PAYOUT)

    @pytest.mark.parametrize("code", ["1", "2", "2040", "31337"])
    def test_another_response_code_is_a_refusal(self, code: str) -> None:
        with pytest.raises(Refused):
            payout_sent(answer(200, {"ResponseCode": code, "ResponseDescription": "no"}), PAYOUT)


class TestPushQuery:
    """Answers to the push query."""

    @pytest.mark.parametrize(
        "given",
        [
            answer(500, PENDING_500),
            answer(200, query_answer("4999", "The transaction is still under processing")),
            answer(200, query_answer(4999, "")),
            answer(200, query_answer("1037", "The transaction is still under processing")),
            answer(200, query_answer("0", "The transaction is being processed")),
            answer(400, error("400.999.99", "The transaction is being processed")),
        ],
    )
    def test_both_pending_forms_and_the_text_are_pending(self, given: Answer) -> None:
        report = push_looked_up(given, "SHOP-7K2M4Q", CHECKOUT)
        assert (report.status, report.failure, report.unrecognised) == (Status.PENDING, None, None)

    @pytest.mark.parametrize("zero", ["0", 0, " 0"])
    def test_success_names_neither_receipt_nor_amount(self, zero: object) -> None:
        report = push_looked_up(answer(200, query_answer(zero, "processed successfully.")), "SHOP-7K2M4Q", CHECKOUT)
        assert (report.status, report.grade) == (Status.SUCCEEDED, Grade.ANSWER)
        (money,) = report.money
        assert (money.receipt_namespace, money.receipt_number, money.amount) == ("mpesa_ke", None, None)

    @pytest.mark.parametrize("code", sorted(PUSH_CODES))
    def test_every_code_has_its_row(self, code: str) -> None:
        row = PUSH_CODES[code]
        for spelling in (code, int(code)) if code.isdigit() else (code,):
            report = push_looked_up(answer(200, query_answer(spelling, "")), "SHOP-7K2M4Q", CHECKOUT)
            assert (report.status, report.unrecognised) == (row.verdict.status, None)
            assert report.failure == row.failure(code)

    @pytest.mark.parametrize(("code", "told"), [("777", "777"), ("X-1", "X-1"), ("254708374149", "an odd word")])
    def test_an_invented_code_is_pending_and_told(self, code: str, told: str) -> None:
        report = push_looked_up(answer(200, query_answer(code, "")), "SHOP-7K2M4Q", CHECKOUT)
        assert (report.status, report.unrecognised) == (Status.PENDING, told)

    @pytest.mark.parametrize(
        "given",
        [given for given, _ in SHARED]
        + [
            answer(200, {"ResponseCode": "1", "ResponseDescription": "no"}),
            answer(200, query_answer("0") | {"ResponseCode": "1"}),
            answer(500, query_answer("0")),
            answer(200, query_answer(None)),
            answer(200, query_answer("0") | {"CheckoutRequestID": "ws_CO_someone_else"}),
        ],
    )
    def test_everything_else_is_no_news(self, given: Answer) -> None:
        report = push_looked_up(given, "SHOP-7K2M4Q", CHECKOUT)
        assert (report.status, report.money, report.failure, report.found_nothing) == (Status.NO_NEWS, (), None, False)


class TestStatusQuestion:
    """The acknowledgement of a Transaction Status question."""

    def test_taken_means_asked(self) -> None:
        report = payout_asked(answer(200, B2C_OK), PAYOUT)
        assert (report.status, report.asked, report.reference) == (Status.NO_NEWS, True, PAYOUT)

    @pytest.mark.parametrize("given", [given for given, _ in SHARED] + [answer(200, B2C_OK | {"ResponseCode": "1"})])
    def test_not_taken_is_no_news(self, given: Answer) -> None:
        report = payout_asked(given, PAYOUT)
        assert (report.status, report.asked, report.found_nothing) == (Status.NO_NEWS, False, False)


def test_no_text_of_the_provider_reaches_a_message() -> None:
    private = "ws_CO_24112026103000152708374149 254708374149"
    bodies = [
        error(code, f"{text} {private}")
        for code in ("400.002.02", "500.003.02", private)
        for text in ("", "Spike Arrest")
    ]
    for body in bodies:
        for read in (push_started, payout_sent):
            with pytest.raises(PortError) as caught:
                read(answer(500, body), "SHOP-7K2M4Q")
            assert "708374149" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        (answer(400, error("400.002.02", "Bad")), "400.002.02", "Bad"),
        (answer(400, {"errorCode": 400, "errorMessage": None}), "400", ""),
        (answer(500, apigee("a.b", "Text")), "a.b", "Text"),
        (answer(500, {"fault": "odd"}), "", ""),
        (answer(500, SOAP), "soap:Server", "Execution of ServiceCallout Call-Out failed."),
        (answer(500, {"soapenv:Envelope": {"soapenv:Body": {"soapenv:Fault": {"faultstring": "F"}}}}), "", "F"),
        (answer(400, {"requestRefId": "1", "responseCode": 400, "responseMessage": "M"}), "400", "M"),
        (answer(503, INCAPSULA), "", ""),
        (answer(400), "", ""),
    ],
)
def test_every_error_shape_is_read(given: Answer, code: str, text: str) -> None:
    fault = fault_of(given)
    assert (fault.status, fault.code, fault.text) == (given.status, code, text)


def test_a_missing_product_is_told_from_a_spent_token() -> None:
    fault = fault_of(answer(401, error("401.003.01", "Error: Invalid API call as no apiproduct match found")))
    assert (fault.meaning, fault.lacks_product) == (Meaning.UNAUTHORISED, True)
