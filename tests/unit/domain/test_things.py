"""Payments, attempts, payouts, sessions: what they say of themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.domain.attempts import ASKABLE, OPEN, Attempt, AttemptState, AttemptStep
from gateway.domain.checkout import SessionState, session_state
from gateway.domain.connections import Connection
from gateway.domain.customers import Customer
from gateway.domain.due import KINDS, QUEUES
from gateway.domain.errors import Busy, GatewayError, InsufficientFunds, StateRefused, TooMany, Unprocessable
from gateway.domain.fees import Charge
from gateway.domain.payments import Payment, PaymentState, PaymentStep
from gateway.domain.payouts import PROMISED, Payout, PayoutAttempt, PayoutAttemptState, PayoutState, PayoutStep
from gateway.domain.webhooks import WebhookEndpoint
from ports.money import KES, Money
from ports.payout_channel import Destination, DestinationKind

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ID = UUID(int=7)
BASE = {"id": ID, "business_id": ID, "livemode": False, "created": NOW, "updated": NOW}


def kes(units: int) -> Money:
    return Money(units=units, asset=KES)


def payment(**changes: object) -> Payment:
    values = {**BASE, "amount": kes(100), "amount_due": kes(100), "expires_at": NOW, **changes}
    return Payment(**values)  # type: ignore[arg-type]


def attempt(**changes: object) -> Attempt:
    values = {
        **BASE,
        "payment_id": ID,
        "number": 1,
        "connection_id": ID,
        "rail": "mpesa_push",
        "method": "mpesa",
        "float_id": ID,
        "reference": "NJERI-7K2M4Q",
        "amount": kes(100),
        **changes,
    }
    return Attempt(**values)  # type: ignore[arg-type]


def payout(**changes: object) -> Payout:
    values = {
        **BASE,
        "amount": kes(5_000),
        "charge": Charge(revenue_units=25, taxes=(("vat", 5),)),
        "destination": Destination(kind=DestinationKind.MPESA_PHONE, account="+254712345126"),
        "destination_masked": "+2547•••••126",
        **changes,
    }
    return Payout(**values)  # type: ignore[arg-type]


def payout_attempt(**changes: object) -> PayoutAttempt:
    values = {
        **BASE,
        "payout_id": ID,
        "number": 1,
        "connection_id": ID,
        "channel": "mpesa_b2c",
        "float_id": ID,
        "reference": "r",
        "amount": kes(5_000),
        **changes,
    }
    return PayoutAttempt(**values)  # type: ignore[arg-type]


def test_a_step_changes_state_time_and_what_is_said_beside_it() -> None:
    later = NOW + timedelta(seconds=1)
    moved = payment().take(PaymentStep.CONFIRM, later, description="x")
    assert (moved.state, moved.updated, moved.description, moved.version) == (
        PaymentState.REQUIRES_ACTION,
        later,
        "x",
        1,
    )
    tried = attempt().take(AttemptStep.CLAIM, later, sends=1)
    assert (tried.state, tried.updated, tried.sends) == (AttemptState.SUBMITTING, later, 1)
    out = payout().take(PayoutStep.CANCEL, later, waiting_for="x")
    assert (out.state, out.updated, out.waiting_for) == (PayoutState.CANCELED, later, "x")
    with pytest.raises(StateRefused):
        payment(state=PaymentState.PROCESSING).take(PaymentStep.CANCEL, later)


@pytest.mark.parametrize(("received", "paid"), [(0, False), (99, False), (100, True), (101, True)])
def test_a_payment_is_paid_when_what_was_due_arrived(received: int, paid: bool) -> None:
    assert payment(received_units=received).is_paid is paid


def test_an_attempt_blocks_until_it_is_sent_and_its_window_is_over() -> None:
    until = NOW + timedelta(seconds=150)
    assert attempt().blocks(NOW), "not sent yet"
    assert attempt(blocks_until=NOW - timedelta(days=1)).blocks(NOW), "put back: it will be sent again"
    for state in (AttemptState.SUBMITTING, AttemptState.SUBMITTED, AttemptState.UNKNOWN, AttemptState.UNRESOLVED):
        sent = attempt(state=state, blocks_until=until)
        assert sent.blocks(until - timedelta(seconds=1)), state
        assert not sent.blocks(until), state
    assert attempt(state=AttemptState.SUBMITTING).blocks(NOW), "without an end it blocks"
    for state in (AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.ENDED):
        assert not attempt(state=state, blocks_until=until).blocks(NOW), state


def test_open_and_askable_attempts() -> None:
    assert {s for s in AttemptState if attempt(state=s).is_open} == OPEN
    assert {AttemptState.CREATED} == OPEN - ASKABLE
    assert {s for s in PayoutAttemptState if payout_attempt(state=s).is_open} == {
        PayoutAttemptState.CREATED,
        *PROMISED,
    }


def test_a_payout_reserves_amount_and_charge() -> None:
    assert payout().total_units == 5_030


@pytest.mark.parametrize("state", list(PaymentState))
def test_a_session_s_state_follows_its_payment(state: PaymentState) -> None:
    expected = {
        PaymentState.SUCCEEDED: SessionState.COMPLETE,
        PaymentState.CANCELED: SessionState.EXPIRED,
        PaymentState.EXPIRED: SessionState.EXPIRED,
    }.get(state, SessionState.OPEN)
    assert session_state(payment(state=state)) is expected


def test_secrets_and_phones_stay_out_of_what_is_printed() -> None:
    endpoint = WebhookEndpoint(**BASE, url="https://shop.example", secret="whsec_planted")  # type: ignore[arg-type]
    customer = Customer(**BASE, phone="+254712345126", name="Wanjiru")  # type: ignore[arg-type]
    line = Connection(
        id=ID,
        livemode=False,
        created=NOW,
        updated=NOW,
        title="t",
        code="c",
        tag="0a",
        float_id=ID,
        config={"k": "planted"},
    )
    for one in (endpoint, customer, line):
        assert not {"planted", "712345126", "Wanjiru"} & set(repr(one).replace("'", " ").split())
        assert "planted" not in repr(one)
        assert "712345126" not in repr(one)


def test_every_kind_of_work_has_a_queue_and_a_lease() -> None:
    assert {queue for queue, _ in KINDS.values()} == set(QUEUES)
    assert all(lease > 0 for _, lease in KINDS.values())
    paying = {k for k, (queue, _) in KINDS.items() if queue == "pay"}
    assert paying >= {"attempt.submit", "payout.submit", "refund.submit", "own.submit"}
    treasury = {"conversion.deliver", "conversion.fund", "payout.fund", "wallet.send"}
    assert all(kind.endswith((".submit", ".repeat")) for kind in paying - treasury)


def test_errors_bear_their_class_s_word_or_their_own() -> None:
    assert Busy("x").code == "busy"
    assert Busy("x", code="rail_unavailable", retry_after_s=60).code == "rail_unavailable"
    assert (Busy.retryable, TooMany.retryable, InsufficientFunds.retryable) == (True, True, False)
    assert issubclass(InsufficientFunds, Unprocessable)
    assert GatewayError("x", extra={"a": 1}).extra == {"a": 1}
    assert str(GatewayError("what to do")) == "what to do"
