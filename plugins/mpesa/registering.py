"""What M-Pesa says when it is told our URLs."""

from __future__ import annotations

import re

from plugins.kit.http import Answer
from plugins.mpesa import wire
from plugins.mpesa.codes import shown
from plugins.mpesa.faults import fault_of
from plugins.mpesa.mapping import error_of
from plugins.mpesa.orders import body_of
from ports.errors import OutcomeUnknown, Refused
from ports.report import Failure, FailureKind, TryAgain

#: Words that may be shown: one plain sentence, and no address or number in it.
_PLAIN = re.compile(r"(?!.*[0-9]{9})[A-Za-z0-9 ,.'()-]{1,100}")
_THERE = re.compile(r"already registered|duplicate notification info", re.IGNORECASE)


def told_urls(answer: Answer) -> str:
    """The words of a yes. Raises Refused when URLs are registered already, and as other calls do."""
    body = body_of(answer)
    code = wire.code(body.get("ResponseCode"))
    words = wire.said(body.get("ResponseDescription"))
    fault = fault_of(answer)
    if _THERE.search(fault.text) or _THERE.search(words):
        detail = "URLs are registered already; delete them in the portal first: Self Services, URL management"
        raise Refused(
            Failure(
                kind=FailureKind.OTHER,
                provider_code=shown(fault.code or code or ""),
                detail=detail,
                try_again=TryAgain.NEVER,
            )
        )
    if answer.status == 200 and wire.is_accepted(code):
        return words if _PLAIN.fullmatch(words) else "registered"
    if answer.status == 200 and code is not None:
        raise OutcomeUnknown(f"register: {shown(code)}")
    raise error_of("register", fault)
