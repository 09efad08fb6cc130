"""The judge: reads the shop's API, the simulator's journal and the tables, and shares no line with what it judges."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg

from plugins.sandbox.remote import Control
from tests.chaos.traffic import Made
from tests.servers import Database
from tests.stack import Receiver, Shop

#: What a receipt and a payout cost in the sandbox: 1.5 % of what arrives, KES 30 a payout.
_BPS, _CAP_UNITS, _FLAT_UNITS = 150, 100_000, 3_000


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What was found. `doubts` are tries of which M-Pesa never heard, shown as unknown; `faults` are sentences."""

    settled: int = 0
    moved_open: list[str] = field(default_factory=list)
    still_open: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def open_(self) -> list[str]:
        """Everything that isn't yet as M-Pesa says, whether money moved or not."""
        return self.moved_open + self.still_open


def all_of(shop: Shop, path: str, query: str = "") -> list[Any]:
    """Every object of a list, page by page."""
    found: list[Any] = []
    cursor = ""
    while True:
        page = shop.get(f"{path}?limit=100{query}{cursor}").body
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = f"&starting_after={page['next_cursor']}"


def look(shop: Shop, control: Control, made: Made) -> Verdict:
    """Compare each payment and payout with what M-Pesa says happened."""
    truth = control.counts()
    asked = control.journal(endpoint="b2c", kind="request")
    truth["accepted"] = Counter(entry["reference"] for entry in asked if entry["effect"] == "payout accepted")
    verdict = Verdict()
    payments = {p["id"]: p for p in all_of(shop, "/v1/payments", "&expand[]=attempts")}
    payouts = {p["id"]: p for p in all_of(shop, "/v1/payouts", "&expand[]=attempts")}
    for payment_id, order in made.payments.items():
        _payment(payments.get(payment_id), payment_id, order.behaviour, truth, verdict)
    for payout_id, order in made.payouts.items():
        _payout(payouts.get(payout_id), payout_id, order.behaviour, truth, verdict)
    return verdict


def _payment(found: Any, name: str, behaviour: str, truth: Any, verdict: Verdict) -> None:
    if found is None:
        verdict.faults.append(f"{name} is lost")
        return
    references = [a["reference"] for a in found["attempts"]]
    prompts = sum(truth["prompts"].get(r, 0) for r in references)
    moved = sum(truth["receipts"].get(r, 0) for r in references)
    if any(truth["prompts"].get(r, 0) > 1 for r in references):
        verdict.faults.append(f"{name}: a prompt was sent twice")
    if found["amount_received"] > moved * found["amount"]:
        verdict.faults.append(f"{name}: {found['amount_received']} received for {moved} movements")
    if moved:
        done = found["status"] == "succeeded" and found["amount_received"] == moved * found["amount"]
        _note(verdict, done, name, found, f"paid {moved} times ({behaviour})")
        if not found["outcome_unknown"] and found["status"] == "requires_payment_method":
            verdict.faults.append(f"{name}: paid at M-Pesa and shown as failed")
    elif found["status"] == "succeeded":
        verdict.faults.append(f"{name}: succeeded, and M-Pesa moved nothing")
    elif prompts == 0 and found["outcome_unknown"]:
        verdict.doubts.append(f"{name} ({behaviour})")
    else:
        failed = found["status"] == "requires_payment_method" and not found["outcome_unknown"]
        _note(verdict, failed, name, found, f"not paid ({behaviour})")


def _payout(found: Any, name: str, behaviour: str, truth: Any, verdict: Verdict) -> None:
    if found is None:
        verdict.faults.append(f"{name} is lost")
        return
    references = [a["reference"] for a in found["attempts"]]
    moved = sum(truth["payouts"].get(r, 0) for r in references)
    if moved > 1:
        verdict.faults.append(f"{name}: M-Pesa paid it {moved} times")
    if moved:
        _note(verdict, found["status"] == "paid", name, found, f"paid ({behaviour})")
        if found["status"] in ("failed", "canceled"):
            verdict.faults.append(f"{name}: paid at M-Pesa and shown as {found['status']}")
    elif found["status"] == "paid":
        verdict.faults.append(f"{name}: shown as paid, and M-Pesa paid nothing")
    elif found["status"] == "unknown" and not any(truth["accepted"].get(r, 0) for r in references):
        verdict.doubts.append(f"{name} ({behaviour})")
    else:
        _note(verdict, found["status"] == "failed", name, found, f"not paid ({behaviour})")


