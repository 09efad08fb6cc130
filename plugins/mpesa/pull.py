"""Pull: the customers' payments of the last 48 hours, which find what callbacks lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from plugins.kit.http import Budget
from plugins.mpesa import wire, wire_more
from plugins.mpesa.client import LIST_LIMITS, LIST_MAX, Daraja
from plugins.mpesa.codes import shown
from plugins.mpesa.faults import fault_of
from plugins.mpesa.mapping import RECEIPTS, error_of, question_error
from plugins.mpesa.orders import body_of
from ports.abilities import HistoryPage
from ports.context import Context
from ports.errors import OutcomeUnknown
from ports.report import MoneyIn

_FOUND, _NOTHING = "1000", "1001"
_REGISTERED = ("1000", "1001")
#: It remembers so long; a window that begins earlier is refused. A window at that edge begins a little later, so that
#: all its pages can be read before its beginning is forgotten.
_MEMORY, _EDGE = timedelta(hours=48), timedelta(minutes=3)
#: Lists come inside a list.
_DEPTH = 3


def page(
    daraja: Daraja, shortcode: str, since: datetime, until: datetime, cursor: str | None, context: Context
) -> HistoryPage:
    """Rows from `cursor` on; the next cursor is None once a page is empty.

    Raises NotSent, OutcomeUnknown or Misconfigured.
    """
    place = _place(cursor, since, context.clock())
    if until < place.since:
        # All of the window is forgotten there: a question whose end comes before its beginning would be refused.
        return HistoryPage(money=())
    body = wire_more.pull_body(shortcode=shortcode, since=place.since, until=until, offset=place.offset)
    answer = daraja.call("pull", wire_more.PULL_PATH, body, LIST_LIMITS)
    found = body_of(answer, LIST_MAX)
    code = wire.code(found.get("ResponseCode"))
    if answer.status != 200:
        raise question_error("pull", fault_of(answer))
    if code == _NOTHING:
        return HistoryPage(money=())
    if code != _FOUND:
        raise OutcomeUnknown(f"pull: {shown(code or 'no code')}")
    rows = list(_rows(found.get("Response"), _DEPTH))
    money = tuple(one for one in map(_money, rows) if one is not None)
    if len(money) < len(rows):
        context.log.warning("pull_rows_unreadable", rows=len(rows) - len(money))
    return HistoryPage(money=money, next_cursor=_after(place, rows, context))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """After `offset` rows of the window from `since` on; `first` marks the row with which the last page began."""

    since: datetime
    offset: int = 0
    first: str = ""


def _place(cursor: str | None, since: datetime, now: datetime) -> _Place:
    """Offsets count from a window's beginning, so all pages have the same one: a later beginning would skip rows."""
    if cursor is not None:
        offset, began, first = (*cursor.split(), "", "")[:3]
        at = wire.moment(began) or since
        if at > now - _MEMORY:
            return _Place(since=at, offset=int(offset), first=first)
    # Also where its beginning was forgotten meanwhile: what is read twice is known by its receipts.
    return _Place(since=max(since, now - _MEMORY + _EDGE))


def _after(place: _Place, rows: list[object], context: Context) -> str | None:
    if not rows:
        return None
    first = hashlib.sha256(repr(rows[0]).encode()).hexdigest()[:16]
    if first == place.first:
        # An offset that isn't heeded gives the same page for ever.
        context.log.warning("pull_offset_ignored", offset=place.offset)
        return None
    return f"{place.offset + len(rows)} {wire.stamp(place.since)} {first}"


def register(daraja: Daraja, shortcode: str, nominated_number: str, url: str, budget: Budget) -> str:
    """Ask to be allowed to pull, once. Gives the words; raises as other calls do."""
    body = wire_more.pull_register_body(shortcode=shortcode, nominated_number=nominated_number, reply_url=url)
    answer = daraja.call("pull_register", wire_more.PULL_REGISTER_PATH, body, budget=budget)
    found = body_of(answer)
    status = wire.code(found.get("ResponseStatus", found.get("Response Status", found.get("ResponseCode"))))
    if answer.status == 200 and status in _REGISTERED:
        return "registered" if status == _REGISTERED[0] else "registered before"
    raise error_of("pull_register", fault_of(answer))


def _rows(value: object, depth: int) -> Iterator[object]:
    """What stands in lists within lists. Each is a row, also where it can't be one: the provider counts it too."""
    if isinstance(value, list) and depth:
        for one in value:
            yield from _rows(one, depth - 1)
    elif depth < _DEPTH or isinstance(value, dict):
        # Nothing found may also come as the text `[[]]`, in no list at all.
        yield value


def _money(row: object) -> MoneyIn | None:
    if not isinstance(row, dict):
        return None
    receipt = wire.receipt_number(row.get("transactionId"))
    amount = wire.shillings(row.get("amount"))
    if receipt is None or amount is None or not amount.units:
        return None
    typed = row.get("billreference")
    reference = str(typed).strip()[:64] if isinstance(typed, (int, str)) and not isinstance(typed, bool) else ""
    return MoneyIn(
        receipt_namespace=RECEIPTS,
        receipt_number=receipt,
        amount=amount,
        happened_at=wire.moment(row.get("trxDate")),
        reference=reference or None,
        payer_hint=wire.payer_hint(row.get("msisdn")),
    )
