"""`python -m gateway watcher`: follows the chains on which we have wallets."""

from __future__ import annotations

import signal
from threading import Event
from typing import Protocol

import click


class Watches(Protocol):
    """Runs until `stop` is set."""

    def run(self, stop: Event) -> None:
        """Run."""


class HasWatcher(Protocol):
    """As much of the command line's desk as this command uses."""

    def watcher(self) -> Watches:
        """The watcher."""


@click.command("watcher")
@click.pass_obj
def watcher(cli: HasWatcher) -> None:
    """Follow the chains: see tokens come and go, and book what is deep enough. A second one does no harm."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    cli.watcher().run(stop)
