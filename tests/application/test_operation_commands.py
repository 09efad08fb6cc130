"""The commands of the operator's day, typed: what they print, and what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from gateway.__main__ import main
from gateway.adapters.lines import Lines
from gateway.adapters.plugin_host import load_plugins
from gateway.domain.errors import GatewayError, Invalid
from gateway.domain.ids import Prefix, encode
from tests.application import harness
from tests.application.conftest import MakeWorld
from tests.application.harness import ACT, FUNDED, World
from tests.application.telling import TELLING, TellingChannel
from tests.fakes.context import FakeWorld

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


def test_a_connection_of_m_pesa_is_shown_changed_and_renewed(world: World, tmp_path: Path) -> None:
    plugins = load_plugins(("mpesa",))
    lines = Lines(rails=plugins.rails, channels=plugins.channels, lend=lambda _: FakeWorld().context)
    config = {
        "consumer_key": "consumer-key-1234",
        "consumer_secret": "consumer-secret-5678",
        "shortcode": "174379",
        "passkey": "passkey-passkey-9012",
    }
    line = world.operator.desk.add_connection(
        "mpesa_push", "M-Pesa", world.rail_float.id, config, livemode=False, act=ACT
    )
    operation = replace(world.operator.operation, lines=lines, lend=lines.lend)
    operator = SimpleNamespace(operation=operation, directory=world.operator.directory)
    cli, con = SimpleNamespace(gateway=lambda _: operator), encode(Prefix.CONNECTION, line.id)

    def said(*words: str, given: str = "") -> str:
        done = CliRunner().invoke(main.commands["connection"], words, obj=cli, input=given)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    shown = json.loads(said("show", con))["config"]
    assert shown == {
        "consumer_key": "••••1234",
        "consumer_secret": "••••5678",
        "shortcode": "174379",
        "passkey": "••••9012",
    }
    assert said("set", con, "--field", "shortcode=174380", *WHY) == "set; version 2\n"
    changes = tmp_path / "changes.json"
    changes.write_text(json.dumps({**shown, "shortcode": "174381"}))
    assert said("set", con, "--config", str(changes), *WHY) == "set; version 3\n"
    assert said("rotate-secret", con, "passkey", *WHY, given="another-passkey-3456\n") == "renewed; version 4\n"
    assert json.loads(said("show", con))["config"] == {**shown, "shortcode": "174381", "passkey": "••••3456"}
    with pytest.raises(Invalid) as refused:
        said("set", con, "--field", "passkey=", *WHY)
    assert "/passkey: missing" in refused.value.detail
    assert "another" not in refused.value.detail
    assert "configuration: complete" in said("check", con)
