"""The organisation's statement: a file that adds up, with charges, reversals and failed rows."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import requests

from tests.plugins.sandbox.customers import BULK, PAYBILL, STORE, TILL, b2b, pay, reverse
from tests.plugins.sandbox.merchant import Merchant
from tests.plugins.sandbox.test_scripts import magic

COLUMNS = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,"
    "Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No."
)


def read(merchant: Merchant, shortcode: str, **period: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The head and the rows, oldest first."""
    text = merchant.control.statement(shortcode, **period).decode()
    head, _, rows = text.partition("\r\n\r\n")
    assert rows.splitlines()[0] == COLUMNS
    return dict(csv.reader(io.StringIO(head))), list(csv.DictReader(io.StringIO(rows)))[::-1]


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", "") or "0")


def test_it_adds_up(merchant: Merchant) -> None:
    first = pay(merchant, 2000)
    merchant.control.advance(60)
    second = pay(merchant, 700)
    back = reverse(merchant, second, 700)["TransactionID"]
    head, rows = read(merchant, PAYBILL)
    assert head["Short Code:"] == PAYBILL
    assert head["Time Period:"].startswith("From 24-11-2026 00:00:00 To 24-11-2026 12:01:")
    receipts = [(row["Receipt No."], row["Reason Type"]) for row in rows]
    assert receipts == [
        (first, "Pay Bill"),
        (first, "Pay Bill Charge"),
        (second, "Pay Bill"),
        (second, "Pay Bill Charge"),
        (back, "Pay Bill Reversal"),
    ]
    assert (rows[0]["Paid In"], rows[0]["A/C No."]) == ("2,000.00", "INV-9")
    assert (rows[4]["Withdrawn"], rows[4]["Linked Transaction ID"]) == ("-700.00", second)
    balance = number(head["Opening Balance:"])
    for row in rows:
        balance += number(row["Paid In"]) + number(row["Withdrawn"])
        assert number(row["Balance"]) == balance
    assert number(head["Closing Balance:"]) == balance == 1970


def test_a_period_and_an_account(merchant: Merchant) -> None:
    pay(merchant, 2000)
    merchant.control.advance(3600)
    last = pay(merchant, 50)
    head, rows = read(merchant, PAYBILL, account="working", since="2026-11-24T12:30:00")
    assert (head["Opening Balance:"], head["Closing Balance:"]) == ("2,000.00", "2,050.00")
    assert [row["Receipt No."] for row in rows] == [last]
    head, rows = read(merchant, PAYBILL, account="working", until="2026-11-24T12:30:00")
    assert (head["Closing Balance:"], len(rows)) == ("2,000.00", 1)
    head, rows = read(merchant, PAYBILL, account="charges")
    assert (head["Closing Balance:"], [row["Withdrawn"] for row in rows]) == ("-20.00", ["-20.00"])


def test_charges_can_be_taken_from_the_account_itself(merchant: Merchant) -> None:
    merchant.control.settings(charges_from="account")
    pay(merchant, 2000)
    head, rows = read(merchant, PAYBILL, account="working")
    assert head["Closing Balance:"] == "1,980.00"
    assert len(rows) == 2


def test_payouts_transfers_and_failures(merchant: Merchant) -> None:
    merchant.control.post("balances", shortcode=BULK, working="100", utility="5000", charges="0")
    merchant.b2c("a", magic("success"))
    merchant.b2c("b", magic("not_registered"))
    merchant.control.advance(1)
    b2b(merchant)
    b2b(merchant, CommandID="BusinessTransferFromMMFToUtility", PartyB=int(BULK), Amount=60)
    _, rows = read(merchant, BULK)
    told = [(row["Reason Type"], row["Transaction Status"], row["Withdrawn"] or row["Paid In"]) for row in rows[3:]]
    assert told == [
        ("Business Payment to Customer via API", "Completed", "-1,000.00"),
        ("Business Payment to Customer Charge", "Completed", "-5.00"),
        ("Business Payment to Customer via API", "Failed", "-1,000.00"),
        ("Business Pay Bill", "Failed", "-239.00"),
        ("Organization Transfer from MMF to Utility Account", "Completed", "-60.00"),
        ("Organization Transfer from MMF to Utility Account", "Completed", "60.00"),
    ]
    assert rows[5]["Balance"] == rows[4]["Balance"] == "4,095.00"
    assert rows[5]["Balance Confirmed"] == "false"


def test_a_store_shows_its_tills(merchant: Merchant) -> None:
    receipt = pay(merchant, 1000, till=TILL)
    for shortcode in (STORE, TILL):
        head, rows = read(merchant, shortcode)
        assert head["Closing Balance:"] == "994.50"
        assert [row["Receipt No."] for row in rows] == [receipt, receipt]


def test_it_is_linked_from_the_first_page_and_says_what_is_wrong(merchant: Merchant) -> None:
    url = merchant.sandbox.url
    assert f"/control/statement?shortcode={PAYBILL}" in requests.get(url + "/", timeout=5).text
    for wrong in ("shortcode=1", f"shortcode={PAYBILL}&account=gold", f"shortcode={PAYBILL}&since=noon"):
        assert requests.get(f"{url}/control/statement?{wrong}", timeout=5).status_code in (400, 404)
