"""The organisation's statement as M-Pesa's portal exports it: names and values, headings, rows, newest first.

Without an account it is of all accounts together, and `Balance` is their sum; a store's includes its tills'.
"""

import csv
import io
from dataclasses import dataclass

from plugins.sandbox.mpesa import books, clock
from plugins.sandbox.mpesa.records import Row
from plugins.sandbox.mpesa.simulator import Simulator
from plugins.sandbox.mpesa.wire import Money

COLUMNS = (
    "Receipt No.", "Completion Time", "Initiation Time", "Details", "Transaction Status", "Paid In", "Withdrawn",
    "Balance", "Balance Confirmed", "Reason Type", "Other Party Info", "Linked Transaction ID", "A/C No.",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """The rows of a period, oldest first, each with the balance after it; all in cents."""

    opening: int
    closing: int
    rows: tuple[tuple[Row, int], ...]


def extract(sim: Simulator, number: str, pocket: str, since_ms: int, until_ms: int) -> Extract:
    """What happened in one pocket, or in all with an empty `pocket`, from an instant to before another."""
    organisations = (number, *sim.world.shortcodes[number].tills)
    kept = [
        row
        for row in sim.rows.values()
        if row.organisation in organisations and pocket in ("", row.pocket) and row.done_ms >= since_ms
    ]
    moved = sum(_moved(row) for row in kept)
    now = sum(
        books.held(sim, one, each)
        for one in organisations
        for each in books.pockets_in(sim, one)
        if pocket in ("", each)
    )
    balance = opening = now - moved
    rows = []
    for row in kept:
        if row.done_ms < until_ms:
            balance += _moved(row)
            rows.append((row, balance))
    return Extract(opening=opening, closing=balance, rows=tuple(rows))


def _moved(row: Row) -> int:
    return row.cents if row.status == "Completed" else 0


def as_csv(sim: Simulator, number: str, pocket: str, since_ms: int, until_ms: int) -> str:
    """The statement as a file's text."""
    found = extract(sim, number, pocket, since_ms, until_ms)
    file = io.StringIO(newline="")
    lines = csv.writer(file)
    lines.writerow(("Organization Name:", sim.world.shortcodes[number].name))
    lines.writerow(("Short Code:", number))
    lines.writerow(("Account:", books.ACCOUNTS.get(pocket, "All Accounts")))
    lines.writerow(("Time Period:", f"From {_time(since_ms)} To {_time(until_ms)}"))
    lines.writerow(("Opening Balance:", _amount(found.opening)))
    lines.writerow(("Closing Balance:", _amount(found.closing)))
    lines.writerow(())
    lines.writerow(COLUMNS)
    lines.writerows(_line(row, balance) for row, balance in reversed(found.rows))
    return file.getvalue()


def _line(row: Row, balance: int) -> tuple[str, ...]:
    done = row.status == "Completed"
    return (
        row.receipt,
        _time(row.done_ms),
        _time(row.started_ms),
        row.details,
        row.status,
        _amount(row.cents) if row.cents > 0 else "",
        _amount(row.cents) if row.cents < 0 else "",
        _amount(balance),
        "true" if done else "false",
        row.reason,
        row.other,
        row.linked,
        row.account,
    )


def _time(instant_ms: int) -> str:
    return clock.eat(instant_ms).strftime("%d-%m-%Y %H:%M:%S")


def _amount(cents: int) -> str:
    whole, _, rest = str(Money(abs(cents))).partition(".")
    return f"{'-' if cents < 0 else ''}{int(whole):,}.{rest}"
