"""Error answers of Daraja and its gateway: their shapes, and what each means for a call.

Sources: Daraja portal, December 2025 and August 2026; captures and threads, 2026. One code may mean several things
(`500.003.02` is a full house or a speed limit), so the text decides where the portal itself tells them apart by text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from plugins.kit.http import Answer
from plugins.mpesa import wire

#: "Invalid token" wears a code for each family of endpoints.
_TOKEN = {"404.001.03", "401.002.01", "401.003.01", "400.003.01", "401.001"}
_INVALID = {"400.002.02", "400.002.05", "400.003.02"}
_SET_UP = {"404.001.01", "404.002.01", "404.003.01", "404.001.04", "405.001", "403.002.1001"}
_QUOTA = "500.003.03"
_BUSY_OR_TOO_FAST = "500.003.02"

_NO_PRODUCT = re.compile(r"no apiproduct match", re.IGNORECASE)
_TOO_FAST = re.compile(r"spike\s*arrest", re.IGNORECASE)
_PENDING = re.compile(r"being processed|still .*process", re.IGNORECASE)
_FIELD = re.compile(r"Invalid ([A-Za-z]{3,30})")


class Meaning(Enum):
    """What an error answer says about the call that met it."""

    UNAUTHORISED = "unauthorised"
    """The token was refused: certainly not done; another token may help."""
    TOO_FAST = "too_fast"
    """The gateway's speed limit: certainly not done; slow down."""
    INVALID = "invalid"
    """A field was refused: certainly not done."""
    SET_UP = "set_up"
    """Product, permission, address or method are wrong: certainly not done."""
    UNCLEAR = "unclear"
    """Anything else: it may have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error answer: HTTP status, the provider's code and text as far as there are any."""

    status: int
    code: str = ""
    text: str = ""
    retry_after_s: int | None = None

    @property
    def meaning(self) -> Meaning:
        """Sorted by status and code; the text only where codes are shared."""
        if self.status == 429 or self.code == _QUOTA or self.code.startswith("policies.ratelimit."):
            return Meaning.TOO_FAST
        if self.code == _BUSY_OR_TOO_FAST and _TOO_FAST.search(self.text):
            return Meaning.TOO_FAST
        if self.status == 401 or self.code in _TOKEN or self.lacks_product:
            return Meaning.UNAUTHORISED
        if self.code in _INVALID:
            return Meaning.INVALID
        return Meaning.SET_UP if self.code in _SET_UP else Meaning.UNCLEAR

    @property
    def lacks_product(self) -> bool:
        """Whether the app lacks the API product, which looks like a refused token and is none."""
        return _NO_PRODUCT.search(self.text) is not None

    @property
    def field(self) -> str:
        """The field that was refused, or nothing."""
        found = _FIELD.search(self.text)
        return found[1] if found else ""


def speaks_of_pending(text: str) -> bool:
    """Whether a text says that the try is still in progress. It wins over any code, in this direction only."""
    return _PENDING.search(text) is not None


def fault_of(answer: Answer) -> Fault:
    """Read an error answer: Daraja's own shape, Apigee's `fault`, SOAP in JSON, HTML, or nothing at all."""
    code, text = _code_and_text(_object_of(answer))
    return Fault(status=answer.status, code=code, text=text, retry_after_s=_retry_after(answer))


def _object_of(answer: Answer) -> dict[str, object]:
    try:
        return wire.parsed(answer.body)
    except ValueError:
        return {}


def _code_and_text(body: dict[str, object]) -> tuple[str, str]:
    if "errorCode" in body or "errorMessage" in body:
        return wire.code(body.get("errorCode")) or "", wire.said(body.get("errorMessage"))
    if "fault" in body:
        fault = wire.as_object(body["fault"])
        detail = wire.as_object(fault.get("detail"))
        return wire.code(detail.get("errorcode")) or "", wire.said(fault.get("faultstring"))
    if "responseMessage" in body:
        return wire.code(body.get("responseCode")) or "", wire.said(body["responseMessage"])
    if soap := _soap_fault(body):
        return wire.code(soap.get("faultcode")) or "", wire.said(soap.get("faultstring"))
    return "", wire.said(body.get("ResponseDescription"))


def _soap_fault(body: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = body
    for level in ("Envelope", "Body", "Fault"):
        # Names may carry a prefix such as `soapenv:`.
        found = next((wire.as_object(v) for name, v in found.items() if name.rpartition(":")[2] == level), {})
    return found


def _retry_after(answer: Answer) -> int | None:
    given = answer.headers.get("retry-after", "").strip()
    return min(int(given), 3600) if given.isascii() and given.isdigit() and len(given) < 10 else None
