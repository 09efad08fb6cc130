"""What a restricted key may do: `noun:read` or `noun:write`, where the noun is that of the route's blueprint."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.domain.errors import Denied, Invalid

READ, WRITE = "read", "write"
READING = frozenset({"GET", "HEAD"})


def scope_of(noun: str, method: str) -> str:
    """The scope that a call needs."""
    return f"{noun}:{READ if method in READING else WRITE}"


def scopes_of(nouns: Iterable[str]) -> tuple[str, ...]:
    """Every scope there is."""
    return tuple(f"{noun}:{verb}" for noun in sorted(nouns) for verb in (READ, WRITE))


def allows(scopes: frozenset[str], needed: str) -> bool:
    """Whether the scopes allow it. Writing doesn't include reading: each is asked for by its name."""
    return needed in scopes


def checked_scopes(asked: tuple[str, ...], known: frozenset[str], held: frozenset[str] | None) -> tuple[str, ...]:
    """The scopes of a new key, each once. `held` are those of a restricted key that makes it, None: all.

    Raises Invalid for an unknown one, and for more than the maker has.
    """
    for place, scope in enumerate(asked):
        if scope not in known:
            raise Invalid(f"there is no scope {scope[:64]!r}", code="scope_unknown", param=f"/scopes/{place}")
        if held is not None and scope not in held:
            raise Denied("a key gives no more than it has itself", code="scope_not_held")
    return tuple(dict.fromkeys(asked))
