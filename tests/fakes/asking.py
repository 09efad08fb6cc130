"""How a fake's abilities are called: what the provider was asked, what the next call meets, whether it is there."""

from __future__ import annotations

from dataclasses import dataclass, field

from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown

#: Errors that come after the provider did what it was asked; all others come before.
AFTER = (OutcomeUnknown, AlreadyTaken)


@dataclass(kw_only=True)
class Abilities:
    """Beside a fake's own port. `asks` is everything asked of its abilities, in order, whatever was answered."""

    calls: int = 0
    reachable: bool = True
    trusted: bool = True
    asks: list[str] = field(default_factory=list)
    _next: list[Exception] = field(default_factory=list)

    def on_next(self, *errors: Exception) -> None:
        """What the next calls of abilities meet, one each: OutcomeUnknown and AlreadyTaken after they took effect."""
        self._next.extend(errors)

    def _begin(self, ability: str) -> Exception | None:
        """Reach the provider. Raises what comes before any effect, and gives what is to be raised after it."""
        self._reach()
        self.asks.append(ability)
        error = self._next.pop(0) if self._next else None
        if error is not None and not isinstance(error, AFTER):
            raise error
        return error

    def _reach(self) -> None:
        if not self.reachable:
            raise NotSent("no connection")
        self.calls += 1
        if not self.trusted:
            raise Misconfigured("the keys are worth nothing")


def over(error: Exception | None) -> None:
    """The effect is there; raise what was to come after it."""
    if error is not None:
        raise error
