"""The promises of ports.abilities.History: every sum once, by a name that stays, in order, page by page to an end.

A binding subclasses HistoryContract and gives a fixture `line`; where the provider's rows can be spoiled by the test,
HistoryRowsContract as well. Every test has a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from ports.abilities import History, HistoryPage
from ports.money import Money
from ports.payment_rail import RailCapabilities
from ports.report import MoneyIn
from tests.contract.asked import a_phone
from tests.fakes.context import MORNING

#: The window that the suite asks for.
SINCE, UNTIL = MORNING - timedelta(hours=3), MORNING
#: More than one page has.
MANY = 8


class HistoryProvider(Protocol):
    """What the suite does on the provider's side."""

    def pay(self, number: int, amount: Money) -> str:
        """The customer with `a_phone(number)` pays, so many minutes after SINCE; gives the receipt number."""

    def pay_before(self, amount: Money) -> None:
        """Somebody paid an hour before SINCE."""

    def asked(self) -> int:
        """How often it was asked for a page."""

    def page(self) -> int:
        """How many rows a page has at most: fewer than MANY."""


class SpoiledHistoryProvider(HistoryProvider, Protocol):
    """One whose rows the test can reach."""

    def widen(self) -> None:
        """Every row has columns that nobody has seen before."""

    def spoil(self) -> int:
        """After the rows that are there, more come that can't be read, each in its own way; gives how many."""

    def told(self) -> int:
        """How many rows the adapter has told of as unreadable, in its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """A rail and the provider behind it."""

    rail: History
    capabilities: RailCapabilities
    provider: HistoryProvider

    def amount(self, number: int) -> Money:
        """Another amount for each."""
        said = self.capabilities
        return Money(units=said.amount_min + number * said.amount_granularity, asset=said.assets[0])

    def pay(self, *numbers: int) -> list[str]:
        """So many customers pay, in that order; gives their receipts."""
        return [self.provider.pay(number, self.amount(number)) for number in numbers]

    def pages(self) -> list[HistoryPage]:
        """All pages of the window. Fails where they don't end."""
        found = [self.rail.history(SINCE, UNTIL, None)]
        while (cursor := found[-1].next_cursor) is not None:
            assert len(found) <= 2 * MANY, "the pages don't end"
            found.append(self.rail.history(SINCE, UNTIL, cursor))
        return found

    def money(self) -> list[MoneyIn]:
        """All that came in the window."""
        return [one for page in self.pages() for one in page.money]


class HistoryContract:
    """Each test is one promise of the ability."""

    def test_where_nothing_came_in_there_is_nothing(self, line: HistoryLine) -> None:
        assert line.money() == []

    def test_every_sum_is_told_once_over_all_pages(self, line: HistoryLine) -> None:
        receipts = line.pay(*range(1, MANY + 1))
        money = line.money()
        assert sorted(str(one.receipt_number) for one in money) == sorted(receipts)
        assert {one.receipt_number: one.amount for one in money} == {
            receipt: line.amount(number) for number, receipt in enumerate(receipts, start=1)
        }

    def test_every_sum_has_what_makes_it_the_same_as_a_callbacks(self, line: HistoryLine) -> None:
        line.pay(1, 2)
        for one in line.money():
            assert one.receipt_namespace == line.capabilities.receipt_namespace
            assert one.receipt_number
            assert one.amount is not None
            assert one.amount.asset in line.capabilities.assets
            assert one.happened_at is not None
            assert one.happened_at.tzinfo is not None

    def test_pages_are_small_and_end_soon(self, line: HistoryLine) -> None:
        line.pay(*range(1, MANY + 1))
        pages = line.pages()
        most = line.provider.page()
        assert all(len(page.money) <= most for page in pages)
        assert len(pages) <= -(-MANY // most) + 1
        assert line.provider.asked() == len(pages)

    def test_sums_come_in_order(self, line: HistoryLine) -> None:
        line.pay(*range(1, MANY + 1))
        times = [one.happened_at for one in line.money() if one.happened_at is not None]
        assert times in (sorted(times), sorted(times, reverse=True))

    def test_the_same_page_twice_is_the_same(self, line: HistoryLine) -> None:
        line.pay(*range(1, MANY + 1))
        first = line.rail.history(SINCE, UNTIL, None)
        assert line.rail.history(SINCE, UNTIL, None) == first
        again = [line.rail.history(SINCE, UNTIL, first.next_cursor) for _ in range(2)]
        assert again[0] == again[1] != first

    def test_what_comes_in_while_it_is_read_hides_no_other(self, line: HistoryLine) -> None:
        receipts = line.pay(*range(1, MANY))
        first = line.rail.history(SINCE, UNTIL, None)
        line.pay(MANY)
        found, cursor = list(first.money), first.next_cursor
        for _ in range(2 * MANY):
            if cursor is None:
                break
            page = line.rail.history(SINCE, UNTIL, cursor)
            found, cursor = [*found, *page.money], page.next_cursor
        assert set(receipts) <= {one.receipt_number for one in found}

    def test_what_came_before_the_window_is_not_in_it(self, line: HistoryLine) -> None:
        line.provider.pay_before(line.amount(1))
        receipts = line.pay(1)
        assert [one.receipt_number for one in line.money()] == receipts

    def test_a_payer_is_named_by_a_masked_hint_at_most(self, line: HistoryLine) -> None:
        line.pay(1)
        assert a_phone(1)[-9:] not in repr(line.pages())


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoiledHistoryLine(HistoryLine):
    """The same with rows that the test can reach."""

    provider: SpoiledHistoryProvider


class HistoryRowsContract:
    """Rows as providers come to write them."""

    def test_columns_that_nobody_knows_change_nothing(self, line: SpoiledHistoryLine) -> None:
        line.pay(1, 2)
        before = line.money()
        line.provider.widen()
        assert line.money() == before

    def test_rows_that_can_not_be_read_are_told_and_hide_no_other(self, line: SpoiledHistoryLine) -> None:
        receipts = line.pay(1, 2)
        spoiled = line.provider.spoil()
        receipts += line.pay(*range(3, MANY + 1))
        assert [one.receipt_number for one in line.money()] == receipts
        assert line.provider.told() == spoiled > 0

    def test_a_page_of_unreadable_rows_alone_ends_nothing(self, line: SpoiledHistoryLine) -> None:
        spoiled = 0
        while spoiled <= line.provider.page():
            spoiled += line.provider.spoil()
        receipts = line.pay(1)
        assert [one.receipt_number for one in line.money()] == receipts
        assert line.provider.told() == spoiled
