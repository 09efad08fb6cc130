"""The words of the EVM: hex quantities, addresses, the 32-byte words of calls and logs, and Keccak."""

from __future__ import annotations

import re

from eth_hash.auto import keccak

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HASH = re.compile(r"0x[0-9a-f]{64}")
_PAD = "0" * 24
#: The width of a word in hex digits.
_WORD = 64

#: keccak("Transfer(address,address,uint256)"), the first topic of every such log.
TRANSFER = "0x" + keccak(b"Transfer(address,address,uint256)").hex()


def number(quantity: object) -> int:
    """A hex quantity (`0x1b`) as an int. Raises ValueError for anything else."""
    if not isinstance(quantity, str) or not quantity.startswith("0x"):
        raise ValueError("not a hex quantity")
    return int(quantity, 16)


def quantity(value: int) -> str:
    """An int as the shortest hex quantity."""
    return hex(value)


def address(text: object) -> str:
    """An address in lower case. One that mixes cases must keep its checksum. Raises ValueError."""
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text):
        raise ValueError("not an address")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != checksummed(text):
        raise ValueError("an address with a wrong checksum")
    return text.lower()


def checksummed(text: str) -> str:
    """The address with the capitals that check it (EIP-55)."""
    digits = text[2:].lower()
    weights = keccak(digits.encode()).hex()
    return "0x" + "".join(
        one.upper() if int(weight, 16) > 7 else one for one, weight in zip(digits, weights, strict=False)
    )


def hash_of(text: object) -> str:
    """A hash in lower case. Raises ValueError."""
    if not isinstance(text, str) or not _HASH.fullmatch(text.lower()):
        raise ValueError("not a hash")
    return text.lower()


def topic(of_address: str) -> str:
    """An address as it stands in a topic."""
    return "0x" + _PAD + of_address[2:]


def selector(signature: str) -> bytes:
    """The four bytes that name a function."""
    return keccak(signature.encode())[:4]


def call_data(signature: str, *arguments: str | int) -> bytes:
    """Selector and arguments: addresses and whole numbers, a word each. Raises ValueError for what doesn't fit."""
    return selector(signature) + b"".join(map(_word, arguments))


def _word(value: str | int) -> bytes:
    if isinstance(value, str):
        return bytes(12) + bytes.fromhex(address(value)[2:])
    if not 0 <= value < 1 << 256:
        raise ValueError("a number that no word holds")
    return value.to_bytes(32, "big")


def bytes_argument(signature: str, content: bytes) -> bytes:
    """Selector and one argument of type `bytes`."""
    padding = bytes(-len(content) % 32)
    return selector(signature) + _word(32) + _word(len(content)) + content + padding


def word_at(data: str, place: int) -> int | None:
    """The word at that place of an answer, as a number; None where the answer ends before it."""
    piece = data[2 + place * _WORD : 2 + (place + 1) * _WORD]
    return int(piece, 16) if len(piece) == _WORD else None


def domain_separator(name: str, version: str, chain_id: int, contract: str) -> str:
    """What a token's DOMAIN_SEPARATOR() gives when its signing domain (EIP-712) is this one."""
    kind = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    body = kind + keccak(name.encode()) + keccak(version.encode()) + _word(chain_id) + _word(contract)
    return "0x" + keccak(body).hex()
