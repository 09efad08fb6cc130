"""How gunicorn serves the API: one process a core, a few threads in each, since a request mostly waits for PostgreSQL.

gunicorn reads the names of this module as its options, through `--config python:gateway.adapters.web.gunicorn_conf`.
It is read before the application exists, so it reads GATEWAY_WEB_BIND, _WORKERS and _THREADS itself.
"""

from __future__ import annotations

import os
from pathlib import Path


def _whole(name: str, default: int) -> int:
    """A setting that is a whole number above zero. Raises ValueError naming the setting."""
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} must be a whole number above zero, not {text!r}")
    return int(text)


bind = os.environ.get("GATEWAY_WEB_BIND") or "127.0.0.1:8080"
workers = _whole("GATEWAY_WEB_WORKERS", os.cpu_count() or 1)
#: The database pool holds as many connections: a thread never waits for one.
threads = _whole("GATEWAY_WEB_THREADS", 4)
worker_class = "gateway.adapters.web.gunicorn_worker.Worker"
proc_name = "gateway-web"

#: Seconds: a worker that shows no life, one that is asked to finish, and an idle connection of a client.
timeout = 30
graceful_timeout = 20
keepalive = 5

#: Heartbeats are file writes; on a slow disk they would look like a hang.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # nosec B108

#: Each request is logged once, by us, as JSON and redacted.
accesslog = None
loglevel = "warning"

#: Believe nobody about where a request came from; the application knows its trusted proxies.
forwarded_allow_ips = ""
control_socket_disable = True
