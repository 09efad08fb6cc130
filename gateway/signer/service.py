"""What the signer does with a request: read the bytes, hold them against what is said and against the rules, sign."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from eth_utils.crypto import keccak

from gateway.signer.book import Book
from gateway.signer.keys import KeyStore, KeyTrouble
from gateway.signer.payloads import Payload, Undecodable, call_of, read, with_signature
from gateway.signer.rules import Forbidden, Rules


class NotSigned(Exception):
    """Nothing was signed; `code` is a word, the message a sentence. Neither holds a secret."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(slots=True, kw_only=True)
class Signer:
    """One signature at a time, so that two requests can't both fit under one limit."""

    keys: KeyStore
    rules: Rules
    book: Book
    lock: Lock

    def sign(self, sender: str, content: bytes, said: Mapping[str, Any]) -> tuple[bytes, str]:
        """The signed bytes and their hash. The same bytes give the same signature, and count once.

        `said`: `kind`, `to`, `units`, `data` and `token` of what the caller believes it has built. Raises NotSigned.
        """
        with self.lock:
            try:
                payload = read(content)
                _agree(payload, said, sender)
                spending = self.rules.judge(payload, sender)
                key = self.keys.key(sender)
                digest = hashlib.sha256(sender.encode() + content).hexdigest()
                if self.book.signed(digest) is None:
                    spent = self.book.spent(payload.chain_id, sender, payload.nonce)
                    self.rules.of_day(payload, spending, spent)
            except (Undecodable, Forbidden, KeyTrouble) as no:
                self.book.write({"what": "refused", "sender": sender, "why": str(no), "code": type(no).__name__})
                raise NotSigned(type(no).__name__, str(no)) from None
            signature = key.sign_msg_hash(keccak(content))
            raw = with_signature(payload, signature.v, signature.r, signature.s)
            tx = "0x" + keccak(raw).hex()
            if self.book.signed(digest) is None:
                self.book.write(
                    {
                        "what": "signed",
                        "sender": sender,
                        "chain_id": payload.chain_id,
                        "nonce": payload.nonce,
                        "to": payload.to,
                        "token": spending.token,
                        "units": str(spending.units),
                        "fee": str(spending.fee),
                        "tx": tx,
                        "digest": digest,
                    }
                )
            return raw, tx


def _agree(payload: Payload, said: Mapping[str, Any], sender: str) -> None:
    """The bytes must be what the caller says that they are. Raises Forbidden."""
    call = call_of(payload)
    kind, to, units = said.get("kind"), str(said.get("to", "")).lower(), int(said.get("units", -1))
    if kind in ("transfer", "approve"):
        same = (call.kind, call.recipient, call.units, payload.to) == (kind, to, units, said.get("token"))
    elif kind == "call":
        same = call.kind == "other" and payload.to == to and payload.data.hex() == said.get("data")
    else:
        same = kind == "cancel" and call.kind == "plain" and payload.to == sender and not payload.value
    if not same or payload.nonce != said.get("nonce") or payload.chain_id != said.get("chain_id"):
        raise Forbidden("the bytes aren't what they are said to be")