def _note(verdict: Verdict, settled: bool, name: str, found: Any, wanted: str) -> None:
    if settled:
        verdict.settled += 1
    else:
        open_ = verdict.still_open if wanted.startswith("not ") else verdict.moved_open
        open_.append(f"{name} is {found['status']}, M-Pesa says {wanted}")


def judge_money(shop: Shop, control: Control, database: Database) -> list[str]:
    """Balances against M-Pesa's own sums, and the books against their own lines."""
    faults: list[str] = []
    truth = control.counts()
    arrived = {r: 100 * units for r, units in truth["money_in"].items()}
    left = {r: 100 * units for r, units in truth["money_out"].items()}
    charged = sum(min(units * _BPS // 10_000, _CAP_UNITS) for units in arrived.values())
    unsettled = [
        p for p in all_of(shop, "/v1/payouts") if p["status"] in ("queued", "submitting", "in_transit", "unknown")
    ]
    reserved = sum(p["amount"] + _FLAT_UNITS for p in unsettled)
    expected = sum(arrived.values()) - charged - sum(left.values()) - _FLAT_UNITS * len(left) - reserved
    balance = shop.balance()
    if balance["available"] != expected:
        faults.append(f"available is {balance['available']}, M-Pesa's sums make it {expected}")
    if balance["reserved"] != reserved:
        faults.append(f"reserved is {balance['reserved']}, open payouts make it {reserved}")
    return faults + judge_books(database, sum(arrived.values()), sum(left.values()))


def judge_books(database: Database, arrived: int, left: int) -> list[str]:
    """The trial balance from the lines alone, each account's balance against its lines, floats against M-Pesa."""
    faults = []
    with psycopg.connect(database.plain_url("owner")) as conn:
        rows = conn.execute(
            "WITH side AS (SELECT debit_id AS id, amount AS dr, 0 AS cr FROM ledger.leg UNION ALL"
            " SELECT credit_id, 0, amount FROM ledger.leg), told AS (SELECT account_id AS id, dr, cr"
            " FROM ledger.balance UNION ALL SELECT account_id, dr, cr FROM ledger.balance_delta)"
            " SELECT a.path, a.class::text, (SELECT coalesce(sum(dr), 0) FROM side WHERE side.id = a.id),"
            " (SELECT coalesce(sum(cr), 0) FROM side WHERE side.id = a.id),"
            " (SELECT coalesce(sum(dr), 0) FROM told WHERE told.id = a.id),"
            " (SELECT coalesce(sum(cr), 0) FROM told WHERE told.id = a.id) FROM ledger.account a"
        ).fetchall()
    totals: Counter[str] = Counter()
    for path, class_, debits, credited, told_dr, told_cr in rows:
        net = int(debits - credited)
        totals["debits" if class_ in "AX" else "credits"] += net if class_ in "AX" else -net
        if (debits, credited) != (told_dr, told_cr):
            faults.append(f"{path}: its lines say {debits}/{credited}, its balance {told_dr}/{told_cr}")
    if totals["debits"] != totals["credits"]:
        faults.append(f"the trial balance is off by {totals['debits'] - totals['credits']}")
    floats = sum(int(d - c) for path, _, d, c, _, _ in rows if path.startswith("float:"))
    funding = sum(int(c - d) for path, _, d, c, _, _ in rows if path == "equity:funding")
    charges = sum(int(d - c) for path, _, d, c, _, _ in rows if path.startswith("expense:charges:"))
    if floats != funding + arrived - left - charges:
        expected = funding + arrived - left - charges
        faults.append(f"the floats hold {floats}, M-Pesa's sums and charges make it {expected}")
    return faults


def judge_webhooks(shop: Shop, receiver: Receiver) -> list[str]:
    """Every event was delivered, and no object's sequence has a hole."""
    told = {event["id"] for event in receiver.events()}
    events = all_of(shop, "/v1/events")
    faults = [f"{e['id']} ({e['type']}) was never delivered" for e in events if e["id"] not in told]
    sequences: dict[str, list[int]] = {}
    for event in events:
        sequences.setdefault(event["data"]["object"]["id"], []).append(event["sequence"])
    faults += [
        f"{name}: events {sorted(s)}" for name, s in sequences.items() if sorted(s) != list(range(1, len(s) + 1))
    ]
    return faults
