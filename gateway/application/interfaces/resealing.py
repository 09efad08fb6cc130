"""What a rotation of master keys needs of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedColumn:
    """A column that holds sealed values. `owned`: each is sealed for the business of its row."""

    table: str
    column: str
    owned: bool


class Resealing(Protocol):
    """Each call is a transaction of its own, so a rotation may die between any two."""

    @property
    def current(self) -> str:
        """The id of the master key that seals."""

    def columns(self) -> Sequence[SealedColumn]:
        """Every sealed column of the database, from its catalog."""

    def count(self, place: SealedColumn) -> Mapping[str, int]:
        """How many values stand under which master key."""

    def reseal(self, place: SealedColumn, after: UUID | None, limit: int) -> tuple[int, UUID | None]:
        """Seal up to `limit` values again that are under another than the current key, from the id `after` on.

        Gives how many were written and the last id that was looked at, None when there was none. A value that somebody
        changes meanwhile is left as they made it. Raises Conflict naming the row.
        """
