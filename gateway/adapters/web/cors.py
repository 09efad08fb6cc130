"""Which other sites' pages may call us: any, and only what a publishable key may do, without cookies."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request

from gateway.adapters.web.auth import PUBLIC

_SHOWN = "Request-Id, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed"
_METHODS = {rule: method for method, rule in PUBLIC}

blueprint = Blueprint("preflight", __name__)


def preflight(**_: str) -> Response:
    """What a browser asks before it calls."""
    allowed = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": _METHODS[str(request.url_rule)],
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
        "Access-Control-Max-Age": "86400",
    }
    return Response(status=204, headers=allowed)


for _rule in _METHODS:
    blueprint.add_url_rule(_rule, f"preflight_{len(_rule)}", preflight, methods=["OPTIONS"])


def install(app: Flask) -> None:
    """Answers on those routes, refusals too, may be read by the page that asked."""
    app.register_blueprint(blueprint)
    app.after_request(_open)


def _open(response: Response) -> Response:
    if "Origin" in request.headers and _may_be_read():
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = _SHOWN
    return response


def _may_be_read() -> bool:
    method = "GET" if request.method == "HEAD" else request.method
    return (method, str(request.url_rule)) in PUBLIC
