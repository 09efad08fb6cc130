"""The commands that start workers and the relay: what they read, and how they end."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from threading import Event

import click
import pytest
from click.testing import CliRunner

from gateway.adapters.cli.relay import relay
from gateway.adapters.cli.worker import parse_processes, worker


class Desk:
    """Notes what it was asked for."""

    def __init__(self, status: int = 0) -> None:
        self.asked: list[tuple[dict[str, int], float]] = []
        self.status = status
        self.stopped = False

    def workers(self, processes: Mapping[str, int], *, drain_s: float) -> Desk:
        self.asked.append((dict(processes), drain_s))
        return self

    def relay(self) -> RelayOnce:
        return RelayOnce(self)

    def run(self) -> int:
        return self.status


class RelayOnce:
    """A relay that is told to end at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def run(self, stop: Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        self._desk.stopped = stop.wait(5)


def test_the_ordinary_processes() -> None:
    desk = Desk()
    assert CliRunner().invoke(worker, [], obj=desk).exit_code == 0
    assert desk.asked == [({"pay": 3, "ask": 3, "send": 3, "slow": 1, "tend": 1}, 30.0)]


def test_processes_and_patience_can_be_given_and_the_status_is_passed_on() -> None:
    desk = Desk(status=1)
    assert CliRunner().invoke(worker, ["--processes", "pay=4, tend=0", "--drain-s", "5"], obj=desk).exit_code == 1
    assert desk.asked == [({"pay": 4, "tend": 0}, 5.0)]


@pytest.mark.parametrize(
    "text", ["", "pay", "pay=", "pay=-1", "pay=x", "pay=1,pay=2", "pay=65", "pay=1;ask=2", "pay=²"]
)
def test_nonsense_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write it like pay=3"):
        parse_processes(text)
    result = CliRunner().invoke(worker, ["--processes", text], obj=Desk())
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_signal_ends_the_relay_between_turns() -> None:
    desk = Desk()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert CliRunner().invoke(relay, [], obj=desk).exit_code == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert desk.stopped
