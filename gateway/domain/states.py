"""A state machine as one total table: every state × every step has a documented answer, and nothing hides elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from gateway.domain.errors import IllegalStep, StateRefused

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine(Generic[S, E]):
    """`roads` says where each step leads; a pair that is missing is a refusal. A road to the same state is a no-op.

    `ends` are the states that the product calls final; some still have a road out (late money).
    """

    name: str
    states: type[S]
    steps: type[E]
    roads: Mapping[tuple[S, E], S]
    ends: frozenset[S]

    def take(self, state: S, step: E) -> S:
        """The next state. Raises StateRefused, naming what is allowed, when the table has no road."""
        try:
            return self.roads[state, step]
        except KeyError:
            refusal = IllegalStep(state=state.value, step=step.value, allowed=self.allowed(state))
            raise StateRefused(
                f"{self.name} is {state.value}: {step.value} is not possible; possible: "
                f"{', '.join(refusal.allowed) or 'nothing'}",
                refusal,
            ) from None

    def allows(self, state: S, step: E) -> bool:
        """Whether the table has a road."""
        return (state, step) in self.roads

    def allowed(self, state: S) -> tuple[str, ...]:
        """The steps that lead out of `state` or are harmless in it, in the order of their definition."""
        return tuple(step.value for step in self.steps if (state, step) in self.roads)
