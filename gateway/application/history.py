"""Reading a provider's own list of what came in, again and again over windows that overlap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.interfaces import Call, OpenUnit, Providers, UnitOfWork
from gateway.application.money_in import RecordMoneyIn
from gateway.domain.connections import Connection
from gateway.domain.external_records import HistoryCursor
from ports.abilities import Ability, History, HistoryPage
from ports.errors import Misconfigured, PortError
from ports.report import Grade

EVERY = timedelta(minutes=10)
#: Rows may show at the provider late: each window begins so long before the last one's end.
OVERLAP = timedelta(hours=2)
#: How far back a new connection is read.
FIRST = timedelta(hours=24)
#: Pages of one run; the cursor goes on from there in the next.
PAGES = 20
TROUBLE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullHistory:
    """Read what is new of one connection. Each page is kept together with the cursor behind it."""

    unit: OpenUnit
    providers: Providers
    record: RecordMoneyIn

    def __call__(self, connection_id: UUID, call: Call) -> datetime | None:
        """When to come again; None for a connection whose rail has no history."""
        with self.unit(call.scope, call=call) as work:
            connection = work.connections.get(connection_id)
            if Ability.HISTORY not in self.providers.rail_capabilities(connection.code).abilities:
                return None
            cursor = _window(work.records.cursor(connection_id), connection_id, work.now)
        for _ in range(PAGES):
            page = self._page(connection, cursor, call)
            if page is None:
                return self._later(call, TROUBLE)
            with self.unit(call.scope, call=call) as work:
                cursor = self._keep(work, connection, cursor, page)
            if cursor.page is None:
                return self._later(call, EVERY)
        return self._later(call, timedelta(seconds=1))

    def _page(self, connection: Connection, cursor: HistoryCursor, call: Call) -> HistoryPage | None:
        """The next page; None when the provider gave none, which is no news of any sum."""
        if cursor.page_since is None or cursor.page_until is None:
            raise ValueError("a cursor without its window")
        try:
            rail = self.providers.rail(connection)
            if not isinstance(rail, History):
                raise Misconfigured("the rail declares a history and has none")
            return rail.history(cursor.page_since, cursor.page_until, cursor.page)
        except Misconfigured as wrong:
            with self.unit(call.scope, call=call) as work:
                work.alerts.raise_("history_unread", connection.id, str(wrong))
            return None
        except PortError:
            return None

    def _keep(
        self, work: UnitOfWork, connection: Connection, cursor: HistoryCursor, page: HistoryPage
    ) -> HistoryCursor:
        for money in page.money:
            self.record.within(work, connection, money, Grade.ANSWER, None)
        after = replace(cursor, page=page.next_cursor)
        if page.next_cursor is None and cursor.page_until is not None:
            after = replace(after, read_until=cursor.page_until, page_since=None, page_until=None)
        work.records.keep_cursor(after)
        return after

    def _later(self, call: Call, wait: timedelta) -> datetime:
        with self.unit(call.scope, call=call, read_only=True) as work:
            return work.now + wait


def _window(cursor: HistoryCursor | None, connection_id: UUID, now: datetime) -> HistoryCursor:
    """The window to read: the one that was left in the middle, else from before the last one's end until now."""
    if cursor is not None and cursor.page is not None and cursor.page_since is not None:
        return cursor
    read_until = now - FIRST if cursor is None else cursor.read_until
    since = read_until if cursor is None else read_until - OVERLAP
    return HistoryCursor(connection_id=connection_id, read_until=read_until, page_since=since, page_until=now)
