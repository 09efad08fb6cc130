"""`python -m gateway relay`: carries due work to the workers' queues, and does the chores."""

from __future__ import annotations

import signal
from threading import Event
from typing import Protocol

import click


class Relays(Protocol):
    """Runs until `stop` is set."""

    def run(self, stop: Event) -> None:
        """Run."""


class HasRelay(Protocol):
    """As much of the command line's desk as this command uses."""

    def relay(self) -> Relays:
        """The relay."""


@click.command("relay")
@click.pass_obj
def relay(cli: HasRelay) -> None:
    """Hand what is due to the workers. Two relays share the work."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    cli.relay().run(stop)
