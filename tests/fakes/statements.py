"""The fake provider's statements: a line of JSON for the account, then one for each row. All of it is read, or none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from ports.errors import Unreadable
from ports.money import KES, Money
from ports.statement import LineKind, StatementFile, StatementLine

#: Every row ends so: without it a row may have lost something.
END = "."


def written(account: str, lines: Iterable[StatementLine], **more: object) -> bytes:
    """A file as the provider writes it, each row with `more` columns."""
    rows: list[Mapping[str, object]] = [{"account": account}]
    for one in lines:
        rows.append(
            {
                **more,
                "kind": one.kind.value,
                "number": one.receipt_number,
                "at": one.happened_at.isoformat(),
                "units": one.amount.units if one.comes_in else -one.amount.units,
                "done": one.completed,
                "who": one.payer_hint,
            }
        )
    return "".join(f"{json.dumps(row)}{END}\n" for row in rows).encode()


def read(namespace: str, content: bytes) -> StatementFile:
    """The file as values. Raises Unreadable, naming the row."""
    try:
        head, *rows = content.decode().splitlines()
        account = json.loads(head.removesuffix(END))["account"]
    except (ValueError, TypeError, KeyError):
        raise Unreadable("no statement of the fake provider") from None
    return StatementFile(
        account=str(account),
        receipt_namespace=namespace,
        since=None,
        until=None,
        opening=None,
        closing=None,
        lines=tuple(_line(number, row) for number, row in enumerate(rows, start=1)),
    )


def _line(number: int, row: str) -> StatementLine:
    try:
        if not row.endswith(END):
            raise ValueError("cut short")
        told = json.loads(row.removesuffix(END))
        if type(told["units"]) is not int or not told["units"]:
            raise ValueError("units")
        happened_at = datetime.fromisoformat(told["at"])
        return StatementLine(
            row=number,
            kind=LineKind(told["kind"]),
            receipt_number=str(told["number"]),
            happened_at=happened_at,
            amount=Money(units=abs(told["units"]), asset=KES),
            comes_in=told["units"] > 0,
            completed=bool(told["done"]),
            payer_hint=f"…{told['who'][-3:]}" if told["who"] else None,
        )
    except (ValueError, TypeError, KeyError):
        raise Unreadable(f"row {number} can't be read") from None
