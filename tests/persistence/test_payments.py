"""Payments, attempts, receipts and customers through the unit of work."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.adapters.persistence.transaction import first_id
from gateway.application.interfaces import AlreadyMade, Page
from gateway.domain.attempts import AttemptState
from gateway.domain.errors import Conflict, NotFound
from gateway.domain.fees import Charge, FeeSchedule, Settlement, SettlementKind, TaxRule, Terms
from gateway.domain.payments import ExceptionStatus, PaymentState, PromptAction, SettlementStatus
from ports.report import Failure, FailureKind, TryAgain
from tests.persistence.shop import NOW, PHONE, Shop, a_payment, a_receipt, an_attempt, idempotent, kes, new_id

TERMS = Terms(
    fee=FeeSchedule(
        id=new_id(), version=3, flat_units=500, bps=150, cap_units=10**30, taxes=(TaxRule(code="vat", rate_bps=1600),)
    ),
    settlement=Settlement(kind=SettlementKind.T_PLUS, days=2),
)
FAILURE = Failure(
    kind=FailureKind.WRONG_PIN, provider_code="2001", detail="wrong PIN", try_again=TryAgain.LATER, after_s=5
)


def test_a_payment_comes_back_as_it_was_kept(shop: Shop) -> None:
    kept = a_payment(
        shop.a,
        metadata={"order": "7"},
        amount=kes(10**30),
        amount_due=kes(10**30 + 1),
        received_units=10**30 + 1,
        refunded_units=5,
        state=PaymentState.SUCCEEDED,
        exception_status=ExceptionStatus.OVERPAID,
        outcome_unknown=True,
        description="Ndizi",
        reference="7",
        session_id=new_id(),
        terms=TERMS,
        settlement_status=SettlementStatus.AVAILABLE,
        available_on=NOW,
        next_action=PromptAction(expires_at=NOW, resend_after=NOW + timedelta(seconds=60)),
        last_error=FAILURE,
        succeeded_at=NOW,
    )
    with shop.units()(shop.a) as work:
        work.payments.add(kept, None)
    with shop.units()(shop.a) as work:
        assert work.payments.get(kept.id) == kept


def test_a_save_counts_the_version_and_refuses_an_old_one(shop: Shop) -> None:
    read = shop.payment()
    with shop.units()(shop.a) as work:
        saved = work.payments.save(replace(read, description="one"))
    assert saved.version == 2
    with pytest.raises(Conflict, match="in the meantime") as refused, shop.units()(shop.a) as work:
        work.payments.save(replace(read, description="two"))
    assert refused.value.code == "stale_version"
    with shop.units()(shop.a) as work:
        assert work.payments.get(read.id) == saved


def test_an_error_inside_rolls_everything_back(shop: Shop) -> None:
    lost = a_payment(shop.a)

    def half_done() -> None:
        with shop.units()(shop.a) as work:
            work.payments.add(lost, None)
            work.events.put("payment.created", lost.id, {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    with shop.units()(shop.a) as work, pytest.raises(NotFound):
        work.payments.get(lost.id)
    with shop.units()(shop.a) as work:
        assert work.events.page(Page()) == ([], False)


def test_a_key_makes_one_object(shop: Shop) -> None:
    first = idempotent()
    with shop.units()(shop.a) as work:
        work.payments.add(a_payment(shop.a, id=first.object_id), first)
    for again, same in (
        (idempotent(), True),  # another run that lost the first one's id
        (idempotent(object_id=first.object_id), True),
        (idempotent(fingerprint=b"f2"), False),
        (idempotent(key="another", object_id=first.object_id, fingerprint=b"f3"), False),
    ):
        with pytest.raises(AlreadyMade) as made, shop.units()(shop.a) as work:
            work.payments.add(a_payment(shop.a, id=again.object_id), again)
        assert (made.value.object_id, made.value.same) == (first.object_id, same)
    with shop.units()(shop.a) as work:
        assert len(work.payments.page(Page())[0]) == 1


def test_the_same_key_serves_another_business_and_mode(shop: Shop) -> None:
    for scope in (shop.a, shop.b, shop.live):
        with shop.units()(scope) as work:
            work.payments.add(a_payment(scope), idempotent())
    for scope in (shop.a, shop.b, shop.live):
        with shop.units()(scope, read_only=True) as work:
            assert len(work.payments.page(Page())[0]) == 1


def test_a_reference_is_the_business_s_own_once(shop: Shop) -> None:
    shop.payment(reference="INV-1")
    shop.payment(shop.b, reference="INV-1")
    with pytest.raises(Conflict) as taken, shop.units()(shop.a) as work:
        work.payments.add(a_payment(shop.a, reference="INV-1"), None)
    assert (taken.value.code, taken.value.param) == ("reference_taken", "/reference")


def test_lists_go_newest_first_along_the_ids(shop: Shop) -> None:
    made = [shop.payment().id for _ in range(5)][::-1]
    shop.payment(shop.b)

    def page(**values: object) -> tuple[list[UUID], bool]:
        with shop.units()(shop.a, read_only=True) as work:
            found, more = work.payments.page(Page(**values))  # type: ignore[arg-type]
        return [p.id for p in found], more

    assert page(limit=2) == (made[:2], True)
    assert page(limit=2, starting_after=made[1]) == (made[2:4], True)
    assert page(limit=2, starting_after=made[3]) == (made[4:], False)
    assert page(limit=2, ending_before=made[3]) == (made[1:3], True)
    assert page(limit=5, ending_before=made[3]) == (made[:3], False)
    assert page() == (made, False)


def test_lists_filter_by_field_and_time(shop: Shop) -> None:
    old = shop.payment(created=NOW - timedelta(days=2), reference="x", state=PaymentState.CANCELED)
    new = shop.payment()
    for values, wanted in (
        ({"filters": {"state": "canceled"}}, [old.id]),
        ({"filters": {"state": PaymentState.REQUIRES_PAYMENT_METHOD}}, [new.id]),
        ({"filters": {"reference": "x"}}, [old.id]),
        ({"filters": {"customer_id": new_id()}}, []),
        ({"created_gte": NOW}, [new.id]),
        ({"created_gt": NOW}, []),
        ({"created_lt": NOW}, [old.id]),
        ({"created_lte": NOW}, [new.id, old.id]),
        ({"created_gte": NOW - timedelta(days=3), "created_lt": NOW}, [old.id]),
    ):
        with shop.units()(shop.a) as work:
            assert [p.id for p in work.payments.page(Page(**values))[0]] == wanted, values  # type: ignore[arg-type]


def test_an_attempt_comes_back_as_it_was_kept(shop: Shop) -> None:
    payment = shop.payment()
    with shop.units()(shop.a) as work:
        customer = work.customers.by_phone(PHONE, new_id=new_id(), now=NOW)
    kept = shop.attempt(
        payment,
        state=AttemptState.SUBMITTED,
        provider_reference="ws_CO_02032026_712345126",
        customer_id=customer.id,
        payer_masked="+2547•••••126",
        submitted_at=NOW,
        prompt_until=NOW,
        blocks_until=NOW,
        failure=FAILURE,
        look_ups=2,
        looked_up_at=NOW,
        woken=1,
        sends=1,
    )
    with shop.units()(shop.a) as work:
        assert work.attempts.get(kept.id, lock=True) == kept
        assert work.attempts.of(payment.id) == [kept]
        assert work.attempts.of_many([payment.id, new_id()]) == {payment.id: [kept]}


def test_one_attempt_blocks_at_a_time(shop: Shop) -> None:
    payment = shop.payment()
    first = shop.attempt(payment)
    with pytest.raises(Conflict) as refused:
        shop.attempt(payment, number=2)
    assert refused.value.code == "attempt_outcome_unknown"
    with shop.units()(shop.a) as work:
        work.attempts.unblock(first.id)
        second = an_attempt(payment, shop.connection_id, shop.float_id, number=2)
        work.attempts.add(second)
        # What was superseded doesn't block again, whatever becomes of it.
        work.attempts.save(replace(first, state=AttemptState.SUBMITTED))
    with shop.units()(shop.a) as work:
        work.attempts.save(replace(second, state=AttemptState.FAILED))
        work.attempts.add(an_attempt(payment, shop.connection_id, shop.float_id, number=3))


def test_a_reference_on_a_float_is_taken_for_ever_and_by_anybody(shop: Shop) -> None:
    with shop.units()(shop.a) as work:
        assert work.attempts.reserve_reference(shop.float_id, "NJERI-7K2M4Q")
    with shop.units()(shop.b) as work:
        assert not work.attempts.reserve_reference(shop.float_id, "NJERI-7K2M4Q")


def test_a_receipt_comes_back_as_it_was_kept(shop: Shop) -> None:
    attempt = shop.attempt(shop.payment())
    kept = shop.receipt(
        attempt,
        receipt_number="UJ6AB12CD3",
        due_units=attempt.amount.units - 500,
        over_units=500,
        charge=Charge(revenue_units=10**30, taxes=(("vat", 7),)),
        available_on=NOW,
        released_at=NOW,
        payer_hint="2547•••126",
    )
    with shop.units("worker")(shop.a) as work:
        assert work.receipts.get(kept.id, lock=True) == kept
        assert work.receipts.of(kept.payment_id) == [kept]
        assert work.receipts.of_attempt(attempt.id) == kept
        assert work.receipts.of_attempt(new_id()) is None
        saved = work.receipts.save(replace(kept, released_at=NOW + timedelta(days=1)))
        assert work.receipts.page(Page(filters={"payment_id": kept.payment_id})) == ([saved], False)


def test_one_money_fact_is_one_receipt(shop: Shop) -> None:
    known = shop.receipt(shop.attempt(shop.payment()), receipt_number="UJ6AB12CD3")
    other = shop.attempt(shop.payment(shop.b))
    with shop.units("worker")(shop.b) as work:
        assert not work.receipts.add(a_receipt(other, receipt_number="UJ6AB12CD3")), "booked for another business"
        assert work.receipts.add(a_receipt(other, receipt_number="UJ6AB12CD4"))
        assert not work.receipts.add(a_receipt(other, receipt_number="UJ6AB12CD5")), "a try is paid once"
        assert work.receipts.add(a_receipt(other, receipt_number="UJ6AB12CD5", attempt_id=None))
    with shop.units("worker")(shop.a) as work:
        assert work.receipts.of(known.payment_id) == [known]


def test_a_receipt_is_named_once(shop: Shop) -> None:
    shop.receipt(shop.attempt(shop.payment(shop.b)), receipt_number="TAKEN")
    blank = shop.receipt(shop.attempt(shop.payment()))
    with shop.units("worker")(shop.a) as work:
        assert not work.receipts.name(blank.id, "TAKEN", None), "the number is another business's"
        assert work.receipts.name(blank.id, "UJ6AB12CD3", "2547•••126"), "and the unit goes on"
        assert not work.receipts.name(blank.id, "UJ6AB12CD9", None)
    with shop.units("worker")(shop.a) as work:
        named = work.receipts.get(blank.id)
    assert (named.receipt_number, named.payer_hint, named.version) == ("UJ6AB12CD3", "2547•••126", 2)


def test_a_phone_is_one_customer(shop: Shop) -> None:
    with shop.units()(shop.a) as work:
        first = work.customers.by_phone(PHONE, new_id=new_id(), now=NOW, name="Wanjiru")
    with shop.units()(shop.a) as work:
        assert work.customers.by_phone(PHONE, new_id=new_id(), now=NOW) == first
        saved = work.customers.save(replace(first, email="w@example.com", metadata={"k": "v"}))
        assert work.customers.get(first.id) == saved
        assert work.customers.page(Page(filters={"phone": PHONE})) == ([saved], False)
        assert work.customers.page(Page(filters={"phone": "+254700000000"})) == ([], False)
    with shop.units()(shop.b) as work:
        assert work.customers.by_phone(PHONE, new_id=new_id(), now=NOW).id != first.id


def test_a_phone_that_two_shoppers_bring_at_once_is_one_customer(shop: Shop) -> None:
    together = threading.Barrier(8)
    found: list[UUID] = []

    def shopper() -> None:
        together.wait()
        with shop.units()(shop.a) as work:
            found.append(work.customers.by_phone(PHONE, new_id=new_id(), now=NOW).id)

    threads = [threading.Thread(target=shopper) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_bounds_on_time_hold_where_ids_tell_the_time_too(shop: Shop) -> None:
    """Lists walk along the ids; an id may be a month older than its row, when a retry took the first call's."""
    shop.clock.at = now = datetime.now(UTC)

    def made(id_days: float, created_days: float) -> UUID:
        at = now - timedelta(days=id_days)
        one = UUID(int=first_id(at).int | 0x7000_8000_0000_0000_0000 | (new_id().int & (1 << 62) - 1))
        shop.payment(id=one, created=now - timedelta(days=created_days))
        return one

    fresh, retried, old = made(0, 0), made(29, 0), made(40, 40)

    def listed(**bounds: Any) -> set[UUID]:
        with shop.units()(shop.a) as work:
            return {p.id for p in work.payments.page(Page(**bounds))[0]}

    day_ago = now - timedelta(days=1)
    assert listed(created_gte=day_ago) == listed(created_gt=day_ago) == {fresh, retried}
    assert listed(created_lt=day_ago) == listed(created_lte=day_ago) == {old}
    assert listed(created_lte=now) == {fresh, retried, old}
    assert listed(created_lt=now - timedelta(days=50)) == set()
