"""Pure functions between Acme Pay's shapes and the port's: bodies to send, the table of codes, what an answer says.

Acme Pay's charge, in answers and callbacks alike:
{"id": "ch_7", "order_id": "DUKA-…", "code": "PAID", "units": 150000, "receipt": "AP00000007", "paid_at": "2026-…",
"phone": "+2547…"}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from plugins.kit.http import Answer
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.money import KES, Money
from ports.payment_rail import Collection
from ports.report import Failure, FailureKind, Grade, MoneyIn, Report, Status, TryAgain

RECEIPTS = "acme_pay"
PAID, WAITING = "PAID", "WAITING"
_SHOWN = ("id", "order_id", "refund_id", "code", "units", "receipt", "paid_at")

#: Every code by which Acme Pay says that a charge failed. What isn't here, PAID or WAITING is pending, and told.
FAILURES: Mapping[str, Failure] = {
    "DECLINED": Failure(kind=FailureKind.CANCELED_BY_PAYER, provider_code="DECLINED"),
    "EXPIRED": Failure(kind=FailureKind.NO_ANSWER, provider_code="EXPIRED"),
    "NO_FUNDS": Failure(kind=FailureKind.INSUFFICIENT_FUNDS, provider_code="NO_FUNDS"),
    "LIMIT": Failure(kind=FailureKind.OVER_LIMIT, provider_code="LIMIT", try_again=TryAgain.ANOTHER_WAY),
    "CLOSED": Failure(kind=FailureKind.SET_UP, provider_code="CLOSED", try_again=TryAgain.NEVER),
}


def charge_body(collection: Collection) -> bytes:
    """What is sent. The same collection gives the same bytes."""
    body = {
        "order_id": collection.reference,
        "units": collection.amount.units,
        "currency": collection.amount.asset.code,
        "phone": collection.payer,
        "text": collection.text,
        "notify_url": collection.reply_to.url,
    }
    return json.dumps(body).encode()


def started(answer: Answer, reference: str) -> Report:
    """What the answer to a charge says. Whatever isn't certainly an acceptance or a refusal is unknown."""
    if answer.status == 401:
        raise Misconfigured("charge: the API key was refused")
    if answer.status == 429:
        raise NotSent("charge: turned away at the gate", retry_after_s=10, whole_connection=True)
    if answer.status == 409:
        raise AlreadyTaken("charge: another charge has this order id")
    if answer.status == 422:
        raise Refused(Failure(kind=FailureKind.OTHER, provider_code="422", try_again=TryAgain.NEVER))
    try:
        if answer.status not in (200, 201):
            raise ValueError("status")
        report = _report(object_in(answer.body), Grade.ANSWER)
    except (ValueError, KeyError, TypeError):
        raise OutcomeUnknown(f"charge: no whole answer (status {answer.status})") from None
    # How it ends is for the look-up to say; the answer to a charge says only that it was taken.
    return Report(
        status=Status.PENDING,
        grade=Grade.ANSWER,
        reference=reference,
        provider_reference=report.provider_reference,
    )


def looked_up(answer: Answer, reference: str) -> Report:
    """What the answer to a question says. A question that failed is no news of the charge."""
    nothing = Report(status=Status.NO_NEWS, grade=Grade.ANSWER, reference=reference)
    if answer.status == 401:
        raise Misconfigured("look_up: the API key was refused")
    if answer.status == 404:
        return replace(nothing, found_nothing=True)
    if answer.status != 200:
        return nothing
    try:
        report = _report(object_in(answer.body), Grade.ANSWER)
    except (ValueError, KeyError, TypeError):
        return nothing
    return report if report.reference == reference else nothing


def charge_report(charge: Mapping[str, object], grade: Grade) -> Report:
    """What a charge that was posted says. Raises ValueError, KeyError or TypeError for another shape."""
    return _report(charge, grade)


def redacted(body: bytes) -> bytes:
    """What may be shown of a body: the ids, the code and the sum, never the phone."""
    try:
        found = object_in(body)
    except ValueError:
        return f"<{len(body)} bytes that are no JSON object>".encode()
    shown = {name: found[name] for name in _SHOWN if name in found}
    return json.dumps(shown).encode()


def object_in(body: bytes) -> dict[str, object]:
    """The JSON object in a body. Raises ValueError."""
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _report(charge: Mapping[str, object], grade: Grade) -> Report:
    code = text_in(charge["code"])
    report = Report(
        status=Status.PENDING,
        grade=grade,
        reference=text_in(charge["order_id"]),
        provider_reference=text_in(charge["id"]),
    )
    if code == PAID:
        return replace(report, status=Status.SUCCEEDED, money=(_money(charge),))
    if code in FAILURES:
        return replace(report, status=Status.FAILED, failure=FAILURES[code])
    return replace(report, unrecognised=None if code == WAITING else code)


def _money(charge: Mapping[str, object]) -> MoneyIn:
    units = charge["units"]
    if not isinstance(units, int):
        raise TypeError("units")
    happened_at = datetime.fromisoformat(text_in(charge["paid_at"]))
    if happened_at.tzinfo is None:
        raise ValueError("paid_at")
    return MoneyIn(
        receipt_namespace=RECEIPTS,
        receipt_number=text_in(charge["receipt"]),
        amount=Money(units=units, asset=KES),
        happened_at=happened_at,
        reference=text_in(charge["order_id"]),
        payer_hint=_masked(charge.get("phone")),
    )


def text_in(value: object) -> str:
    """A text that isn't empty. Raises TypeError."""
    if not isinstance(value, str) or not value:
        raise TypeError("text")
    return value


def _masked(phone: object) -> str | None:
    if not isinstance(phone, str) or not re.fullmatch(r"\+[0-9]{9,15}", phone):
        return None
    return f"{phone[:4]}…{phone[-3:]}"
