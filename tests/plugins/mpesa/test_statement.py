"""The organisation's statement: every row understood, or the file refused by the row that wasn't."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.mpesa.statement import read_statement
from ports.errors import Unreadable
from ports.money import KES, Money
from ports.statement import LineKind, StatementFile

HEAD = """Organization Statement,,,
Short Code:,174379,Account:,Utility Account
Time Period:,From 2026-11-01 00:00:00 To 2026-11-24 23:59:59,,
Opening Balance:,"1,000.00",Closing Balance:,"12,345.50"

"""
COLUMNS = (
    "Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,"
    "Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.\n"
)
PAID = (
    "UKO7RT61SV,2026-11-24 10:15:30,2026-11-24 10:15:28,Pay Bill from 254712345678 - JANE DOE Acc. DUKA-7K2P9M,"
    'Completed,"1,500.00",,"13,845.50",true,Pay Bill,254712345678 - JANE DOE,,DUKA-7K2P9M\n'
)


def read(*rows: str, head: str = HEAD) -> StatementFile:
    return read_statement("statement.csv", (head + COLUMNS + "".join(rows)).encode())


def row(
    details: str,
    *,
    paid_in: str = "",
    withdrawn: str = "",
    reason: str = "",
    linked: str = "",
    status: str = "Completed",
) -> str:
    return (
        f'UKO7RT61SW,24-11-2026 11:00:00,,{details},{status},"{paid_in}","{withdrawn}",0.00,true,{reason},,{linked},\n'
    )


def test_the_head_and_a_payment() -> None:
    found = read(PAID)
    assert (found.account, found.receipt_namespace) == ("174379", "mpesa_ke")
    assert (found.since, found.until) == (
        datetime(2026, 10, 31, 21, tzinfo=UTC),
        datetime(2026, 11, 24, 20, 59, 59, tzinfo=UTC),
    )
    assert (found.opening, found.closing) == (Money(units=100_000, asset=KES), Money(units=1_234_550, asset=KES))
    (line,) = found.lines
    assert (line.kind, line.receipt_number, line.comes_in, line.completed) == (
        LineKind.COLLECTION,
        "UKO7RT61SV",
        True,
        True,
    )
    assert (line.amount, line.balance) == (Money(units=150_000, asset=KES), Money(units=1_384_550, asset=KES))
    assert line.happened_at == datetime(2026, 11, 24, 7, 15, 30, tzinfo=UTC)
    assert (line.reference, line.payer_hint) == ("DUKA-7K2P9M", "+2547•••••678")
    assert "JANE" not in repr(line)
    assert "712345" not in repr(line)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (row("Pay Bill Charge", withdrawn="-20.00"), LineKind.CHARGE),
        (row("Business Payment Charge", withdrawn="13.00", linked="UKO7RT61SV"), LineKind.CHARGE),
        (row("Business Payment to Customer via API", withdrawn="-5,000.00"), LineKind.PAYOUT),
        (row("Salary Payment to 254712345678", withdrawn="100"), LineKind.PAYOUT),
        (row("Reversal of UKO7RT61SV", withdrawn="1,500.00", linked="UKO7RT61SV"), LineKind.REVERSAL),
        (row("B2C Payment Reversal", paid_in="5,000.00", linked="UKO7RT61SV"), LineKind.RETURN),
        (row("Organization Settlement Account to Working Account", paid_in="9.00"), LineKind.OWN),
        (row("Funds Transfer from MMF to Utility", withdrawn="9.00"), LineKind.OWN),
        (row("Something new", withdrawn="9.00"), LineKind.OTHER),
    ],
)
def test_what_a_line_is_about(line: str, kind: LineKind) -> None:
    (found,) = read(line).lines
    assert found.kind is kind
    assert found.amount.units > 0
    assert found.comes_in is (kind is LineKind.RETURN or "Organization" in line)
    assert found.original_receipt == ("UKO7RT61SV" if ",UKO7RT61SV," in line else None)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (row("Pay Bill from 2547****678 - JANE DOE Acc. SCHOOL FEES", paid_in="500.00"), LineKind.COLLECTION),
        (row("Pay Bill Online from 254712345678 Acc. reversed order", paid_in="500.00"), LineKind.COLLECTION),
        (row("Pay Bill to 600966 - DUKA Acc. working account", paid_in="5.00", reason="Pay Bill"), LineKind.COLLECTION),
        (row("Business Payment to 2547****678 - JOHN FEE", withdrawn="-500.00"), LineKind.PAYOUT),
        (row("Organization Settlement Account to Working Account", paid_in="9.00"), LineKind.OWN),
        (row("Pay Bill from 2547****678 - JANE", withdrawn="2.00", reason="Pay Bill Charge"), LineKind.CHARGE),
        (row("Transfer from Working Account to Utility Account", withdrawn="9.00"), LineKind.OWN),
    ],
)
def test_what_people_are_called_or_typed_does_not_say_what_a_line_is_about(line: str, kind: LineKind) -> None:
    assert read(line).lines[0].kind is kind


def test_what_never_completed_has_the_time_it_began() -> None:
    late = PAID.replace("2026-11-24 10:15:30", "")
    (found,) = read(late.replace("Completed", "Expired")).lines
    assert (found.completed, found.happened_at) == (False, datetime(2026, 11, 24, 7, 15, 28, tzinfo=UTC))
    with pytest.raises(Unreadable, match="no completion time"):
        read(late)


def test_a_row_that_was_not_completed_says_so() -> None:
    (found,) = read(row("Pay Bill", paid_in="10.00", status="Declined")).lines
    assert not found.completed


@pytest.mark.parametrize(
    "content",
    [
        ("﻿" + HEAD + COLUMNS + PAID).encode(),
        (HEAD + COLUMNS + PAID).replace("\n", "\r\n").encode(),
        (HEAD + COLUMNS + PAID).replace("JANE", "JANÉ").encode("latin-1"),
        (COLUMNS + PAID + ",,,,,,,,,,,,\n").encode(),
    ],
)
def test_its_dresses(content: bytes) -> None:
    assert [line.receipt_number for line in read_statement("x.csv", content).lines] == ["UKO7RT61SV"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no row of headings"),
        (b"PK\x03\x04\0\0", "not a text file"),
        (COLUMNS.replace("Paid In", "Money").encode(), "no column 'paid in'"),
        ((COLUMNS + PAID + PAID.replace("UKO7RT61SV", "UKO7")).encode(), "row 3: no receipt number"),
        ((COLUMNS + PAID.replace("2026-11-24 10:15:30", "yesterday")).encode(), "row 2: no completion time"),
        ((COLUMNS + PAID.replace('"1,500.00"', "lots")).encode(), "row 2: no amount"),
        ((COLUMNS + PAID.replace('"1,500.00",,', '"1,500.00",5.00,')).encode(), "row 2: no amount"),
        ((COLUMNS + '"' + PAID).encode(), "not a CSV file"),
    ],
)
def test_a_file_that_is_half_understood_is_refused_by_its_row(content: bytes, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_statement("my 0712345678.csv", content)
    assert words in str(caught.value)
    assert "JANE" not in str(caught.value)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for whole in (content, COLUMNS.encode() + content):
        try:
            read_statement("x.csv", whole)
        except Unreadable:
            continue
