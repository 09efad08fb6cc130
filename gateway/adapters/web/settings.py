"""What the web process needs to know, and no more: the composition root fills it from the environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.application.interfaces import LoggedRequest, NewId
from gateway.application.interfaces.floats import Samples
from gateway.application.shedding import Shedding


class TestClock(Protocol):
    """The clock of a sandbox installation, which can be moved forward."""

    def now(self) -> datetime:
        """The installation's time: aware, UTC."""

    def advance(self, seconds: int) -> datetime:
        """Move it forward by `seconds` and give the new time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that readiness depends on.

    `check` gives None when all is well, else a few words on what is wrong; it must answer within a second or so.
    A failing probe that isn't `required` makes the process degraded, not unready.
    """

    name: str
    check: Callable[[], str | None]
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """`public_url` is where callers reach us, without a slash at the end. Limits are `amount/unit`; None: no limit.

    `trusted_proxies` is the number of proxies in front whose X-Forwarded-For and -Proto are believed.
    `keep_requests` writes what calls came to; without it they aren't logged.
    `key_limit` holds for reads and for writes of a key, `publishable_limit` for one shopper's address with a
    publishable key; `processes` is how many web processes share a limit while Redis is away.
    `samples` gives what `/metrics` shows, to this machine alone or, where there is a `metrics_token`, to its bearers.
    `shedding` refuses new work while due work waits for too long.
    `test_clock` is set in a sandbox installation only; it opens `/v1/test_helpers`.
    """

    public_url: str
    new_id: NewId
    version: str = "0.1.0"
    probes: tuple[Probe, ...] = ()
    trusted_proxies: int = 0
    test_clock: TestClock | None = None
    key_limit: str | None = "100/second"
    address_limit: str | None = "30000/minute"
    publishable_limit: str | None = "60/minute"
    processes: int = 1
    wrong_key_limit: str | None = "60/minute"
    unknown_callback_limit: str | None = "120/minute"
    page_limit: str | None = "6000/minute"
    keep_requests: Callable[[Sequence[LoggedRequest]], None] | None = None
    samples: Samples | None = None
    shedding: Shedding | None = None
    metrics_token: str | None = None
