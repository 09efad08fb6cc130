"""The two histories: what came in, whether it was delivered, and the order behind a lost answer.

One wallet's rows are everybody's in one list, newest first. Rows are matched by the order's or the transaction's name
alone; a match by payer, amount and time is a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from plugins.kit.http import Budget
from plugins.swypt import wire
from plugins.swypt.mapping import money_in
from plugins.swypt.orders import HistoryPage as Page
from plugins.swypt.orders import HistoryRow
from ports.abilities import HistoryPage, LostStart, Suggestion

#: Pages of one search. Each has tens of rows; an order that is asked about is a new one.
PAGES_MAX = 20
#: The page behind which a cursor never goes: a provider that pages wrongly would be read for ever.
CURSOR_MAX = 200
#: Clocks may differ by so much.
_SLACK = timedelta(minutes=5)

Ask = Callable[[int, Budget], Page]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A history to walk through."""

    ask: Ask

    def walk(self, budget: Budget, since: datetime | None = None) -> Iterator[HistoryRow]:
        """Rows from the newest on, at most PAGES_MAX pages, and no further than a page that is all before `since`."""
        for number in range(1, PAGES_MAX + 1):
            page = self.ask(number, budget)
            yield from page.rows
            if not page.has_more or (since is not None and is_all_before(page, since)):
                return

    def of_order(self, order_id: str, budget: Budget) -> HistoryRow | None:
        """The row of that order, or None."""
        return next((row for row in self.walk(budget) if row.order_id == order_id), None)

    def of_transaction(self, tx: str, budget: Budget) -> HistoryRow | None:
        """The row of that transaction, or None."""
        return next((row for row in self.walk(budget) if row.tx == tx.lower()), None)


def is_all_before(page: Page, since: datetime) -> bool:
    """Whether every row was printed before that time, even read as the later of the two zones."""
    return all(row.printed is not None and row.printed + _SLACK < since for row in page.rows)


def may_be_within(row: HistoryRow, since: datetime, until: datetime) -> bool:
    """Whether a row may have come about in that time: printed times are of one zone or the other, or missing."""
    if row.printed is None:
        return True
    times = (row.printed, row.printed - wire.EAT_BEHIND)
    return any(since - _SLACK <= moment <= until + _SLACK for moment in times)


def page_of_money(ask: Ask, since: datetime, cursor: str | None, budget: Budget, *, fee_on_top: bool) -> HistoryPage:
    """The paid rows of one page; `cursor` is a page's number. Rows that came meanwhile only push others on: what is
    told twice is one fact by its receipt."""
    number = int(cursor) if cursor and cursor.isdecimal() else 1
    page = ask(number, budget)
    money = tuple(one for row in page.rows if (one := money_in(row, fee_on_top=fee_on_top)) is not None)
    more = page.has_more and number < CURSOR_MAX and not is_all_before(page, since)
    return HistoryPage(money=money, next_cursor=str(number + 1) if more else None)


def suggestions(rows: Rows, lost: LostStart, payer: str, budget: Budget, *, fee_on_top: bool) -> tuple[Suggestion, ...]:
    """Orders of that payer and amount that may be of that time."""
    found = []
    for row in rows.walk(budget, lost.since):
        if row.order_id is None or row.phone != payer or not may_be_within(row, lost.since, lost.until):
            continue
        fee = row.fee if fee_on_top and row.fee is not None else 0
        if row.amount is None or (row.amount - fee) * 100 != lost.amount.units:
            continue
        found.append(Suggestion(provider_reference=row.order_id, money=money_in(row, fee_on_top=fee_on_top)))
    return tuple(found)
