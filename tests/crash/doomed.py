"""`python -m tests.crash.doomed worker`: a gateway process that kills itself, or PostgreSQL, at a named boundary.

`DOOM` is `{point}:{n}`, `DOOM_FILE` a file that counts over all processes of the run: whoever reaches the point for the
n-th time gets SIGKILL, once; or the process of `DOOM_VICTIM` does in its stead. Points are before and after: `commit`
of a unit that may write, `call` of a provider, `send` of a webhook; for the relay `after_claim` of due work, and
`enqueue`; for web `begin` of an idempotent call, and `store` of a callback. The product's code is wrapped from
outside; it knows nothing of this. `tests.crash.doomed_wsgi` is the same for web.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from gateway import __main__ as command_line
from gateway.adapters.jobs.queue import RqQueue
from gateway.adapters.lines import Lines
from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.adapters.persistence.callbacks import SqlCallbackStore
from gateway.adapters.persistence.doors import SqlDoors
from gateway.adapters.persistence.idempotency import SqlIdempotencyKeys
from gateway.adapters.persistence.unit_of_work import SqlUnits

_point, _, _times = os.environ.get("DOOM", ":").partition(":")


def reach(point: str) -> None:
    """Die here, if it is written so."""
    if point != _point:
        return
    with Path(os.environ["DOOM_FILE"]).open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("x")
        file.flush()
        if file.tell() == int(_times):
            os.kill(int(os.environ.get("DOOM_VICTIM") or os.getpid()), signal.SIGKILL)


def _units() -> None:
    """Wrap the unit of work: the point before is after all statements but the commit."""
    real_close, real_call = SqlUnits._close, SqlUnits.__call__

    def close(self: SqlUnits, tx: Any) -> bool:
        due_now = real_close(self, tx)
        reach("before_commit")
        return due_now

    @contextmanager
    def call(self: SqlUnits, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with real_call(self, *args, **kwargs) as work:
            yield work
        if not kwargs.get("read_only"):
            reach("after_commit")

    SqlUnits._close = close  # type: ignore[method-assign]
    SqlUnits.__call__ = call  # type: ignore[method-assign]


def _around(cls: type, name: str, what: str) -> None:
    real: Callable[..., Any] = getattr(cls, name)

    @wraps(real)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        reach(f"before_{what}")
        try:
            return real(*args, **kwargs)
        finally:
            reach(f"after_{what}")

    setattr(cls, name, wrapped)


def _lines() -> None:
    """Wrap what adapters do when they are built for a connection."""
    real = Lines._line

    def line(self: Lines, connection: Any, offer: Any) -> Any:
        built = real(self, connection, offer)
        for name in ("start", "submit", "look_up"):
            cls = type(built)
            if hasattr(cls, name) and not hasattr(getattr(cls, name), "__wrapped__"):
                _around(cls, name, "call")
        return built

    Lines._line = line  # type: ignore[method-assign]


def _claims() -> None:
    """Wrap the relay's claim; looking and finding nothing is no boundary."""
    real = SqlDoors.claim_due

    def claim_due(self: SqlDoors, rooms: Any, shares: Any = None) -> Any:
        rows = real(self, rooms, shares)
        if rows:
            reach("after_claim")
        return rows

    SqlDoors.claim_due = claim_due  # type: ignore[method-assign]


def doom() -> None:
    """Wrap everything."""
    _units()
    _lines()
    _claims()
    _around(SafeWebhookSender, "send", "send")
    _around(RqQueue, "send", "enqueue")
    _around(SqlIdempotencyKeys, "begin", "begin")
    _around(SqlCallbackStore, "store", "store")


if __name__ == "__main__":
    doom()
    command_line.run()
