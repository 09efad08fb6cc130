"""Idempotency-Key: one key, one effect, one answer, also when the first answer got lost or the process died.

A key is leased in a transaction of its own together with the id that the new object will bear. The use case stores its
answer in the transaction that makes the object; a final refusal is stored here, afterwards. What says "come again"
is not stored: a 5xx, `busy`, a limit, a prompt that is still undecided. A body that its schema refuses never gets here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from hashlib import sha256
from typing import Any

from flask import Response, g, request

from gateway.adapters.web.answers import answer, problem_answer
from gateway.adapters.web.bodies import canonical, card_refused, read_body
from gateway.adapters.web.desk import call, desk, use_cases
from gateway.adapters.web.errors import is_final, problem_of, status_of
from gateway.application.interfaces import Call, IdempotentCall, InFlight, Json, Mismatch, Replay
from gateway.domain.card_numbers import holds_card_number
from gateway.domain.errors import Conflict, GatewayError, Invalid, Unprocessable

KEY_MAX = 255
#: Days for which an answer is kept.
MONEY_DAYS = 30
ORDINARY_DAYS = 1

View = Callable[..., Json]


def idempotent(status: int, *, required: bool = False) -> Callable[[View], Callable[..., Response]]:
    """Run a POST's view under the caller's key; `required` for what can move money, whose answers are kept longest."""

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            key = _key(required)
            if key is None:
                return answer(view(*args, **kwargs), status)
            keep_days = MONEY_DAYS if required else ORDINARY_DAYS
            return _under(key, keep_days, status, lambda: view(*args, **kwargs))

        # Read by `openapi`, which documents the header.
        wrapper._apidoc = {"manual_doc": {"x-idempotency": "required" if required else "optional"}}  # type: ignore[attr-defined]
        return wrapper

    return decorate


def _key(required: bool) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        if required:
            raise Invalid(
                "send an Idempotency-Key header: a new random one for each new order, the same one for a repeat",
                code="idempotency_key_required",
            )
        return None
    if not 1 <= len(key) <= KEY_MAX or not (key.isascii() and key.isprintable()):
        raise Invalid(
            f"an Idempotency-Key is 1 to {KEY_MAX} printable ASCII characters", code="idempotency_key_invalid"
        )
    if holds_card_number(key):
        # Events tell the key, so it is kept.
        raise card_refused("")
    return key


def _under(key: str, keep_days: int, status: int, view: Callable[[], Json]) -> Response:
    caller = call()
    begun = use_cases().idempotency.begin(
        caller, key, fingerprint(), object_id=desk().settings.new_id(), keep_days=keep_days
    )
    if isinstance(begun, Replay):
        return _replay(begun)
    if isinstance(begun, InFlight):
        raise Conflict(
            "the same call is still running; repeat it after Retry-After with the same key",
            code="idempotency_in_progress",
            retry_after_s=begun.retry_after_s,
        )
    if isinstance(begun, Mismatch):
        raise Unprocessable(
            "this Idempotency-Key was used for a different request; use a new key for a new request",
            code="idempotency_mismatch",
        )
    g.call = replace(caller, idempotency=begun.call)
    return answer(_settled(caller, begun.call, view), status)


def _settled(caller: Call, leased: IdempotentCall, view: Callable[[], Json]) -> Json:
    """Run the view; whatever comes of it, the lease doesn't outlive it."""
    settled = False
    try:
        body = view()
        settled = True
        return body
    except GatewayError as error:
        if is_final(error):
            use_cases().idempotency.refuse(caller, leased, status_of(error), problem_of(error))
            settled = True
        raise
    finally:
        if not settled:
            use_cases().idempotency.release(caller, leased)


def _replay(stored: Replay) -> Response:
    replayed = {"Idempotent-Replayed": "true"}
    if stored.status >= 400:
        return problem_answer(stored.body, replayed)
    return answer(stored.body, stored.status, headers=replayed)


def fingerprint() -> bytes:
    """What makes two requests the same: method, path and content, whatever the order of the fields."""
    found = sha256(f"{request.method} {request.path}\n".encode())
    body = read_body(request)
    if body is not None:
        found.update(canonical(body))
    return found.digest()
