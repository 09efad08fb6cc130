"""The recipes: every fact's journal, its key, and what it does to every account."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import postings
from gateway.domain.fees import NO_CHARGE, Charge
from gateway.domain.ids import encode
from gateway.domain.ledger import Journal, Kind
from gateway.domain.payouts import Payout
from gateway.domain.receipts import Receipt
from ports.money import KES, Money
from ports.payout_channel import Destination, DestinationKind

SHOP, FLOAT = UUID(int=7), UUID(int=1)
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
FLOAT_PATH = f"float:{encode('flt', FLOAT)}"
FEE = Charge(revenue_units=1293, taxes=(("vat", 207),))

charges = st.builds(
    Charge,
    revenue_units=st.integers(0, 10**9),
    taxes=st.lists(st.tuples(st.sampled_from(["vat", "excise"]), st.integers(0, 10**9)), max_size=2).map(tuple),
)
sums = st.integers(1, 10**30)


def a_receipt(**changes: Any) -> Receipt:
    receipt = Receipt(
        id=UUID(int=2),
        business_id=SHOP,
        livemode=True,
        created=AT,
        updated=AT,
        payment_id=UUID(int=3),
        attempt_id=UUID(int=4),
        float_id=FLOAT,
        receipt_namespace="mpesa_ke",
        receipt_number="SKL1A2B3C4",
        amount=Money(units=100_000, asset=KES),
        due_units=100_000,
        over_units=0,
        charge=FEE,
        bucket="available",
        happened_at=AT,
    )
    return replace(receipt, **changes)


def a_payout(**changes: Any) -> Payout:
    payout = Payout(
        id=UUID(int=5),
        business_id=SHOP,
        livemode=True,
        created=AT,
        updated=AT,
        amount=Money(units=500_000, asset=KES),
        charge=Charge(revenue_units=2586, taxes=(("vat", 414),)),
        destination=Destination(kind=DestinationKind.MPESA_PHONE, account="+254700000001"),
        destination_masked="+2547•••••001",
    )
    return replace(payout, **changes)


def lines(journal: Journal) -> list[tuple[str, str, int]]:
    """Debit, credit, units, with a business's paths cut to the bucket."""
    return [(_short(leg.debit.path), _short(leg.credit.path), leg.units) for leg in journal.legs]


def effect(*journals: Journal) -> dict[str, int]:
    """Credits less debits of each account that these journals changed."""
    change: Counter[str] = Counter()
    for journal in journals:
        for debit, credit, units in lines(journal):
            change[debit] -= units
            change[credit] += units
    return {path: units for path, units in change.items() if units}


def _short(path: str) -> str:
    return path.rpartition(":")[2] if path.startswith("business:") else path


def test_a_receipt_is_booked_with_its_fee_and_tax() -> None:
    journal = postings.receipt_booked(a_receipt())
    assert journal.key == f"receipt:{encode('rcp', UUID(int=2))}:booked"
    assert (journal.kind, journal.business_id, journal.effective_at) == (Kind.RECEIPT_BOOKED, SHOP, AT)
    assert lines(journal) == [
        (FLOAT_PATH, "available", 100_000),
        ("available", "revenue:fees:collect", 1293),
        ("available", "tax:vat:payable", 207),
    ]


def test_money_above_what_was_due_goes_to_overpayments_without_a_fee() -> None:
    receipt = a_receipt(amount=Money(units=130_000, asset=KES), over_units=30_000)
    assert effect(postings.receipt_booked(receipt)) == {
        FLOAT_PATH: -130_000,
        "available": 98_500,
        "overpayments": 30_000,
        "revenue:fees:collect": 1293,
        "tax:vat:payable": 207,
    }
    second = a_receipt(due_units=0, over_units=100_000, charge=NO_CHARGE)
    assert lines(postings.receipt_booked(second)) == [(FLOAT_PATH, "overpayments", 100_000)]


def test_pending_money_is_released_less_its_charge() -> None:
    receipt = a_receipt(bucket="pending")
    booked, released = postings.receipt_booked(receipt), postings.receipt_released(receipt, AT)
    assert released.key == f"receipt:{encode('rcp', UUID(int=2))}:released"
    assert lines(released) == [("pending", "available", 98_500)]
    assert effect(booked, released) == effect(postings.receipt_booked(a_receipt()))


def test_a_payout_that_is_paid() -> None:
    accepted = postings.payout_accepted(a_payout())
    paid = postings.payout_paid(a_payout(), FLOAT, AT)
    payout_id = encode("po", UUID(int=5))
    assert (accepted.key, paid.key) == (f"payout:{payout_id}:accept", f"payout:{payout_id}:outcome")
    assert lines(accepted) == [("available", "reserved", 503_000)]
    assert lines(paid) == [
        ("reserved", FLOAT_PATH, 500_000),
        ("reserved", "revenue:fees:payout", 2586),
        ("reserved", "tax:vat:payable", 414),
    ]
    assert effect(accepted, paid) == {
        "available": -503_000,
        FLOAT_PATH: 500_000,
        "revenue:fees:payout": 2586,
        "tax:vat:payable": 414,
    }


