"""What M-Pesa posts to us, read into Reports: push callbacks, B2C results, answers to Transaction Status, time-outs.

Pure: no I/O and no clock. Sources: Daraja portal, December 2025 and August 2026; sandbox captures, September and
October 2026. Nothing posted here is signed, so every grade is weak.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from plugins.mpesa import wire
from plugins.mpesa.codes import NOT_FOUND, PAYOUT_CODES, PUSH_CODES, STATUS_WORDS, Row, Word, read
from plugins.mpesa.faults import speaks_of_pending
from plugins.mpesa.mapping import RECEIPTS
from ports.callback import Door, Incoming, Reading
from ports.errors import Unreadable
from ports.money import Money
from ports.report import FailureKind, Grade, MoneyIn, ProviderCharge, Report, Status

#: What M-Pesa is answered, always: it has no use for another answer, and a refusal might make it call again.
REPLY = b'{"ResultCode":0,"ResultDesc":"Accepted"}'

#: ResultType 1: further messages follow.
_MORE_TO_COME = "1"
_TIMED_OUT = re.compile(r"\btim(e|ed)[ -]?out\b", re.IGNORECASE)
_B2C_RESULT_URL = re.compile(r"b2cresult", re.IGNORECASE)
_STATUS_KEYS = {"ReceiptNo", "TransactionStatus", "FinalisedTime"}
_B2C_KEYS = {"TransactionReceipt", "TransactionAmount", "TransactionCompletedDateTime"}
#: Ids that Safaricom makes: `29115-34620561-1`, `f1e2-4b95-a71d-b30d3cdbb7a7942864`, `AG_20240706_…`. Never ours.
_THEIR_ID = re.compile(r"[0-9]+-[0-9]+-[0-9]+|[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{10,40}|AG_.*")
_OUR_FORM = re.compile(r"[A-Za-z0-9-]{1,36}")

#: A result's names and values, in order.
Pairs = tuple[tuple[str, object], ...]


def read_push_callback(incoming: Incoming) -> Reading:
    """Read a push's outcome. A success without a receipt or an amount that can be read is PENDING and unrecognised:
    it moves nothing, but wakes the look-up and tells someone. Raises Unreadable for any other shape."""
    callback = wire.as_object(wire.as_object(parsed_callback(incoming).get("Body")).get("stkCallback"))
    result_code = wire.code(callback.get("ResultCode"))
    checkout_request_id = wire.opaque(callback.get("CheckoutRequestID"))
    if result_code is None or checkout_request_id is None:
        raise unreadable("not a push callback")
    word = _read(PUSH_CODES, result_code, callback.get("ResultDesc"))
    money = _money(wire.pairs(callback.get("CallbackMetadata"), "Item", "Name"))
    if word.status is Status.SUCCEEDED and money is None:
        word, money = Word(status=Status.PENDING, unrecognised="success without receipt or amount"), None
    return _reading(
        Report(
            status=word.status,
            grade=grade_of(incoming),
            provider_reference=checkout_request_id,
            money=(money,) if money and word.status is Status.SUCCEEDED else (),
            failure=word.failure,
            unrecognised=word.unrecognised,
        )
    )


def read_payout_callback(incoming: Incoming) -> Reading:
    """Read what comes to a payout's or a question's URL; the shape says which it is. Raises Unreadable for others."""
    body = parsed_callback(incoming)
    if "Result" not in body:
        return _reading(_posted_back(body, grade_of(incoming)))
    result = wire.as_object(body["Result"])
    parameters = wire.pairs(result.get("ResultParameters"), "ResultParameter", "Key")
    if wire.code(result.get("ResultCode")) is None:
        raise unreadable("a result without a code")
    asked = incoming.of_question and not {key for key, _ in parameters} & _B2C_KEYS
    report = _payout_result if not asked and _is_payout_result(result, parameters) else _status_result
    read_result = report(result, parameters, grade_of(incoming))
    charges = charges_in(parameters, read_result.receipt_number)
    return Reading(reports=(read_result,), charges=charges, reply_body=REPLY)


def _is_payout_result(result: dict[str, object], parameters: Pairs) -> bool:
    """Whether it is the payout's own result, and not the answer to a question about it.

    Failures carry next to nothing, and the failure of a question must never be read as the failure of a payout. A
    payout's result repeats the id that we chose; a question has an id that Safaricom made.
    """
    keys = {key for key, _ in parameters}
    if keys & _STATUS_KEYS or wire.code(result.get("ResultCode")) == NOT_FOUND:
        return False
    if keys & _B2C_KEYS:
        return True
    references = wire.pairs(result.get("ReferenceData"), "ReferenceItem", "Key")
    if any(_B2C_RESULT_URL.search(wire.said(value)) for _, value in references):
        return True
    return _ours(result.get("OriginatorConversationID")) is not None


def _payout_result(result: dict[str, object], parameters: Pairs, grade: Grade) -> Report:
    report = Report(
        status=Status.PENDING,
        grade=grade,
        reference=_ours(result.get("OriginatorConversationID")),
        provider_reference=wire.opaque(result.get("ConversationID")),
    )
    if more_to_come(result):
        return report
    word = _read(PAYOUT_CODES, wire.code(result.get("ResultCode")) or "", result.get("ResultDesc"))
    if word.status is Status.FAILED and timed_out(result):
        return report
    return _filled(
        report,
        word,
        receipt_number=wire.receipt_number(wire.the_one(parameters, "TransactionReceipt")),
        amount=wire.shillings(wire.the_one(parameters, "TransactionAmount")),
        happened_at=wire.moment(wire.the_one(parameters, "TransactionCompletedDateTime")),
    )


def _status_result(result: dict[str, object], parameters: Pairs, grade: Grade) -> Report:
    """Code 0 says that the question worked; what became of the payment is TransactionStatus. The outer ids are the
    question's own, the payment's stand among the parameters."""
    report = Report(
        status=Status.NO_NEWS,
        grade=grade,
        reference=_ours(wire.the_one(parameters, "OriginatorConversationID")),
        provider_reference=wire.opaque(wire.the_one(parameters, "ConversationID")),
    )
    code = wire.code(result.get("ResultCode")) or ""
    if more_to_come(result):
        return report
    if code != "0":
        failure = read(PAYOUT_CODES, code).failure
        # A question fails for reasons of its own; only a fault of our set-up is worth telling.
        told = failure if failure and failure.kind is FailureKind.SET_UP else None
        return replace(report, found_nothing=code == NOT_FOUND, failure=told)
    said = " ".join(wire.said(wire.the_one(parameters, "TransactionStatus")).split())
    return _filled(
        report,
        read(STATUS_WORDS, said.lower()),
        receipt_number=wire.receipt_number(wire.the_one(parameters, "ReceiptNo")),
        amount=wire.shillings(wire.the_one(parameters, "Amount")),
        happened_at=wire.moment(wire.the_one(parameters, "FinalisedTime")),
    )


def _filled(
    report: Report, word: Word, *, receipt_number: str | None, amount: Money | None, happened_at: datetime | None
) -> Report:
    if word.status is not Status.SUCCEEDED:
        return replace(report, status=word.status, failure=word.failure, unrecognised=word.unrecognised)
    if receipt_number is None or amount is None:
        return replace(report, status=Status.PENDING, unrecognised="success without receipt or amount")
    return replace(report, status=word.status, receipt_number=receipt_number, amount=amount, happened_at=happened_at)


def _posted_back(body: dict[str, object], grade: Grade) -> Report:
    """Our own request, posted back because it waited too long: it says nothing of the outcome."""
    if "OriginalConversationID" in body:
        return Report(status=Status.NO_NEWS, grade=grade, reference=_ours(body["OriginalConversationID"]))
    reference = _ours(body.get("OriginatorConversationID"))
    if reference is None:
        raise unreadable("neither a result nor a request of ours")
    return Report(status=Status.PENDING, grade=grade, reference=reference)


def _money(items: Pairs) -> MoneyIn | None:
    receipt_number = wire.receipt_number(wire.the_one(items, "MpesaReceiptNumber"))
    amount = wire.shillings(wire.the_one(items, "Amount"))
    if receipt_number is None or amount is None:
        return None
    return MoneyIn(
        receipt_namespace=RECEIPTS,
        receipt_number=receipt_number,
        amount=amount,
        happened_at=wire.moment(wire.the_one(items, "TransactionDate")),
        payer_hint=wire.payer_hint(wire.the_one(items, "PhoneNumber")),
    )


def _read(table: Mapping[str, Row], code: str, text: object) -> Word:
    word = read(table, code)
    # A text that speaks of progress wins over any code, towards pending only.
    return Word(status=Status.PENDING) if speaks_of_pending(wire.said(text)) else word


def more_to_come(result: dict[str, object]) -> bool:
    """Whether further messages follow this one."""
    return wire.code(result.get("ResultType")) == _MORE_TO_COME


def timed_out(result: dict[str, object]) -> bool:
    """Whether a result is a queue time-out in a result's clothes: unknown, and never a failure."""
    return _TIMED_OUT.search(wire.said(result.get("ResultDesc"))) is not None


