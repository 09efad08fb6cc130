"""Rotation of master keys: all that is sealed is sealed again under the newest, in small batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.application.interfaces import Resealing, SealedColumn

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One batch was committed: so many of `place` so far."""

    place: SealedColumn
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKeys:
    """Needs no memory of its own: each value says which key sealed it, so what is done is seen in the rows."""

    rows: Resealing

    def __call__(self, tell: Callable[[Progress], None], *, batch: int = BATCH) -> int:
        """Seal all again that isn't under the current key; gives how many were. Killed anywhere, it is run again."""
        return sum(self._column(place, tell, batch) for place in self.rows.columns())

    def status(self) -> Mapping[str, Mapping[str, int]]:
        """Master key id → place → values under it. A key with none here may be dropped from the settings."""
        found: dict[str, dict[str, int]] = {self.rows.current: {}}
        for place in self.rows.columns():
            for master, count in self.rows.count(place).items():
                found.setdefault(master, {})[f"{place.table}.{place.column}"] = count
        return found

    def _column(self, place: SealedColumn, tell: Callable[[Progress], None], batch: int) -> int:
        done, after = 0, None
        while True:
            written, after = self.rows.reseal(place, after, batch)
            if after is None:
                return done
            done += written
            tell(Progress(place=place, done=done))
