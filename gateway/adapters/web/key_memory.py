"""A key that was just found is believed for half a second more, so that a busy one costs no look-up a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from uuid import UUID

from gateway.application.interfaces import KeyFound

#: A revoked or expired key stops working within a second, everywhere: this and the longest pause between two steps.
BELIEVED_S = 0.5
_KEYS_MAX = 4_096


def _unheard(_: UUID) -> None:
    """Nobody keeps when keys were used."""


@dataclass(slots=True, kw_only=True)
class KeyMemory:
    """Wraps the look-up of keys by hash, for one process. What isn't found isn't remembered.

    A key together with the business that its caller names is remembered apart. `used` hears of each look-up that found
    a key, which is at most twice a second and process.
    """

    look_up: Callable[..., KeyFound | None]
    now: Callable[[], float] = monotonic
    used: Callable[[UUID], None] = _unheard
    known: dict[bytes, tuple[float, KeyFound]] = field(default_factory=dict)

    def __call__(self, key_hash: bytes, business_id: UUID | None = None) -> KeyFound | None:
        """The key, as it was at most half a second ago."""
        now = self.now()
        name = key_hash if business_id is None else key_hash + business_id.bytes
        if (remembered := self.known.get(name)) is not None and now < remembered[0]:
            return remembered[1]
        found = self.look_up(key_hash) if business_id is None else self.look_up(key_hash, business_id)
        if found is None:
            self.known.pop(name, None)
            return None
        if len(self.known) >= _KEYS_MAX:
            self.known = {hash_: kept for hash_, kept in self.known.items() if now < kept[0]}
        self.known[name] = (now + BELIEVED_S, found)
        self.used(found.key_id)
        return found
