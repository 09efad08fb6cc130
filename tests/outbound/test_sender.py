"""The sender against real servers: signatures by the public library, redirects, slowness, TLS, names that move."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.application.interfaces import Sent
from tests.outbound.certificates import Authority
from tests.outbound.receivers import Receiver, a_receiver, says

SECRET = "whsec_" + "c2VjcmV0LWJ5dGVzLW9mLWEtdGVzdC1vZi0zMi0hISE="
BODY = json.dumps({"type": "payment.succeeded", "note": "Malipo yamekamilika ✓"}, ensure_ascii=False).encode()


def now() -> datetime:
    return datetime.now(UTC)


SENDER = SafeWebhookSender(now=now, allow_loopback=True, timeout_s=3)


def send(url: str, sender: SafeWebhookSender = SENDER) -> Sent:
    return sender.send(url, secret=SECRET, message_id="evt_1", delivery_id="whd_1", body=BODY)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as running:
        yield running


def test_the_public_library_verifies_what_arrives(receiver: Receiver) -> None:
    sent = send(receiver.url + "?shop=1")
    assert (sent.status, sent.error) == (200, None)
    [got] = receiver.received
    assert got.path == "/hooks?shop=1"
    assert got.body == BODY
    assert Webhook(SECRET).verify(got.body, got.headers) == json.loads(BODY)
    assert got.headers["webhook-id"] == "evt_1"
    assert got.headers["gateway-delivery"] == "whd_1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_an_altered_byte_a_changed_time_or_id_and_another_secret_are_refused(receiver: Receiver) -> None:
    send(receiver.url)
    [got] = receiver.received
    verifier = Webhook(SECRET)
    altered = got.body.replace(b"succeeded", b"succeedee")
    later = {**got.headers, "webhook-timestamp": str(int(got.headers["webhook-timestamp"]) + 1)}
    other = {**got.headers, "webhook-id": "evt_2"}
    for body, headers in ((altered, got.headers), (got.body, later), (got.body, other)):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "b3RoZXItYnl0ZXMtb2YtYS10ZXN0LW9mLTMyLSEhISE=").verify(got.body, got.headers)


@pytest.mark.parametrize("status", [204, 400, 401, 410, 429, 500, 503])
def test_the_status_is_told_as_it_is(receiver: Receiver, status: int) -> None:
    receiver.answer = says(status)
    sent = send(receiver.url)
    assert (sent.status, sent.error, sent.retry_after_s) == (status, None, None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver, status: int) -> None:
    with a_receiver() as inside:
        receiver.answer = says(status, Location=inside.url)
        assert send(receiver.url).status == status
        assert inside.received == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120), (" 7 ", 7), ("0", 0), ("-5", None), ("soon", None), ("9" * 30, 864_000)]
)
def test_retry_after_in_seconds(receiver: Receiver, text: str, seconds: int | None) -> None:
    receiver.answer = says(429, Retry_After=text)
    assert send(receiver.url).retry_after_s == seconds


def test_retry_after_as_a_date(receiver: Receiver) -> None:
    receiver.answer = says(503, Retry_After=format_datetime(now() + timedelta(seconds=90), usegmt=True))
    assert send(receiver.url).retry_after_s in (88, 89, 90)


def test_a_receiver_that_never_answers_costs_the_deadline(receiver: Receiver) -> None:
    def silent(_: BaseHTTPRequestHandler) -> None:
        receiver.let_go.wait(30)

    receiver.answer = silent
    sent = send(receiver.url, replace(SENDER, timeout_s=0.3))
    assert (sent.status, sent.error) == (None, "timeout")
    assert 250 <= sent.duration_ms < 2_000


def test_a_drip_of_single_bytes_does_not_outlast_the_deadline(receiver: Receiver) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not receiver.let_go.wait(0.05):
            handler.wfile.write(b"x")

    receiver.answer = drip
    sent = send(receiver.url, replace(SENDER, timeout_s=0.4))
    assert (sent.status, sent.error) == (None, "timeout")
    assert sent.duration_ms < 2_000


def test_an_endless_body_is_read_a_little_and_the_status_counts(receiver: Receiver) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not receiver.let_go.is_set():
            handler.wfile.write(b"secret of the inside " * 1000)

    receiver.answer = endless
    sent = send(receiver.url)
    assert sent.status == 200
    assert "secret" not in repr(sent)


def test_no_http_at_the_other_end(receiver: Receiver) -> None:
    def mail(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"220 mail ready\r\n")

    receiver.answer = mail
    assert send(receiver.url).error == "protocol"
    receiver.answer = lambda handler: handler.connection.close()
    assert send(receiver.url).error in ("protocol", "connection")


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert send(f"http://127.0.0.1:{taken.getsockname()[1]}/").error == "connection"


def test_proxies_of_the_environment_are_ignored(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert send(receiver.url).status == 200


CONNECT = "gateway.adapters.outbound.pinned.socket.create_connection"
INSIDE_TEXT = """
127.0.0.1 localhost localhost. 127.1 0x7f000001 2130706433 10.1.2.3 169.254.169.254 [::1] [::ffff:127.0.0.1]
[::ffff:169.254.169.254] [64:ff9b::7f00:1] [2002:7f00:1::] [fd00:ec2::254] 192.0.0.8 100.64.0.1 0.0.0.0
"""


@pytest.mark.parametrize("host", INSIDE_TEXT.split())
def test_a_strict_sender_never_opens_a_socket_to_a_special_address(
    host: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(CONNECT, refuse)
    strict = replace(SENDER, allow_loopback=False)
    # Some resolvers don't know the name with a dot at all.
    words = ("blocked", "unresolved") if host == "localhost." else ("blocked",)
    assert send(f"https://{host}:{receiver.port}/hooks", strict).error in words
    assert send(f"http://{host}:{receiver.port}/hooks", strict).error in words
    assert receiver.received == []


def test_plain_http_goes_to_this_machine_only() -> None:
    to_the_world = replace(SENDER, resolve=lambda *_: ["8.8.8.8"])
    assert send("http://shop.example/hooks", to_the_world).error == "insecure"
    assert send("ftp://shop.example/hooks", to_the_world).error == "insecure"


def test_a_name_that_moves_after_the_check_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the first answer is public and is checked; a second would be inside, and is never asked for."""
    answers = [["8.8.8.8"], ["127.0.0.1"], ["169.254.169.254"]]
    opened: list[tuple[str, int]] = []

    def resolve(*_: object) -> Sequence[str]:
        return answers.pop(0)

    def record(address: tuple[str, int], **_: object) -> Any:
        opened.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(CONNECT, record)
    assert (
        send("https://shop.example/hooks", replace(SENDER, allow_loopback=False, resolve=resolve)).error == "connection"
    )
    assert opened == [("8.8.8.8", 443)]
    assert len(answers) == 2


