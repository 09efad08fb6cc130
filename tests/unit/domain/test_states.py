"""The state tables, cell by cell: what is written here is read from product.md's diagrams, not from the code."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from gateway.domain.attempts import ATTEMPT, AttemptState
from gateway.domain.errors import Conflict, StateRefused
from gateway.domain.payments import PAYMENT, PaymentState
from gateway.domain.payouts import PAYOUT, PAYOUT_ATTEMPT, PayoutAttemptState, PayoutState
from gateway.domain.refunds import REFUND, REFUND_ATTEMPT
from gateway.domain.states import Machine

#: `-` is a refusal, `=` stays where it is.
TABLES: dict[str, tuple[Machine[Any, Any], str]] = {
    "payment": (
        PAYMENT,
        """
                                 confirm          window_over  attempt_failed           cancel    expire   part_paid                paid
        requires_payment_method  requires_action  =            =                        canceled  expired  =                        succeeded
        requires_action          =                processing   requires_payment_method  canceled  expired  requires_payment_method  succeeded
        processing               requires_action  =            requires_payment_method  -         -        requires_payment_method  succeeded
        succeeded                -                =            =                        -         =        =                        =
        canceled                 -                =            =                        =         =        =                        succeeded
        expired                  -                =            =                        -         =        =                        succeeded
        """,  # noqa: E501
    ),
    "attempt": (
        ATTEMPT,
        """
                    claim       put_back  acknowledge  refuse  lose     give_up     succeed    fail    end
        created     submitting  =         -            -       unknown  -           succeeded  failed  ended
        submitting  -           created   submitted    failed  unknown  -           succeeded  failed  -
        submitted   -           =         =            -       unknown  unresolved  succeeded  failed  ended
        unknown     -           =         submitted    failed  =        unresolved  succeeded  failed  -
        unresolved  -           =         =            failed  =        =           succeeded  failed  -
        succeeded   -           =         =            =       =        =           =          =       =
        failed      -           =         =            =       =        =           succeeded  =       =
        ended       -           =         =            =       =        =           succeeded  =       =
        """,
    ),
    "refund": (
        REFUND,
        """
                    submit     put_back  acknowledge  lose     next     succeed    fail    cancel
        pending     submitted  =         -            unknown  =        succeeded  failed  canceled
        submitted   -          pending   =            unknown  pending  succeeded  failed  -
        unknown     -          =         submitted    =        pending  succeeded  failed  -
        succeeded   -          =         =            =        =        =          =       -
        failed      -          =         =            =        =        -          =       -
        canceled    -          =         =            =        =        -          =       =
        """,
    ),
    "refund attempt": (
        REFUND_ATTEMPT,
        """
                    claim       put_back  acknowledge  lose     succeed    fail
        created     submitting  =         -            unknown  succeeded  failed
        submitting  -           created   submitted    unknown  succeeded  failed
        submitted   -           =         =            unknown  succeeded  failed
        unknown     -           =         submitted    =        succeeded  failed
        succeeded   -           =         =            =        =          =
        failed      -           =         =            =        succeeded  =
        """,
    ),
    "payout": (
        PAYOUT,
        """
                    claim       put_back  acknowledge  lose     pay   try_again  fail    return    cancel
        queued      submitting  =         -            unknown  paid  =          failed  -         canceled
        submitting  -           queued    in_transit   unknown  paid  queued     failed  -         -
        in_transit  -           =         =            unknown  paid  queued     failed  -         -
        unknown     -           =         in_transit   =        paid  queued     failed  -         -
        paid        -           =         =            =        =     =          =       returned  -
        returned    -           =         =            =        =     =          =       =         -
        failed      -           =         =            =        -     =          =       -         -
        canceled    -           =         =            =        -     =          =       -         =
        """,
    ),
    "payout attempt": (
        PAYOUT_ATTEMPT,
        """
                    claim       put_back  acknowledge  lose     succeed    fail
        created     submitting  =         -            unknown  succeeded  failed
        submitting  -           created   in_transit   unknown  succeeded  failed
        in_transit  -           =         =            unknown  succeeded  failed
        unknown     -           =         in_transit   =        succeeded  failed
        succeeded   -           =         =            =        =          =
        failed      -           =         =            =        succeeded  =
        """,
    ),
}


def cells() -> list[Any]:
    found = []
    for name, (machine, table) in TABLES.items():
        head, *rows = [line.split() for line in table.strip().splitlines()]
        assert head == [step.value for step in machine.steps], name
        assert [row[0] for row in rows] == [state.value for state in machine.states], name
        for state, *leads in rows:
            assert len(leads) == len(head)
            for step, lead in zip(head, leads, strict=True):
                to = state if lead == "=" else lead
                found.append(pytest.param(machine, state, step, to, id=f"{name}: {state} × {step}"))
    return found


@pytest.mark.parametrize(("machine", "state", "step", "leads_to"), cells())
def test_every_cell(machine: Machine[Any, Any], state: str, step: str, leads_to: str) -> None:
    at, taken = machine.states(state), machine.steps(step)
    if leads_to != "-":
        assert machine.take(at, taken) is machine.states(leads_to)
        assert machine.allows(at, taken)
        return
    assert not machine.allows(at, taken)
    with pytest.raises(StateRefused) as refused:
        machine.take(at, taken)
    assert refused.value.refusal.state == state
    assert refused.value.refusal.step == step
    assert step not in refused.value.refusal.allowed
    assert refused.value.extra == {"state": state, "allowed": list(machine.allowed(at))}
    assert isinstance(refused.value, Conflict)
    assert refused.value.code == "illegal_transition"


@pytest.mark.parametrize("machine", [machine for machine, _ in TABLES.values()], ids=list(TABLES))
def test_every_state_can_be_reached_and_every_road_is_between_known_states(machine: Machine[Any, Any]) -> None:
    assert all(isinstance(s, machine.states) and isinstance(e, machine.steps) for s, e in machine.roads)
    reached: set[Enum] = {next(iter(machine.states))}
    while True:
        further = {to for (state, _), to in machine.roads.items() if state in reached} - reached
        if not further:
            break
        reached |= further
    assert reached == set(machine.states)


def test_the_ends_are_the_product_s_and_only_late_money_leaves_them() -> None:
    leaving = {
        machine.name: {
            (s.value, e.value, to.value) for (s, e), to in machine.roads.items() if s in machine.ends and to is not s
        }
        for machine, _ in TABLES.values()
    }
    assert {s.value for s in PAYMENT.ends} == {"succeeded", "canceled", "expired"}
    assert {s.value for s in ATTEMPT.ends} == {"succeeded", "failed", "ended"}
    assert {s.value for s in PAYOUT.ends} == {"paid", "returned", "failed", "canceled"}
    assert {s.value for s in PAYOUT_ATTEMPT.ends} == {"succeeded", "failed"}
    assert leaving == {
        "payment": {("canceled", "paid", "succeeded"), ("expired", "paid", "succeeded")},
        "attempt": {("failed", "succeed", "succeeded"), ("ended", "succeed", "succeeded")},
        "payout": {("paid", "return", "returned")},
        "payout attempt": {("failed", "succeed", "succeeded")},
        "refund": set(),
        "refund attempt": {("failed", "succeed", "succeeded")},
    }


def test_success_is_never_undone() -> None:
    for machine, succeeded in (
        (PAYMENT, {PaymentState.SUCCEEDED}),
        (ATTEMPT, {AttemptState.SUCCEEDED}),
        (PAYOUT, {PayoutState.PAID, PayoutState.RETURNED}),
        (PAYOUT_ATTEMPT, {PayoutAttemptState.SUCCEEDED}),
    ):
        assert {to for (state, _), to in machine.roads.items() if state in succeeded} <= succeeded


def test_nothing_that_may_have_left_is_sent_again() -> None:
    """Only what was surely not sent is claimed, and only NotSent and proof lead back to the queue."""
    for machine in (ATTEMPT, PAYOUT_ATTEMPT):
        claimed_from = {state.value for state, step in machine.roads if step.value == "claim"}
        assert claimed_from == {"created"}
        back = {(s.value, e.value) for (s, e), to in machine.roads.items() if to.value == "created" and to is not s}
        assert back == {("submitting", "put_back")}
    assert {state.value for state, step in PAYOUT.roads if step.value == "claim"} == {"queued"}
