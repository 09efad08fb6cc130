"""`python -m gateway worker`: the processes that do due work, one queue each."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Protocol

import click

_DEFAULT = "pay=3,ask=3,send=3,slow=1,tend=1"
_MOST = 64


class Works(Protocol):
    """Runs until it is told to stop; gives an exit status."""

    def run(self) -> int:
        """Run."""


class HasWorkers(Protocol):
    """As much of the command line's desk as this command uses."""

    def workers(self, processes: Mapping[str, int], *, drain_s: float) -> Works:
        """The workers, everything imported and nothing connected."""


def parse_processes(text: str) -> dict[str, int]:
    """Read `pay=2,send=1`. Raises click.BadParameter."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, equals, number = part.strip().partition("=")
        if not equals or not number.isascii() or not number.isdecimal() or int(number) > _MOST or name in found:
            raise click.BadParameter(f"write it like {_DEFAULT}, each queue once, at most {_MOST} processes")
        found[name] = int(number)
    return found


@click.command("worker")
@click.option("--processes", default=_DEFAULT, show_default=True, help="How many processes for each queue.")
@click.option("--drain-s", default=30.0, show_default=True, help="How long a job at hand may take to end.")
@click.pass_obj
def worker(cli: HasWorkers, processes: str, drain_s: float) -> None:
    """Send prompts and payouts, ask about them, weigh callbacks, deliver webhooks; SIGTERM ends it in good order."""
    sys.exit(cli.workers(parse_processes(processes), drain_s=drain_s).run())
