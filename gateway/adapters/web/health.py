"""/healthz: the process is up. /readyz: it can do its work."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.adapters.web.answers import answer
from gateway.adapters.web.desk import desk
from gateway.application.interfaces import Json

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Up: nothing else is asked, so that a database's trouble doesn't restart every web process."""
    return answer({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 `ready` or `degraded`, 503 `unavailable`; what is wrong is said in our own words."""
    checks: dict[str, Json] = {}
    status = "ready"
    for probe in desk().settings.probes:
        trouble = probe.check()
        checks[probe.name] = {"ok": trouble is None, "required": probe.required, "detail": trouble}
        if trouble is not None:
            status = "unavailable" if probe.required or status == "unavailable" else "degraded"
    return answer({"status": status, "checks": checks}, 503 if status == "unavailable" else 200)
