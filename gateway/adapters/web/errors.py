"""Every error leaves as `application/problem+json` (RFC 9457); here is the one table from error to HTTP status."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import sqlalchemy.exc
import structlog
from flask import Flask, Response, g, request
from flask_limiter.errors import RateLimitExceeded
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from gateway.adapters.web.answers import problem_answer
from gateway.adapters.web.desk import desk
from gateway.adapters.web.error_codes import title_of
from gateway.adapters.web.faults import invalid
from gateway.adapters.web.limits import retry_after_s
from gateway.application.interfaces import Json
from gateway.domain.errors import (
    Busy,
    Conflict,
    Denied,
    GatewayError,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unprocessable,
)

#: A subclass has the status of the nearest class above it.
STATUS: dict[type[GatewayError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    Unprocessable: 422,
    TooMany: 429,
    Busy: 503,
    GatewayError: 500,
}

_HTTP: dict[int, tuple[str, str]] = {
    404: ("route_not_found", "nothing answers at this path; /openapi.json lists what does"),
    405: ("method_not_allowed", "this path doesn't know the method; the Allow header names those it knows"),
    413: ("body_too_large", "the body is larger than 64 KiB; send less"),
    415: ("content_type_not_supported", "send the body as Content-Type: application/json"),
}

_BROKEN = "something broke on our side; repeat the call with the same Idempotency-Key, and tell us the request_id"

_log = structlog.get_logger("gateway.web")


def status_of(error: GatewayError) -> int:
    """The HTTP status of one of our own refusals."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    *,
    status: int,
    code: str,
    detail: str,
    param: str | None = None,
    retryable: bool = False,
    errors: list[dict[str, str]] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Json:
    """The members that every error has; `extra` stands beside them."""
    page = f"{desk().settings.public_url}/docs/errors#{code}"
    return {
        **(extra or {}),
        "type": page,
        "title": title_of(code),
        "status": status,
        "detail": detail,
        "instance": f"urn:request:{g.request_id}",
        "code": code,
        "param": param,
        "request_id": g.request_id,
        "retryable": retryable,
        "doc_url": page,
        "errors": errors or [],
    }


def problem_of(error: GatewayError) -> Json:
    """One of our own refusals as the caller sees it."""
    return problem(
        status=status_of(error),
        code=error.code,
        detail=error.detail,
        param=error.param,
        retryable=error.retryable or error.retry_after_s is not None,
        errors=[{"param": f.param, "code": f.code, "detail": f.detail} for f in error.faults],
        extra=error.extra,
    )


#: Refusals by a moment's state: they may well succeed under the same key a little later.
_PASSING = frozenset({"attempt_outcome_unknown", "business_owes", "payout_outcome_unknown", "stale_version"})


def is_final(error: GatewayError) -> bool:
    """Whether the same call would be refused again, so that its answer may be kept under the idempotency key.

    What tells the caller to come again must not be replayed when it does.
    """
    if error.retryable or error.retry_after_s is not None or error.code in _PASSING:
        return False
    return 400 <= status_of(error) < 500 and not isinstance(error, Unauthenticated | TooMany)


def register(app: Flask) -> None:
    """Attach the handlers: ours, the framework's, and the one for what nobody expected."""
    app.register_error_handler(GatewayError, _refused)
    app.register_error_handler(ValidationError, _not_valid)
    app.register_error_handler(RateLimitExceeded, _limited)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(sqlalchemy.exc.OperationalError, _away)
    app.register_error_handler(psycopg.OperationalError, _away)
    app.register_error_handler(Exception, _broken)


def _refused(error: GatewayError) -> Response:
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    elif isinstance(error, Busy):
        headers["Retry-After"] = "1"
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="gateway"'
    g.error_code = error.code
    return problem_answer(problem_of(error), headers)


def _not_valid(error: ValidationError) -> Response:
    return _refused(invalid(error.messages))


def _limited(error: RateLimitExceeded) -> Response:
    wait = retry_after_s(error, desk().guards)
    return _refused(
        TooMany("this address knocks too often; wait before you try again", retry_after_s=wait),
    )


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    code, detail = _HTTP.get(
        status, ("bad_request", "the request could not be read; check its request line, headers and length")
    )
    if status >= 500:
        code, detail = "internal_error", _BROKEN
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    g.error_code = code
    return problem_answer(problem(status=status, code=code, detail=detail, retryable=status >= 500), headers)


def _away(error: Exception) -> Response:
    """PostgreSQL can't be reached or went away on the way: whether the call was done is for its key to tell."""
    _log.error("database away", kind=type(error).__name__, method=request.method, route=str(request.url_rule))
    return _refused(
        Busy(
            "the database can't be reached at the moment; repeat the call with the same Idempotency-Key",
            code="unavailable",
            retry_after_s=2,
        )
    )


def _broken(error: Exception) -> Response:
    """A fault of ours: told to the log once, with the request's id, and to the caller not at all."""
    _log.error("request broke", exc_info=error, method=request.method, route=str(request.url_rule))
    g.error_code = "internal_error"
    return problem_answer(problem(status=500, code="internal_error", detail=_BROKEN, retryable=True))
