"""Journals and legs: what they refuse, and what makes two journals the same."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import ledger
from gateway.domain.ids import encode
from gateway.domain.ledger import BUCKETS, Account, BalanceMode, Class, Journal, Kind, Leg
from ports.money import UNITS_MAX, Asset

SHOP, OTHER = UUID(int=7), UUID(int=8)
NOON = datetime(2026, 11, 24, 9, tzinfo=UTC)
FLOAT = ledger.float_(UUID(int=1))
AVAILABLE = ledger.bucket(SHOP, "available")


def a_journal(**changes: Any) -> Journal:
    return replace(
        Journal(
            key="receipt:1:booked",
            kind=Kind.RECEIPT_BOOKED,
            livemode=True,
            business_id=SHOP,
            effective_at=NOON,
            legs=(Leg(debit=FLOAT, credit=AVAILABLE, units=1000),),
        ),
        **changes,
    )


@pytest.mark.parametrize("units", [0, -1, UNITS_MAX + 1])
def test_a_leg_moves_units_within_bounds(units: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Leg(debit=FLOAT, credit=AVAILABLE, units=units)


@pytest.mark.parametrize("units", [True, 1.0, Decimal(1), Decimal("1.5"), "1", None])
def test_a_leg_takes_plain_ints_alone(units: Any) -> None:
    with pytest.raises(TypeError):
        Leg(debit=FLOAT, credit=AVAILABLE, units=units)


def test_a_leg_takes_the_largest_units() -> None:
    assert Leg(debit=FLOAT, credit=AVAILABLE, units=UNITS_MAX).units == UNITS_MAX


def test_a_leg_is_of_one_asset_and_two_accounts() -> None:
    with pytest.raises(ValueError, match="one asset"):
        Leg(debit=FLOAT, credit=replace(AVAILABLE, asset=Asset(code="USDC.celo", scale=6)), units=1)
    with pytest.raises(ValueError, match="two accounts"):
        Leg(debit=FLOAT, credit=FLOAT, units=1)


def test_a_journal_has_1_to_100_legs() -> None:
    leg = a_journal().legs[0]
    assert len(a_journal(legs=(leg,) * 100).legs) == 100
    for legs in ((), (leg,) * 101):
        with pytest.raises(ValueError, match="1 to 100"):
            a_journal(legs=legs)


@pytest.mark.parametrize("key", ["", "ab", "k" * 201])
def test_a_key_has_3_to_200_characters(key: str) -> None:
    with pytest.raises(ValueError, match="3 to 200"):
        a_journal(key=key)


def test_a_journal_knows_its_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        a_journal(effective_at=datetime(2026, 11, 24, 9))  # noqa: DTZ001


def test_a_journal_touches_its_own_business_alone() -> None:
    theirs = Leg(debit=FLOAT, credit=ledger.bucket(OTHER, "available"), units=1)
    platform = Leg(debit=ledger.charges(UUID(int=1)), credit=FLOAT, units=1)
    for changes in (
        {"business_id": OTHER},
        {"business_id": None},
        {"legs": (*a_journal().legs, theirs)},
        {"legs": (platform,)},
    ):
        with pytest.raises(ValueError, match="one business"):
            a_journal(**changes)
    assert a_journal(business_id=None, legs=(platform,)).business_id is None


def test_the_fingerprint_is_of_the_documented_text() -> None:
    shop = encode("biz", SHOP)
    text = f'["receipt.booked",[["{FLOAT.path}","business:{shop}:available","KES","1000"]]]'
    assert a_journal().fingerprint() == hashlib.sha256(text.encode()).digest()


@given(
    key=st.text(min_size=3, max_size=200),
    at=st.datetimes(timezones=st.just(UTC)),
    livemode=st.booleans(),
    meta=st.dictionaries(st.text(), st.integers()),
)
def test_times_keys_and_meta_stay_outside_the_fingerprint(
    key: str, at: datetime, livemode: bool, meta: dict[str, object]
) -> None:
    changed = a_journal(key=key, effective_at=at, livemode=livemode, meta=meta)
    assert changed.fingerprint() == a_journal().fingerprint()


def test_what_the_caller_decides_is_inside_the_fingerprint() -> None:
    (leg,) = a_journal().legs
    usd = Asset(code="USD", scale=2)
    variants = [
        a_journal(),
        a_journal(kind=Kind.RECEIPT_RELEASED),
        a_journal(legs=(replace(leg, units=1001),)),
        a_journal(legs=(replace(leg, debit=ledger.float_(UUID(int=2))),)),
        a_journal(legs=(replace(leg, credit=ledger.bucket(SHOP, "pending")),)),
        a_journal(legs=(Leg(debit=AVAILABLE, credit=FLOAT, units=1000),)),
        a_journal(legs=(leg, leg)),
        a_journal(legs=(replace(leg, units=500), replace(leg, units=500))),
        a_journal(legs=(Leg(debit=replace(FLOAT, asset=usd), credit=replace(AVAILABLE, asset=usd), units=1000),)),
    ]
    assert len({variant.fingerprint() for variant in variants}) == len(variants)


def test_the_six_buckets_of_a_business_are_live_and_bounded() -> None:
    for name in BUCKETS:
        account = ledger.bucket(SHOP, name)
        assert account.path == f"business:{encode('biz', SHOP)}:{name}"
        assert account.mode is BalanceMode.LIVE
        assert account.business_id == SHOP
        grows_by_credit = account.class_ is Class.LIABILITY
        assert (account.rule, grows_by_credit) == ((-1, False) if name == "owed" else (1, True))
    with pytest.raises(ValueError, match="no bucket"):
        ledger.bucket(SHOP, "savings")


@pytest.mark.parametrize(
    ("account", "path", "class_"),
    [
        (ledger.float_(UUID(int=1)), "float:flt_00000000000000000000000001", Class.ASSET),
        (ledger.suspense(UUID(int=1)), "suspense:flt_00000000000000000000000001", Class.LIABILITY),
        (ledger.charges(UUID(int=1)), "expense:charges:flt_00000000000000000000000001", Class.EXPENSE),
        (ledger.fees("collect"), "revenue:fees:collect", Class.REVENUE),
        (ledger.tax("vat"), "tax:vat:payable", Class.LIABILITY),
        (ledger.CLEARING_OWN, "clearing:own", Class.ASSET),
        (ledger.FUNDING, "equity:funding", Class.EQUITY),
        (ledger.LOSSES, "expense:losses", Class.EXPENSE),
        (ledger.ADJUSTMENT, "adjustment", Class.EQUITY),
    ],
)
def test_the_platforms_accounts_are_queued_and_unbounded(account: Account, path: str, class_: Class) -> None:
    assert (account.path, account.class_) == (path, class_)
    assert (account.mode, account.rule, account.business_id) == (BalanceMode.QUEUED, 0, None)
