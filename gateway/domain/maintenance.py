"""What an operator sets about a connection's work: maintenance windows, its pocket, who may call back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Any

#: East Africa Time, in which providers there announce their windows. It knows no summer time.
EAT = timezone(timedelta(hours=3))

_HOUR = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours in which a provider takes no new work: each day between two times in EAT, or once between two moments.

    `starts` and `ends` are `HH:MM` for a daily window, which may pass midnight, and ISO 8601 moments for one that
    happens once.
    """

    id: str
    starts: str
    ends: str
    daily: bool = True

    def __post_init__(self) -> None:
        if self.daily:
            if _minute(self.starts) == _minute(self.ends):
                raise ValueError("a daily window that begins when it ends would never end: pause the connection")
        elif _moment(self.starts) >= _moment(self.ends):
            raise ValueError("a window begins before it ends")

    def ends_at(self, now: datetime) -> datetime | None:
        """When it ends, if `now` is inside; None outside."""
        if not self.daily:
            starts, ends = _moment(self.starts), _moment(self.ends)
            return ends if starts <= now < ends else None
        here = now.astimezone(EAT)
        minute, first, last = here.hour * 60 + here.minute, _minute(self.starts), _minute(self.ends)
        if (minute - first) % _DAY_MIN >= (last - first) % _DAY_MIN:
            return None
        left = (last - minute) % _DAY_MIN
        return (here.replace(second=0, microsecond=0) + timedelta(minutes=left)).astimezone(UTC)

    def is_over(self, now: datetime) -> bool:
        """Whether it can never begin again."""
        return not self.daily and now >= _moment(self.ends)

    def kept(self) -> dict[str, object]:
        """As it stands in the connection's policy."""
        return {"id": self.id, "starts": self.starts, "ends": self.ends, "daily": self.daily}


def _minute(text: str) -> int:
    found = _HOUR.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time of day like 23:30")
    return int(found[1]) * 60 + int(found[2])


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no moment like 2026-11-24T23:30") from None
    return (at if at.tzinfo else at.replace(tzinfo=EAT)).astimezone(UTC)


class Listed(StrEnum):
    """What is done about a callback from an address that isn't on the list."""

    OFF = "off"
    LOG = "log"
    """It is kept with a mark, and a person is told."""
    ENFORCE = "enforce"
    """It is answered 404, and nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`pocket`: which of the provider's pockets is the connection's float. `networks`: where callbacks come from."""

    pocket: str | None = None
    windows: tuple[Window, ...] = ()
    listed: Listed = Listed.OFF
    networks: tuple[str, ...] = ()

    @classmethod
    def read(cls, policy: Mapping[str, Any]) -> Operation:
        """What a connection's policy holds of it; what is missing is off."""
        pocket = policy.get("pocket")
        return cls(
            pocket=pocket if isinstance(pocket, str) else None,
            windows=tuple(
                Window(id=w["id"], starts=w["starts"], ends=w["ends"], daily=w["daily"])
                for w in policy.get("windows", ())
            ),
            listed=Listed(policy.get("callback_list", Listed.OFF.value)),
            networks=tuple(policy.get("callback_networks", ())),
        )

    def kept(self) -> dict[str, object]:
        """The same as `read` takes it."""
        return {
            "pocket": self.pocket,
            "windows": [w.kept() for w in self.windows],
            "callback_list": self.listed.value,
            "callback_networks": list(self.networks),
        }

    def closed_until(self, now: datetime) -> datetime | None:
        """When the maintenance that goes on now ends; None when none goes on."""
        return max((end for w in self.windows if (end := w.ends_at(now)) is not None), default=None)

    def without(self, window_id: str) -> Operation | None:
        """The same without that window; None when there is no such window."""
        left = tuple(w for w in self.windows if w.id != window_id)
        return None if len(left) == len(self.windows) else replace(self, windows=left)

    def knows(self, peer: str) -> bool:
        """Whether callbacks come from that address. A peer that is no address comes from nowhere."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in ip_network(network) for network in self.networks)


def network_of(text: str) -> str:
    """A network or one address, in its ordinary form. Raises ValueError."""
    return str(ip_network(text.strip(), strict=True))


class Halt(StrEnum):
    """What an operator may stop for a whole mode."""

    PAYMENTS = "payments"
    PAYOUTS = "payouts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why nothing new goes over a connection now, as `waiting_for` says it; `until` where that is known."""

    reason: str
    until: datetime | None = None
