"""The two histories of a wallet, newest first, by pages; nothing found comes as an error."""

from __future__ import annotations

from typing import Any

from plugins.sandbox.swypt import offramp, onramp
from plugins.sandbox.swypt.shapes import Refusal, Reply, answer
from plugins.sandbox.swypt.simulator import Simulator

ROWS_MAX = 100


def deposits(sim: Simulator, wallet: str, args: dict[str, str]) -> Reply:
    """GET /deposit-transactions/:userAddress."""
    found = [one for one in sim.orders.newest_first() if one.wallet.lower() == wallet.lower()]
    rows = [onramp.history_row(sim, one, len(found) - at) for at, one in enumerate(found)]
    return _page(sim, rows, args, "No transactions found for the given user address")


def withdrawals(sim: Simulator, wallet: str, args: dict[str, str]) -> Reply:
    """GET /withdrawal-transactions/:userAddress."""
    found = [one for one in sim.withdrawals.newest_first() if one.wallet.lower() == wallet.lower()]
    rows = [offramp.history_row(sim, one, len(found) - at) for at, one in enumerate(found)]
    return _page(sim, rows, args, "No B2C transactions found for the given user address.")


def _page(sim: Simulator, rows: list[dict[str, Any]], args: dict[str, str], nothing: str) -> Reply:
    if not rows:
        raise Refusal(404, nothing)
    asks = sim.settings.pages != "first"
    page = _number(args.get("page"), 1) if asks else 1
    limit = min(_number(args.get("limit"), sim.settings.page_rows), ROWS_MAX) if asks else sim.settings.page_rows
    pages = -(-len(rows) // limit)
    if sim.settings.pages == "endless":
        # Whatever is asked for, the same rows come, and there is always one page more.
        shown, pages = rows[:limit], page + 1
    else:
        shown = rows[(page - 1) * limit : page * limit]
    told = {"currentPage": page, "limit": limit, "totalPages": pages, "totalCount": len(rows)}
    return answer({"status": 200, "message": "Transactions retrieved successfully", "data": shown, "pagination": told})


def _number(text: str | None, otherwise: int) -> int:
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 7 else otherwise
