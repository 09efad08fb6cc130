"""Where webhooks may go: numbers in every dress, and no way back inside."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.outbound.addresses import Blocked, Unresolved, checked_addresses, system_resolve
from gateway.domain.addresses import CLOSED_V4, CLOSED_V6, OPEN_V6, is_loopback, may_go_to

#: Of each special block one address, or its edges.
CLOSED_TEXT = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.8.8.8 168.63.129.16
169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.2.1
192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1
203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:a9fe:a9fe ::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b::808:808
64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
2002:7f00:1:: 2002:808:808::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo fec0::1 ff02::1
ff0e::1
"""
OPEN_TEXT = """
8.8.8.8 1.1.1.1 41.90.64.1 196.201.214.200 172.32.0.1 192.0.1.1 2001:4860:4860::8888 2c0f:fe38::1 2606:4700::1111
"""
#: This machine, as resolvers read it.
DRESSED_TEXT = """
127.0.0.1 127.1 2130706433 0x7f000001 0x7f.1 017700000001 0177.0.0.1 localhost localhost. ::1 169.254.169.254 0
"""
CLOSED, OPEN, DRESSED = CLOSED_TEXT.split(), OPEN_TEXT.split(), DRESSED_TEXT.split()


@pytest.mark.parametrize("text", CLOSED)
def test_special_addresses_are_closed(text: str) -> None:
    assert not may_go_to(text)


@pytest.mark.parametrize("text", OPEN)
def test_public_addresses_are_open(text: str) -> None:
    assert may_go_to(text)


@pytest.mark.parametrize("text", CLOSED)
def test_a_development_setting_opens_loopback_and_nothing_else(text: str) -> None:
    assert may_go_to(text, allow_loopback=True) == is_loopback(text)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_open_ipv4_address_is_in_a_special_block(address: IPv4Address) -> None:
    if may_go_to(str(address)):
        assert address.is_global
        assert not any(address in block for block in CLOSED_V4)
        assert not address.is_private
        assert not address.is_multicast


#: Any address, and many from the closed blocks.
_V6 = st.integers(0, 2**128 - 1).map(IPv6Address) | st.builds(
    lambda block, tail: block[tail % block.num_addresses], st.sampled_from(CLOSED_V6), st.integers(0, 2**64 - 1)
)


@given(_V6)
def test_no_open_ipv6_address_is_special_or_holds_an_ipv4_one(address: IPv6Address) -> None:
    if may_go_to(str(address)):
        assert address in OPEN_V6
        assert not any(address in block for block in CLOSED_V6)
        assert (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)


@pytest.mark.parametrize("host", DRESSED)
def test_a_number_in_any_dress_is_read_by_the_resolver_and_blocked(host: str) -> None:
    # Some resolvers don't know the name with a dot at all.
    with pytest.raises((Blocked, Unresolved) if host == "localhost." else Blocked):
        checked(host)


def checked(host: str, *answers: str, allow_loopback: bool = False) -> Sequence[str]:
    return checked_addresses(
        host,
        443,
        resolve=(lambda *_: answers) if answers else system_resolve,
        within_s=5,
        allow_loopback=allow_loopback,
    )


def test_one_bad_address_among_good_ones_blocks_them_all() -> None:
    with pytest.raises(Blocked):
        checked("shop.example", "8.8.8.8", "10.0.0.1", "1.1.1.1")
    assert checked("shop.example", "8.8.8.8", "1.1.1.1") == ("8.8.8.8", "1.1.1.1")


def test_what_is_no_address_is_blocked_and_what_has_none_is_unresolved() -> None:
    with pytest.raises(Blocked):
        checked("shop.example", "not an address")

    def fails(*_: object) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such host")

    for resolve in (fails, lambda *_: ()):
        with pytest.raises(Unresolved):
            checked_addresses("shop.example", 443, resolve=resolve, within_s=1, allow_loopback=False)


def test_a_name_server_that_never_answers_costs_only_the_time_given() -> None:
    never = Event()
    with pytest.raises(Unresolved):
        checked_addresses(
            "shop.example",
            443,
            resolve=lambda *_: [str(never.wait(30))],
            within_s=0.05,
            allow_loopback=False,
        )
    never.set()
