"""What a business sees of the books, and the timeline of a messy payment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.adapters.persistence.ledger import SqlLedger
from gateway.application.interfaces import Page, ProviderExchange, ReplyAddress, Scope
from gateway.domain import postings
from gateway.domain.attempts import Attempt, AttemptState
from gateway.domain.errors import InsufficientFunds, NotFound
from gateway.domain.fees import Charge
from gateway.domain.ids import Prefix, decode, encode
from gateway.domain.payments import PaymentState
from gateway.domain.payouts import Payout
from gateway.domain.receipts import Receipt
from ports.report import Failure, FailureKind, Grade, MoneyIn, Report, Status
from tests.persistence.shop import NOW, PHONE, Shop, a_payout, a_receipt, kes, new_id
from tests.servers import Database

CHARGE = Charge(revenue_units=2_000, taxes=(("vat", 320),))


@pytest.fixture
def bank(database: Database) -> Any:
    """A shop with real books."""
    made = Shop(database=database)
    made.books = SqlLedger(engine=made.engine("worker"), new_id=new_id)
    yield made
    made.close()


def book(bank: Shop, *, over: int = 0, scope: Scope | None = None, **changes: Any) -> Receipt:
    """A receipt of KES 1,500 and its journal, in one unit."""
    payment = bank.payment(scope)
    attempt = bank.attempt(payment)
    receipt = a_receipt(
        attempt, amount=kes(150_000 + over), due_units=150_000, over_units=over, charge=CHARGE, **changes
    )
    with bank.units("worker")(Scope(business_id=payment.business_id, livemode=False)) as work:
        assert work.receipts.add(receipt)
        work.journal.post(postings.receipt_booked(receipt))
    return receipt


def accept(bank: Shop, **changes: Any) -> Payout:
    payout = a_payout(bank.a, **changes)
    with bank.units()(bank.a) as work:
        work.payouts.add(payout, None)
        work.journal.post(postings.payout_accepted(payout))
    return payout


def lines(bank: Shop, scope: Scope | None = None, **page: Any) -> list[dict[str, Any]]:
    with bank.units()(scope or bank.a, read_only=True) as work:
        return list(work.balances.transactions(Page(**page))[0])


def test_balances_follow_the_books(bank: Shop) -> None:
    with bank.units()(bank.a) as work:
        assert work.balances.now() == {}
    book(bank, over=500)
    accept(bank)
    with bank.units()(bank.a) as work:
        now = work.balances.now()
    assert {bucket: units for bucket, units in now["KES"].items() if units} == {
        "available": 150_000 - 2_320 - 73_000,
        "reserved": 73_000,
        "overpayments": 500,
    }
    for scope in (bank.b, bank.live):
        with bank.units()(scope) as work:
            assert work.balances.now() == {}


def test_a_balance_transaction_says_what_a_journal_did(bank: Shop) -> None:
    receipt = book(bank, over=500)
    payout = accept(bank)
    with bank.units("worker")(bank.a) as work:
        work.journal.post(postings.payout_paid(payout, bank.float_id, NOW))
    paid, accepted, booked = lines(bank)
    assert booked == {
        "id": booked["id"],
        "object": "balance_transaction",
        "livemode": False,
        "business": encode(Prefix.BUSINESS, bank.a.business_id),
        "kind": "receipt.booked",
        "created": "2026-03-02T09:00:00.000000Z",
        "effective_at": "2026-03-02T09:00:00.000000Z",
        "source": encode(Prefix.RECEIPT, receipt.id),
        "currency": "KES",
        "amount": 150_500,
        "fee": 2_000,
        "tax": 320,
        "net": 148_180,
        "buckets": {"available": 147_680, "overpayments": 500},
    }
    assert (accepted["amount"], accepted["net"], accepted["fee"]) == (73_000, 0, 0)
    assert accepted["buckets"] == {"available": -73_000, "reserved": 73_000}
    assert (paid["amount"], paid["fee"], paid["net"]) == (-70_000, 3_000, -73_000)
    assert paid["buckets"] == {"reserved": -73_000}
    assert paid["source"] == encode(Prefix.PAYOUT, payout.id)


def test_the_nets_of_all_transactions_are_the_balance(bank: Shop) -> None:
    for over in (0, 700):
        book(bank, over=over)
    payout, failed = accept(bank), accept(bank)
    with bank.units("worker")(bank.a) as work:
        work.journal.post(postings.payout_paid(payout, bank.float_id, NOW))
        work.journal.post(postings.payout_not_paid(failed, NOW))
    with bank.units("worker")(bank.a) as work:
        work.journal.post(postings.payout_returned(payout, bank.float_id, NOW))
    with bank.units()(bank.a) as work:
        total = sum(work.balances.now()["KES"].values())
    assert sum(line["net"] for line in lines(bank)) == total
    for line in lines(bank):
        assert line["net"] == sum(line["buckets"].values())


def test_money_that_is_not_there_is_refused_as_the_unit_closes(bank: Shop) -> None:
    with pytest.raises(InsufficientFunds):
        accept(bank)
    with bank.units()(bank.a) as work:
        assert work.payouts.page(Page()) == ([], False)


def test_transactions_are_paged_filtered_and_apart(bank: Shop) -> None:
    receipts = [book(bank) for _ in range(3)]
    book(bank, scope=bank.b)
    accept(bank)
    every = lines(bank)
    ids = [decode(Prefix.BALANCE_TRANSACTION, line["id"]) for line in every]
    assert [line["source"] for line in every[1:]] == [encode(Prefix.RECEIPT, r.id) for r in receipts[::-1]]
    with bank.units()(bank.a) as work:
        assert work.balances.transactions(Page(limit=2)) == (every[:2], True)
        assert work.balances.transactions(Page(limit=2, starting_after=ids[1])) == (every[2:], False)
        assert work.balances.transactions(Page(limit=2, ending_before=ids[3])) == (every[1:3], True)
        assert work.balances.transactions(Page(filters={"kind": "payout.accepted"})) == (every[:1], False)
        assert work.balances.transactions(Page(created_lt=NOW - timedelta(days=365))) == ([], False)
        assert work.balances.transaction(ids[2]) == every[2]
        with pytest.raises(NotFound):
            work.balances.transaction(new_id())
    with bank.units()(bank.b) as work, pytest.raises(NotFound):
        work.balances.transaction(ids[0])


def _ask(bank: Shop, attempt: Attempt, outcome: str) -> None:
    """One call of ours and what it said."""
    with bank.units("worker")(bank.a) as work:
        exchange = ProviderExchange(
            id=new_id(),
            subject_kind="attempt",
            subject_id=attempt.id,
            connection_id=bank.connection_id,
            operation="look_up",
            started_at=bank.clock.at,
            ended_at=bank.clock.at + timedelta(milliseconds=120),
            outcome=outcome,
        )
        work.evidence.add_exchange(exchange)
    bank.clock.at += timedelta(seconds=1)


def test_a_timeline_tells_a_messy_payment_in_order(bank: Shop) -> None:
    endpoint = bank.endpoint()
    payment = bank.payment()
    bank.clock.at += timedelta(seconds=1)
    attempt = bank.attempt(payment)
    _ask(bank, attempt, "pending")
    reply = ReplyAddress(
        id=new_id(),
        secret_hash=bytes(32),
        connection_id=bank.connection_id,
        business_id=bank.a.business_id,
        livemode=False,
        subject_kind="attempt",
        subject_id=attempt.id,
        purpose="start",
        created=bank.clock.at,
    )
    with bank.units("worker")(bank.a) as work:
        work.replies.add(reply)
    found = bank.web_doors.reply(bytes(32))
    assert found is not None
    assert bank.callbacks.store(found, body=b'{"Phone": 254712345126}', headers={}, peer="127.0.0.1")
    bank.clock.at += timedelta(seconds=1)
    _ask(bank, attempt, "succeeded")
    report = Report(
        status=Status.SUCCEEDED,
        grade=Grade.ANSWER,
        money=(MoneyIn(receipt_namespace="mpesa_ke", receipt_number="UJ6AB12CD3", amount=attempt.amount),),
    )
    receipt = a_receipt(attempt, receipt_number="UJ6AB12CD3")
    with bank.units("worker")(bank.a, call=bank.call()) as work:
        work.evidence.add_report("attempt", attempt.id, report, None, work.now)
        work.receipts.add(receipt)
        work.attempts.save(replace(attempt, state=AttemptState.SUCCEEDED))
        work.payments.save(
            replace(payment, state=PaymentState.SUCCEEDED, received_units=payment.amount.units, updated=work.now)
        )
        work.events.put("receipt.received", receipt.id, {})
        work.events.put("payment.succeeded", payment.id, {"phone": PHONE})
        work.journal.post(postings.receipt_booked(receipt))
    bank.clock.at += timedelta(seconds=1)
    with bank.units("worker")(bank.a) as work:
        (newest, *_), _ = work.deliveries.page(endpoint.id, Page())
        work.deliveries.save(replace(newest, tries=1, last_status=500, last_tried_at=work.now))
    bank.payment()  # another one, which isn't told of here
    with bank.units()(bank.a, read_only=True) as work:
        told = work.timelines.of_payment(payment.id)
    assert [(step["kind"], step["summary"]) for step in told] == [
        ("event", "payment.created"),
        ("call", "asked the provider to look up: pending"),
        ("callback", "the provider called back"),
        ("call", "asked the provider to look up: succeeded"),
        ("report", "the provider's word: succeeded, as answer"),
        ("event", "receipt.received"),
        ("event", "payment.succeeded"),
        ("journal", "booked receipt.booked"),
        ("delivery", "told the business of payment.succeeded: 500"),
    ]
    assert [step["at"] for step in told] == sorted(step["at"] for step in told)
    assert told[4]["detail"]["receipt_number"] == "UJ6AB12CD3"
    assert told[6]["request_id"] == "req_1"
    assert told[7]["object"] == encode(Prefix.RECEIPT, receipt.id)
    assert "712345126" not in str(told)
    with bank.units()(bank.b, read_only=True) as work:
        assert work.timelines.of_payment(payment.id) == []


def test_a_payout_has_a_timeline_too(bank: Shop) -> None:
    book(bank)
    payout = accept(bank)
    attempt = bank.payout_attempt(payout)
    bank.clock.at += timedelta(seconds=1)
    failure = Failure(kind=FailureKind.DESTINATION_INVALID, provider_code="2040")
    with bank.units("worker")(bank.a) as work:
        work.evidence.add_report(
            "payout_attempt",
            attempt.id,
            Report(status=Status.FAILED, grade=Grade.ANSWER, failure=failure),
            None,
            work.now,
        )
        work.events.put("payout.failed", payout.id, {})
        work.journal.post(postings.payout_not_paid(payout, work.now))
    with bank.units()(bank.a, read_only=True) as work:
        told = work.timelines.of_payout(payout.id)
    assert [step["kind"] for step in told] == ["journal", "report", "event", "journal"]
    assert told[1]["detail"]["failure"] == "destination_invalid"


def test_reports_are_kept_as_evidence(bank: Shop) -> None:
    attempt = bank.attempt(bank.payment())
    payout_attempt = bank.payout_attempt(bank.payout())
    secret = new_id()
    two = Report(
        status=Status.SUCCEEDED,
        grade=Grade.SOLICITED,
        money=(
            MoneyIn(receipt_namespace="mpesa_ke", receipt_number="A1", amount=kes(5), happened_at=NOW, payer_hint="x"),
            MoneyIn(receipt_namespace="mpesa_ke", receipt_number="A2", amount=kes(6)),
        ),
    )
    paid = Report(status=Status.SUCCEEDED, grade=Grade.ANSWER, receipt_number="B1", amount=kes(10**30), happened_at=NOW)
    empty = Report(status=Status.NO_NEWS, grade=Grade.ANSWER, found_nothing=True)
    with bank.units("worker")(bank.a) as work:
        work.evidence.add_report("attempt", attempt.id, two, secret, NOW)
        work.evidence.add_report("attempt", attempt.id, empty, None, NOW)
        work.evidence.add_report("payout_attempt", payout_attempt.id, paid, None, NOW)
        first, second, third = work.evidence.of("attempt", attempt.id)
        (fourth,) = work.evidence.of("payout_attempt", payout_attempt.id)
    assert (first.receipt_number, first.amount, first.secret, first.payer_hint) == ("A1", kes(5), secret, "x")
    assert (second.receipt_number, second.amount) == ("A2", kes(6))
    assert (third.status, third.found_nothing, third.amount) == (Status.NO_NEWS, True, None)
    assert (fourth.receipt_number, fourth.amount, fourth.happened_at) == ("B1", kes(10**30), NOW)
