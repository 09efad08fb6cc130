"""The proof of the books: it passes on books that hold, and each check fails when what it guards is broken."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.adapters.cli.ledger import ledger
from gateway.application.ledger import LedgerService, Verdict
from gateway.domain.ledger import fees
from tests.persistence.books import Books, Trader


def _a_sighting(conversion: str) -> list[str]:
    """Tokens that are booked as the row says, and of which the books know nothing."""
    return [
        "SET ROLE gateway_owner",
        "ALTER TABLE gateway.sighting DROP CONSTRAINT sighting_wallet",
        "INSERT INTO gateway.sighting (id, livemode, created, updated, version, network, tx, position, block,"
        " block_hash, wallet_id, asset, scale, incoming, counterparty, units, state, conversion_id, booked_hash,"
        " bookings, kept_units, surplus_units, cost_units, fee_units) VALUES (gen_random_uuid(), true, now(), now(), 1,"
        f" 'a', '0x' || repeat('a', 64), 0, 1, 'h', gen_random_uuid(), 'T.a', 6, true, 'x', 5, 'booked', {conversion},"
        " 'h', 1, 5, 0, 0, 0)",
        "RESET ROLE",
    ]


#: How each invariant is broken by somebody who can bypass everything: name of the check → statements.
HARM = {
    "debits equal credits, per asset and mode": ["UPDATE ledger.balance SET dr = dr + 1 WHERE business_id IS NULL"],
    "each balance is the sum of its legs": ["UPDATE ledger.balance SET dr = dr + 7, cr = cr + 7"],
    "versions have no gap and balances follow": ["UPDATE ledger.leg SET credit_ver = 9 WHERE credit_ver = 1"],
    "queued accounts are neither bounded nor numbered": [
        "UPDATE ledger.leg SET debit_after = 1 WHERE debit_after IS NULL"
    ],
    "no business below zero, now or at any moment": [
        "ALTER TABLE ledger.balance DROP CONSTRAINT balance_bound",
        "UPDATE ledger.balance SET dr = cr + 1 WHERE business_id IS NOT NULL",
    ],
    "an event is posted once": ["ALTER TABLE ledger.journal DROP CONSTRAINT journal_livemode_idem_key_key"],
    "each journal is what was asked for": ["UPDATE ledger.leg SET amount = amount + 1"],
    "businesses and modes don't mix": ["UPDATE ledger.journal SET business_id = gen_random_uuid()"],
    "reserved is what waits for an outcome": ["UPDATE ledger.journal SET idem_key = idem_key || 'x'"],
    "a refund is open exactly while its outcome isn't booked": [
        "SET ROLE gateway_owner",
        "ALTER TABLE gateway.refund DROP CONSTRAINT refund_payment, DROP CONSTRAINT refund_business_id_fkey",
        "INSERT INTO gateway.refund (id, business_id, livemode, created, updated, version, metadata, payment_id,"
        " currency, amount_units, over_units, sent_units, parts, state, needs_attention,"
        " attempts) VALUES (gen_random_uuid(),"
        " gen_random_uuid(), true, now(), now(), 1, '{}', gen_random_uuid(), 'KES', 5, 0, 0, '[]', 'pending',"
        " false, 0)",
        "RESET ROLE",
    ],
    "refunds never exceed what arrived": [
        "SET ROLE gateway_owner",
        "ALTER TABLE gateway.payment DROP CONSTRAINT payment_business_id_fkey",
        "INSERT INTO gateway.payment (id, business_id, livemode, created, updated, version, metadata, currency,"
        " amount_units, due_units, received_units, refunded_units, state, outcome_unknown, settlement_status,"
        " expires_at) VALUES"
        " (gen_random_uuid(), gen_random_uuid(), true, now(), now(), 1, '{}', 'KES', 9, 9, 9, 5, 'succeeded', false,"
        " 'available', now())",
        "RESET ROLE",
    ],
    "suspense is the receipts that nobody has": [
        "SET ROLE gateway_owner",
        "ALTER TABLE gateway.receipt DROP CONSTRAINT receipt_float",
        "INSERT INTO gateway.receipt (id, business_id, livemode, created, updated, version, float_id,"
        " receipt_namespace, currency, amount_units, due_units, over_units, charge, bucket, happened_at) VALUES"
        " (gen_random_uuid(), '00000000-0000-0000-0000-000000000000', true, now(), now(), 1, gen_random_uuid(), 'a',"
        " 'KES', 9, 9, 0, '{}', 'suspense', now())",
        "RESET ROLE",
    ],
    "overpayments are the excess that nobody has decided about": [
        "SET ROLE gateway_owner",
        "ALTER TABLE gateway.receipt DROP CONSTRAINT receipt_payment, DROP CONSTRAINT receipt_float,"
        " DROP CONSTRAINT IF EXISTS receipt_business_id_fkey",
        "INSERT INTO gateway.receipt (id, business_id, livemode, created, updated, version, payment_id, float_id,"
        " receipt_namespace, currency, amount_units, due_units, over_units, charge, bucket, happened_at) VALUES"
        " (gen_random_uuid(), gen_random_uuid(), true, now(), now(), 1, gen_random_uuid(), gen_random_uuid(), 'a',"
        " 'KES', 9, 4, 5, '{}', 'available', now())",
        "RESET ROLE",
    ],
    "owed is what was taken back and not recovered": [
        "SET ROLE gateway_owner",
        "ALTER TABLE gateway.reversal DROP CONSTRAINT reversal_receipt",
        "INSERT INTO gateway.reversal (id, business_id, livemode, created, payment_id, receipt_id, receipt_namespace,"
        " reversal_number, currency, amount_units, happened_at, grade) VALUES (gen_random_uuid(), gen_random_uuid(),"
        " true, now(), gen_random_uuid(), gen_random_uuid(), 'a', 'R1', 'KES', 5, now(), 'file')",
        "RESET ROLE",
    ],
    "wallets hold what chains showed": _a_sighting("gen_random_uuid()"),
    "suspense of tokens is what nobody named": _a_sighting("NULL"),
    "a partner's clearing is what it owes": [
        "SET ROLE gateway_owner",
        "ALTER TABLE gateway.receipt DROP CONSTRAINT receipt_payment, DROP CONSTRAINT receipt_float,"
        " DROP CONSTRAINT receipt_clearing, DROP CONSTRAINT IF EXISTS receipt_business_id_fkey",
        "INSERT INTO gateway.receipt (id, business_id, livemode, created, updated, version, payment_id, float_id,"
        " clearing_id, receipt_namespace, currency, amount_units, due_units, over_units, charge, bucket, happened_at)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), true, now(), now(), 1, gen_random_uuid(), gen_random_uuid(),"
        " gen_random_uuid(), 'a', 'KES', 9, 9, 0, '{}', 'available', now())",
        "RESET ROLE",
    ],
    "nothing is held yet": ["UPDATE ledger.leg SET phase = 'H'"],
    "rows can't change: triggers in place": ["ALTER TABLE ledger.leg ENABLE TRIGGER leg_frozen"],
    "only the functions write": ["GRANT INSERT ON ledger.journal TO gateway_app"],
    "row policies in place": ["ALTER TABLE ledger.leg DISABLE ROW LEVEL SECURITY"],
}
#: More ways to open a door.
DOORS = [
    ("rows can't change: triggers in place", "DROP TRIGGER journal_keep ON ledger.journal"),
    ("rows can't change: triggers in place", "ALTER TABLE ledger.journal DISABLE TRIGGER journal_frozen"),
    ("only the functions write", "GRANT UPDATE ON ledger.balance TO PUBLIC"),
    ("only the functions write", "GRANT CREATE ON SCHEMA ledger TO gateway_worker"),
    ("only the functions write", "ALTER FUNCTION ledger.drain(boolean, int) RESET search_path"),
    ("only the functions write", "ALTER TABLE ledger.leg OWNER TO gateway"),
    ("row policies in place", "ALTER VIEW ledger.entry SET (security_invoker = false)"),
    ("row policies in place", "CREATE POLICY peep ON ledger.leg FOR SELECT TO gateway_app USING (true)"),
    ("row policies in place", "CREATE POLICY peep ON ledger.journal USING (livemode)"),
]


@dataclass(frozen=True)
class Process:
    """What the commands get from the process."""

    books: Books

    def gateway(self, role: str) -> Any:
        service = LedgerService(books=self.books.of(role))
        return SimpleNamespace(use_cases=SimpleNamespace(ledger=service))


@pytest.fixture
def busy(books: Books) -> Books:
    """Books with receipts, payouts in every state, and both modes."""
    for livemode in (True, False):
        trader = Trader()
        available = trader.bucket("available")
        books.of().post_now(
            trader.journal((trader.float, available, 10_000), (available, fees("collect"), 150), livemode=livemode)
        )
        accepted = [trader.reserve(1000, livemode=livemode) for _ in range(3)]
        books.of("worker").post_many(accepted)
        books.of("worker").post_now(trader.outcome(accepted[0], paid=True))
        books.of("worker").post_now(trader.outcome(accepted[1], paid=False))
    return books


def _harm(books: Books, *statements: str) -> None:
    with books.owner() as conn:
        for table in ("journal", "leg"):
            conn.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER USER")  # type: ignore[call-overload]
        for statement in statements:
            conn.execute(statement)  # type: ignore[call-overload]


def test_books_that_hold(busy: Books) -> None:
    findings = busy.findings()
    assert {finding.verdict for finding in findings.values()} == {Verdict.PASS}
    assert set(findings) == {*HARM, "the queue is drained"}
    assert findings["reserved is what waits for an outcome"].evidence == "6 payouts and refunds accepted"


def test_empty_books_hold(books: Books) -> None:
    assert {finding.verdict for finding in books.findings().values()} == {Verdict.PASS}


@pytest.mark.parametrize("name", HARM)
def test_each_check_sees_its_harm(busy: Books, name: str) -> None:
    _harm(busy, *HARM[name])
    finding = busy.findings()[name]
    assert finding.verdict is Verdict.FAIL
    assert "wrong among" in finding.evidence


@pytest.mark.parametrize(("name", "statement"), DOORS)
def test_each_open_door_is_seen(books: Books, name: str, statement: str) -> None:
    with books.owner() as conn:
        conn.execute(statement)  # type: ignore[call-overload]
    assert books.findings()[name].verdict is Verdict.FAIL


def test_a_changed_byte_behind_the_triggers_is_seen(busy: Books) -> None:
    """Amount and balances changed together: sums agree, the journal is another than was asked for."""
    _harm(
        busy,
        "UPDATE ledger.leg SET amount = amount + 5 WHERE journal_id = 1 AND line = 2",
        "UPDATE ledger.balance b SET dr = b.dr + 5"
        " WHERE account_id = (SELECT debit_id FROM ledger.leg WHERE journal_id = 1 AND line = 2)",
    )
    assert busy.findings()["each journal is what was asked for"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.balance_delta SET queued_at = queued_at - interval '61 seconds'",
        "INSERT INTO ledger.balance_delta (account_id, livemode, dr, cr, n)"
        " SELECT account_id, livemode, 0, 0, 0 FROM ledger.balance, generate_series(1, 5000) WHERE business_id IS NULL",
    ],
    ids=["old", "long"],
)
def test_a_queue_that_nobody_drains_is_a_warning(busy: Books, statement: str) -> None:
    _harm(busy, statement)
    finding = busy.findings()["the queue is drained"]
    assert finding.verdict is Verdict.WARN
    LedgerService(books=busy.of("worker")).drain()
    assert busy.findings()["the queue is drained"].verdict is Verdict.PASS


def test_the_command_prints_a_table_and_exits_0(busy: Books) -> None:
    result = CliRunner().invoke(ledger, ["check"], obj=Process(busy))
    lines = result.output.splitlines()
    assert (result.exit_code, lines[-1]) == (0, "The books hold.")
    assert len(lines) == len(HARM) + 2
    assert all(line.startswith("PASS  ") for line in lines[:-1])


def test_the_command_exits_1_when_they_do_not_hold(busy: Books) -> None:
    _harm(busy, *HARM["each balance is the sum of its legs"])
    result = CliRunner().invoke(ledger, ["check"], obj=Process(busy))
    assert result.exit_code == 1
    assert "FAIL  each balance is the sum of its legs" in result.output
    assert "The books do not hold" in result.output.splitlines()[-1]
