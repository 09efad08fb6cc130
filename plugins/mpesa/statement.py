"""The organisation's statement as M-Pesa's portal exports it (CSV): all of it understood, or none.

The file has a block of names and values (`Short Code`, `Time Period`, `Opening Balance` …), then a row of headings,
`Receipt No.` among them, then the rows. A charge bears the receipt of what it was taken for; a reversal names it under
`Linked Transaction ID`. Amounts have thousands separators, what leaves is below zero or not, times are in East Africa.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest

from plugins.mpesa import wire
from plugins.mpesa.mapping import RECEIPTS
from ports.errors import Unreadable
from ports.money import KES, Money
from ports.statement import LineKind, StatementFile, StatementLine

#: Larger files are refused: a month of a busy paybill has some tens of megabytes.
FILE_MAX = 64 * 1024 * 1024

_NEEDED = ("receipt no.", "completion time", "details", "transaction status", "paid in", "withdrawn")
_TIMES = ("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M")
_PERIOD = re.compile(r"(\d[\d/-]+ [\d:]+)")
_CHARGE = re.compile(r"\bcharges?\b|\bfees?\b|\bexcise\b", re.IGNORECASE)
_REVERSAL = re.compile(r"\brevers(al|ed|e)\b", re.IGNORECASE)
_OWN = re.compile(
    r"organi[sz]ation (settlement|transfer)|working account|utility account|\bmmf\b|funds transfer|own account"
    r"|settlement acc|bulk account|merchant account",
    re.IGNORECASE,
)
_PAYOUT = re.compile(
    r"business pay|salary payment|promotion payment|payment to customer|b2c|b2b|pay ?bill|buy goods|pochi",
    re.IGNORECASE,
)
#: Where Details begins to name people and to repeat what they typed, which must not say what a row is about.
_PEOPLE = re.compile(r"\s(?:from|to|by)\s+\+?[0-9]|\sacc[.:]|\s-\s", re.IGNORECASE)
_PHONE = re.compile(r"\+?254[17][0-9]{8}|\b0[17][0-9]{8}\b|254[17][\s*Xx•]+[0-9]{3}")


def read_statement(name: str, content: bytes) -> StatementFile:
    """The file as values. Raises Unreadable, naming the row; nothing personal is in the message."""
    if len(content) > FILE_MAX:
        raise Unreadable(f"{_plain(name)}: larger than {FILE_MAX // 1_048_576} MB")
    rows = list(_rows(content))
    start = next((n for n, row in enumerate(rows) if "receipt no." in (cell.strip().lower() for cell in row)), None)
    if start is None:
        raise Unreadable(f"{_plain(name)}: no row of headings with Receipt No. in it")
    head = _head(rows[:start])
    columns = {title.strip().lower(): place for place, title in enumerate(rows[start])}
    if missing := [title for title in _NEEDED if title not in columns]:
        raise Unreadable(f"{_plain(name)}: no column {missing[0]!r}")
    lines = tuple(
        _line(number, row, columns)
        for number, row in enumerate(rows[start + 1 :], start=start + 2)
        if any(cell.strip() for cell in row)
    )
    since, until = _period(head.get("time period", ""))
    return StatementFile(
        account=head.get("short code", "").strip(),
        receipt_namespace=RECEIPTS,
        since=since,
        until=until,
        opening=_amount(head.get("opening balance", "")),
        closing=_amount(head.get("closing balance", "")),
        lines=lines,
    )


def _rows(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\0" in text:
        raise Unreadable("not a text file")
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as fault:
        raise Unreadable(f"not a CSV file: {fault}") from None


def _head(rows: Sequence[Sequence[str]]) -> Mapping[str, str]:
    """Names and values before the headings, several pairs a row or one."""
    found: dict[str, str] = {}
    for row in rows:
        cells = [cell.strip() for cell in row if cell.strip()]
        for cell, value in zip_longest(cells, cells[1:], fillvalue=""):
            if cell.endswith(":"):
                found[cell[:-1].lower()] = "" if value.endswith(":") else value
    return found


def _line(number: int, row: Sequence[str], columns: Mapping[str, int]) -> StatementLine:
    def cell(title: str) -> str:
        place = columns.get(title)
        return row[place].strip() if place is not None and place < len(row) else ""

    if len(row) < len(columns) and len(row) - 1 <= max(columns["paid in"], columns["withdrawn"]):
        raise Unreadable(f"row {number}: cut short, so that its last amount may be another")
    receipt = wire.receipt_number(cell("receipt no."))
    completed = cell("transaction status").lower() == "completed"
    # What never completed has no completion time.
    happened = _moment(cell("completion time") or ("" if completed else cell("initiation time")))
    amount, comes_in = _moved(cell("paid in"), cell("withdrawn"))
    if receipt is None or happened is None or amount is None:
        wrong = "receipt number" if receipt is None else "completion time" if happened is None else "amount"
        raise Unreadable(f"row {number}: no {wrong} that can be read")
    kind = _kind(f"{_PEOPLE.split(cell('details'), 1)[0]} {cell('reason type')}", comes_in=comes_in)
    typed = cell("a/c no.")
    return StatementLine(
        row=number,
        kind=kind,
        receipt_number=receipt,
        happened_at=happened,
        amount=amount,
        comes_in=comes_in,
        completed=completed,
        reference=typed[:64] or None,
        original_receipt=wire.receipt_number(cell("linked transaction id")),
        payer_hint=wire.payer_hint((_PHONE.search(cell("other party info")) or [""])[0]),
        balance=_amount(cell("balance")),
        detail=cell("reason type")[:100] or kind.value,
    )


def _moved(paid_in: str, withdrawn: str) -> tuple[Money | None, bool]:
    """What moved and whether it came in; None when neither or both columns say so."""
    came, left = _amount(paid_in), _amount(withdrawn.removeprefix("-"))
    came_units, left_units = (came.units if came else 0), (left.units if left else 0)
    if bool(came_units) == bool(left_units):
        return None, False
    return Money(units=came_units or left_units, asset=KES), bool(came_units)


def _kind(details: str, *, comes_in: bool) -> LineKind:
    if _CHARGE.search(details):
        return LineKind.OTHER if comes_in else LineKind.CHARGE
    if _REVERSAL.search(details):
        return LineKind.RETURN if comes_in else LineKind.REVERSAL
    if _OWN.search(details):
        return LineKind.OWN
    if comes_in:
        return LineKind.COLLECTION
    return LineKind.PAYOUT if _PAYOUT.search(details) else LineKind.OTHER


def _amount(text: str) -> Money | None:
    """`1,234.50`, with or without the currency's name; None when there is none, and for one below zero."""
    return wire.shillings(text.replace(",", "").replace("KES", "").replace("Ksh", "").strip())


def _moment(text: str) -> datetime | None:
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=wire.EAT).astimezone(UTC)
        except ValueError:
            continue
    return None


def _period(text: str) -> tuple[datetime | None, datetime | None]:
    found = [_moment(part) for part in _PERIOD.findall(text)]
    return (found[0], found[1]) if len(found) == 2 else (None, None)


def _plain(name: str) -> str:
    """A file's name without what a person may have put into it."""
    return re.sub(r"[0-9]{9,}", "…", re.sub(r"[^A-Za-z0-9._-]+", "_", name))[:60]
