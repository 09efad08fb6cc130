"""What Daraja's answers to our own calls mean at the port: pure functions from an Answer to a Report or a port error.

"Certainly not done" is claimed for the rows below alone (Daraja portal, December 2025, and threads); everything else
that isn't a clear yes is OutcomeUnknown for money calls and no news for questions.
"""

from __future__ import annotations

import re

from plugins.kit.http import Answer
from plugins.mpesa import wire
from plugins.mpesa.codes import PAYOUT_CODES, PUSH_CODES, Verdict, read, shown
from plugins.mpesa.faults import Fault, Meaning, fault_of, speaks_of_pending
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.report import ActionKind, Failure, FailureKind, Grade, MoneyIn, NextAction, Report, Status, TryAgain

#: All Kenyan M-Pesa receipts are one namespace: a push and a C2B confirmation of the same money share their number.
RECEIPTS = "mpesa_ke"

#: Seconds a prompt lives; about 60 by most sources, 90 by the longest.
PROMPT_LIFE_S = 90

_PUSH_SHARED = "500.001.1001"
_DUPLICATE = "500.002.1001"
_DUPLICATE_RESULT = "15"
_LOCKED = re.compile(r"unable to lock subscriber", re.IGNORECASE)
_SET_UP_TEXT = re.compile(r"merchant does not exist|wrong credentials", re.IGNORECASE)
_DUPLICATE_TEXT = re.compile(r"duplicate", re.IGNORECASE)
_MAINTENANCE = re.compile(r"maintenance", re.IGNORECASE)
_PHONE_FIELDS = {"PhoneNumber", "PartyA", "PartyB"}


def push_started(answer: Answer, reference: str) -> Report:
    """Read the answer to a push: PENDING with the prompt to answer, or the error its row asks for."""
    body = _body(answer)
    response_code = wire.code(body.get("ResponseCode"))
    if answer.status == 200 and wire.is_accepted(response_code):
        checkout_request_id = wire.opaque(body.get("CheckoutRequestID"))
        if checkout_request_id is None:
            raise OutcomeUnknown("push: accepted without an id")
        return Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=reference,
            provider_reference=checkout_request_id,
            next_action=NextAction(kind=ActionKind.PROMPT, life_s=PROMPT_LIFE_S),
        )
    if answer.status == 200 and response_code is not None:
        raise Refused(not_accepted(response_code))
    raise _push_error(fault_of(answer))


def payout_sent(answer: Answer, reference: str) -> Report:
    """Read the answer to a B2C payment: PENDING, or the error its row asks for."""
    body = _body(answer)
    response_code = wire.code(body.get("ResponseCode"))
    if answer.status == 200 and wire.is_accepted(response_code):
        return Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=reference,
            provider_reference=wire.opaque(body.get("ConversationID")),
        )
    if answer.status == 200 and response_code is not None:
        raise _payout_not_accepted(response_code, wire.said(body.get("ResponseDescription")))
    fault = fault_of(answer)
    if _is_duplicate(fault.code, fault.text):
        raise AlreadyTaken(f"b2c: the reference is known already ({shown(fault.code)})")
    raise error_of("b2c", fault)


def push_looked_up(answer: Answer, reference: str, checkout_request_id: str) -> Report:
    """Read the answer to a push query. It never names receipt or amount; what it doesn't clearly say is no news."""
    body = _body(answer)
    fault = fault_of(answer)
    pending = speaks_of_pending(fault.text) or speaks_of_pending(wire.said(body.get("ResultDesc")))
    result_code = wire.code(body.get("ResultCode"))
    response_code = wire.code(body.get("ResponseCode"))
    theirs = wire.opaque(body.get("CheckoutRequestID"))
    if theirs not in (None, checkout_request_id):
        return _no_news(reference)
    if pending:
        return Report(
            status=Status.PENDING, grade=Grade.ANSWER, reference=reference, provider_reference=checkout_request_id
        )
    if answer.status != 200 or result_code is None or not (response_code is None or wire.is_accepted(response_code)):
        return _no_news(reference)
    word = read(PUSH_CODES, result_code)
    return Report(
        status=word.status,
        grade=Grade.ANSWER,
        reference=reference,
        provider_reference=checkout_request_id,
        money=(MoneyIn(receipt_namespace=RECEIPTS),) if word.status is Status.SUCCEEDED else (),
        failure=word.failure,
        unrecognised=word.unrecognised,
    )


