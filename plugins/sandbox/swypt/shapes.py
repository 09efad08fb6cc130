"""Envelopes, numbers, times and words as Swypt writes them, with the quirks that settings switch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from plugins.sandbox.mpesa import clock
from plugins.sandbox.swypt.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back; `text` None for a connection that is cut. `delay_s` are real seconds."""

    status: int = 200
    text: str | None = ""
    kind: str = "application/json"
    delay_s: float = 0


def answer(payload: Any, status: int = 200) -> Reply:
    """A body as JSON."""
    return Reply(status=status, text=json.dumps(payload, ensure_ascii=False))


def success(data: Any, message: str = "", **more: Any) -> Reply:
    """`{"status":"success", …}`."""
    told = {"message": message} if message else {}
    return answer({"status": "success", **told, "data": data, **more})


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """The call ends with this error; nothing happened."""

    status: int
    message: str
    data: dict[str, Any] | None = None
    error: str = ""

    def reply(self, settings: Settings) -> Reply:
        """As `{"status":"error","message"}`, or `{"statusCode","message","error"}` where there is an error text."""
        status = 200 if settings.errors_as_200 else self.status
        if self.error:
            return answer({"statusCode": self.status, "message": self.message, "error": self.error}, status)
        body: dict[str, Any] = {"status": "error", "message": self.message}
        if self.data is not None:
            body["data"] = self.data
        return answer(body, status)


HTML = (
    "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr><center>nginx</center></body></html>"
)


def canned(name: str) -> Reply:
    """An answer that a script puts in place of the true one."""
    pages = {"html_502": (502, "502 Bad Gateway"), "html_504": (504, "504 Gateway Time-out")}
    if name == "cut":
        return Reply(text=None)
    if name in pages:
        status, title = pages[name]
        return Reply(status=status, text=HTML.format(title), kind="text/html")
    if name == "error_500":
        return answer({"error": "Internal server error"}, 500)
    if name == "malformed":
        return Reply(text='{"status":"success","message":"STK Push initi')
    if name == "empty":
        return Reply(text="")
    if name == "too_many":
        return answer({"status": "error", "message": "Too many requests"}, 429)
    return answer({"status": "error", "message": "Unknown script"}, 500)


def number(settings: Settings, value: Decimal, *, as_text: bool, digits: int | None = None) -> Any:
    """A number as documented (`as_text`), or in the one dress that is set; `digits` after the point for texts."""
    is_text = {"texts": True, "numbers": False}.get(settings.numbers, as_text)
    if is_text:
        return f"{value:f}" if digits is None else f"{rounded(value, digits):f}"
    return int(value) if value == value.to_integral_value() else float(value)


def quotient(shillings: Decimal, price: Decimal) -> Decimal:
    """Tokens as a browser's language divides them: all the digits of a double."""
    return Decimal(repr(float(shillings) / float(price)))


def rounded(value: Decimal, digits: int) -> Decimal:
    """Half up, to so many digits."""
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def floored(value: Decimal, digits: int) -> Decimal:
    """Cut, to so many digits."""
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_FLOOR)


def phone(settings: Settings, digits: str) -> Any:
    """A telephone number as text or as a number."""
    return int(digits) if settings.phones == "number" else digits


def word(settings: Settings, status: str) -> str:
    """A status in the dress that is set."""
    return {"lower": status.lower(), "padded": f" {status.title()} "}.get(settings.words, status)


def east_african(settings: Settings, at_ms: int) -> Any:
    """An instant in East African hours with a Z, as M-Pesa's times are printed; or as a number."""
    day = clock.eat(at_ms)
    if settings.times == "epoch":
        return at_ms
    if settings.times == "digits":
        return day.strftime("%Y%m%d%H%M%S")
    return f"{day:%Y-%m-%dT%H:%M:%S}.000Z"


def utc(at_ms: int) -> str:
    """An instant in UTC with a Z, as Swypt's own times are printed."""
    return clock.eat(at_ms - 3 * 3_600_000).strftime("%Y-%m-%dT%H:%M:%S.000Z")
