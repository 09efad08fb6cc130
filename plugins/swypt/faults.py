"""What Swypt's refusals mean for each call, by their texts: the tables, and the one place that reads them.

HTTP codes aren't documented, and errors come under 2xx as well: the text decides, and what no row has is unknown.
Texts: Swypt's documentation, February to July 2025. `…` stands for what changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from plugins.kit.http import Answer
from plugins.swypt.wire import Envelope
from ports.errors import Misconfigured, NotSent, OutcomeUnknown, PortError, Refused
from ports.report import Failure, FailureKind, TryAgain


class Meaning(Enum):
    """What a refusal says of what was asked."""

    REFUSED = "refused"
    """Certainly not done, and won't be."""
    NOT_YET = "not_yet"
    """Turned away before anything happened: the same again, later."""
    SET_UP = "set_up"
    """Ours to repair; nothing happened."""
    TAKEN = "taken"
    """Done, or being done, already."""
    NOTHING = "nothing"
    """Looked for, and not there."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One text, as a pattern, and its meaning. `sure_below` is the HTTP code from which it proves nothing any more:
    a server error may have happened after the provider's own call went out."""

    text: str
    meaning: Meaning
    sure_below: int = 600


ONRAMP_ROWS = (
    Row(text=r"failed to record the onramp transaction order", meaning=Meaning.REFUSED, sure_below=500),
    Row(text=r"failed to initiate stk push payment", meaning=Meaning.REFUSED, sure_below=500),
    # "An error occurred during the STK Push transaction" has no row: the prompt may be on the phone.
)
DEPOSIT_ROWS = (
    Row(text=r"already (been )?processed", meaning=Meaning.TAKEN),
    Row(text=r"payment is being processed", meaning=Meaning.NOT_YET),
    Row(text=r": payment failed", meaning=Meaning.REFUSED),
    Row(text=r"no transaction found for orderid", meaning=Meaning.REFUSED),
    Row(text=r"missing required parameters", meaning=Meaning.SET_UP),
    Row(text=r"invalid chain|chain is not supported", meaning=Meaning.SET_UP),
    # "Failed to process … transaction: …" has no row: the transfer may have been sent. It may be asked for again.
)
OFFRAMP_ROWS = (
    Row(text=r"already (been )?processed", meaning=Meaning.TAKEN),
    # The tokens are with Swypt by now: what is wrong with the order is repaired, and it is sent again.
    Row(text=r"missing required|unsupported blockchain", meaning=Meaning.SET_UP),
)
QUOTE_ROWS = (
    Row(text=r"invalid network|unsupported network|unsupported (crypto|currency|token)", meaning=Meaning.SET_UP),
    Row(text=r"amount|limit|minimum|maximum", meaning=Meaning.REFUSED, sure_below=500),
)
STATUS_ROWS = (Row(text=r"not found", meaning=Meaning.NOTHING, sure_below=500),)
HISTORY_ROWS = (Row(text=r"no (b2c )?transactions found", meaning=Meaning.NOTHING),)
TICKET_ROWS = (
    Row(text=r"no failed (or pending )?transaction found", meaning=Meaning.REFUSED),
    Row(text=r"please provide all required inputs|validationerror", meaning=Meaning.REFUSED),
    # "Unable to process refund ticket" has no row: it may be in their book all the same.
)

_KEYS = re.compile(r"api key and secret are required|invalid api credentials", re.IGNORECASE)
_RETRY_AFTER_S, _RETRY_AFTER_MAX_S = 30, 3600
_TOO_MANY = 429
_UNAUTHORISED, _FORBIDDEN = 401, 403


def at_the_gate(call: str, answer: Answer, envelope: Envelope) -> PortError | None:
    """What is the same for every call: keys that aren't taken, and too many calls. None when it isn't that."""
    if answer.status == _TOO_MANY:
        return NotSent(f"{call}: HTTP 429", retry_after_s=_retry_after(answer), whole_connection=True)
    if envelope.ok is not True and _KEYS.search(envelope.message):
        return Misconfigured(f"{call}: the API key or secret is refused (HTTP {answer.status})")
    if answer.status == _UNAUTHORISED or (answer.status == _FORBIDDEN and envelope.ok is False):
        return Misconfigured(f"{call}: HTTP {answer.status}")
    return None


def _retry_after(answer: Answer) -> int:
    told = answer.headers.get("retry-after", "").strip()
    return max(1, min(int(told), _RETRY_AFTER_MAX_S)) if told.isdecimal() and len(told) < 6 else _RETRY_AFTER_S


def meaning_of(envelope: Envelope, rows: Sequence[Row]) -> Meaning:
    """What a refusal means, by the first row whose text it holds."""
    if envelope.ok is not False:
        return Meaning.UNKNOWN
    for row in rows:
        if envelope.http < row.sure_below and re.search(row.text, envelope.message, re.IGNORECASE):
            return row.meaning
    return Meaning.UNKNOWN


def error_of(call: str, envelope: Envelope, rows: Sequence[Row]) -> PortError:
    """The port's error for an answer that isn't a clear yes. TAKEN and NOTHING are the caller's own."""
    named = f"{call}: HTTP {envelope.http}"
    match meaning_of(envelope, rows):
        case Meaning.REFUSED:
            return Refused(
                Failure(
                    kind=FailureKind.OTHER,
                    provider_code=str(envelope.http),
                    detail=f"{call} refused by the provider",
                    try_again=TryAgain.NOW,
                )
            )
        case Meaning.NOT_YET:
            return NotSent(f"{named}, not yet", retry_after_s=_RETRY_AFTER_S)
        case Meaning.SET_UP:
            return Misconfigured(f"{named}, refused for what is configured")
        case _:
            return OutcomeUnknown(f"{named}, no clear answer")
