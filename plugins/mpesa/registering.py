"""What M-Pesa says when it is told our URLs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from plugins.kit.http import Answer
from plugins.mpesa import wire
from plugins.mpesa.codes import shown
from plugins.mpesa.faults import fault_of
from plugins.mpesa.mapping import error_of
from plugins.mpesa.orders import body_of
from ports.errors import OutcomeUnknown, PortError, Refused
from ports.report import Failure, FailureKind, TryAgain

#: Words that may be shown: one plain sentence, and no address or number in it.
_PLAIN = re.compile(r"(?!.*[0-9]{9})[A-Za-z0-9 ,.'()-]{1,100}")
_WAS_THERE = "URLs are registered already; delete them in the portal first: Self Services, URL management"
_THERE = re.compile(r"already registered|duplicate notification info", re.IGNORECASE)


def told_urls(answer: Answer) -> str:
    """The words of a yes. Raises Refused when URLs are registered already, and as other calls do."""
    body = body_of(answer)
    code = wire.code(body.get("ResponseCode"))
    words = wire.said(body.get("ResponseDescription"))
    fault = fault_of(answer)
    if _THERE.search(fault.text) or _THERE.search(words):
        raise Refused(
            Failure(
                kind=FailureKind.OTHER,
                provider_code=shown(fault.code or code or ""),
                detail=_WAS_THERE,
                try_again=TryAgain.NEVER,
            )
        )
    if answer.status == 200 and wire.is_accepted(code):
        return words if _PLAIN.fullmatch(words) else "registered"
    if answer.status == 200 and code is not None:
        raise OutcomeUnknown(f"register: {shown(code)}")
    raise error_of("register", fault)


def with_pull(answer: Answer, ask: Callable[[], str]) -> str:
    """The words of a yes to our URLs, and what came of asking for Pull.

    Pull's trouble is told and not raised: our URLs stand, and production takes them once. For the same reason Pull is
    asked for where they stood already, or it could never be asked for again. Raises as `told_urls` does.
    """
    try:
        words = told_urls(answer)
    except Refused as refused:
        if refused.failure.detail != _WAS_THERE:
            raise
        raise Refused(replace(refused.failure, detail=f"{_WAS_THERE} (Pull: {_asked_for(ask)})")) from None
    return f"{words}; Pull: {_asked_for(ask)}"


def _asked_for(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except PortError as trouble:
        return f"not registered, register again ({trouble})"
