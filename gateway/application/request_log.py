"""The log of requests: what is kept of a call, without anything personal, and how its business reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.interfaces import Call, Json, LoggedRequest, OpenUnit
from gateway.domain.errors import NotFound
from gateway.domain.ids import Prefix, encode

#: Numbers under these names are sums, counts and spans; any other number could be a phone's.
_NUMBERS = frozenset({"amount", "amount_min", "amount_max", "expires_in", "limit", "max_uses", "overlap_s"})
#: Texts under these names are words of ours, when they look like one.
_WORDS = frozenset({"currency", "type", "enabled_events", "types", "payload", "order"})
_WORD = re.compile(r"[A-Za-z_.*]{1,60}")
_NAME = re.compile(r"[a-z_]{1,40}")
_POINTER = re.compile(r"(/([a-z_]{1,40}|[0-9]{1,3})){1,6}")
_DEPTH_MAX = 4
_MEMBERS_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequests:
    """A business looks up one of its own calls."""

    unit: OpenUnit

    def get(self, request_id: UUID, call: Call) -> Json:
        """The call. Raises NotFound, also while it isn't written yet: it is within about a second."""
        with self.unit(call.scope, call=call, read_only=True) as work:
            found = work.requests.get(request_id)
            if found is None:
                raise NotFound("this request isn't in the log: it wasn't yours, is too old, or is not written yet")
            return shown_request(found)


def shown_request(one: LoggedRequest) -> Json:
    """A logged call as the API and the command line show it."""
    return {
        "id": encode(Prefix.REQUEST, one.id),
        "object": "request",
        "livemode": one.livemode,
        "business": encode(Prefix.BUSINESS, one.business_id),
        "at": shown.moment(one.at),
        "api_key": shown.public_id(Prefix.API_KEY, one.key_id),
        "method": one.method,
        "route": one.route,
        "status": one.status,
        "duration_ms": one.duration_ms,
        "code": one.code,
        "idempotency_key_hash": one.idempotency_key.hex() if one.idempotency_key else None,
        "request": one.request,
        "response": one.response,
    }


def redacted(value: object, name: str = "", depth: int = 0) -> object:
    """The shape of a body: names and types stay, words of ours and sums stay, everything else is told by its kind.

    Whatever a caller wrote may be somebody's name or number, also where it doesn't belong.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if name in _NUMBERS else "[number]"
    if isinstance(value, str):
        return value if name in _WORDS and _WORD.fullmatch(value) else f"[text of {min(len(value), 9999)}]"
    if depth >= _DEPTH_MAX:
        return "[more]"
    if isinstance(value, Mapping):
        return _members(value, name, depth)
    if isinstance(value, list):
        return [redacted(one, name, depth + 1) for one in value[:_MEMBERS_MAX]]
    return "[other]"


def problem_kept(problem: Mapping[str, object]) -> Json:
    """Of an error's answer: its code, status and fields; never its sentences, which may quote the caller."""
    errors = problem.get("errors")
    return {
        "code": problem.get("code"),
        "status": problem.get("status"),
        "param": _pointer(problem.get("param")),
        "retryable": problem.get("retryable"),
        "errors": [
            {"code": one.get("code"), "param": _pointer(one.get("param"))}
            for one in (errors if isinstance(errors, list) else [])[:_MEMBERS_MAX]
            if isinstance(one, Mapping)
        ],
    }


def _members(value: Mapping[str, object], name: str, depth: int) -> object:
    if name == "metadata":
        return f"[{len(value)} keys]"
    kept = list(value.items())[:_MEMBERS_MAX]
    return {key if _NAME.fullmatch(key) else "[name]": redacted(one, key, depth + 1) for key, one in kept}


def _pointer(text: object) -> str | None:
    return text if isinstance(text, str) and _POINTER.fullmatch(text) else None