def test_a_payout_that_is_not_paid_leaves_no_trace() -> None:
    accepted, back = postings.payout_accepted(a_payout()), postings.payout_not_paid(a_payout(), AT)
    assert lines(back) == [("reserved", "available", 503_000)]
    assert effect(accepted, back) == {}


def test_success_and_failure_exclude_each_other() -> None:
    paid, back = postings.payout_paid(a_payout(), FLOAT, AT), postings.payout_not_paid(a_payout(), AT)
    assert (paid.key, paid.kind) == (back.key, back.kind) == (paid.key, Kind.PAYOUT_OUTCOME)
    assert paid.fingerprint() != back.fingerprint()


def test_money_that_comes_back_has_a_key_of_its_own() -> None:
    returned = postings.payout_returned(a_payout(), FLOAT, AT)
    assert returned.key == f"payout:{encode('po', UUID(int=5))}:returned"
    assert lines(returned) == [(FLOAT_PATH, "available", 500_000)]


def test_a_charge_is_never_inside_an_outcome() -> None:
    charge = postings.provider_charge(FLOAT, "SKL9", 3300, livemode=True, at=AT)
    assert charge.key == f"charge:{encode('flt', FLOAT)}:SKL9"
    assert charge.business_id is None
    assert lines(charge) == [(f"expense:charges:{encode('flt', FLOAT)}", FLOAT_PATH, 3300)]


def test_our_own_money_passes_through_clearing() -> None:
    target = UUID(int=9)
    sent = postings.own_sent("42", FLOAT, 1000, livemode=False, at=AT)
    received = postings.own_received("42", target, 1000, livemode=False, at=AT)
    assert (sent.key, received.key) == ("own:42:sent", "own:42:received")
    assert effect(sent) == {"clearing:own": -1000, FLOAT_PATH: 1000}
    assert effect(sent, received) == {FLOAT_PATH: 1000, f"float:{encode('flt', target)}": -1000}


def test_the_owners_fund_a_float() -> None:
    journal = postings.owners_funding("42", FLOAT, 1000, livemode=False, at=AT)
    assert (journal.kind, journal.livemode) == (Kind.FUNDING, False)
    assert lines(journal) == [(FLOAT_PATH, "equity:funding", 1000)]


@given(due=sums, over=st.integers(0, 10**30), charge=charges, bucket=st.sampled_from(["available", "pending"]))
def test_a_receipt_shares_out_exactly_what_came(due: int, over: int, charge: Charge, bucket: str) -> None:
    receipt = a_receipt(
        amount=Money(units=due + over, asset=KES), due_units=due, over_units=over, charge=charge, bucket=bucket
    )
    change = effect(postings.receipt_booked(receipt))
    assert sum(change.values()) == 0
    assert -change[FLOAT_PATH] == due + over
    assert change.get(bucket, 0) == due - charge.total
    assert change.get("overpayments", 0) == over


@given(amount=sums, charge=charges)
def test_a_payout_takes_and_gives_back_the_same(amount: int, charge: Charge) -> None:
    payout = a_payout(amount=Money(units=amount, asset=KES), charge=charge)
    accepted, paid = postings.payout_accepted(payout), postings.payout_paid(payout, FLOAT, AT)
    assert effect(accepted, postings.payout_not_paid(payout, AT)) == {}
    change = effect(accepted, paid)
    assert change["available"] == -payout.total_units
    assert "reserved" not in change
    assert sum(change.values()) == 0


@given(charge=charges)
def test_a_leg_of_nothing_is_not_written(charge: Charge) -> None:
    journal = postings.receipt_booked(a_receipt(charge=charge))
    wanted = 1 + bool(charge.revenue_units) + sum(bool(units) for _, units in charge.taxes)
    assert len(journal.legs) == wanted
    assert all(leg.units > 0 for leg in journal.legs)


@pytest.mark.parametrize(
    "build",
    [
        lambda at: postings.receipt_booked(a_receipt(happened_at=at)),
        lambda at: postings.payout_paid(a_payout(), FLOAT, at),
        lambda at: postings.payout_not_paid(a_payout(), at),
        lambda at: postings.payout_returned(a_payout(), FLOAT, at),
    ],
)
def test_a_replay_at_another_time_is_the_same_journal(build: Any) -> None:
    first, again = build(AT), build(datetime(2027, 1, 1, tzinfo=UTC))
    assert (first.key, first.fingerprint()) == (again.key, again.fingerprint())
