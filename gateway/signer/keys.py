"""Keys at rest: each sealed under a data key of its own, which a master key wraps; one file a wallet.

Changing the master wraps the data keys again and touches no private key. A file is written beside, synced and renamed.
"""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eth_keys.datatypes import PrivateKey
from eth_utils.exceptions import ValidationError

_NONCE = 12
_KEY = 32


class KeyTrouble(Exception):
    """No such key, or it can't be opened. The message holds no secret."""


@dataclass(slots=True, kw_only=True)
class KeyStore:
    """Keys in a folder that this user alone may read. `masters` maps ids to 32 bytes; the first is current."""

    folder: Path
    masters: Mapping[str, bytes]
    _open: dict[str, PrivateKey] = field(default_factory=dict, repr=False)

    def addresses(self) -> list[str]:
        """Wallets that there is a key for."""
        return sorted(path.stem for path in self.folder.glob("0x*.json"))

    def make(self) -> str:
        """A new key; gives its address."""
        return self.take_in(secrets.token_bytes(_KEY))

    def take_in(self, private: bytes) -> str:
        """Seal a key that was made elsewhere; gives its address. Raises KeyTrouble for bytes that are no key."""
        try:
            key = PrivateKey(private)
            address = str(key.public_key.to_address())
        except (ValidationError, ValueError):
            raise KeyTrouble("those are not the 32 bytes of a key") from None
        self._write(address, private)
        return address

    def give_out(self, address: str) -> bytes:
        """The private key, for a backup that a person makes. Raises KeyTrouble."""
        return self._private(address)

    def key(self, address: str) -> PrivateKey:
        """Ready to sign. Raises KeyTrouble."""
        if address not in self._open:
            self._open[address] = PrivateKey(self._private(address))
        return self._open[address]

    def rewrap(self) -> int:
        """Wrap every data key under the current master; gives how many weren't."""
        current = next(iter(self.masters))
        changed = 0
        for address in self.addresses():
            kept = self._read(address)
            if kept["master"] != current:
                data_key = self._unwrap(address, kept)
                self._store(address, {**kept, **self._wrapped(address, data_key)})
                changed += 1
        return changed

    def _private(self, address: str) -> bytes:
        kept = self._read(address)
        nonce, sealed = _halves(kept["sealed"])
        try:
            return AESGCM(self._unwrap(address, kept)).decrypt(nonce, sealed, f"key:{address}".encode())
        except InvalidTag:
            raise KeyTrouble(f"the key of {address} can't be opened: it was changed") from None

    def _unwrap(self, address: str, kept: Mapping[str, str]) -> bytes:
        master = self.masters.get(kept["master"])
        if master is None:
            raise KeyTrouble(f"the key of {address} is wrapped under {kept['master']!r}, which is no master key here")
        nonce, wrapped = _halves(kept["data_key"])
        try:
            return AESGCM(master).decrypt(nonce, wrapped, f"data-key:{address}".encode())
        except InvalidTag:
            raise KeyTrouble(f"the data key of {address} can't be unwrapped: it was changed") from None

    def _write(self, address: str, private: bytes) -> None:
        data_key = secrets.token_bytes(_KEY)
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(data_key).encrypt(nonce, private, f"key:{address}".encode())
        self._store(address, {"sealed": _text(sealed), **self._wrapped(address, data_key)})

    def _wrapped(self, address: str, data_key: bytes) -> dict[str, str]:
        current, master = next(iter(self.masters.items()))
        nonce = os.urandom(_NONCE)
        wrapped = nonce + AESGCM(master).encrypt(nonce, data_key, f"data-key:{address}".encode())
        return {"master": current, "data_key": _text(wrapped)}

    def _read(self, address: str) -> dict[str, str]:
        try:
            kept: dict[str, str] = json.loads((self.folder / f"{address}.json").read_text())
        except FileNotFoundError:
            raise KeyTrouble(f"there is no key for {address}") from None
        except (OSError, ValueError):
            raise KeyTrouble(f"the file of {address} can't be read") from None
        return kept

    def _store(self, address: str, kept: Mapping[str, str]) -> None:
        target, beside = self.folder / f"{address}.json", self.folder / f".{address}.new"
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(kept, out)
            out.flush()
            os.fsync(out.fileno())
        beside.rename(target)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _halves(text: str) -> tuple[bytes, bytes]:
    data = b64decode(text)
    return data[:_NONCE], data[_NONCE:]
