"""The commands of the operator's day, typed: what they print, and what they refuse."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from gateway.__main__ import main
from gateway.domain.errors import GatewayError, Invalid
from gateway.domain.ids import Prefix, encode
from tests.application import harness
from tests.application.conftest import MakeWorld
from tests.application.harness import FUNDED, World
from tests.application.telling import TELLING, TellingChannel

WHY = ("--reason", "a test of the commands")


@pytest.fixture
def world(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(harness, "InterruptedChannel", TellingChannel)
    return make_world(channel_offers=TELLING)


def typed(world: World, *words: str) -> Result:
    """Run a command on this world's operator."""
    command = main.commands[words[0]]
    cli = SimpleNamespace(gateway=lambda _: world.operator)
    done = CliRunner().invoke(command, words[1:], obj=cli)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_windows_callers_and_pocket(world: World) -> None:
    con = encode(Prefix.CONNECTION, world.channel_line.id)
    made = typed(world, "connection", "window", "add", con, "--from", "00:00", "--to", "04:30", *WHY).output.strip()
    assert typed(world, "connection", "window", "list", con).output == f"{made} daily 00:00 04:30\n"
    assert typed(world, "connection", "window", "remove", con, made, *WHY).output == "removed\n"
    assert typed(world, "connection", "window", "list", con).output == "no windows\n"
    with pytest.raises(Invalid):
        typed(world, "connection", "window", "add", con, "--from", "00:00", "--to", "2026-11-24T01:00", *WHY)
    with pytest.raises(Invalid):
        typed(world, "connection", "callers", con, "log", "--network", "196.201.214.207/24", *WHY)
    said = typed(world, "connection", "callers", con, "log", "--network", "196.201.214.0/24", *WHY).output
    assert said == "log: 196.201.214.0/24\n"
    assert typed(world, "connection", "callers", con, "off", *WHY).output == "off: 196.201.214.0/24\n"
    assert typed(world, "connection", "pocket", con, "Utility Account", *WHY).output == "set\n"
    checked = typed(world, "connection", "check", con)
    assert checked.exit_code == 0
    assert "ok    pocket: Utility Account" in checked.output
    assert typed(world, "connection", "check", con, "--go-live").exit_code == 1


def test_a_mode_is_named_when_it_is_paused(world: World) -> None:
    assert typed(world, "pause", "payouts", *WHY).exit_code == 2
    assert typed(world, "pause", "payouts", "--live", *WHY).output == "paused\n"
    assert typed(world, "resume", "payouts", "--live", *WHY).output == "resumed\n"


def test_floats_and_moves(world: World) -> None:
    source, target = (encode(Prefix.FLOAT, f.id) for f in (world.channel_float, world.rail_float))
    assert typed(world, "float", "threshold", source, "5000", *WHY).output == "set\n"
    rows = [json.loads(line) for line in typed(world, "float", "list").output.splitlines()]
    (row,) = [r for r in rows if r["id"] == source]
    assert (row["books"], row["promised"], row["provider"], row["threshold"]) == (FUNDED, 0, None, 5000)
    con = encode(Prefix.CONNECTION, world.channel_line.id)
    where = ("--connection", con, "--from", source, "--to", target, "--amount", "1000")
    with pytest.raises(Invalid) as refused:
        typed(world, "float", "move", *where, *WHY)
    assert refused.value.code == "move_invalid"
    with pytest.raises(Invalid) as refused:
        typed(world, "float", "move", *where, "--pockets", "working:utility")
    assert refused.value.code == "reason_required"
    made = typed(world, "float", "move", *where, "--pockets", "working:utility", *WHY).output.strip()
    world.settle()
    listed = [json.loads(line) for line in typed(world, "float", "move", "list", "--test").output.splitlines()]
    assert [(r["id"], r["status"]) for r in listed if r["id"] == made] == [(made, "submitted")]
    with pytest.raises(Invalid):
        typed(world, "float", "move", "resolve", made, *WHY)
    assert typed(world, "float", "move", "resolve", made, "--arrived", "QK9", *WHY).output == "succeeded\n"
    assert world.float_units(world.rail_float.id) == 1000
    with pytest.raises(GatewayError):
        typed(world, "float", "move", "resolve", made, "--failed", *WHY)
