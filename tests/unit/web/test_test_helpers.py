"""The test clock: a sandbox's test keys move it, and nobody else knows of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests.unit.web.scripted import LIVE_KEY, World, auth


class Clock:
    """A clock that can be moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 24, 5, 45, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: int) -> datetime:
        self.time += timedelta(seconds=seconds)
        return self.time


@pytest.fixture
def sandbox(world: World) -> FlaskClient:
    return world.client(test_clock=Clock())


def test_a_test_key_moves_the_clock(sandbox: FlaskClient) -> None:
    answer = sandbox.post("/v1/test_helpers/clock/advance", json={"seconds": 90}, headers=auth())
    assert (answer.status_code, answer.json) == (200, {"object": "test_clock", "now": "2026-11-24T05:46:30.000000Z"})
    assert sandbox.get("/v1/test_helpers/clock", headers=auth()).json == answer.json


@pytest.mark.parametrize("seconds", [0, -1, "90", 1.5, None, 10**9])
def test_the_clock_goes_forward_by_whole_seconds(sandbox: FlaskClient, seconds: object) -> None:
    answer = sandbox.post("/v1/test_helpers/clock/advance", json={"seconds": seconds}, headers=auth())
    assert (answer.status_code, answer.json["param"]) == (400, "/seconds")


def test_live_keys_find_nothing(sandbox: FlaskClient) -> None:
    assert sandbox.get("/v1/test_helpers/clock", headers=auth(LIVE_KEY)).status_code == 404
    moved = sandbox.post("/v1/test_helpers/clock/advance", json={"seconds": 1}, headers=auth(LIVE_KEY))
    assert moved.status_code == 404


def test_another_installation_has_no_helpers(client: FlaskClient) -> None:
    assert client.get("/v1/test_helpers/clock", headers=auth()).json["code"] == "route_not_found"
    assert "/v1/test_helpers/clock" not in client.get("/openapi.json").json["paths"]
