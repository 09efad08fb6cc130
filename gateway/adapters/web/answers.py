"""JSON answers: what the use cases give goes out as it is, compact and in UTF-8."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import Response

from gateway.application.interfaces import Json

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def answer(body: Json, status: int = 200, *, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(_ENCODER.encode(body).encode(), status, headers, "application/json")


def problem_answer(body: Json, headers: Mapping[str, str] | None = None) -> Response:
    """An error by RFC 9457; its status is the body's. What a caller sent may hold anything, so it stays in ASCII."""
    return Response(json.dumps(body, separators=(",", ":")), body["status"], headers, "application/problem+json")
