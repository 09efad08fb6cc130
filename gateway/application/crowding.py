"""How much may come to one callback address that was made for one call: a provider says it once, or a few times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from gateway.domain.errors import TooMany

#: In a minute, at each web process. A provider that repeats itself stays far below.
MOST = 20
WINDOW_S = 60
#: When so many addresses are known those whose minute is over are forgotten.
_KNOWN_MAX = 10_000


@dataclass(slots=True, kw_only=True)
class Crowding:
    """Counts what was taken in by address, in this process's memory alone: asking costs less than a database would.

    Who knows an address may fill it. The news is weak and the look-ups decide, so what is refused then isn't missed.
    """

    monotonic: Callable[[], float]
    _counts: dict[bytes, tuple[float, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def refuse(self, address: bytes) -> None:
        """Raises TooMany (429) when the address, given by its hash, has had its share."""
        until, count = self._counts.get(address, (0.0, 0))
        if count >= MOST and (left := until - self.monotonic()) > 0:
            raise TooMany("too much came to this address; wait before you send more", retry_after_s=int(left) + 1)

    def note(self, address: bytes) -> None:
        """Something came to an address that was made for one call."""
        with self._lock:
            now = self.monotonic()
            until, count = self._counts.get(address, (0.0, 0))
            if len(self._counts) >= _KNOWN_MAX:
                self._counts = {one: kept for one, kept in self._counts.items() if kept[0] > now}
            self._counts[address] = (until, count + 1) if until > now else (now + WINDOW_S, 1)
