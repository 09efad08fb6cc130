"""The escrow call as bytes, in the three forms that Swypt's contract has had. No library: a selector and whole words.

A: documentation until mid-2025 and the checkout SDK. B: the later text of the documentation. C: the newest page. The
selectors are the first four bytes of the signatures' keccak-256.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

_WORD = 32
_RATE_SCALE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """What goes into the escrow: `amount` and `fee` in the token's units, `rate` in shillings for a token."""

    token: str
    amount: int
    fee: int
    rate: Decimal


def _address(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x")).rjust(_WORD, b"\0")


def _number(value: int) -> bytes:
    return value.to_bytes(_WORD, "big")


def scaled_rate(rate: Decimal) -> int:
    """The rate as variant A takes it: six decimals for any token, cut."""
    return int(rate.scaleb(_RATE_SCALE).to_integral_value(rounding=ROUND_FLOOR))


_ARGUMENTS: Mapping[str, tuple[str, Callable[[Withdrawal], bytes]]] = {
    # withdrawToEscrow(address,uint256,uint256,uint256)
    "A": ("5727612d", lambda w: _number(scaled_rate(w.rate)) + _number(w.fee)),
    # withdrawToEscrow(address,uint256)
    "B": ("e198e9f8", lambda _: b""),
    # withdrawToEscrow(address,uint256,uint256)
    "C": ("68dbfe8e", lambda w: _number(w.fee)),
}


def call_data(variant: str, withdrawal: Withdrawal) -> bytes:
    """Selector and arguments of `withdrawToEscrow` in that variant, ready for a transaction without value."""
    selector, rest = _ARGUMENTS[variant]
    return bytes.fromhex(selector) + _address(withdrawal.token) + _number(withdrawal.amount) + rest(withdrawal)
