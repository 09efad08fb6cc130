"""Ids in paths."""

from __future__ import annotations

from uuid import UUID

from gateway.domain.errors import NotFound
from gateway.domain.ids import Prefix, decode


def named(prefix: Prefix, text: str) -> UUID:
    """The UUID of an id in a path. Raises NotFound: what has no valid id doesn't exist."""
    try:
        return decode(prefix, text)
    except ValueError as error:
        raise NotFound(f"there is no object with this id; {error}") from None
