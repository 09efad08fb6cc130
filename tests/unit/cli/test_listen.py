"""`listen`: forwards what is new once and in order, signed as the official library wants it, to this machine alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from click.testing import CliRunner
from standardwebhooks import Webhook

from gateway.adapters.cli.listen import Listener, events_group, listen, listening_secret
from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.domain.errors import Invalid
from gateway.domain.ids import Prefix, encode
from tests.outbound.receivers import a_receiver

KEY = "sk_test_" + "a" * 32


def event(n: int, type_: str = "payment.created") -> dict[str, Any]:
    return {"id": encode(Prefix.EVENT, UUID(int=n)), "type": type_, "data": {"object": {"id": f"pay_{n}"}}}


class Feed:
    """Events as the API lists them: newest first, pages of `limit`."""

    def __init__(self, *events: Mapping[str, Any], limit: int = 3) -> None:
        self.events, self.limit = list(events), limit

    def __call__(self, cursor: str | None) -> Mapping[str, Any]:
        older = sorted(
            (e for e in self.events if cursor is None or e["id"] < cursor), key=lambda e: str(e["id"]), reverse=True
        )
        page = older[: self.limit]
        more = len(older) > self.limit
        return {"data": page, "next_cursor": page[-1]["id"] if more else None}


def listener(feed: Feed, told: list[str], types: tuple[str, ...] = ("*",)) -> Listener:
    def forward(one: Mapping[str, Any]) -> str:
        told.append(str(one["id"]))
        return "200"

    made = Listener(read=feed, forward=forward, say=lambda _: None, types=types)
    made.begin()
    return made


def test_what_is_new_is_forwarded_once_oldest_first_over_pages() -> None:
    told: list[str] = []
    feed = Feed(*(event(n) for n in range(1, 8)))
    one = listener(feed, told)
    assert one.turn() == 0
    feed.events += [event(n) for n in range(10, 18)]
    assert one.turn() == 8
    assert one.turn() == 0
    assert told == [event(n)["id"] for n in range(10, 18)]


def test_one_that_is_committed_late_under_an_earlier_id_is_forwarded_too() -> None:
    told: list[str] = []
    feed = Feed(event(5))
    one = listener(feed, told)
    feed.events.append(event(20))
    one.turn()
    feed.events.append(event(19))
    one.turn()
    assert told == [event(20)["id"], event(19)["id"]]


def test_only_the_wanted_types_are_forwarded() -> None:
    told: list[str] = []
    feed = Feed()
    one = listener(feed, told, ("payout.*",))
    feed.events += [event(1), event(2, "payout.paid")]
    one.turn()
    assert told == [event(2)["id"]]


def test_the_secret_is_printed_without_asking_anybody() -> None:
    shown = CliRunner().invoke(listen, ["--print-secret", "--key", KEY])
    assert (shown.exit_code, shown.output.strip()) == (0, listening_secret(KEY))
    assert listening_secret(KEY) != listening_secret(KEY + "b")


class Desk:
    settings = None

    def local_sender(self) -> SafeWebhookSender:
        return SafeWebhookSender(now=lambda: datetime.now(UTC), allow_loopback=True)

    def resend_event(self, event_id: UUID, endpoint_id: UUID | None) -> int:
        assert (event_id, endpoint_id) == (UUID(int=7), None)
        return 2


@contextmanager
def an_api(feed: Feed) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Authorization"] == f"Bearer {KEY}"
            parts = urlsplit(self.path)
            asked = parse_qs(parts.query).get("starting_after", [None])[0]
            one = [e for e in feed.events if parts.path.endswith(e["id"])]
            body = json.dumps(one[0] if one else feed(asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_event_that_is_resent_reaches_the_program_and_verifies() -> None:
    with a_receiver() as receiver, an_api(Feed(event(7))) as api:
        arguments = ["resend", event(7)["id"], "--forward-to", receiver.url, "--key", KEY, "--api", api]
        shown = CliRunner().invoke(events_group, arguments, obj=Desk())
        assert (shown.exit_code, shown.output.strip()) == (0, "200")
        [got] = receiver.received
        assert Webhook(listening_secret(KEY)).verify(got.body, got.headers) == event(7)
        assert got.headers["webhook-id"] == event(7)["id"]


def test_an_operator_resends_to_the_endpoints() -> None:
    shown = CliRunner().invoke(events_group, ["resend", event(7)["id"]], obj=Desk())
    assert shown.output.strip() == "sent again to 2 endpoints"


@pytest.mark.parametrize("url", ["http://example.com/", "https://10.0.0.1/", "http://127.0.0.1.example.com/", "x"])
def test_events_are_forwarded_to_this_machine_only(url: str) -> None:
    shown = CliRunner().invoke(listen, ["--forward-to", url, "--key", KEY, "--api", "http://127.0.0.1:1"], obj=Desk())
    assert isinstance(shown.exception, Invalid)
