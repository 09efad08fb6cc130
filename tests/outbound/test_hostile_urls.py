"""Hostile URLs by the dozen: refused at registration or at the send, without one connection to anything inside."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.outbound.addresses import system_resolve
from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.application.webhooks import check_url
from gateway.domain.errors import Invalid
from tests.outbound.certificates import Authority
from tests.outbound.receivers import Receiver, a_receiver, says
from tests.outbound.test_sender import now, send

CONNECT = "gateway.adapters.outbound.pinned.socket.create_connection"

#: Hosts that mean this machine or something inside, in every spelling that some resolver or library reads as one.
#: Each stands in an https URL with the listener's port, and in a plain http one.
INSIDE_TEXT = (
    # Every special-purpose block of IPv4, by one address at least.
    "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16 "
    "169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.2.1 192.31.196.1 "
    "192.52.193.1 192.88.99.1 192.168.1.1 192.175.48.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 "
    "255.255.255.255 "
    # The same machine in decimal, octal and hex, short, mixed and padded.
    "2130706433 0x7f000001 0X7F000001 017700000001 127.1 127.0.1 0x7f.1 0177.1 0177.0.0.1 0x7f.0x0.0x0.0x1 127.0x1 "
    "00000177.0.0.1 0 0x0 00 3232235777 0xa9fea9fe 2852039166 0251.0376.0251.0376 169.254.43518 0xA9.254.0251.0xFE "
    # A dot at the end, and names.
    "127.0.0.1. localhost localhost. LOCALHOST foo.localhost "
)
INSIDE_V6_TEXT = (
    # Every special-purpose block of IPv6.
    ":: ::1 0:0:0:0:0:0:0:1 0000:0000:0000:0000:0000:0000:0000:0001 100::1 2001::1 2001:2::1 2001:4:112::1 2001:10::1 "
    "2001:20::1 2001:30::1 2001:db8::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 "
    # IPv4 inside: mapped, compatible, translated, NAT64, 6to4, Teredo.
    "::ffff:127.0.0.1 ::ffff:7f00:1 ::FFFF:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::7f00:1 ::ffff:0:127.0.0.1 "
    "64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::10.0.0.1 2002:7f00:1:: 2002:a9fe:a9fe::1 "
    "2001:0:4136:e378:8000:63bf:80ff:fffe 2001:0:7f00:1::1 "
    # With a zone.
    "fe80::1%25lo fe80::1%lo ::1%lo"
)
INSIDE, INSIDE_V6 = INSIDE_TEXT.split(), INSIDE_V6_TEXT.split()
#: What a URL may hide; {port} is the listener's.
TRICKS = (
    "https://shop.example@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}@shop.example/",
    "https://user:secret@127.0.0.1:{port}/",
    "https://shop.example:80@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@shop.example/",
    "https://shop.example#@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@shop.example/",
    "https://shop.example\\@127.0.0.1:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://１２７.０.０.１:{port}/",
    "https://127。0。0。1:{port}/",
    "https://127．0．0．1:{port}/",
    "https://127｡0｡0｡1:{port}/",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "https://lo\u00adcalhost:{port}/",
    "https://[::①]:{port}/",
    "https://127.0.0.1:0/",
    "https://127.0.0.1:99999/",
    "https://127.0.0.1:-1/",
    "https://127.0.0.1:{port},80/",
    "https://127.0.0.1:{port} .shop.example/",
    "https://127.0.0.1:{port}\t/",
    "https://127.0.0.1:{port}\r\nHost: shop.example/",
    "https://127.0.0.1%00.shop.example:{port}/",
    "https://%6c%6f%63%61%6c%68%6f%73%74:{port}/",
    "https://%31%32%37.0.0.1:{port}/",
    "https:///127.0.0.1:{port}/",
    "https:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}/",
    "https://",
    "https://:{port}/",
    "http://shop.example/hooks",
    "http://shop.example:443/hooks",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/info",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "https://[127.0.0.1]:{port}/",
    "https://[::1/",
    "https://::1]:{port}/",
)
URLS = (
    *(f"{scheme}://{host}:{{port}}/x" for host in INSIDE for scheme in ("https", "http")),
    *(f"{scheme}://[{host}]:{{port}}/x" for host in INSIDE_V6 for scheme in ("https", "http")),
    *TRICKS,
)
#: What no name server may make of these: a name that isn't there would make the test pass for nothing.
ANYTHING = ("8.8.8.8",)


@dataclass
class Listener:
    """A socket on this machine that counts who connects, whatever they say."""

    port: int
    sockets: list[socket.socket]
    hits: list[Any] = field(default_factory=list)

    def watch(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, peer = one.accept()
                self.hits.append(peer)
                connection.close()


@pytest.fixture(scope="module")
def inside() -> Iterator[Listener]:
    """On every address of this machine, by both families where there are both."""
    first = socket.create_server(("0.0.0.0", 0))  # noqa: S104
    port = int(first.getsockname()[1])
    sockets = [first]
    with contextlib.suppress(OSError):
        sockets.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    listener = Listener(port, sockets)
    for one in sockets:
        threading.Thread(target=listener.watch, args=(one,), daemon=True).start()
    yield listener
    for one in sockets:
        one.shutdown(socket.SHUT_RDWR)
        one.close()


def names_are_public(host: str, port: int) -> Sequence[str]:
    """The machine's own resolver for numbers and for this machine's names; every other name is a public address."""
    try:
        return system_resolve(host, port)
    except OSError:
        return ANYTHING


STRICT = SafeWebhookSender(now=now, allow_loopback=False, timeout_s=0.5, resolve=names_are_public)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the sender connects to; public ones aren't really called."""
    found: list[str] = []
    real = socket.create_connection

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        found.append(address[0])
        if address[0] in ANYTHING:
            raise ConnectionRefusedError
        return real(address, timeout=timeout)

    monkeypatch.setattr(CONNECT, connect)
    return found


