"""Daraja as it is: the bodies we send, and what can be read in the bodies that come, whatever their type or shape.

Sources: Daraja portal, December 2025 and August 2026; sandbox captures, September and October 2026. Values arrive as
numbers or as text, lists arrive as a lone object, values may be missing: each reader here takes them all and answers
None where nothing sensible stands. Nothing here decides what a word means.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from ports.money import KES, Money

OAUTH_PATH = "/oauth/v1/generate?grant_type=client_credentials"
PUSH_PATH = "/mpesa/stkpush/v1/processrequest"
PUSH_QUERY_PATH = "/mpesa/stkpushquery/v1/query"
B2C_PATH = "/mpesa/b2c/v3/paymentrequest"
STATUS_PATH = "/mpesa/transactionstatus/v1/query"

#: East Africa Time; there is no summer time. Times without a zone are in it.
EAT = timezone(timedelta(hours=3), "EAT")

#: Larger callbacks are not read: a real one has about 1 KB.
BODY_MAX = 65_536

_TIME_FORMS = ("%Y%m%d%H%M%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S")
_RECEIPT = re.compile(r"[A-Z0-9]{10}")
#: Failed results fill the transaction id with three letters and seven zeros.
_FILLER = re.compile(r"[A-Z0-9]{3}0{7}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_PHONE = re.compile(r"\+?(254[17][0-9]{8})")
_MASKED_PHONE = re.compile(r"\+?(254[17])[\s*Xx•.-]+([0-9]{3})")
_OPAQUE = re.compile(r"[!-~]{1,128}")


def stamp(moment: datetime) -> str:
    """`YYYYMMDDHHmmss` in East Africa Time, of an aware moment."""
    return moment.astimezone(EAT).strftime("%Y%m%d%H%M%S")


def password(shortcode: str, passkey: str, timestamp: str) -> str:
    """The push password: base 64 of the three joined, without separators. `timestamp` must be the one in the body."""
    return b64encode(f"{shortcode}{passkey}{timestamp}".encode()).decode()


def clean(text: str, *, least: int, most: int, otherwise: str) -> str:
    """`text` in the letters Daraja takes (`@ # &` make requests fail), `least` to `most` long, else `otherwise`."""
    kept = " ".join(re.sub(r"[^A-Za-z0-9 _.-]+", " ", text).split())[:most].strip()
    return kept if len(kept) >= least else otherwise


def phone_number(e164: str | None) -> int | None:
    """A Kenyan mobile number as Daraja's integer, or None."""
    found = _PHONE.fullmatch(e164 or "")
    return int(found[1]) if found else None


def push_body(
    *,
    shortcode: str,
    party: str,
    is_till: bool,
    passkey: str,
    timestamp: str,
    amount: int,
    payer: int,
    reply_url: str,
    reference: str,
    text: str,
) -> dict[str, object]:
    """A push to a paybill, or to the till `party` of the store `shortcode`; `amount` in whole shillings.

    Numbers go as JSON integers.
    """
    return {
        "BusinessShortCode": int(shortcode),
        "Password": password(shortcode, passkey, timestamp),
        "Timestamp": timestamp,
        "TransactionType": "CustomerBuyGoodsOnline" if is_till else "CustomerPayBillOnline",
        "Amount": amount,
        "PartyA": payer,
        "PartyB": int(party),
        "PhoneNumber": payer,
        "CallBackURL": reply_url,
        "AccountReference": reference,
        "TransactionDesc": clean(text, least=1, most=13, otherwise="Payment"),
    }


def push_query_body(*, shortcode: str, passkey: str, timestamp: str, checkout_request_id: str) -> dict[str, object]:
    """The question what became of a push."""
    return {
        "BusinessShortCode": int(shortcode),
        "Password": password(shortcode, passkey, timestamp),
        "Timestamp": timestamp,
        "CheckoutRequestID": checkout_request_id,
    }


def b2c_body(
    *,
    reference: str,
    shortcode: str,
    initiator: str,
    credential: str,
    command_id: str,
    amount: int,
    receiver: int,
    text: str,
    reply_url: str,
) -> dict[str, object]:
    """A B2C v3 payment; `amount` in whole shillings. The misspelt `Occassion` is Daraja's."""
    return {
        "OriginatorConversationID": reference,
        "InitiatorName": initiator,
        "SecurityCredential": credential,
        "CommandID": command_id,
        "Amount": amount,
        "PartyA": int(shortcode),
        "PartyB": receiver,
        "Remarks": clean(text, least=2, most=100, otherwise="Payout"),
        "QueueTimeOutURL": reply_url,
        "ResultURL": reply_url,
        "Occassion": "",
    }


