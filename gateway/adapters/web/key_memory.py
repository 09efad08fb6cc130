"""A key that was just found is believed for half a second more, so that a busy one costs no look-up a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from gateway.application.interfaces import KeyFound

#: A revoked or expired key stops working within a second, everywhere: this and the longest pause between two steps.
BELIEVED_S = 0.5
_KEYS_MAX = 4_096


@dataclass(slots=True, kw_only=True)
class KeyMemory:
    """Wraps the look-up of keys by hash, for one process. What isn't found isn't remembered."""

    look_up: Callable[[bytes], KeyFound | None]
    now: Callable[[], float] = monotonic
    known: dict[bytes, tuple[float, KeyFound]] = field(default_factory=dict)

    def __call__(self, key_hash: bytes) -> KeyFound | None:
        """The key, as it was at most half a second ago."""
        now = self.now()
        if (remembered := self.known.get(key_hash)) is not None and now < remembered[0]:
            return remembered[1]
        found = self.look_up(key_hash)
        if found is None:
            self.known.pop(key_hash, None)
            return None
        if len(self.known) >= _KEYS_MAX:
            self.known = {hash_: kept for hash_, kept in self.known.items() if now < kept[0]}
        self.known[key_hash] = (now + BELIEVED_S, found)
        return found