def test_there_are_enough_of_them() -> None:
    assert len(set(URLS)) == len(URLS) > 150


@pytest.mark.parametrize("url", URLS)
def test_it_never_reaches_anything_inside(url: str, inside: Listener, opened: list[str]) -> None:
    """At the send, which doesn't trust that registration refused."""
    sent = STRICT.send(
        url.format(port=inside.port), secret="whsec_c2VjcmV0", message_id="evt_1", delivery_id="whd_1", body=b"{}"
    )  # fmt: skip
    assert sent.status is None
    assert sent.error in ("blocked", "insecure", "unresolved", "protocol", "connection", "tls", "timeout")
    assert set(opened) <= set(ANYTHING), "only a public address may be tried"
    assert inside.hits == []


@pytest.mark.parametrize("url", URLS)
def test_registration_refuses_it(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_url(url.format(port=8443), allow_loopback=False)
    assert (refusal.value.code, refusal.value.param) == ("url_invalid", "/url")


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hooks",
        "https://shop.example:8443/hooks?shop=1",
        "https://xn--malipo-9ya.example/",
        "https://0x7f.shop.example/",
        "https://127.0.0.1.shop.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ],
)
def test_registration_takes_what_is_public(url: str) -> None:
    check_url(url, allow_loopback=False)


def test_a_name_that_turns_inside_between_check_and_connect_is_not_followed(
    inside: Listener, opened: list[str]
) -> None:
    """DNS rebinding: every look after the first says 127.0.0.1, and there is no look after the first."""
    looks: list[str] = []

    def turns(host: str, _: int) -> Sequence[str]:
        looks.append(host)
        return ["8.8.8.8"] if len(looks) == 1 else ["127.0.0.1"]

    sender = replace(STRICT, resolve=turns)
    assert send(f"https://shop.example:{inside.port}/hooks", sender).error == "connection"
    assert send(f"https://shop.example:{inside.port}/hooks", sender).error == "blocked"
    assert looks == ["shop.example"] * 2
    assert opened == ["8.8.8.8"]
    assert inside.hits == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_inside_is_an_answer_and_not_a_way(status: int, inside: Listener) -> None:
    with a_receiver(says(status, Location=f"http://127.0.0.1:{inside.port}/latest/meta-data/")) as receiver:
        sent = send(receiver.url)
        assert (sent.status, sent.error) == (status, None)
    assert inside.hits == []


def test_the_honest_one_is_delivered(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same sender, over TLS, to a name whose address is pinned: only the check of addresses is told otherwise."""
    folder: Path = tmp_path_factory.mktemp("honest")
    authority = Authority.new(folder)
    sender = SafeWebhookSender(
        now=now, allow_loopback=True, timeout_s=3, resolve=lambda *_: ["127.0.0.1"], tls=authority.trusted()
    )
    receiver: Receiver
    with a_receiver(tls=authority.server_for("hooks.shop.test")) as receiver:
        assert send(f"https://hooks.shop.test:{receiver.port}/hooks", sender).status == 200
        assert send(f"https://other.shop.test:{receiver.port}/hooks", sender).error == "tls"
        assert len(receiver.received) == 1
