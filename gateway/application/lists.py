"""Lists as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.application.commands import ListQuery
from gateway.application.interfaces import Json, Page


def page_of(query: ListQuery) -> Page:
    """The page that a query asks for."""
    return Page(
        limit=query.limit,
        starting_after=query.starting_after,
        ending_before=query.ending_before,
        created_gte=query.created_gte,
        created_gt=query.created_gt,
        created_lte=query.created_lte,
        created_lt=query.created_lt,
        filters=query.filters,
    )


def listed(rows: Sequence[Json], more: bool) -> Json:
    """`{object: list, data, has_more, next_cursor}`; the cursor is the last row's id while there is more."""
    return {
        "object": "list",
        "data": list(rows),
        "has_more": more,
        "next_cursor": rows[-1]["id"] if more and rows else None,
    }
