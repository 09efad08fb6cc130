"""The bytes of a transaction: what is signed, and under which name the signed one is known.

Type 0x02 is EIP-1559's. Type 0x7b is CIP-64's, for gas that is paid in a token: the same fields, and the fee currency
last. What is hashed for signing is the type and the list, which is exactly `Unsigned.content`.
"""

from __future__ import annotations

from dataclasses import dataclass

import rlp
from eth_hash.auto import keccak

PLAIN = 0x02
FEE_CURRENCY = 0x7B


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A transaction before it is signed; `fee_currency` makes it one of CIP-64. Addresses are lower-case hex."""

    chain_id: int
    nonce: int
    tip: int
    max_fee: int
    gas: int
    to: str
    value: int
    data: bytes
    fee_currency: str | None = None


def unsigned(fields: Fields) -> bytes:
    """Type and list, ready to be hashed and signed. The access list is empty."""
    items: list[object] = [
        fields.chain_id,
        fields.nonce,
        fields.tip,
        fields.max_fee,
        fields.gas,
        bytes.fromhex(fields.to[2:]),
        fields.value,
        fields.data,
        [],
    ]
    if fields.fee_currency is None:
        return bytes([PLAIN]) + bytes(rlp.encode(items))
    return bytes([FEE_CURRENCY]) + bytes(rlp.encode([*items, bytes.fromhex(fields.fee_currency[2:])]))


def is_plain(content: bytes) -> bool:
    """Whether gas is paid in coins."""
    return content[:1] == bytes([PLAIN])


def fields_of(content: bytes) -> Fields:
    """Read unsigned bytes again. Raises ValueError for another type, a contract creation, or an access list."""
    kind, body = content[:1], content[1:]
    if kind not in (bytes([PLAIN]), bytes([FEE_CURRENCY])):
        raise ValueError("another type of transaction")
    try:
        items = rlp.decode(body)
    except rlp.exceptions.RLPException as wrong:
        raise ValueError("not a list of fields") from wrong
    if len(items) != (9 if kind[0] == PLAIN else 10) or len(items[5]) != 20 or items[8] != []:
        raise ValueError("not the fields of a transaction")
    numbers = [int.from_bytes(items[place], "big") for place in (0, 1, 2, 3, 4, 6)]
    chain_id, nonce, tip, max_fee, gas, value = numbers
    return Fields(
        chain_id=chain_id,
        nonce=nonce,
        tip=tip,
        max_fee=max_fee,
        gas=gas,
        to="0x" + items[5].hex(),
        value=value,
        data=items[7],
        fee_currency=None if kind[0] == PLAIN else "0x" + items[9].hex(),
    )


def signed(content: bytes, y_parity: int, r: int, s: int) -> bytes:
    """Unsigned bytes and a signature over their Keccak, as nodes take them."""
    return content[:1] + bytes(rlp.encode([*rlp.decode(content[1:]), y_parity, r, s]))


def name_of(signed_bytes: bytes) -> str:
    """The hash by which the chain knows a signed transaction."""
    return "0x" + keccak(signed_bytes).hex()