def test_each_address_gets_its_turn(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = socket.create_connection

    def first_is_deaf(address: tuple[str, int], timeout: float) -> socket.socket:
        opened.append(address[0])
        if address[0] == "127.0.0.9":
            raise TimeoutError
        return real(address, timeout=timeout)

    monkeypatch.setattr(CONNECT, first_is_deaf)
    two = replace(SENDER, resolve=lambda *_: ["127.0.0.9", "127.0.0.1"])
    assert send(f"http://shop.test:{receiver.port}/hooks", two).status == 200
    assert opened == ["127.0.0.9", "127.0.0.1"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp("authority")
    return Authority.new(folder)


def test_tls_asks_for_the_name_and_checks_it_at_the_pinned_address(authority: Authority) -> None:
    asked_for: list[str | None] = []
    server = authority.server_for("hooks.shop.test")
    server.sni_callback = lambda _, name, __: asked_for.append(name)
    sender = replace(SENDER, resolve=lambda *_: ["127.0.0.1"], tls=authority.trusted())
    with a_receiver(tls=server) as receiver:
        sent = send(f"https://hooks.shop.test:{receiver.port}/hooks", sender)
        assert (sent.status, sent.error) == (200, None)
        assert asked_for == ["hooks.shop.test"]
        [got] = receiver.received
        assert got.headers["host"] == f"hooks.shop.test:{receiver.port}"
        assert Webhook(SECRET).verify(got.body, got.headers)


def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    sender = replace(SENDER, resolve=lambda *_: ["127.0.0.1"], tls=authority.trusted())
    with a_receiver(tls=authority.server_for("other.shop.test")) as receiver:
        assert send(f"https://hooks.shop.test:{receiver.port}/hooks", sender).error == "tls"
        assert send(f"https://127.0.0.1:{receiver.port}/hooks", sender).error == "tls"
        assert receiver.received == []


def test_an_unknown_authority_is_refused(authority: Authority) -> None:
    sender = replace(SENDER, resolve=lambda *_: ["127.0.0.1"])
    with a_receiver(tls=authority.server_for("hooks.shop.test")) as receiver:
        assert send(f"https://hooks.shop.test:{receiver.port}/hooks", sender).error == "tls"
        assert receiver.received == []


def test_the_public_authorities_are_checked_with_names() -> None:
    assert SENDER.tls.verify_mode is ssl.CERT_REQUIRED
    assert SENDER.tls.check_hostname
    assert SENDER.tls.cert_store_stats()["x509_ca"] > 50
