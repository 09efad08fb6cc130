"""What can go wrong by our own rules; `code` is a public word, and web maps each class to one HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One field that is wrong: a JSON pointer into the request, a public code, a sentence."""

    param: str
    code: str
    detail: str


class GatewayError(Exception):
    """A refusal by our own rules.

    `code` is stable and public; `detail` says what to do next; `param` is a JSON pointer or None;
    `retryable` says whether the same call may succeed later; `extra` is shown beside them.
    """

    code = "error"
    retryable = False

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: int | None = None,
        faults: tuple[Fault, ...] = (),
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.param = param
        self.retry_after_s = retry_after_s
        self.faults = faults
        self.extra = dict(extra or {})


class Invalid(GatewayError):
    """The request is wrong in itself (400)."""

    code = "invalid_request"


class Unprocessable(GatewayError):
    """Well-formed, but it can't be done for this object (422)."""

    code = "unprocessable"


class Unauthenticated(GatewayError):
    """No key, or not a usable one (401)."""

    code = "invalid_api_key"


class Denied(GatewayError):
    """The caller may not do this (403)."""

    code = "forbidden"


class NotFound(GatewayError):
    """There is no such object for this caller (404); another business's object is the same as none."""

    code = "not_found"


class Conflict(GatewayError):
    """The object's state doesn't allow it now (409)."""

    code = "conflict"


class InsufficientFunds(Unprocessable):
    """The available balance doesn't cover the amount and its fee (422)."""

    code = "insufficient_funds"


class TooMany(GatewayError):
    """Too often; `retry_after_s` says when again (429)."""

    code = "rate_limited"
    retryable = True


class Busy(GatewayError):
    """A lock on one hot business, or a server that sheds load: the same call may succeed at once (503)."""

    code = "busy"
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IllegalStep:
    """A documented refusal of a state table: what was asked, in which state, and what is allowed there."""

    state: str
    step: str
    allowed: tuple[str, ...] = field(default=())


class StateRefused(Conflict):
    """The state table has no road for this step (409); `extra.allowed` lists the steps that have one."""

    code = "illegal_transition"

    def __init__(self, detail: str, refusal: IllegalStep, *, code: str | None = None) -> None:
        super().__init__(detail, code=code, extra={"state": refusal.state, "allowed": list(refusal.allowed)})
        self.refusal = refusal
