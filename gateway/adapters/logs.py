"""Logs of every process: one JSON object a line, and one redaction that all lines pass, ours and other people's."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, TextIO

import structlog

from gateway.domain.card_numbers import without_card_numbers

GONE = "[redacted]"

#: Names whose values never leave, whatever they hold.
_SECRET_NAME = re.compile(
    r"authorization|cookie|password|passwd|passkey|secret|credential|api_?key|access_?token|refresh_?token|^token$"
    r"|master_?key|private_?key|^pin$|checkout_?request_?id|merchant_?request_?id|phone|msisdn|^party_?[ab]$"
    r"|account_?number|signature",
    re.IGNORECASE,
)
#: Names that look secret and aren't: ids of keys, codes of errors.
_HARMLESS_NAME = re.compile(r"^(key_id|idempotency_key_id|error_code|phone_masked|payer_masked)$")

_EDGE, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
#: What a pattern's groups catch stays, so that a line still says what kind of thing was there.
_PATTERNS: tuple[re.Pattern[str], ...] = (
    re.compile(r"\b((?:sk|pk|rk)_(?:test|live)_)[0-9A-Za-z]+"),
    re.compile(r"\b(whsec_)[0-9A-Za-z+/=_-]+"),
    re.compile(r"\b((?:bearer|basic)\s+)[^\s\"',;]+", re.IGNORECASE),
    # Capability URLs: a checkout page and a callback's address.
    re.compile(r"(/c/)[^/\s?#\"'<>]+"),
    re.compile(r"(/in/[0-9a-fA-F]{8}/)[^/\s?#\"'<>]+"),
    re.compile(_EDGE + r"[0-9a-f]{32}" + _END),
    # M-Pesa's ids hold nine digits of the phone number.
    re.compile(r"\b(ws_CO_)[0-9A-Za-z_-]+"),
    # Credentials inside a database or Redis URL.
    re.compile(r"(://[^:/@\s]*:)[^@/\s]+(@)"),
    # Kenyan numbers with and without the country's code, in one piece or in groups.
    re.compile(r"(?<![0-9A-Za-z.])\+?254[ .()-]{0,2}[17]\d(?:[ .()-]{0,2}\d){7}(?![0-9A-Za-z])"),
    re.compile(r"(?<![0-9A-Za-z.+])\(?0[ .()-]{0,2}[17]\d(?:[ .()-]{0,2}\d){7}(?![0-9A-Za-z])"),
    re.compile(r"(?<![0-9A-Za-z.+:_-])[17]\d{8}(?![0-9A-Za-z.:_-])"),
)
_PHONE_NUMBER = re.compile(r"254[17]\d{8}")

#: No pattern fits into less.
_SHORTEST = 4
_DEPTH_MAX = 8


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The one redaction, a structlog processor: the last before a line is written."""
    return {name: _clean(name, value, 0) for name, value in event.items()}


def _clean(name: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _is_secret(name):
        return GONE
    if isinstance(value, int | float):
        return GONE if _PHONE_NUMBER.fullmatch(str(value)) else value
    if isinstance(value, str):
        return scrub(value)
    if depth >= _DEPTH_MAX:
        return GONE
    if isinstance(value, Mapping):
        return {scrub(str(key)): _clean(str(key), inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", inner, depth + 1) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return scrub(str(value))


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.match(name)


def scrub(text: str) -> str:
    """A text without secrets, capability URLs and phone numbers."""
    if len(text) < _SHORTEST:
        return text
    for pattern in _PATTERNS:
        text = pattern.sub(_masked, text)
    return without_card_numbers(text)


def _masked(found: re.Match[str]) -> str:
    """A function, since a template would be parsed anew for every text, found or not."""
    kept = found.groups()
    return (kept[0] if kept else "") + GONE + (kept[1] if len(kept) > 1 else "")


def set_up(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's lines to `stream` (stderr) as JSON. Call once per process."""
    out = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    ending: list[Any] = [
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.JSONRenderer(default=str),
    ]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)
    for logger in logging.root.manager.loggerDict.values():
        # gunicorn's loggers have handlers of their own, and show request lines when those are malformed.
        for its in logger.handlers if isinstance(logger, logging.Logger) else ():
            its.setFormatter(handler.formatter)