def status_body(
    *, reference: str, shortcode: str, initiator: str, credential: str, reply_url: str
) -> dict[str, object]:
    """The question what became of a payment that we named `reference`."""
    return {
        "Initiator": initiator,
        "SecurityCredential": credential,
        "CommandID": "TransactionStatusQuery",
        "OriginalConversationID": reference,
        "PartyA": int(shortcode),
        "IdentifierType": "4",
        "ResultURL": reply_url,
        "QueueTimeOutURL": reply_url,
        "Remarks": "Status",
        "Occasion": "",
    }


def written(body: Mapping[str, object]) -> bytes:
    """A body as bytes; the same body always gives the same bytes."""
    return json.dumps(body, separators=(",", ":")).encode()


def parsed(body: bytes, most: int = BODY_MAX) -> dict[str, object]:
    """A JSON object out of at most `most` bytes, its fractions as Decimal. Raises ValueError for everything else."""
    if len(body) > most:
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


def as_object(value: object) -> dict[str, object]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def code(value: object) -> str | None:
    """A result code, which may be a number or text, as trimmed text; None when there is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) < 10**12:
        value = int(value)
    found = str(value).strip() if isinstance(value, (int, str)) else ""
    return found if 0 < len(found) <= 64 else None


def is_accepted(response_code: str | None) -> bool:
    """Whether a ResponseCode says yes: `0`, and at some endpoints `00` or `00000000`."""
    return response_code is not None and set(response_code) == {"0"}


def opaque(value: object) -> str | None:
    """An identifier of theirs: up to 128 visible ASCII characters; None when there is none."""
    found = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return found if _OPAQUE.fullmatch(found) else None


def token(value: object) -> str | None:
    """A bearer token: visible ASCII that fits in a header; None when there is none."""
    return value if isinstance(value, str) and re.fullmatch(r"[!-~]{1,4096}", value) else None


def said(value: object) -> str:
    """Free text, or nothing."""
    return value if isinstance(value, str) else ""


def receipt_number(value: object) -> str | None:
    """A receipt: ten of `A-Z0-9`, and not the filler that failed results carry; None when there is none."""
    found = value.strip() if isinstance(value, str) else ""
    return found if _RECEIPT.fullmatch(found) and not _FILLER.fullmatch(found) else None


def shillings(value: object) -> Money | None:
    """An amount in shillings (`1`, `1.00`, `"1.00"`), exactly; None when it can't be read or isn't whole cents."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        return None
    if isinstance(value, Decimal) and (value.adjusted() > 12 or value.adjusted() < -6):
        return None
    text = f"{value:f}" if isinstance(value, Decimal) else str(value).strip()
    if not _AMOUNT.fullmatch(text):
        return None
    try:
        return Money.from_decimal(Decimal(text), KES)
    except ValueError:
        return None


def moment(value: object) -> datetime | None:
    """A time in one of Daraja's forms, as number or text, in UTC; None when it can't be read."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    text = str(value).strip()
    for form in _TIME_FORMS if len(text) <= 32 else ():
        try:
            return datetime.strptime(text, form).replace(tzinfo=EAT).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def payer_hint(value: object) -> str | None:
    """A payer's number, masked; it may come as a number, text, masked already, or as a hash (then there is no hint)."""
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if whole := _PHONE.fullmatch(text):
        return f"+{whole[1][:4]}•••••{whole[1][-3:]}"
    if masked := _MASKED_PHONE.fullmatch(text):
        return f"+{masked[1]}•••••{masked[2]}"
    return None


def pairs(holder: object, inner: str, name: str) -> tuple[tuple[str, object], ...]:
    """A result's list of (name, value) pairs, in order, repeated names kept, a missing value as None.

    `holder[inner]` may be a list, a lone object, or missing with its holder; entries without a name are left out.
    """
    items = holder if isinstance(holder, list) else as_object(holder).get(inner)
    listed = items if isinstance(items, list) else [items]
    found = []
    for item in map(as_object, listed):
        if isinstance(key := item.get(name), str):
            found.append((key.strip(), item.get("Value")))
    return tuple(found)


def the_one(named: tuple[tuple[str, object], ...], name: str) -> object:
    """The value under `name`; None when there is none, or when there are several that differ."""
    values = [value for key, value in named if key == name and value is not None]
    return values[0] if values and all(value == values[0] for value in values) else None
