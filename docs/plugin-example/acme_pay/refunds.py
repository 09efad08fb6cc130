"""Pure functions between Acme Pay's refunds and the port's: the ability `refund`, kept by rail.py with one call each.

Acme Pay's refund, in answers and callbacks alike:
{"id": "rf_3", "refund_id": "…", "code": "DONE", "units": 50000, "receipt": "AR00000003"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from acme_pay import wire
from plugins.kit.http import Answer
from ports.abilities import RefundOrder
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.money import KES, Money
from ports.report import Failure, FailureKind, Grade, Report, Status, TryAgain

DONE, WAITING = "DONE", "WAITING"
#: Every code by which Acme Pay says that a refund failed. What isn't here is pending, and told.
FAILURES: Mapping[str, Failure] = {
    "TOO_OLD": Failure(kind=FailureKind.OTHER, provider_code="TOO_OLD", try_again=TryAgain.ANOTHER_WAY),
    "NO_FLOAT": Failure(
        kind=FailureKind.INSUFFICIENT_FUNDS, provider_code="NO_FLOAT", try_again=TryAgain.LATER, after_s=600
    ),
}


def body_of(order: RefundOrder) -> bytes:
    """What is sent. Raises Refused for what can't be given back: nothing is sent then."""
    if order.amount.asset != KES or order.received.asset != KES or not order.receipt_number:
        raise _refused()
    if not 0 < order.amount.units <= order.received.units:
        raise _refused()
    body = {
        "refund_id": order.reference,
        "receipt": order.receipt_number,
        "units": order.amount.units,
        "text": order.text,
        "notify_url": order.reply_to.url,
    }
    return json.dumps(body).encode()


def ordered(answer: Answer, reference: str) -> Report:
    """What the answer to an order says. Whatever isn't certainly an acceptance or a refusal is unknown."""
    if answer.status == 401:
        raise Misconfigured("refund: the API key was refused")
    if answer.status == 429:
        raise NotSent("refund: turned away at the gate", retry_after_s=10, whole_connection=True)
    if answer.status == 409:
        raise AlreadyTaken("refund: another refund has this id")
    if answer.status == 422:
        raise _refused("422")
    try:
        if answer.status not in (200, 201):
            raise ValueError("status")
        report = report_of(wire.object_in(answer.body), Grade.ANSWER)
    except (ValueError, KeyError, TypeError):
        raise OutcomeUnknown(f"refund: no whole answer (status {answer.status})") from None
    return Report(
        status=Status.PENDING, grade=Grade.ANSWER, reference=reference, provider_reference=report.provider_reference
    )


def looked_up(answer: Answer, reference: str) -> Report:
    """What the answer to a question says. A question that failed is no news of the refund."""
    nothing = Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=reference)
    if answer.status == 401:
        raise Misconfigured("look_up_refund: the API key was refused")
    if answer.status == 404:
        return replace(nothing, found_nothing=True)
    if answer.status != 200:
        return nothing
    try:
        report = report_of(wire.object_in(answer.body), Grade.ANSWER)
    except (ValueError, KeyError, TypeError):
        return nothing
    return report if report.reference == reference else nothing


def report_of(refund: Mapping[str, object], grade: Grade) -> Report:
    """A refund as the port tells it. Raises ValueError, KeyError or TypeError for another shape."""
    code = wire.text_in(refund["code"])
    report = Report(
        status=Status.PENDING,
        grade=grade,
        reference=wire.text_in(refund["refund_id"]),
        provider_reference=wire.text_in(refund["id"]),
    )
    if code in FAILURES:
        return replace(report, status=Status.FAILED, failure=FAILURES[code])
    if code != DONE:
        return replace(report, unrecognised=None if code == WAITING else code)
    units = refund["units"]
    if not isinstance(units, int):
        raise TypeError("units")
    amount = Money(units=units, asset=KES)
    return replace(report, status=Status.SUCCEEDED, receipt_number=wire.text_in(refund["receipt"]), amount=amount)


def _refused(code: str = "") -> Refused:
    return Refused(Failure(kind=FailureKind.OTHER, provider_code=code, try_again=TryAgain.ANOTHER_WAY))
