"""The door before the framework: few words, the same manners, and no honest news refused for a stranger's lies."""

from __future__ import annotations

from flask.testing import FlaskClient
from structlog.testing import capture_logs

from gateway.adapters.web.headers import CAUTION
from gateway.domain.errors import Conflict, NotFound, TooMany
from tests.unit.web.scripted import World, raising

CALLBACK = "/in/0a1b2c3d/" + "0" * 32


def test_what_is_refused_has_the_manners_of_every_other_answer(client: FlaskClient, world: World) -> None:
    world.received = raising(NotFound("nothing is expected at this address"))
    answer = client.post(CALLBACK, data=b"{}")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert (answer.json["code"], answer.json["status"], answer.json["retryable"]) == ("not_found", 404, False)
    assert answer.json["request_id"] == answer.headers["Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert {name: answer.headers[name] for name in CAUTION} == CAUTION
    assert answer.headers["Strict-Transport-Security"]


def test_an_address_that_was_told_too_much_says_when_to_come_again(client: FlaskClient, world: World) -> None:
    world.received = raising(TooMany("too much", retry_after_s=7))
    answer = client.post(CALLBACK, data=b"{}")
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (429, "rate_limited", True)
    assert answer.headers["Retry-After"] == "7"


def test_wrong_places_of_one_peer_are_counted_and_those_of_another_are_not_touched(world: World) -> None:
    client = world.client(unknown_callback_limit="2/minute")
    wrong = [client.post(f"/in/0a1b2c3d/{n:031x}") for n in range(4)]
    assert [answer.status_code for answer in wrong] == [404, 404, 429, 429]
    assert int(wrong[-1].headers["Retry-After"]) >= 1
    assert world.asked == [], "where the spelling is wrong nothing is looked up"
    assert client.post("/in/x/y", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404
    assert client.post(CALLBACK).status_code == 200


def test_the_peer_is_who_the_trusted_proxy_says(world: World) -> None:
    client = world.client(unknown_callback_limit="1/minute", trusted_proxies=1)
    froms = ("198.51.100.1", "198.51.100.2", "198.51.100.1")
    codes = [client.post("/in/x/y", headers={"X-Forwarded-For": one}).status_code for one in froms]
    assert codes == [404, 404, 429]
    client.post(CALLBACK, headers={"X-Forwarded-For": "198.51.100.9"})
    assert world.asked[-1][2]["peer"] == "198.51.100.9"


def test_whatever_else_goes_wrong_is_answered_by_the_view(client: FlaskClient, world: World) -> None:
    world.received = raising(Conflict("x", code="stale_version"))
    answer = client.post(CALLBACK, data=b"{}")
    assert (answer.status_code, answer.json["code"]) == (409, "stale_version")
    assert len(world.asked) == 1, "the view raises what was met, and doesn't try again"


def test_a_flood_writes_its_first_knocks_into_the_log_and_no_secret(world: World) -> None:
    client = world.client(unknown_callback_limit="2/minute")
    world.received = raising(NotFound("x"))
    with capture_logs() as lines:
        for n in range(20):
            client.post(f"/in/0a1b2c3d/{n:032x}")
    assert len(lines) == 2
    assert f"{0:032x}" not in repr(lines)
