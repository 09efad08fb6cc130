"""A request id on every answer and in every log line, and one line in the log for each request."""

from __future__ import annotations

from time import perf_counter

import structlog
from flask import Flask, Response, g, request

from gateway.adapters.web.settings import WebSettings
from gateway.domain.ids import encode

_log = structlog.get_logger("gateway.web")

#: Asked for every few seconds by machines: logged only when they fail.
_QUIET = frozenset({"/healthz", "/readyz"})


def install(app: Flask, settings: WebSettings) -> None:
    """Attach the id and the log line. Ids that callers send are not believed: they could hold anything."""

    def begin() -> None:
        g.started = perf_counter()
        g.request_uuid = settings.new_id()
        g.request_id = encode("req", g.request_uuid)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    app.before_request(begin)
    app.after_request(_end)


def _end(response: Response) -> Response:
    response.headers.add("Request-Id", g.request_id)
    if request.path in _QUIET and response.status_code < 400:
        return response
    call = g.get("call")
    _log.info(
        "request",
        method=request.method,
        # The route and never the path: paths hold capability secrets.
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        code=g.get("error_code"),
        ms=round((perf_counter() - g.started) * 1000, 1),
        business=str(call.business_id) if call else None,
        key=str(call.key_id) if call else None,
    )
    return response
