"""`python -m tests.chaos.skewed worker`: a gateway process on a host whose clock is wrong by as many seconds as
`SKEW_FILE` says at the moment it is asked. The product knows nothing of this."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway import __main__ as command_line
from gateway.adapters.system import SystemClock

_FILE = Path(os.environ["SKEW_FILE"])


def _now(_: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=int(_FILE.read_text() or "0"))


if __name__ == "__main__":
    SystemClock.__call__ = _now  # type: ignore[method-assign]
    command_line.run()
