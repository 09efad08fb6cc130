"""What the checkout page may claim, derived from a payment and its tries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.application.checkout import PageState, Visit, visit_of
from gateway.domain.attempts import Attempt, AttemptState
from gateway.domain.businesses import Business
from gateway.domain.checkout import CheckoutSession
from gateway.domain.fees import NO_CHARGE
from gateway.domain.payments import ExceptionStatus, Payment, PaymentState, PayToAction
from gateway.domain.receipts import Receipt
from ports.money import KES, Money
from ports.report import Failure, FailureKind

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ONE = UUID(int=1)
DUE = Money(units=150_000, asset=KES)
KEPT: dict[str, Any] = {"id": ONE, "business_id": ONE, "livemode": True, "created": NOW, "updated": NOW}
_S, _A, _P = PageState, AttemptState, PaymentState

PAYMENT = Payment(**KEPT, amount=DUE, amount_due=DUE, session_id=ONE, expires_at=NOW + timedelta(minutes=30))
SESSION = CheckoutSession(
    **KEPT, payment_id=ONE, secret_hash=b"", success_url=None, cancel_url=None, expires_at=PAYMENT.expires_at
)
SHOP = Business(
    id=ONE, platform_id=ONE, created=NOW, updated=NOW, name="Duka", shop_tag="DUKA", statement_descriptor="DUKA"
)


def a_try(state: AttemptState, number: int = 1, **more: Any) -> Attempt:
    """A try; once claimed its prompt lives 90 s, and its window 150 s."""
    sent = {} if state is _A.CREATED else {"prompt_until": after(90), "blocks_until": after(150)}
    return Attempt(
        **{**KEPT, "payment_id": ONE, "number": number, "state": state, "connection_id": ONE, "rail": "mpesa_push",
           "method": "mpesa", "float_id": ONE, "reference": f"DUKA-00000{number}", "amount": DUE,
           "payer_masked": f"+2547•••••00{number}", **sent, **more}
    )  # fmt: skip


def a_receipt(number: str | None, units: int = 150_000) -> Receipt:
    return Receipt(
        **KEPT, payment_id=ONE, attempt_id=ONE, float_id=ONE, receipt_namespace="mpesa.ke", receipt_number=number,
        amount=Money(units=units, asset=KES), due_units=units, over_units=0, charge=NO_CHARGE, bucket="available",
        happened_at=NOW,
    )  # fmt: skip


def after(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def visit(payment: Payment, *tries: Attempt, at: datetime = NOW, receipts: tuple[Receipt, ...] = ()) -> Visit:
    return visit_of(SESSION, payment, tries, receipts, SHOP, at)


@pytest.mark.parametrize(
    ("state", "seconds", "page"),
    [
        (_A.CREATED, 0, _S.SENDING),
        (_A.CREATED, 14, _S.SENDING),
        (_A.CREATED, 15, _S.DELAYED),
        (_A.SUBMITTING, 20, _S.SENDING),
        (_A.SUBMITTED, 1, _S.WAITING),
        (_A.SUBMITTED, 89, _S.WAITING),
        (_A.SUBMITTED, 90, _S.CONFIRMING),
        (_A.SUBMITTED, 150, _S.UNKNOWN),
        # The send's answer was lost: nothing says that the prompt ended, or that it came.
        (_A.UNKNOWN, 1, _S.PERHAPS_WAITING),
        (_A.UNKNOWN, 90, _S.CONFIRMING),
        (_A.UNKNOWN, 150, _S.UNKNOWN),
        (_A.UNRESOLVED, 90_000, _S.UNKNOWN),
    ],
)
def test_an_undecided_prompt(state: AttemptState, seconds: int, page: PageState) -> None:
    payment = replace(PAYMENT, state=_P.REQUIRES_ACTION)
    seen = visit(payment, a_try(state), at=after(seconds))
    assert (seen.state, seen.account, seen.payer) == (page, "DUKA-000001", "+2547•••••001")
    assert seen.may_pay_again == (page is _S.UNKNOWN and seconds < 1800)


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (FailureKind.WRONG_PIN, _S.WRONG_PIN),
        (FailureKind.INSUFFICIENT_FUNDS, _S.NO_MONEY),
        (FailureKind.CANCELED_BY_PAYER, _S.CANCELED_ON_PHONE),
        (FailureKind.NO_ANSWER, _S.UNREACHABLE),
        (FailureKind.OVER_LIMIT, _S.OVER_LIMIT),
        (FailureKind.DESTINATION_INVALID, _S.NOT_POSSIBLE),
        (FailureKind.SET_UP, _S.NOT_POSSIBLE),
        (FailureKind.OTHER, _S.NOT_POSSIBLE),
    ],
)
def test_a_failed_prompt_and_its_reason(kind: FailureKind, page: PageState) -> None:
    seen = visit(replace(PAYMENT, last_error=Failure(kind=kind)), a_try(_A.FAILED))
    assert (seen.state, seen.may_pay, seen.may_pay_again) == (page, True, False)


def test_a_failed_prompt_beside_one_in_doubt_tells_both() -> None:
    payment = replace(PAYMENT, last_error=Failure(kind=FailureKind.WRONG_PIN))
    seen = visit(payment, a_try(_A.UNKNOWN), a_try(_A.FAILED, 2), at=after(200))
    assert (seen.state, seen.may_pay_again) == (_S.WRONG_PIN, True)
    assert (seen.account, seen.payer) == ("DUKA-000001", "+2547•••••001")


def test_a_provider_s_patience_is_told_until_it_is_over() -> None:
    failure = Failure(kind=FailureKind.OTHER, after_s=60)
    payment, failed = replace(PAYMENT, last_error=failure), a_try(_A.FAILED, failure=failure)
    assert visit(payment, failed, at=after(59)).again_at == after(60)
    assert visit(payment, failed, at=after(60)).again_at is None


def test_a_page_past_its_time_offers_nothing_before_the_timer_comes() -> None:
    seen = visit(PAYMENT, at=PAYMENT.expires_at)
    assert (seen.state, seen.may_pay) == (_S.EXPIRED, False)
    failed = replace(PAYMENT, last_error=Failure(kind=FailureKind.WRONG_PIN))
    assert visit(failed, a_try(_A.FAILED), at=PAYMENT.expires_at).state is _S.EXPIRED


def test_a_page_past_its_time_never_says_that_nothing_was_paid_while_a_prompt_is_in_doubt() -> None:
    failed = replace(PAYMENT, last_error=Failure(kind=FailureKind.WRONG_PIN))
    seen = visit(failed, a_try(_A.UNKNOWN), a_try(_A.FAILED, 2), at=PAYMENT.expires_at)
    assert (seen.state, seen.may_pay, seen.may_pay_again) == (_S.UNKNOWN, False, False)


@pytest.mark.parametrize(
    ("state", "received", "page"),
    [
        (_P.REQUIRES_PAYMENT_METHOD, 0, _S.CHOOSE),
        (_P.REQUIRES_PAYMENT_METHOD, 90_000, _S.PART_PAID),
        (_P.EXPIRED, 0, _S.EXPIRED),
        (_P.EXPIRED, 90_000, _S.PART_PAID),
        (_P.CANCELED, 0, _S.SHOP_CANCELED),
        (_P.CANCELED, 90_000, _S.PART_PAID),
    ],
)
def test_money_that_came_is_never_denied(state: PaymentState, received: int, page: PageState) -> None:
    seen = visit(replace(PAYMENT, state=state, received_units=received))
    assert (seen.state, seen.received_units, seen.left_units) == (page, received, 150_000 - received)
    assert seen.may_pay == (state is _P.REQUIRES_PAYMENT_METHOD)


@pytest.mark.parametrize(
    ("number", "status", "page"),
    [
        ("UJ6AB12CD3", None, _S.PAID),
        (None, None, _S.PAID_NUMBER_TO_COME),
        ("UJ6AB12CD3", ExceptionStatus.PAID_LATE, _S.PAID_LATE),
        ("UJ6AB12CD3", ExceptionStatus.DUPLICATE, _S.PAID),
    ],
)
def test_paid(number: str | None, status: ExceptionStatus | None, page: PageState) -> None:
    payment = replace(PAYMENT, state=_P.SUCCEEDED, received_units=150_000, exception_status=status)
    paid, later = a_try(_A.SUCCEEDED), a_try(_A.FAILED, 2)
    seen = visit(payment, paid, later, receipts=(a_receipt(number),))
    assert (seen.state, seen.receipt_number, seen.may_pay) == (page, number, False)
    assert seen.account == "DUKA-000001", "the reference to quote is that of the try that paid"


PLACE = (("paybill", "600996"), ("account", "DUKA-000001"))
TOLD = replace(PAYMENT, state=_P.REQUIRES_ACTION, next_action=PayToAction(expires_at=PAYMENT.expires_at, pay_to=PLACE))
PLACED: dict[str, Any] = {"pay_to": True, "payer_masked": None, "prompt_until": None, "blocks_until": None}


def test_a_place_waits_and_is_no_prompt_in_doubt() -> None:
    waiting = a_try(_A.SUBMITTED, **PLACED)
    seen = visit(TOLD, waiting, at=after(600))
    assert (seen.state, seen.place, seen.may_pay, seen.may_pay_again) == (_S.PAY_TO, PLACE, True, False)
    assert visit(replace(TOLD, next_action=None), replace(waiting, state=_A.CREATED)).state is _S.PLACE_TO_COME


def test_a_place_keeps_what_came_in_part_and_says_when_time_is_up() -> None:
    part = replace(TOLD, state=_P.REQUIRES_PAYMENT_METHOD, received_units=90_000)
    seen = visit(part, a_try(_A.SUBMITTED, **PLACED), receipts=(a_receipt("UJ6AB12CD3", 90_000),))
    assert (seen.state, seen.left_units, seen.place) == (_S.PART_PAID, 60_000, PLACE)
    over = visit(TOLD, a_try(_A.SUBMITTED, **PLACED), at=after(1800))
    assert (over.state, over.may_pay, over.place) == (_S.EXPIRED, False, ())


def test_a_prompt_after_a_place_speaks_for_itself() -> None:
    place = a_try(_A.SUBMITTED, **PLACED)
    payment = replace(PAYMENT, state=_P.REQUIRES_ACTION)
    assert visit(payment, place, a_try(_A.SUBMITTED, 2)).state is _S.WAITING
    failed = replace(PAYMENT, last_error=Failure(kind=FailureKind.WRONG_PIN))
    seen = visit(failed, place, a_try(_A.FAILED, 2))
    assert (seen.state, seen.may_pay_again) == (_S.WRONG_PIN, False)
