"""What isn't the API: health, callbacks, the documents, and the headers that all answers share."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from gateway.adapters.web import app as web_app
from gateway.adapters.web.error_codes import CODES
from gateway.adapters.web.settings import Probe
from gateway.domain.errors import Busy, NotFound
from tests.unit.web.scripted import PAYMENT, World, auth, raising

SECRET = "0123456789abcdef" * 2
CALLBACK = f"/in/0a1b2c3d/{SECRET}"


def test_every_answer_bears_its_headers(client: FlaskClient) -> None:
    seen = set()
    for path in ("/healthz", "/nowhere", f"/v1/payments/{PAYMENT}", "/docs", "/openapi.json", "/static/docs/docs.css"):
        answer = client.get(path, headers={"Request-Id": "req_mine"})
        answer.close()
        assert re.fullmatch(r"req_[0-9A-HJKMNP-TV-Z]{26}", answer.headers["Request-Id"])
        seen.add(answer.headers["Request-Id"])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert len(seen) == 6


def test_transport_security_is_asked_for_over_https_only(world: World) -> None:
    answer = world.client(public_url="http://127.0.0.1:8080").get("/healthz")
    assert "Strict-Transport-Security" not in answer.headers


def test_answers_of_the_api_are_not_stored_by_caches(client: FlaskClient) -> None:
    assert client.get(f"/v1/payments/{PAYMENT}", headers=auth()).headers["Cache-Control"] == "no-store"


def test_a_request_is_logged_once_by_its_route_and_with_its_id(client: FlaskClient) -> None:
    with capture_logs() as lines:
        answer = client.get(f"/v1/payments/{PAYMENT}", headers=auth())
        client.get("/healthz")
    (line,) = lines
    assert (line["route"], line["method"], line["status"]) == ("/v1/payments/<payment_id>", "GET", 200)
    assert answer.headers["Request-Id"].startswith("req_")


def test_healthz_asks_nobody(world: World) -> None:
    client = world.client(probes=(Probe(name="database", check=lambda: "down"),))
    assert (client.get("/healthz").status_code, client.get("/healthz").json) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("database", "redis", "status", "word"),
    [
        (None, None, 200, "ready"),
        (None, "no answer", 200, "degraded"),
        ("no answer", None, 503, "unavailable"),
        ("no answer", "no answer", 503, "unavailable"),
    ],
)
def test_readyz_tells_what_is_wrong(
    world: World, database: str | None, redis: str | None, status: int, word: str
) -> None:
    probes = (
        Probe(name="database", check=lambda: database),
        Probe(name="redis", check=lambda: redis, required=False),
    )
    answer = world.client(probes=probes).get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (status, word)
    assert answer.json["checks"]["redis"] == {"ok": redis is None, "required": False, "detail": redis}


@pytest.mark.parametrize("content_type", ["application/json", "text/xml", "", "application/octet-stream"])
def test_a_callback_is_handed_over_as_it_came(client: FlaskClient, world: World, content_type: str) -> None:
    answer = client.post(CALLBACK, data=b"\xff\x00 any", content_type=content_type, headers={"User-Agent": "safaricom"})
    assert (answer.status_code, answer.get_data(), answer.content_type) == (
        200,
        b'{"ResultCode":0}',
        "application/json",
    )
    ((tag, secret, given),) = world.asked
    assert (tag, secret, given["body"], given["peer"]) == ("0a1b2c3d", SECRET, b"\xff\x00 any", "127.0.0.1")
    assert given["headers"]["user-agent"] == "safaricom"


@pytest.mark.parametrize(
    "path",
    [
        "/in/0a1b2c3d/short",
        f"/in/0A1B2C3D/{SECRET}",
        f"/in/0a1b2c3d/{SECRET.upper()}",
        f"/in/0a1b2c3d/{SECRET}0",
        f"/in/0a1b2c3d/{SECRET[:-1]}g",
        f"/in/0a1b2c3/{SECRET}",
    ],
)
def test_another_spelling_is_no_address(client: FlaskClient, world: World, path: str) -> None:
    answer = client.post(path, data=b"{}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert world.asked == []


def test_a_callback_of_nobody_is_a_404(client: FlaskClient, world: World) -> None:
    world.received = raising(NotFound("nothing is expected at this address"))
    assert client.post(CALLBACK, data=b"{}").status_code == 404


def test_a_callback_that_could_not_be_kept_asks_for_another(client: FlaskClient, world: World) -> None:
    world.received = raising(Busy("x"))
    assert client.post(CALLBACK, data=b"{}").status_code == 503


def test_a_huge_callback_is_refused(client: FlaskClient, world: World) -> None:
    assert client.post(CALLBACK, data=b"x" * 70_000).status_code == 413
    assert world.asked == []


def test_the_secret_of_a_callback_is_not_in_the_log(client: FlaskClient, world: World) -> None:
    world.received = raising(RuntimeError("broken"))
    with capture_logs() as lines:
        client.post(CALLBACK, data=b"{}")
    assert lines
    assert SECRET not in repr([{k: v for k, v in line.items() if k != "exc_info"} for line in lines])


def test_the_documents_need_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.content_type.startswith("text/html")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    text = page.get_data(as_text=True)
    assert "http" not in text
    wanted = re.findall(r'(?:src|href)="(/[^"]+)"', text)
    assert wanted
    for path in wanted:
        with client.get(path) as found:
            assert found.status_code == 200
    assert not re.search(r"<script>|<style| style=| onload=", text)


def test_every_error_is_explained_on_its_page(client: FlaskClient) -> None:
    text = client.get("/docs/errors").get_data(as_text=True)
    for code in CODES:
        assert f'id="{code}"' in text


def test_the_vendored_files_are_what_their_list_says() -> None:
    folder = Path(web_app.__file__).parent / "static" / "docs"
    listed = re.findall(r"^([0-9a-f]{64})  (\S+)$", (folder / "VENDORED.txt").read_text(), re.MULTILINE)
    assert len(listed) == 5
    for digest, name in listed:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    ours = {"VENDORED.txt", "start.js", "docs.css"}
    assert {path.name for path in folder.iterdir()} == ours | {name for _, name in listed}
