"""Checks of the fields in a request body, each blamed by name as Daraja blames it.

Numbers may come as JSON numbers or as texts of digits; Daraja accepts both (captures of 2026).
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

MSISDN = re.compile(r"254[17]\d{8}")
SHORTCODE = re.compile(r"\d{5,7}")
TIMESTAMP = re.compile(r"20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d")
FREE_TEXT = re.compile(r"[A-Za-z0-9 ._-]*")
# Daraja portal, December 2025: words and hosts that a callback URL must not have.
FORBIDDEN_IN_URL = ("mpesa", "m-pesa", "safaricom", "exe", "exec", "cmd", "sql", "query")
TUNNELS = ("ngrok", "requestbin", "localtunnel", "loca.lt", "serveo", "mockbin", "pipedream")


class BadField(Exception):
    """A field is missing or wrong; `name` is what the error calls it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def plain(body: dict[str, Any], name: str) -> str:
    """The field as trimmed text; numbers become their digits, a missing field the empty text."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value).strip()


def matching(body: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    """The field, if the whole of it matches. Raises BadField."""
    text = plain(body, name)
    if not pattern.fullmatch(text):
        raise BadField(name)
    return text


def text(body: dict[str, Any], name: str, least: int, most: int, *, blamed: str = "") -> str:
    """Free text of some length. Raises BadField, under another name if `blamed` is given."""
    found = plain(body, name)
    if not least <= len(found) <= most or not FREE_TEXT.fullmatch(found):
        raise BadField(blamed or name)
    return found


def opaque(body: dict[str, Any], name: str, most: int) -> str:
    """Any text that is not empty. Raises BadField."""
    found = plain(body, name)
    if not 1 <= len(found) <= most:
        raise BadField(name)
    return found


def one_of(body: dict[str, Any], name: str, options: Iterable[str]) -> str:
    """One of a closed list. Raises BadField."""
    found = plain(body, name)
    if found not in options:
        raise BadField(name)
    return found


def whole(body: dict[str, Any], name: str, least: int, most: int) -> int:
    """Whole shillings in a range: 10.50 and 0 are refused. Raises BadField."""
    found = plain(body, name)
    if not re.fullmatch(r"\d{1,12}", found) or not least <= int(found) <= most:
        raise BadField(name)
    return int(found)


def url(body: dict[str, Any], name: str) -> str:
    """A callback URL: http or https with a host, no forbidden word, no tunnel. Raises BadField.

    The sandbox takes http, and this simulator takes loopback addresses as well.
    """
    found = body.get(name)
    if not isinstance(found, str) or len(found) > 2000 or re.search(r"[\s<>{}\"\\^`]", found):
        raise BadField(name)
    try:
        parts = urlsplit(found)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    lowered = found.lower()
    if not usable or any(word in lowered for word in (*FORBIDDEN_IN_URL, *TUNNELS)):
        raise BadField(name)
    return found
