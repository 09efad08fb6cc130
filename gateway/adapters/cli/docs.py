"""`python -m gateway docs`: writes the pages that are generated from the code, or checks that they are up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import click

from gateway.domain.attempts import ATTEMPT
from gateway.domain.chain_transfers import CHAIN_TRANSFER
from gateway.domain.conversions import CONVERSION
from gateway.domain.payments import PAYMENT
from gateway.domain.payouts import PAYOUT, PAYOUT_ATTEMPT
from gateway.domain.refunds import REFUND, REFUND_ATTEMPT
from gateway.domain.states import Machine

_HEAD = """# State machines

Generated from the tables in `gateway/domain` by `make docs`; don't edit. A dashed cell is a refusal: the call is
answered with 409 and the steps that are allowed. A road to the same state is a no-op. Double-ringed states are final;
where one still has a road out, it is proved money that came late.
"""


@click.command("docs")
@click.option("--check", is_flag=True, help="Change nothing; fail when a page is out of date.")
@click.option("--dir", "directory", default="docs", type=click.Path(path_type=Path), show_default=True)
@click.pass_obj
def docs(desk: Any, check: bool, directory: Path) -> None:
    """Write the generated pages."""
    pages: Mapping[str, Callable[[], str]] = {"states.md": states_page, **getattr(desk, "pages", {})}
    stale = []
    for name, render in pages.items():
        path, text = directory / name, render()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(str(path))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if check and stale:
        raise click.ClickException(f"out of date: {', '.join(stale)}; run `make docs` and commit")
    click.echo(f"{len(pages)} generated pages are up to date" if check or not stale else f"wrote {', '.join(stale)}")


def states_page() -> str:
    """All machines, each as a diagram and as its total table."""
    machines: tuple[Machine[Any, Any], ...] = (
        PAYMENT,
        ATTEMPT,
        PAYOUT,
        PAYOUT_ATTEMPT,
        REFUND,
        REFUND_ATTEMPT,
        CONVERSION,
        CHAIN_TRANSFER,
    )
    return _HEAD + "".join(_section(machine) for machine in machines)


def _section(machine: Machine[Any, Any]) -> str:
    return f"\n## {machine.name.capitalize()}\n\n{_diagram(machine)}\n{_table(machine)}"


def _diagram(machine: Machine[Any, Any]) -> str:
    """Roads that lead somewhere else, those with the same ends on one line."""
    roads: dict[tuple[str, str], list[str]] = {}
    for (state, step), to in machine.roads.items():
        if state is not to:
            roads.setdefault((state.value, to.value), []).append(step.value)
    first = _members(machine.states)[0]
    lines = [f"    [*] --> {first.value}"]
    lines += [f"    {a} --> {b}: {', '.join(steps)}" for (a, b), steps in sorted(roads.items())]
    lines += [f"    {state.value} --> [*]" for state in _members(machine.states) if state in machine.ends]
    return "```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n"


def _table(machine: Machine[Any, Any]) -> str:
    head = "| state | " + " | ".join(step.value for step in _members(machine.steps)) + " |"
    rule = "| --- |" + " --- |" * len(_members(machine.steps))
    rows = [
        f"| **{state.value}** | " + " | ".join(_cell(machine, state, step) for step in _members(machine.steps)) + " |"
        for state in _members(machine.states)
    ]
    return "\n".join([head, rule, *rows]) + "\n"


def _members(kind: type[Enum]) -> list[Enum]:
    return list(kind)


def _cell(machine: Machine[Any, Any], state: Enum, step: Enum) -> str:
    if not machine.allows(state, step):
        return "–"
    to = machine.roads[state, step]
    return "same" if to is state else str(to.value)
