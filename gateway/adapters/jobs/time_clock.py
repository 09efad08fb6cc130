"""What each worker has been at and for how long, in memory that a parent shares with the children it forks."""

from __future__ import annotations

import mmap
import struct
import time

_ONE = struct.Struct("d")


class TimeClock:
    """A card for each place: since when its worker has been at one job. One process writes it, without a lock."""

    def __init__(self, places: int) -> None:
        self._cards = mmap.mmap(-1, max(1, places) * _ONE.size)

    def begin(self, place: int) -> None:
        """The worker at that place takes a job."""
        self._write(place, time.monotonic())

    def end(self, place: int) -> None:
        """Its job is over, or it ended itself."""
        self._write(place, 0.0)

    def busy_s(self, place: int) -> float:
        """Seconds for which it has been at its job; 0 without one."""
        (since,) = _ONE.unpack_from(self._cards, place * _ONE.size)
        return max(0.0, time.monotonic() - since) if since else 0.0

    def _write(self, place: int, since: float) -> None:
        _ONE.pack_into(self._cards, place * _ONE.size, since)