def charges_in(parameters: Pairs, number: str | None) -> tuple[ProviderCharge, ...]:
    """`Fee For B2C Payment|KES|22.40`, or the plain `Charge` of a reversal, for the transaction `number`."""
    told = [v for key, v in parameters if key == "DebitPartyCharges"] or [v for key, v in parameters if key == "Charge"]
    found = (wire.shillings(v.rpartition("|")[2] if isinstance(v, str) else v) for v in told)
    return tuple(ProviderCharge(number=number, amount=amount) for amount in found if number and amount and amount.units)


def _ours(value: object) -> str | None:
    found = wire.opaque(value)
    if found is None or _THEIR_ID.fullmatch(found) or not _OUR_FORM.fullmatch(found):
        return None
    return found


def grade_of(incoming: Incoming) -> Grade:
    """How far what came by this door can be trusted: not far."""
    return Grade.SOLICITED if incoming.door is Door.CALL else Grade.ANNOUNCED


def parsed_callback(incoming: Incoming) -> dict[str, object]:
    """The JSON object that was posted. Raises Unreadable."""
    try:
        return wire.parsed(incoming.body)
    except ValueError:
        raise unreadable("not a JSON object") from None


def _reading(report: Report) -> Reading:
    return Reading(reports=(report,), reply_body=REPLY)


def unreadable(reason: str) -> Unreadable:
    """A shape that we don't know: M-Pesa is answered as ever."""
    return Unreadable(reason, reply_body=REPLY)