def payout_asked(answer: Answer, reference: str) -> Report:
    """Read the answer to a Transaction Status question: it was taken, and the answer comes later; or no news."""
    taken = answer.status == 200 and wire.is_accepted(wire.code(_body(answer).get("ResponseCode")))
    return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=reference, asked=taken)


def _body(answer: Answer) -> dict[str, object]:
    try:
        return wire.parsed(answer.body)
    except ValueError:
        return {}


def _no_news(reference: str) -> Report:
    return Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=reference)


def not_accepted(response_code: str) -> Failure:
    """The failure of a call that M-Pesa refused at the door, with HTTP 200."""
    return Failure(
        kind=FailureKind.OTHER,
        provider_code=shown(response_code),
        detail="refused at acceptance",
        try_again=TryAgain.NEVER,
    )


def _is_duplicate(code: str, text: str) -> bool:
    # The text alone is enough: a duplicate taken for a refusal pays twice.
    return _DUPLICATE_TEXT.search(text) is not None or (code == _DUPLICATE and not _MAINTENANCE.search(text))


def _payout_not_accepted(response_code: str, text: str) -> PortError:
    row = PAYOUT_CODES.get(response_code)
    if response_code == _DUPLICATE_RESULT or _is_duplicate("", text):
        return AlreadyTaken(f"b2c: a duplicate ({shown(response_code)})")
    if row is not None and row.verdict is not Verdict.FAILED:
        return OutcomeUnknown(f"b2c: not clearly refused ({response_code})")
    if row is not None and row.kind is FailureKind.SET_UP:
        return Misconfigured(f"b2c: {row.meaning} ({response_code})")
    return Refused(not_accepted(response_code))


def _push_error(fault: Fault) -> PortError:
    if fault.code == _PUSH_SHARED and _LOCKED.search(fault.text):
        return Refused(
            Failure(
                kind=FailureKind.OTHER,
                provider_code=fault.code,
                detail="the payer has another prompt open",
                try_again=TryAgain.LATER,
                after_s=60,
            )
        )
    if fault.code == _PUSH_SHARED and _SET_UP_TEXT.search(fault.text):
        return Misconfigured(f"push: the shortcode or the passkey is wrong ({fault.code})")
    return error_of("push", fault)


def error_of(call: str, fault: Fault) -> PortError:
    """What an error answer means for an order: certainly not done for a few rows, else unknown."""
    named = f"{call}: HTTP {fault.status}" + (f" {shown(fault.code)}" if fault.code else "")
    match fault.meaning:
        case Meaning.TOO_FAST:
            return NotSent(named, retry_after_s=fault.retry_after_s or 30, whole_connection=True)
        case Meaning.INVALID:
            return Refused(_invalid(fault))
        case Meaning.SET_UP | Meaning.UNAUTHORISED:
            return Misconfigured(named)
        case Meaning.UNCLEAR:
            return OutcomeUnknown(named)


def question_error(call: str, fault: Fault) -> PortError:
    """What an error answer means for a question: a field that was refused leaves it unanswered, and refuses nothing."""
    error = error_of(call, fault)
    return OutcomeUnknown(str(error)) if isinstance(error, Refused) else error


def _invalid(fault: Fault) -> Failure:
    phone = fault.field in _PHONE_FIELDS
    return Failure(
        kind=FailureKind.DESTINATION_INVALID if phone else FailureKind.OTHER,
        provider_code=fault.code,
        detail=f"the provider refused {fault.field or 'a field'}",
        try_again=TryAgain.ANOTHER_WAY if phone else TryAgain.NEVER,
    )
