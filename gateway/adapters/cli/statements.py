"""`statement import`, `statement list`, `statement show`: a provider's statement against the books."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gateway.adapters.cli.operator import act_of, live, read_id, reason
from gateway.domain.ids import Prefix
from ports.statement import LineKind


@click.group("statement")
def statement() -> None:
    """Providers' statements."""


@statement.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--connection", "connection_id", required=True, help="con_…: whose statement it is.")
@click.option("--preview", is_flag=True, help="Show what it holds and keep nothing.")
@click.option("--any-account", is_flag=True, help="Also when the file names another account than the connection.")
@reason
@click.pass_obj
def import_(cli: Any, file: Path, connection_id: str, preview: bool, any_account: bool, reason: str) -> None:
    """Read FILE, keep its lines, and let workers settle them."""
    import_statement, which = cli.gateway("operator").statements.import_, read_id(Prefix.CONNECTION, connection_id)
    content = file.read_bytes()
    click.echo(f"reading {len(content):,} bytes", err=True)
    shown = import_statement(
        which,
        file.name,
        content,
        act_of(reason),
        preview=preview,
        any_account=any_account,
        tell=lambda done: click.echo(f"kept {done:,} lines", err=True),
    )
    _show_file(shown)
    if preview:
        click.echo("nothing was kept")
        return
    click.echo(f"{shown['id']} is kept; workers settle it: statement show {shown['id']}")


@statement.command("list")
@live
@click.pass_obj
def list_(cli: Any, live: bool) -> None:
    """The newest first."""
    rows = [
        [s["id"], s["created"], s["status"], s["account"], _period(s), f"{s['lines']:,}", f"{s['new']:,}", s["name"]]
        for s in cli.gateway("operator").statements.read.latest(livemode=live)
    ]
    _table(["statement", "imported", "status", "account", "period", "lines", "new", "file"], rows)


@statement.command("show")
@click.argument("statement_id")
@click.option("--unmatched", is_flag=True, help="Its lines that a person should look at.")
@click.option("--kind", type=click.Choice([kind.value for kind in LineKind]), help="Its lines of one kind.")
@click.option("--limit", default=1000, show_default=True, help="At most so many lines.")
@live
@click.pass_obj
def show(cli: Any, statement_id: str, unmatched: bool, kind: str | None, limit: int, live: bool) -> None:
    """Counts and sums by kind and outcome; with --unmatched or --kind also the lines."""
    read, which = cli.gateway("operator").statements.read, read_id(Prefix.STATEMENT, statement_id)
    _show_statement(read.one(which, livemode=live))
    if unmatched or kind:
        _show_lines(read.lines(which, livemode=live, kind=kind, unmatched=unmatched, limit=limit))


def _show_file(shown: dict[str, Any]) -> None:
    warning = ": the connection is configured with another one" if shown["account_differs"] else ""
    click.echo(f"account {shown['account'] or 'not named'}{warning}")
    click.echo(f"period {_period(shown)}, opening {_sum(shown['opening'])}, closing {_sum(shown['closing'])}")
    rows = [[k["kind"], f"{k['count']:,}", _sum(k["came_in"]), _sum(k["left"])] for k in shown["kinds"]]
    _table(["kind", "lines", "came in", "left"], rows)
    click.echo(
        f"{shown['lines']:,} lines: {shown['new']:,} new, {shown['known']:,} known from earlier files,"
        f" {shown['not_completed']:,} not completed, {shown['unclear']:,} not understood"
    )
    rows = [[str(u["row"]), u["receipt_number"], _sum(u["amount"]), u["detail"]] for u in shown["unclear_lines"]]
    if rows:
        _table(["row", "number", "sum", "not understood"], rows)


def _show_statement(shown: dict[str, Any]) -> None:
    click.echo(f"{shown['id']} {shown['status']}: {shown['name']}, account {shown['account'] or 'not named'}")
    click.echo(
        f"period {_period(shown)}; {shown['lines']:,} lines, {shown['known']:,} of them known from earlier files"
    )
    rows = [[s["kind"], s["outcome"], f"{s['count']:,}", _sum(s["came_in"]), _sum(s["left"])] for s in shown["summary"]]
    _table(["kind", "outcome", "lines", "came in", "left"], rows)
    if shown["missing"]:
        rows = [[m["payout"], m["receipt_number"] or "", _sum(m["amount"]), m["paid_at"]] for m in shown["missing"]]
        _table(["payout, paid in the books and on no statement", "number", "sum", "paid"], rows)
    balance = shown["balance"]
    if balance is not None:
        click.echo(
            f"closing balance {_sum(balance['statement'])}, the books at {balance['at']} {_sum(balance['books'])},"
            f" difference {_sum(balance['difference'])}"
        )


def _show_lines(lines: Sequence[dict[str, Any]]) -> None:
    rows = [
        [
            str(one["row"]),
            one["happened_at"],
            one["kind"],
            one["receipt_number"],
            _sum(one["amount"] if one["comes_in"] else -one["amount"]),
            one["outcome"],
            one["matched"] or one["original_receipt"] or "",
            one["reference"] or "",
            one["payer_hint"] or "",
        ]
        for one in lines
    ]
    _table(["row", "when", "kind", "number", "sum", "outcome", "matched, or of", "typed", "payer"], rows)


def _period(shown: dict[str, Any]) -> str:
    return f"{shown['since']} to {shown['until']}" if shown["since"] and shown["until"] else "not named"


def _sum(units: int | None) -> str:
    """Whole coins with thousands: every asset here has two decimals."""
    if units is None:
        return "not named"
    return f"{'-' if units < 0 else ''}{abs(units) // 100:,}.{abs(units) % 100:02d}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(str(row[place])) for row in [head, *rows]) for place in range(len(head))]
    for row in [head, *rows]:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
