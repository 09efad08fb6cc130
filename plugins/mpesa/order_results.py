"""What M-Pesa posts about reversals, payments to organisations, questions about a receipt, and balances.

Pure: no I/O and no clock. Sources: Daraja portal, December 2025 and August 2026; sandbox captures, September and
October 2026. Nothing posted here is signed, so every grade is weak.
"""

from __future__ import annotations

from dataclasses import replace

from plugins.mpesa import wire
from plugins.mpesa.codes import NOT_FOUND, ORDER_CODES, STATUS_WORDS, Word, read
from plugins.mpesa.faults import speaks_of_pending
from plugins.mpesa.mapping import RECEIPTS
from plugins.mpesa.results import (
    REPLY,
    Pairs,
    charges_in,
    grade_of,
    more_to_come,
    parsed_callback,
    timed_out,
    unreadable,
)
from ports.callback import Incoming, Reading
from ports.report import FailureKind, Grade, MoneyIn, Pocket, Report, Status

_STATUS_KEYS = {"ReceiptNo", "TransactionStatus", "FinalisedTime"}
_ORDER_KEYS = {"OriginalTransactionID", "TransCompletedTime", "DebitPartyAffectedAccountBalance"}


def read_order_callback(incoming: Incoming) -> Reading:
    """Read what came to the address of an order or a question. Raises Unreadable for any other shape."""
    body = parsed_callback(incoming)
    grade = grade_of(incoming)
    if "Result" not in body:
        if not {"CommandID", "Initiator"} & set(body):
            raise unreadable("neither a result nor a request of ours")
        # Our own request, posted back because it waited too long: it says nothing of the outcome.
        return Reading(reports=(Report(status=Status.NO_NEWS, grade=grade),), reply_body=REPLY)
    result = wire.as_object(body["Result"])
    parameters = wire.pairs(result.get("ResultParameters"), "ResultParameter", "Key")
    code = wire.code(result.get("ResultCode"))
    if code is None:
        raise unreadable("a result without a code")
    if (told := wire.said(wire.the_one(parameters, "AccountBalance"))) and code == "0":
        return Reading(pockets=_pockets(told, parameters), reply_body=REPLY)
    keys = {key for key, _ in parameters}
    if keys & _STATUS_KEYS or code == NOT_FOUND or (incoming.of_question and not keys & _ORDER_KEYS):
        report = _status(result, parameters, code, grade)
    else:
        report = _order(result, parameters, code, grade)
    return Reading(reports=(report,), charges=charges_in(parameters, report.receipt_number), reply_body=REPLY)


def is_of_an_order(incoming: Incoming) -> bool:
    """Whether it is news of an order or a question, and not of a push."""
    body = parsed_callback(incoming)
    return "Result" in body or {"CommandID", "Initiator"} <= set(body)


def tells_balances(incoming: Incoming) -> bool:
    """Whether it answers a question about balances, or is that question, posted back."""
    body = parsed_callback(incoming)
    result = wire.as_object(body.get("Result"))
    parameters = wire.pairs(result.get("ResultParameters"), "ResultParameter", "Key")
    return any(key == "AccountBalance" for key, _ in parameters) or body.get("CommandID") == "AccountBalance"


def _order(result: dict[str, object], parameters: Pairs, code: str, grade: Grade) -> Report:
    """An order's own result. Its receipt is the outer TransactionID, which a failure fills with a placeholder."""
    report = Report(
        status=Status.PENDING, grade=grade, provider_reference=wire.opaque(result.get("OriginatorConversationID"))
    )
    if more_to_come(result):
        return report
    word = read(ORDER_CODES, code)
    if speaks_of_pending(wire.said(result.get("ResultDesc"))):
        word = Word(status=Status.PENDING)
    if word.status is Status.FAILED and timed_out(result):
        return report
    if word.status is not Status.SUCCEEDED:
        return replace(report, status=word.status, failure=word.failure, unrecognised=word.unrecognised)
    receipt = wire.receipt_number(result.get("TransactionID"))
    amount = wire.shillings(wire.the_one(parameters, "Amount"))
    if receipt is None or amount is None:
        return replace(report, unrecognised="success without receipt or amount")
    happened = wire.moment(wire.the_one(parameters, "TransCompletedTime"))
    return replace(report, status=word.status, receipt_number=receipt, amount=amount, happened_at=happened)


def _status(result: dict[str, object], parameters: Pairs, code: str, grade: Grade) -> Report:
    """The answer to a question: code 0 says that the question worked, and TransactionStatus what became of it."""
    report = Report(
        status=Status.NO_NEWS,
        grade=grade,
        provider_reference=wire.opaque(wire.the_one(parameters, "OriginatorConversationID")),
    )
    if more_to_come(result):
        return report
    if code != "0":
        failure = read(ORDER_CODES, code).failure
        told = failure if failure and failure.kind is FailureKind.SET_UP else None
        return replace(report, found_nothing=code == NOT_FOUND, failure=told)
    said = " ".join(wire.said(wire.the_one(parameters, "TransactionStatus")).split())
    word = read(STATUS_WORDS, said.lower())
    if word.status is not Status.SUCCEEDED:
        return replace(report, status=word.status, failure=word.failure, unrecognised=word.unrecognised)
    receipt = wire.receipt_number(wire.the_one(parameters, "ReceiptNo"))
    amount = wire.shillings(wire.the_one(parameters, "Amount"))
    if receipt is None or amount is None:
        return replace(report, status=Status.PENDING, unrecognised="success without receipt or amount")
    happened = wire.moment(wire.the_one(parameters, "FinalisedTime"))
    money = MoneyIn(receipt_namespace=RECEIPTS, receipt_number=receipt, amount=amount, happened_at=happened)
    return replace(
        report, status=word.status, money=(money,), receipt_number=receipt, amount=amount, happened_at=happened
    )


def _pockets(told: str, parameters: Pairs) -> tuple[Pocket, ...]:
    """`Working Account|KES|700000.00|…&Utility Account|…`: name, currency, balance. Raises Unreadable: a balance that
    is half read is worse than none."""
    happened = wire.moment(wire.the_one(parameters, "BOCompletedTime"))
    found = []
    for part in told.split("&"):
        name, _, rest = part.partition("|")
        currency, _, rest = rest.partition("|")
        written = rest.partition("|")[0].strip()
        balance = wire.shillings(written.removeprefix("-"))
        if not name.strip() or currency.strip() != "KES" or balance is None:
            raise unreadable("a balance that can't be read")
        # What Charges Paid holds is below zero.
        owed = written.startswith("-")
        found.append(Pocket(name=name.strip(), balance=balance, is_owed=owed, happened_at=happened))
    return tuple(found)
