"""What bytes to be signed really say: decoded here, by nobody's word, before anything is signed.

Two forms are known: EIP-1559 (type 2), and CIP-64 (type 123), which pays its fee in a token. Anything else, anything
that isn't written the one canonical way, and anything with an access list is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import rlp
from rlp.exceptions import RLPException

#: Type byte → number of fields.
_FORMS = {2: 9, 123: 10}
_ADDRESS = 20
_FEE_CURRENCY = 9


class Undecodable(Exception):
    """These bytes aren't a transaction that is ever signed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """An unsigned transaction. `gas × max_fee` is the most that its fee can be, in the native coin's smallest part, or
    in 18 decimals of `fee_currency`."""

    form: int
    chain_id: int
    nonce: int
    tip: int
    max_fee: int
    gas: int
    to: str
    value: int
    data: bytes
    fee_currency: str | None
    fields: tuple[bytes | tuple[()], ...]

    @property
    def fee_most(self) -> int:
        """The most that the fee can be."""
        return self.gas * self.max_fee


def read(content: bytes) -> Payload:
    """Decode. Raises Undecodable."""
    if len(content) < 2 or content[0] not in _FORMS or len(content) > 65_536:
        raise Undecodable("no transaction of a form that is signed here")
    try:
        fields = rlp.decode(content[1:], strict=True)
    except (RLPException, ValueError, TypeError, RecursionError) as wrong:
        raise Undecodable(f"not RLP: {type(wrong).__name__}") from None
    if not isinstance(fields, list) or len(fields) != _FORMS[content[0]]:
        raise Undecodable("another number of fields than its form has")
    if fields[8] != []:
        raise Undecodable("it has an access list")
    if not all(isinstance(one, bytes) for i, one in enumerate(fields) if i != 8):
        raise Undecodable("a field is a list")
    numbers = [_number(fields[i]) for i in (0, 1, 2, 3, 4, 6)]
    chain_id, nonce, tip, max_fee, gas, value = numbers
    if len(fields[5]) != _ADDRESS:
        raise Undecodable("it has no recipient: contracts aren't made here")
    fee_currency = _currency(fields[_FEE_CURRENCY]) if content[0] == 123 else None
    if tip > max_fee:
        raise Undecodable("its tip is above its whole fee")
    return Payload(
        form=content[0],
        chain_id=chain_id,
        nonce=nonce,
        tip=tip,
        max_fee=max_fee,
        gas=gas,
        to="0x" + fields[5].hex(),
        value=value,
        data=fields[7],
        fee_currency=fee_currency,
        fields=tuple(() if one == [] else one for one in fields),
    )


def _number(field: bytes) -> int:
    """A number has no zeros in front, and at most 32 bytes."""
    if field[:1] == b"\0" or len(field) > 32:
        raise Undecodable("a number isn't written the one canonical way")
    return int.from_bytes(field, "big")


def _currency(field: bytes) -> str | None:
    if field == b"":
        return None
    if len(field) != _ADDRESS:
        raise Undecodable("its fee currency is no address")
    return "0x" + field.hex()


def with_signature(payload: Payload, y_parity: int, r: int, s: int) -> bytes:
    """The bytes that a node takes."""
    fields = [list(one) if isinstance(one, tuple) else one for one in payload.fields]
    signed: bytes = rlp.encode([*fields, y_parity, r, s])
    return bytes([payload.form]) + signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a call does, as far as it concerns money: `transfer` and `approve` move or promise `units` of the token that
    is called; `plain` sends coins alone; `other` is a call of a contract by its selector."""

    kind: str
    selector: str = ""
    recipient: str = ""
    units: int = 0


_TRANSFER, _APPROVE = "a9059cbb", "095ea7b3"
_WORD = 32


def call_of(payload: Payload) -> Call:
    """Read the input. Raises Undecodable for a transfer or approval that isn't written the one canonical way."""
    if not payload.data:
        return Call(kind="plain", recipient=payload.to, units=payload.value)
    if len(payload.data) < 4:
        raise Undecodable("an input shorter than a selector")
    selector = payload.data[:4].hex()
    if selector not in (_TRANSFER, _APPROVE):
        return Call(kind="other", selector=selector)
    words = payload.data[4:]
    if len(words) != 2 * _WORD or words[:12] != bytes(12) or payload.value:
        raise Undecodable("a transfer or approval that isn't written the one canonical way")
    return Call(
        kind="transfer" if selector == _TRANSFER else "approve",
        selector=selector,
        recipient="0x" + words[12:_WORD].hex(),
        units=int.from_bytes(words[_WORD:], "big"),
    )


def words_of(payload: Payload) -> tuple[int, ...]:
    """The arguments of a call of another contract, as 32-byte words. Raises Undecodable for a part of one."""
    rest = payload.data[4:]
    if len(rest) % _WORD:
        raise Undecodable("arguments that are no whole words")
    return tuple(int.from_bytes(rest[i : i + _WORD], "big") for i in range(0, len(rest), _WORD))
