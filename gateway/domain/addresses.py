"""Which addresses of the internet a webhook may go to: public ones, and nothing that leads back inside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

#: Special-purpose blocks (IANA registries, 2025). Kept by name: `ipaddress.is_global` of one Python release or another
#: says yes to some of them.
CLOSED_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' NAT; cloud metadata lives here too
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's host agent, on a public number
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
#: All outside of this is special: loopback, mapped and translated IPv4, NAT64, unique local, link-local, multicast.
OPEN_V6 = IPv6Network("2000::/3")
CLOSED_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


def is_loopback(text: str) -> bool:
    """Whether a numeric address is this machine's own. Raises ValueError for what is no address."""
    address = ip_address(text)
    return any(address in network for network in _LOOPBACK if network.version == address.version)


def may_go_to(text: str, *, allow_loopback: bool = False) -> bool:
    """Whether a webhook may be sent to a numeric address. Raises ValueError for what is no address.

    `allow_loopback` opens this machine's own addresses, for development, and nothing else.
    """
    address = ip_address(text)
    if allow_loopback and is_loopback(text):
        return True
    return _is_public(address) and address.is_global


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in CLOSED_V4)
    if address.scope_id is not None or address not in OPEN_V6:
        return False
    return not any(address in network for network in CLOSED_V6)
