"""The kit's HTTP: what counts as sent, what ends at a deadline, and what is never followed or read."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from plugins.kit.http import Answer, Budget, Http, Limits
from ports.errors import NotSent, OutcomeUnknown
from tests.fakes.context import FakeLog
from tests.plugins.scripted import ScriptedServer, drip, hang_up, raw, reply, reset, scripted_server, stall

POOL = HTTPConnectionPool("provider.invalid")
HURRIED = Limits(connect_s=1, read_s=0.2, total_s=0.4, body_max=1000)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


def post(url: str, *, log: FakeLog | None = None, ca_bundle: str | None = None, budget_s: float = 10) -> Answer:
    line = Http(base_url=url, user_agent="test", log=log or FakeLog(), ca_bundle=ca_bundle)
    return line.exchange(
        "push", "POST", "/pay", headers={"X-Mine": "1"}, body=b"{}", budget=Budget(budget_s), limits=HURRIED
    )


def test_an_answer_comes_whole(server: ScriptedServer) -> None:
    server.on("/pay", reply(503, b"<html>", Retry_After="7"))
    answer = post(server.url)
    assert (answer.status, answer.body, answer.headers["retry-after"], answer.cut) == (503, b"<html>", "7", False)
    (seen,) = server.seen
    assert (seen.method, seen.body, seen.headers["x-mine"], seen.headers["connection"]) == ("POST", b"{}", "1", "close")


def test_nobody_listening_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(NotSent, match="push: no connection"):
        post(f"http://127.0.0.1:{port}")


def test_no_such_name_is_not_sent() -> None:
    with pytest.raises(NotSent, match="no connection"):
        post("http://nobody.invalid")


def test_no_time_left_is_not_sent(server: ScriptedServer) -> None:
    with pytest.raises(NotSent, match="no time left"):
        post(server.url, budget_s=0.5)
    assert server.seen == []


@pytest.mark.parametrize(
    "act",
    [
        hang_up,
        reset,
        stall,
        drip(b""),
        drip(b"HTTP/1.1 200 OK\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n90\r\nhalf"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        raw(b"SSH-2.0-OpenSSH\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"),
    ],
    ids=[
        "hang-up",
        "reset",
        "silence",
        "drip",
        "drip-head",
        "drip-body",
        "endless",
        "half",
        "half-chunk",
        "no-end",
        "ssh",
        "bad-gzip",
    ],
)
def test_whatever_breaks_after_the_connection_stood_is_unknown(server: ScriptedServer, act: object) -> None:
    server.script["/pay"] = [act]  # type: ignore[list-item]
    started = monotonic()
    with pytest.raises(OutcomeUnknown, match="push: no whole answer"):
        post(server.url)
    assert monotonic() - started < 3, "the deadline holds however slowly bytes come"
    assert len(server.seen) == 1, "never sent again"


def test_an_answer_in_chunks_comes_whole(server: ScriptedServer) -> None:
    server.on("/pay", raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'))
    assert post(server.url).body == b'{"a":1}'


def test_the_message_is_made_of_our_own_words(server: ScriptedServer) -> None:
    server.on("/pay", hang_up)
    with pytest.raises(OutcomeUnknown) as caught:
        post(server.url)
    assert str(caught.value) == "push: no whole answer (ConnectionError)"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("trouble", "sorted_as"),
    [
        (requests.ConnectTimeout(), NotSent),
        (requests.exceptions.SSLError(), NotSent),
        (requests.exceptions.InvalidURL(), NotSent),
        (requests.ConnectionError(MaxRetryError(POOL, "/", NewConnectionError(POOL, "refused"))), NotSent),
        (requests.ConnectionError(NewConnectionError(POOL, "refused")), NotSent),
        (requests.ConnectionError(ProtocolError("Connection aborted.")), OutcomeUnknown),
        (requests.ConnectionError(), OutcomeUnknown),
        (requests.ReadTimeout(), OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError(), OutcomeUnknown),
        (ConnectionResetError(), OutcomeUnknown),
    ],
)
def test_trouble_from_elsewhere_is_not_sent_only_if_it_can_be_nothing_else(
    monkeypatch: pytest.MonkeyPatch, trouble: Exception, sorted_as: type[Exception]
) -> None:
    def send(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    with pytest.raises(sorted_as):
        post("http://provider.invalid")


def test_a_redirect_is_an_answer_and_is_not_followed(server: ScriptedServer) -> None:
    server.on("/pay", reply(302, b"", Location=server.url + "/elsewhere"))
    assert post(server.url).status == 302
    assert len(server.seen) == 1


def test_a_long_body_is_cut(server: ScriptedServer) -> None:
    server.on("/pay", reply(200, b"a" * 5000))
    answer = post(server.url)
    assert (len(answer.body), answer.cut) == (1000, True)


def test_a_small_body_that_unpacks_to_a_large_one_is_cut(server: ScriptedServer) -> None:
    server.on("/pay", reply(200, gzip.compress(b"a" * 5_000_000), Content_Encoding="gzip"))
    answer = post(server.url)
    assert (len(answer.body), answer.cut) == (1000, True)


def test_proxies_of_the_environment_are_not_used(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.on("/pay", reply(200, b"direct"))
    assert post(server.url).body == b"direct"


def test_every_exchange_has_its_own_connection(server: ScriptedServer) -> None:
    # This server closes after each answer without saying so: a pooled connection would be found dead.
    server.on("/pay", reply(200, b"1"))
    log = FakeLog()
    line = Http(base_url=server.url, user_agent="test", log=log)
    for _ in range(3):
        assert line.exchange("push", "POST", "/pay", headers={}, budget=Budget(5), limits=HURRIED).status == 200


def test_the_log_holds_names_statuses_and_durations_alone(server: ScriptedServer) -> None:
    log = FakeLog()
    server.on("/pay", reply(200, b"secret"), hang_up)
    post(server.url, log=log)
    with pytest.raises(OutcomeUnknown):
        post(server.url, log=log)
    assert [(level, event, sorted(fields)) for level, event, fields in log.lines] == [
        ("info", "provider_call", ["call", "ms", "status"]),
        ("warning", "provider_call_broke", ["call", "ms", "sent", "why"]),
    ]


class TestTls:
    """A certificate of our own making stands for the provider's."""

    @pytest.fixture
    def papers(self, tmp_path: Path) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        bundle = tmp_path / "papers.pem"
        bundle.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return bundle

    @pytest.fixture
    def secure(self, papers: Path) -> Iterator[ScriptedServer]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(papers)
        with scripted_server(context) as running:
            yield running

    def test_a_proved_peer_is_spoken_to(self, secure: ScriptedServer, papers: Path) -> None:
        secure.on("/pay", reply(200, b"yes"))
        assert post(secure.url, ca_bundle=str(papers)).body == b"yes"

    def test_an_unproved_peer_is_told_nothing(self, secure: ScriptedServer) -> None:
        with pytest.raises(NotSent, match="SSLError"):
            post(secure.url)
        assert secure.seen == []

    @pytest.mark.parametrize("act", [hang_up, stall, drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")])
    def test_silence_after_the_handshake_is_unknown(self, secure: ScriptedServer, papers: Path, act: object) -> None:
        secure.script["/pay"] = [act]  # type: ignore[list-item]
        with pytest.raises(OutcomeUnknown):
            post(secure.url, ca_bundle=str(papers))
