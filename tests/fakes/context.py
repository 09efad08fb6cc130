"""What the core lends adapters, in memory: a clock to turn, a log to read, shared memory to look into."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ports.context import Context, Environment

#: 10:30 in Nairobi.
MORNING = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    time: datetime = MORNING

    def __call__(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class FakeLog:
    """Keeps every line as (level, event, fields)."""

    lines: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def info(self, event: str, **fields: object) -> None:
        self.lines.append(("info", event, fields))

    def warning(self, event: str, **fields: object) -> None:
        self.lines.append(("warning", event, fields))


@dataclass
class FakeSharedMemory:
    """One dictionary, with lives on the given clock. `reachable` False makes it the memory that was lost."""

    clock: FakeClock = field(default_factory=FakeClock)
    kept: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    reachable: bool = True
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self, key: str) -> str | None:
        value, ends = self.kept.get(key, ("", self.clock()))
        return value if self.reachable and ends > self.clock() else None

    def put(self, key: str, value: str, *, life_s: int) -> None:
        if self.reachable:
            self.kept[key] = (value, self.clock() + timedelta(seconds=life_s))

    @contextmanager
    def only_one(self, key: str, *, life_s: int) -> Iterator[bool]:
        with self._guard:
            mine = key not in self.locked
            self.locked.add(key)
        try:
            yield mine
        finally:
            if mine:
                self.locked.discard(key)


@dataclass
class FakeWorld:
    """A Context and all it is made of."""

    environment: Environment = Environment.SANDBOX
    clock: FakeClock = field(default_factory=FakeClock)
    log: FakeLog = field(default_factory=FakeLog)
    waited: list[float] = field(default_factory=list)
    shared: FakeSharedMemory = field(init=False)
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.shared = FakeSharedMemory(clock=self.clock)
        self.context = Context(
            environment=self.environment,
            connection="con_test",
            clock=self.clock,
            log=self.log,
            shared=self.shared,
            wait=self.waited.append,
        )
