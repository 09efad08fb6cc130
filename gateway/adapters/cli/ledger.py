"""`python -m gateway ledger`: the proof of the books, as a table that a person reads and a script obeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import click

from gateway.application.ledger import Finding, LedgerService, Verdict

_COLOURS = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


class HasLedger(Protocol):
    """An operator's use cases, as far as the books are concerned."""

    @property
    def ledger(self) -> LedgerService:
        """The books."""


class HasUseCases(Protocol):
    """A gateway of one role."""

    @property
    def use_cases(self) -> HasLedger:
        """What it can do."""


class OperatorCli(Protocol):
    """What the commands get from the process: a gateway for a role, built when it is asked for."""

    def gateway(self, role: str) -> HasUseCases:
        """The gateway of that role."""


@click.group("ledger")
def ledger() -> None:
    """Look after the books."""


@ledger.command("check")
@click.pass_obj
def check(cli: OperatorCli) -> None:
    """Prove every invariant of the books; exit status 1 when one doesn't hold."""
    findings = cli.gateway("operator").use_cases.ledger.check()
    for line in table(findings):
        click.echo(line)
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise click.exceptions.Exit(1)


def table(findings: Sequence[Finding]) -> list[str]:
    """One line a finding, and a last line that says whether the books hold."""
    width = max(len(finding.name) for finding in findings)
    lines = [
        f"{click.style(finding.verdict.value, fg=_COLOURS[finding.verdict])}"
        f"  {finding.name:<{width}}  {finding.seconds * 1000:7.1f} ms  {finding.evidence}"
        for finding in findings
    ]
    broken = sum(finding.verdict is Verdict.FAIL for finding in findings)
    verdict = "The books hold." if not broken else f"The books do not hold: {broken} of {len(findings)} checks fail."
    return [*lines, verdict]
