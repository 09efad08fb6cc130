"""JSON bodies, read strictly: what two parsers could read differently is refused before anybody believes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from gateway.adapters.web.faults import pointer
from gateway.domain.card_numbers import holds_card_number
from gateway.domain.errors import Fault, Invalid

#: Bytes.
BODY_MAX = 64 * 1024
#: Where this isn't found, no text of the body can hold a card number, and none is looked at.
_MANY_DIGITS = re.compile(rb"[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){12}")


#: Levels of objects and lists. The interpreter's own limit on recursion isn't ours to rely on: any library moves it.
DEPTH_MAX = 64
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)


class _Twice(ValueError):
    """An object repeats a key."""


def read_body(request: Request) -> dict[str, Any] | None:
    """The body as an object, None when there is none.

    Raises Invalid (`invalid_json`, `invalid_characters`), UnsupportedMediaType, RequestEntityTooLarge.
    """
    raw = read_bytes(request)
    if not raw:
        return None
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    return read_object(raw)


def read_bytes(request: Request) -> bytes:
    """The whole body as it came. Raises RequestEntityTooLarge.

    A chunked body has no length beforehand, and is silently cut where MAX_CONTENT_LENGTH says: that is one byte more
    than what is taken here.
    """
    raw = request.get_data()
    if len(raw) > BODY_MAX:
        raise RequestEntityTooLarge
    return raw


def read_object(raw: bytes) -> dict[str, Any]:
    """One JSON object. Refused: other top values, repeated keys, NaN, endless nesting, bad UTF-8, NUL, lone halves."""
    if is_deep(raw):
        raise _bad("the body is nested too deeply")
    try:
        found = _DECODER.decode(raw.decode())
    except UnicodeDecodeError:
        raise _bad("the body isn't UTF-8") from None
    except _Twice:
        raise _bad("an object in the body repeats a key") from None
    except ValueError as error:
        raise _bad(f"the body isn't JSON: {_reason(error)}") from None
    if not isinstance(found, dict):
        raise _bad("the body must be one JSON object")
    if b"\\u" in raw:
        # Raw control characters can't stand in a JSON text; only escapes bring NUL and half characters in.
        _refuse_unkeepable(found)
    if _MANY_DIGITS.search(raw) or b"\\u" in raw:
        _refuse_card_numbers(found)
    return found


def is_deep(raw: bytes) -> bool:
    """Whether brackets are nested deeper than anything that is sent here. Most bodies don't have so many at all."""
    if raw.count(b"[") + raw.count(b"{") <= DEPTH_MAX:
        return False
    depth = 0
    for found in _BRACKETS.finditer(raw):
        first = found[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > DEPTH_MAX:
            return True
    return False


def canonical(body: dict[str, Any]) -> bytes:
    """The same bytes for the same content, whatever the order and the spacing were."""
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def unkeepable(text: str) -> bool:
    """Whether PostgreSQL can't keep the text: NUL, or half of a surrogate pair."""
    return "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text)


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "a number is too long"


def _bad(detail: str) -> Invalid:
    return Invalid(detail, code="invalid_json", param="")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON number", name, 0)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _refuse_card_numbers(found: dict[str, Any]) -> None:
    """The number stands nowhere in the refusal, and neither does the key when it is the number."""
    for path, text in _texts(found):
        if holds_card_number(text):
            raise card_refused(pointer(*path) if not any(map(holds_card_number, map(str, path))) else "")


def card_refused(param: str) -> Invalid:
    """Card numbers aren't ours to know."""
    detail = "this looks like a card number; card data is never sent to this API"
    return Invalid(
        detail,
        code="card_data_refused",
        param=param,
        faults=(Fault(param=param, code="card_data_refused", detail=detail),),
    )


def _refuse_unkeepable(found: dict[str, Any]) -> None:
    for path, text in _texts(found):
        if unkeepable(text):
            where = pointer(*path)
            detail = "texts can't hold NUL or half characters"
            fault = Fault(param=where, code="invalid_characters", detail=detail)
            raise Invalid(f"{where}: {detail}", code=fault.code, param=where, faults=(fault,))


def _texts(found: object) -> Iterator[tuple[tuple[object, ...], str]]:
    """Every key and text with its path; a list of work and no recursion, since nesting is the caller's choice."""
    work: list[tuple[tuple[object, ...], object]] = [((), found)]
    while work:
        path, one = work.pop()
        if isinstance(one, str):
            yield path, one
        elif isinstance(one, dict):
            for key, inner in one.items():
                yield path, key
                work.append(((*path, key), inner))
        elif isinstance(one, list):
            work.extend(((*path, place), inner) for place, inner in enumerate(one))
