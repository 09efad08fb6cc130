"""Notes of each call of the API, written to the log behind the callers' backs: after the answer, many at once.

A note waits in this process for a second at most. When the process is killed the last ones are lost, and when the
database is away they are dropped: an answer never waits for them, and no call fails because of them.
"""

from __future__ import annotations

import atexit
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from threading import Event, Lock, Thread
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, Response, g, request

from gateway.adapters.web.bodies import is_deep
from gateway.application.interfaces import Json, LoggedRequest
from gateway.application.request_log import problem_kept, redacted
from gateway.domain.businesses import HOUSE

Keep = Callable[[Sequence[LoggedRequest]], None]

_EVERY_S = 0.5
#: How long an ending process waits for a batch that is on its way.
_END_S = 5
#: Where the application keeps its notes.
EXTENSION = "gateway-request-log"
_BATCH = 500
#: More don't wait: the oldest are dropped.
_WAITING_MAX = 5000
#: Refused strangers are logged too, so that their request id can be found; but a flood of them writes little.
_STRANGERS_PER_S = 20
_API = "/v1/"
_BODY_MAX = 64 * 1024

_log = structlog.get_logger("gateway.web")


@dataclass(slots=True, kw_only=True)
class Notes:
    """What waits to be written, and the thread that writes it: begun by the first note, so after a fork."""

    keep: Keep
    waiting: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=_WAITING_MAX))
    _thread: Thread | None = None
    _lock: Lock = field(default_factory=Lock)
    _stop: Event = field(default_factory=Event)
    _ailing: bool = False

    def add(self, note: LoggedRequest) -> None:
        """Let it wait for the next batch."""
        self.waiting.append(note)
        if self._thread is None:
            self._begin()

    def flush(self) -> None:
        """Write all that waits. Never raises; what can't be written is dropped, and said once."""
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(_BATCH, len(self.waiting)))]
            try:
                self.keep(batch)
                self._ailing = False
            except Exception as trouble:
                # The edge of a thread that nobody waits for: the log may have holes, the API may not.
                if not self._ailing:
                    _log.warning("requests not logged", lost=len(batch), error=type(trouble).__name__)
                self._ailing = True

    def close(self) -> None:
        """Write what waits, and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_END_S)
        self.flush()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="request-log", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.flush()


def install(app: Flask, keep: Keep | None) -> Notes | None:
    """Note every call below /v1; nothing without somebody to `keep` the notes."""
    if keep is None:
        return None
    notes, strangers = Notes(keep=keep), _Rate()

    def note(response: Response) -> Response:
        if request.path.startswith(_API) and ("call" in g or strangers.allows()):
            notes.add(_note(response))
        return response

    app.after_request(note)
    app.extensions[EXTENSION] = notes
    return notes


@dataclass(slots=True)
class _Rate:
    """At most so many a second, as well as threads that don't wait for one another can count."""

    second: int = 0
    taken: int = 0

    def allows(self) -> bool:
        now = int(perf_counter())
        if now != self.second:
            self.second, self.taken = now, 0
        self.taken += 1
        return self.taken <= _STRANGERS_PER_S


def _note(response: Response) -> LoggedRequest:
    caller = g.get("call")
    key = request.headers.get("Idempotency-Key")
    refused = response.status_code >= 400
    return LoggedRequest(
        id=g.request_uuid,
        business_id=caller.business_id if caller else HOUSE,
        livemode=caller.livemode if caller else False,
        at=datetime.fromtimestamp((g.request_uuid.int >> 80) / 1000, UTC),
        key_id=caller.key_id if caller else None,
        method=request.method,
        # The route and never the path.
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        duration_ms=round((perf_counter() - g.started) * 1000),
        code=g.get("error_code"),
        idempotency_key=sha256(key.encode("utf-8", "replace")).digest() if key else None,
        request=_asked() if refused else None,
        response=_answered(response) if refused else None,
    )


def _asked() -> Json | None:
    """The refused body's shape, when it was read at all and is one."""
    raw = request.get_data(cache=True) if (request.content_length or 0) <= _BODY_MAX else b""
    try:
        found = redacted(json.loads(raw)) if raw and not is_deep(raw) else None
    except ValueError:
        return {"unreadable": True}
    return found if isinstance(found, dict) else None


def _answered(response: Response) -> Json | None:
    found: Any = response.get_json(silent=True) if response.mimetype == "application/problem+json" else None
    return problem_kept(found) if isinstance(found, dict) else None
