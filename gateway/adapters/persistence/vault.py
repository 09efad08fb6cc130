"""Secrets and personal data at rest: sealed under an envelope key, and found again by a keyed hash."""

from __future__ import annotations

import hmac
import os
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORM = 1
_NONCE = 12
_KEY = 32


class CannotOpen(Exception):
    """The sealed value is of another place, another key, or was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """AES-256-GCM under keys derived from master keys, one a column, with column and business as associated data.

    `masters` maps key ids to 32 bytes. The first is current and seals; each other still opens what it sealed. `look_up`
    derives the keys of `blind` and never rotates, since a look-up must find what was kept before; without one it is the
    last master, so put new keys in front.
    """

    masters: Mapping[str, bytes]
    look_up: bytes | None = None
    _ciphers: dict[tuple[str, str], AESGCM] = field(default_factory=dict, repr=False)
    _blinds: dict[str, bytes] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"Vault(keys={list(self.masters)})"

    @classmethod
    def of(cls, text: str) -> Vault:
        """Read `id:base64,id:base64`, the current one first, or one key alone (its id is `1`).

        Raises ValueError for a key that isn't 32 bytes in base 64, an id that isn't 1 to 32 plain characters, an id
        twice, or no key.
        """
        masters: dict[str, bytes] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            key_id, colon, encoded = part.rpartition(":")
            key_id = key_id if colon else "1"
            if not (1 <= len(key_id) <= 32 and key_id.isascii() and key_id.isalnum()) or key_id in masters:
                raise ValueError("a master key is written id:base64, each id once, of letters and digits")
            try:
                masters[key_id] = b64decode(encoded, validate=True)
            except NotBase64:
                raise ValueError(f"master key {key_id} is not base 64") from None
            if len(masters[key_id]) != _KEY:
                raise ValueError(f"master key {key_id} must be {_KEY} bytes in base 64")
        if not masters:
            raise ValueError("there must be a master key")
        return cls(masters=masters)

    def seal(self, plain: bytes | str, *, column: str, business_id: UUID | None) -> bytes:
        """Encrypt for one column (`customer.phone`) of one business; the same plain text never looks the same twice."""
        key_id = next(iter(self.masters))
        nonce = os.urandom(_NONCE)
        data = plain.encode() if isinstance(plain, str) else plain
        named = key_id.encode()
        body = self._cipher(key_id, column).encrypt(nonce, data, _place(column, business_id))
        return bytes((_FORM, len(named))) + named + nonce + body

    def open(self, sealed: bytes, *, column: str, business_id: UUID | None) -> bytes:
        """Decrypt what `seal` gave for that column and business. Raises CannotOpen."""
        if len(sealed) < 2 or sealed[0] != _FORM:
            raise CannotOpen(f"{column} holds nothing that was sealed here")
        start = 2 + sealed[1]
        key_id = sealed[2:start].decode("ascii", "replace")
        if key_id not in self.masters:
            raise CannotOpen(f"{column} was sealed under key {key_id!r}, which is not among the master keys")
        nonce, body = sealed[start : start + _NONCE], sealed[start + _NONCE :]
        try:
            return self._cipher(key_id, column).decrypt(nonce, body, _place(column, business_id))
        except (InvalidTag, ValueError):
            raise CannotOpen(f"{column} can't be opened: another place, or changed") from None

    def open_text(self, sealed: bytes, *, column: str, business_id: UUID | None) -> str:
        """`open`, as text."""
        return self.open(sealed, column=column, business_id=business_id).decode()

    def blind(self, text: str | bytes, purpose: str) -> bytes:
        """32 bytes that are the same for the same text and purpose, and tell nothing without the key."""
        if purpose not in self._blinds:
            self._blinds[purpose] = _derived(self.look_up or list(self.masters.values())[-1], f"blind:{purpose}")
        return hmac.digest(self._blinds[purpose], text.encode() if isinstance(text, str) else text, "sha256")

    def _cipher(self, key_id: str, column: str) -> AESGCM:
        try:
            return self._ciphers[key_id, column]
        except KeyError:
            cipher = AESGCM(_derived(self.masters[key_id], f"seal:{column}"))
            self._ciphers[key_id, column] = cipher
            return cipher


def _derived(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY, salt=None, info=purpose.encode()).derive(master)


def _place(column: str, business_id: UUID | None) -> bytes:
    """The associated data: a sealed value that was moved to another column or business doesn't open there."""
    return column.encode() + b"\0" + (business_id.bytes if business_id else b"")
