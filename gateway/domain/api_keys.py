"""What kinds of keys there are, how they are written, and from which addresses one may be used."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gateway.domain.errors import Invalid

Network = IPv4Network | IPv6Network

KEY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_LENGTH = 40
ADDRESSES_MAX = 50
#: Seconds for which an old key may work beside the one that takes its place: none, to thirty days.
OVERLAP_MAX_S = 30 * 24 * 3600


class KeyKind(Enum):
    """`secret` may all, `publishable` stands in a web page, `restricted` may what its scopes say."""

    SECRET = "secret"  # noqa: S105  # nosec B105
    PUBLISHABLE = "publishable"
    RESTRICTED = "restricted"


#: How a key of the kind begins.
HEADS = {KeyKind.SECRET: "sk", KeyKind.PUBLISHABLE: "pk", KeyKind.RESTRICTED: "rk"}


def head_of(kind: KeyKind, *, livemode: bool) -> str:
    """What stands before the random part: `sk_test_`."""
    return f"{HEADS[kind]}_{'live' if livemode else 'test'}_"


def network_of(text: str) -> Network:
    """A network in CIDR, or one address. Raises ValueError for host bits, and for what is no network."""
    return ip_network(text.strip())


def checked_addresses(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The list as it is kept. Raises Invalid, naming the entry."""
    if len(texts) > ADDRESSES_MAX:
        raise Invalid(f"a key takes at most {ADDRESSES_MAX} networks", code="address_list_invalid", param="/addresses")
    kept: dict[str, None] = {}
    for place, text in enumerate(texts):
        try:
            kept[str(network_of(text))] = None
        except ValueError:
            raise Invalid(
                "give networks in CIDR, like 203.0.113.0/24 or 2001:db8::/32, or single addresses",
                code="address_list_invalid",
                param=f"/addresses/{place}",
            ) from None
    return tuple(kept)


def may_come_from(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether a key with that list may be used from there. An IPv4 address inside IPv6 is the IPv4 address."""
    if not networks:
        return True
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


def end_of_overlap(now: datetime, seconds: int, expires_at: datetime | None) -> datetime:
    """When a rolled key stops: after the overlap, or when it would have stopped anyway."""
    end = now + timedelta(seconds=seconds)
    return end if expires_at is None else min(end, expires_at)
