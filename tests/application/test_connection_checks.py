"""Checks of connections, and their configuration as an operator sees and changes it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.adapters.lines import Lines
from gateway.application.connection_settings import ConfigureConnection, masked
from gateway.application.interfaces import Call
from gateway.application.money_in import house
from gateway.domain.businesses import HOUSE
from gateway.domain.errors import Invalid
from ports.abilities import FindingState
from ports.errors import Misconfigured
from tests.application import harness
from tests.application.conftest import MakeWorld
from tests.application.harness import ACT, World
from tests.application.telling import TELLING, TellingChannel
from tests.fakes.context import FakeWorld

HOUSE_CALL = Call(business_id=HOUSE, livemode=False)
SCHEMA = {
    "type": "object",
    "properties": {
        "shortcode": {"type": "string"},
        "password": {"type": "string", "secret": True},
        "password_set_on": {"type": "string"},
    },
}


@pytest.fixture
def world(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(harness, "InterruptedChannel", TellingChannel)
    return make_world(channel_offers=TELLING)


def check(world: World, *, go_live: bool = False) -> dict[str, tuple[FindingState, str]]:
    found = world.operator.operation.check(world.channel_line.id, livemode=False, go_live=go_live)
    return {f.name: (f.state, f.words) for f in found.findings}


def test_a_check_tells_what_is_well_and_what_is_not(world: World) -> None:
    found = check(world)
    assert found["configuration"][0] is FindingState.OK
    assert found["float"] == (FindingState.OK, "Payouts: 100000000 minor units by the books")
    assert found["pocket"][0] is FindingState.WARNING
    assert found["callback list"] == (FindingState.WARNING, "off")
    assert found["state"] == (FindingState.OK, "active")
    assert found["clock"][0] is FindingState.OK
    assert "before money: live mode" not in found
    world.operator.desk.pause_connection(world.channel_line.id, ACT)
    assert check(world)["state"] == (FindingState.WRONG, f"paused: {ACT.reason}")


def test_before_real_money_the_whole_list_stands_with_its_state(world: World) -> None:
    found = {name: state for name, (state, _) in check(world, go_live=True).items()}
    assert found["before money: live mode"] is FindingState.WRONG
    assert found["before money: trial"] is FindingState.WRONG
    assert found["before money: threshold"] is FindingState.WRONG
    world.operator.operation.floats.set_threshold(world.channel_float.id, 1)
    assert check(world, go_live=True)["before money: threshold"][0] is FindingState.OK


def test_a_credential_that_ages_is_told_once_and_ends_when_it_is_renewed(world: World) -> None:
    channel = world.channel
    assert isinstance(channel, TellingChannel)
    channel.due = world.now + timedelta(days=90)
    sql = (
        "SELECT count(*) FROM gateway.alert"
        " WHERE kind = 'credential_ageing' AND subject_id = :c AND resolved_at IS NULL"
    )

    def watched() -> int:
        again = world.run("connection.check", world.channel_line.id, HOUSE_CALL)
        assert again == world.now + timedelta(days=1)
        return int(world.value(sql, c=world.channel_line.id))

    assert watched() == 0
    world.clock.forward(75 * 86_400)
    assert watched() == 0
    world.clock.forward(86_400)
    assert watched() == 1
    assert watched() == 1
    channel.due = world.now + timedelta(days=90)
    assert watched() == 0


# Configuration


def _trial(_: Any, config: Any) -> None:
    if "shortcode" not in config:
        raise Invalid("configuration: /shortcode: missing", code="configuration_invalid", param="/config")


def configure(world: World) -> ConfigureConnection:
    real = world.operator.operation.configure
    return ConfigureConnection(
        unit=real.unit, desk=real.desk, schema_of=lambda _: SCHEMA, trial=_trial, now=lambda: world.now
    )


def test_what_is_not_given_is_kept_and_secrets_are_never_shown(world: World) -> None:
    desk, line = configure(world), world.channel_line
    first = desk.change(line.id, {"shortcode": "600100", "password": "a long secret 9876"}, ACT)
    shown = desk.show(line.id)
    assert shown["config"] == {"shortcode": "600100", "password": "••••9876"}
    assert "long secret" not in json.dumps(shown)
    assert desk.change(line.id, {"shortcode": "600200", "password": "••••9876"}, ACT) == first + 1
    assert _kept(world) == {"shortcode": "600200", "password": "a long secret 9876"}
    with pytest.raises(Invalid) as refused:
        desk.change(line.id, {"shortcode": None}, ACT)
    assert "/shortcode" in refused.value.detail
    assert _kept(world)["shortcode"] == "600200"


def _kept(world: World) -> dict[str, object]:
    with world.operator.units(house(False), read_only=True) as work:
        return dict(work.connections.get(world.channel_line.id).config)


def test_a_renewed_secret_takes_its_day_along(world: World) -> None:
    desk, line = configure(world), world.channel_line
    desk.change(line.id, {"shortcode": "600100", "password": "old"}, ACT)
    desk.renew(line.id, "password", "new", ACT)
    assert _kept(world) == {"shortcode": "600100", "password": "new", "password_set_on": "2026-11-24"}
    with pytest.raises(Invalid):
        desk.renew(line.id, "shortcode", "1", ACT)
    actions = [row[0] for row in world.rows("SELECT action FROM gateway.audit WHERE subject_id = :c", c=line.id)]
    assert {"connection.set", "connection.rotate-secret"} <= set(actions)


def test_a_short_secret_shows_nothing_of_itself() -> None:
    assert (masked("pass"), masked("correct horse")) == ("••••", "••••orse")


def test_the_trial_names_the_field(world: World) -> None:
    def refuse(*_: Any) -> Any:
        raise Misconfigured("configuration: /passkey: missing")

    code = world.channel_code
    lines = Lines(
        rails={},
        channels={code: replace(world.channel.registration(code), build=refuse, config_schema=SCHEMA)},
        lend=lambda _: FakeWorld().context,
    )
    operation = replace(world.operator.operation, lines=lines, lend=lines.lend)
    with pytest.raises(Invalid) as refused:
        operation.configure.change(world.channel_line.id, {"x": "1"}, ACT)
    assert (refused.value.code, refused.value.param) == ("configuration_invalid", "/config")
    assert "/passkey" in refused.value.detail
