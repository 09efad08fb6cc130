"""The tables of result codes: what each says became of the money, and what the person may do next.

Sources: Daraja portal, December 2025 and August 2026; sandbox captures, September and October 2026; production notes
of other projects. A code that is missing here means pending, and tell someone: never paid, never failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ports.report import Failure, FailureKind, Status, TryAgain

_DAY_S = 86_400
_FIT = re.compile(r"(?!.*[0-9]{10})[A-Za-z0-9_.: -]{1,32}")


class Verdict(Enum):
    """What a code says of one try."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"
    AMBIGUOUS = "ambiguous"
    """It ended, or was there before, and nobody says how: reported as pending, so that we ask on."""

    @property
    def status(self) -> Status:
        """The port's word for it."""
        return {Verdict.SUCCEEDED: Status.SUCCEEDED, Verdict.FAILED: Status.FAILED}.get(self, Status.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One code: its meaning in our words, the verdict, and for failures the kind and what next."""

    meaning: str
    verdict: Verdict
    kind: FailureKind = FailureKind.OTHER
    try_again: TryAgain = TryAgain.NOW
    after_s: int | None = None

    def failure(self, code: str) -> Failure | None:
        """The port's failure for a FAILED row, else None."""
        if self.verdict is not Verdict.FAILED:
            return None
        return Failure(
            kind=self.kind, provider_code=code, detail=self.meaning, try_again=self.try_again, after_s=self.after_s
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A provider's code in the port's terms."""

    status: Status
    failure: Failure | None = None
    unrecognised: str | None = None


def read(table: Mapping[str, Row], code: str) -> Word:
    """Look a code up; one that isn't there is pending, and unrecognised."""
    row = table.get(code)
    if row is None:
        return Word(status=Status.PENDING, unrecognised=shown(code))
    return Word(status=row.verdict.status, failure=row.failure(code))


def shown(code: str) -> str:
    """A provider's word, if it is fit to be shown and logged: short, plain, and no telephone number."""
    return code if _FIT.fullmatch(code) else "an odd word"


def _failed(
    meaning: str, kind: FailureKind = FailureKind.OTHER, try_again: TryAgain = TryAgain.NOW, after_s: int | None = None
) -> Row:
    return Row(meaning=meaning, verdict=Verdict.FAILED, kind=kind, try_again=try_again, after_s=after_s)


def _later(meaning: str, after_s: int, kind: FailureKind = FailureKind.OTHER) -> Row:
    return _failed(meaning, kind, TryAgain.LATER, after_s)


def _set_up(meaning: str) -> Row:
    return _failed(meaning, FailureKind.SET_UP, TryAgain.NEVER)


def _open(meaning: str, verdict: Verdict) -> Row:
    return Row(meaning=meaning, verdict=verdict)


_DONE = Row(meaning="done", verdict=Verdict.SUCCEEDED)
#: Codes that one disbursement library knows, as a group: party, amount or identity invalid, not a child organisation.
_ONE_SOURCE = _failed("the receiver, the amount or the identity was refused", try_again=TryAgain.NEVER)

#: Push: the callback's and the query's ResultCode.
PUSH_CODES: Mapping[str, Row] = {
    "0": _DONE,
    "1": _failed("the payer's balance is too low", FailureKind.INSUFFICIENT_FUNDS),
    "2": _failed("below the smallest amount", try_again=TryAgain.NEVER),
    "3": _failed("above the largest amount", FailureKind.OVER_LIMIT, TryAgain.ANOTHER_WAY),
    "4": _failed("above the payer's daily limit", FailureKind.OVER_LIMIT, TryAgain.ANOTHER_WAY),
    "8": _failed("the receiving account would exceed its limit", FailureKind.SET_UP, TryAgain.ANOTHER_WAY),
    "17": _later("the same amount from the same payer within two minutes; an earlier try may have succeeded", 120),
    "26": _later("traffic blocked or system busy", 60),
    "1001": _later("the payer has another session open", 60),
    "1019": _failed("expired; a late success is possible", FailureKind.NO_ANSWER),
    "1025": _later("the prompt could not be sent", 60),
    "1031": _failed("no PIN in time", FailureKind.NO_ANSWER),
    "1032": _failed("cancelled by the payer", FailureKind.CANCELED_BY_PAYER),
    "1036": _open("the phone's answer did not come back in time", Verdict.AMBIGUOUS),
    "1037": _failed("unreachable or no answer; a late success is possible", FailureKind.NO_ANSWER),
    "2001": _failed("wrong PIN", FailureKind.WRONG_PIN),
    "2028": _set_up("the paybill may not do this"),
    "4999": _open("still being processed", Verdict.PENDING),
    "8006": _failed("the payer's PIN is locked", try_again=TryAgain.ANOTHER_WAY),
    "9999": _open("the prompt could not be sent, or its end is not known", Verdict.AMBIGUOUS),
    "SFC_IC0003": _set_up("the receiving party is invalid"),
    "E3008": _failed("the payer is barred by a debt contract", try_again=TryAgain.ANOTHER_WAY),
}

#: B2C: the result's ResultCode.
PAYOUT_CODES: Mapping[str, Row] = {
    "0": _DONE,
    "1": _later("the utility account's balance is too low", 600, FailureKind.INSUFFICIENT_FUNDS),
    "2": _failed("below the smallest amount", try_again=TryAgain.NEVER),
    "3": _failed("above the largest amount", FailureKind.OVER_LIMIT, TryAgain.ANOTHER_WAY),
    "4": _later("above the recipient's daily limit", _DAY_S, FailureKind.OVER_LIMIT),
    "7": _ONE_SOURCE,
    "8": _failed("above the recipient's largest balance", FailureKind.OVER_LIMIT, TryAgain.ANOTHER_WAY),
    "11": _set_up("our account is not active"),
    "12": _ONE_SOURCE,
    "13": _ONE_SOURCE,
    "14": _ONE_SOURCE,
    "15": _open("duplicate: sent already", Verdict.AMBIGUOUS),
    "17": _open("internal failure", Verdict.AMBIGUOUS),
    "18": _set_up("the initiator's credential is wrong"),
    "20": _set_up("the initiator is unknown"),
    "21": _set_up("the initiator may not do this"),
    "22": _set_up("the initiator is not allowed"),
    "24": _failed("a parameter is missing", try_again=TryAgain.NEVER),
    "25": _failed("a parameter is invalid", try_again=TryAgain.NEVER),
    "26": _open("traffic blocked", Verdict.AMBIGUOUS),
    "29": _failed("the command is invalid", try_again=TryAgain.NEVER),
    "2001": _set_up("the initiator's credential is wrong"),
    "2006": _set_up("our account is not active"),
    "2007": _ONE_SOURCE,
    "2020": _ONE_SOURCE,
    "2028": _set_up("the shortcode may not pay out"),
    "2029": _open("unresolved reason", Verdict.AMBIGUOUS),
    "2033": _open("unresolved reason", Verdict.AMBIGUOUS),
    "2040": _failed("the recipient is not registered", FailureKind.DESTINATION_INVALID, TryAgain.NEVER),
    "2043": _ONE_SOURCE,
    "2051": _ONE_SOURCE,
    "2202": _ONE_SOURCE,
    "8006": _set_up("the initiator is locked"),
    "100000000": _open("kept, waiting to be sent again", Verdict.PENDING),
    "100000001": _open("overload", Verdict.AMBIGUOUS),
    "100000002": _open("throttled", Verdict.AMBIGUOUS),
    "100000011": _open("throttled", Verdict.AMBIGUOUS),
    "R002": _ONE_SOURCE,
    "R003": _ONE_SOURCE,
    "SFC_IC0003": _failed("the number is not on M-Pesa", FailureKind.DESTINATION_INVALID, TryAgain.NEVER),
}

#: Reversals and payments to organisations: what differs from a payout to a phone.
ORDER_CODES: Mapping[str, Row] = {
    **PAYOUT_CODES,
    "1": _later("the account's balance is too low", 600, FailureKind.INSUFFICIENT_FUNDS),
    "R000001": _open("reversed already", Verdict.AMBIGUOUS),
    "R000002": _failed("no transaction with that receipt can be reversed", try_again=TryAgain.ANOTHER_WAY),
    "SFC_IC0003": _failed("the receiving party is invalid", FailureKind.DESTINATION_INVALID, TryAgain.NEVER),
}

#: The word of a Transaction Status result, in small letters.
STATUS_WORDS: Mapping[str, Row] = {
    "completed": _DONE,
    "cancelled": _failed("cancelled by the provider"),
    "declined": _failed("declined by the provider"),
    "expired": _failed("expired at the provider"),
    "initiated": _open("begun", Verdict.PENDING),
    "authorized": _open("authorised", Verdict.PENDING),
    "pending authorized": _open("waiting to be authorised", Verdict.PENDING),
}

#: A status question answered with this code: the provider looked, and has no such transaction.
NOT_FOUND = "2032"
