"""The worker as it is, but ten times as impatient, so that its patience can be tried in seconds."""

from __future__ import annotations

from gateway.adapters.web.gunicorn_conf import *  # noqa: F403
from gateway.adapters.web.gunicorn_worker import Worker

worker_class = "tests.hostile.hasty.Hasty"


class Hasty(Worker):
    """Half a second of silence, one second for a request."""

    silence_s = 0.5
    request_within_s = 1.0
