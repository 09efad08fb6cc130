"""Swypt as it is: what can be read in its bodies, whatever the type or shape. Nothing here decides what a word means.

Sources: Swypt's documentation, November 2024 to January 2026, and what public clients send and read. Numbers arrive as
numbers or as text, telephone numbers and times too, and one envelope in four forms; each reader takes them all and
answers None where nothing sensible stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from plugins.kit.http import Answer

#: An ordinary answer has about 1 KB, a page of a history some 20.
BODY_MAX = 262_144

_RECEIPT = re.compile(r"[A-Z0-9]{10}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_PHONE = re.compile(r"\+?(254[17][0-9]{8})")
_OPAQUE = re.compile(r"[!-~]{1,128}")
#: `Transaction timeout` may be shown to an operator; a text with digits may hold a telephone number.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z ,.'-]{0,79}")
_WORD = re.compile(r"[A-Z][A-Z _-]{0,39}")
#: Larger or finer than this is no amount.
_ADJUSTED_MAX = 20
_SUCCESS, _ERROR = "success", "error"
#: A time with a Z may be East African all the same (documented samples contradict one another by three hours).
EAT_BEHIND = timedelta(hours=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One answer, opened. `ok` is None where it contradicts itself or isn't JSON; `data` is the inner object or the
    whole one; `rows` is the inner list. `message` joins all texts that say what went wrong."""

    http: int
    ok: bool | None
    message: str = ""
    body: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)
    rows: tuple[Mapping[str, object], ...] | None = None


def opened(answer: Answer) -> Envelope:
    """Read the envelope: `status` as a word or a number, `statusCode`, `error` alone, or none at all."""
    if answer.cut:
        return Envelope(http=answer.status, ok=None)
    try:
        body = parsed(answer.body)
    except ValueError:
        return Envelope(http=answer.status, ok=None)
    inner = body.get("data")
    return Envelope(
        http=answer.status,
        ok=_is_ok(answer.status, body),
        message=" · ".join(t for t in (text(body.get("message")), text(body.get("error"))) if t),
        body=body,
        data=inner if isinstance(inner, dict) else body,
        rows=tuple(one for one in inner if isinstance(one, dict)) if isinstance(inner, list) else None,
    )


def _is_ok(http: int, body: Mapping[str, object]) -> bool | None:
    """Yes needs both HTTP and body, no needs either; a body that says yes under an HTTP error contradicts itself."""
    word = _said(body)
    is_2xx = 200 <= http < 300
    if word is False:
        return False
    if is_2xx:
        return True
    return None if word is True else False


def _said(body: Mapping[str, object]) -> bool | None:
    """What the body says of itself; None when it says nothing."""
    status, code = body.get("status"), decimal(body.get("statusCode"))
    if isinstance(status, str) and plain_word(status) in (_SUCCESS, _ERROR):
        return plain_word(status) == _SUCCESS
    number = decimal(status) if code is None else code
    if number is not None:
        return 200 <= number < 300
    if body.get("error") and "data" not in body:
        return False
    return None


def parsed(body: bytes) -> dict[str, object]:
    """A JSON object, its fractions as Decimal. Raises ValueError for everything else."""
    if len(body) > BODY_MAX:
        raise ValueError("too long")
    try:
        found = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (RecursionError, ArithmeticError):
        raise ValueError("nested too deeply, or a number out of all bounds") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


def written(body: Mapping[str, object]) -> bytes:
    """A body as bytes; the same body always gives the same bytes."""
    return json.dumps(body, separators=(",", ":")).encode()


def decimal(value: object) -> Decimal | None:
    """A number, or a text that is one, exactly; None for anything else, and for what is out of all bounds."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        return None
    written_out = str(value).strip()
    if len(written_out) > 80:
        return None
    try:
        found = Decimal(written_out)
    except InvalidOperation:
        return None
    if not found.is_finite() or abs(found.adjusted()) > _ADJUSTED_MAX or int(found.as_tuple().exponent) < -40:
        return None if not found.is_finite() or found else Decimal(0)
    return found


def text(value: object) -> str:
    """Free text, trimmed, or nothing."""
    return value.strip() if isinstance(value, str) else ""


def plain_word(value: object) -> str:
    """A word to compare: trimmed, in small letters."""
    return text(value).lower()


def status_word(value: object) -> str:
    """A status, trimmed and in capitals; empty where there is none, `?` for what is no word."""
    found = text(value).upper()
    return found if _WORD.fullmatch(found) else found and "?"


def objects(value: object) -> Mapping[str, object]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def opaque(value: object) -> str | None:
    """A name of theirs: up to 128 visible ASCII characters."""
    found = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return found if _OPAQUE.fullmatch(found) else None


def receipt_number(value: object) -> str | None:
    """A receipt: ten of `A-Z0-9`. Until it is paid the field holds a checkout id, which is none."""
    found = text(value)
    return found if _RECEIPT.fullmatch(found) else None


def tx_hash(value: object) -> str | None:
    """A transaction's hash, in small letters."""
    found = text(value)
    return found.lower() if _HASH.fullmatch(found) else None


def phone_number(value: object) -> str | None:
    """A Kenyan mobile number as `254…`; it may come as text or as a number."""
    found = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    whole = _PHONE.fullmatch(found)
    return whole[1] if whole else None


def payer_hint(value: object) -> str | None:
    """A number, masked."""
    whole = phone_number(value)
    return f"+{whole[:4]}•••••{whole[-3:]}" if whole else None


def harmless(value: object) -> str:
    """A reason that may be shown: letters only, at most 80; else nothing."""
    found = text(value)
    return found if _PLAIN.fullmatch(found) else ""


def printed_time(value: object) -> datetime | None:
    """A time as it is printed: ISO, milliseconds since 1970, or `20250215083338`, read as UTC.

    It may be three hours ahead: East African time is printed with a Z too. It narrows a search, and dates nothing.
    """
    found = text(value)
    number = decimal(value)
    try:
        if number is not None:
            digits = str(int(number))
            if len(digits) == 14:
                return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            return datetime.fromtimestamp(int(number) // 1000, UTC)
        moment = datetime.fromisoformat(found) if found else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
