"""A signer in a folder of its own, and payloads as the chains' kit writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
import rlp

from gateway.signer.book import Book
from gateway.signer.client import SignerClient
from gateway.signer.keys import KeyStore
from gateway.signer.rules import Rules
from gateway.signer.server import Door, serve
from gateway.signer.service import Signer

CHAIN = 42220
TOKEN, SPENDER, FRIEND = "0x" + "aa" * 20, "0x" + "bb" * 20, "0x" + "cc" * 20
SECRET = b"s" * 32
#: The public first key of every local node.
PUBLIC_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
RULES: dict[str, Any] = {
    "chains": {
        str(CHAIN): {
            "fee_per_tx": str(10**16),
            "fee_per_day": str(3 * 10**16),
            "tokens": {TOKEN: {"per_tx": "1000", "per_day": "2500"}},
            "recipients": [FRIEND],
            "spenders": [SPENDER],
            "calls": {SPENDER: {"5727612d": {"token_word": 0, "amount_word": 1}}},
        }
    }
}


def payload(
    data: str = "",
    *,
    to: str = TOKEN,
    nonce: int = 0,
    value: int = 0,
    gas: int = 100_000,
    max_fee: int = 10**10,
    chain: int = CHAIN,
) -> bytes:
    """An unsigned EIP-1559 transaction."""
    numbers = [chain, nonce, 10**9, max_fee, gas]
    return b"\x02" + rlp.encode([*numbers, bytes.fromhex(to[2:]), value, bytes.fromhex(data), []])


def word(value: int | str) -> str:
    """One argument."""
    return f"{value:064x}" if isinstance(value, int) else value[2:].rjust(64, "0")


def transfer(units: int, to: str = FRIEND) -> str:
    return "a9059cbb" + word(to) + word(units)


def approve(units: int, to: str = SPENDER) -> str:
    return "095ea7b3" + word(to) + word(units)


def escrow(units: int, token: str = TOKEN) -> str:
    return "5727612d" + word(token) + word(units) + word(129_000_000) + word(0)


def said(
    kind: str, to: str, units: int, *, data: str = "", nonce: int = 0, token: str | None = TOKEN
) -> dict[str, Any]:
    return {"kind": kind, "to": to, "units": units, "data": data, "token": token, "nonce": nonce, "chain_id": CHAIN}


@dataclass(kw_only=True)
class Clock:
    """A clock that is moved by hand."""

    now: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, hours: float) -> None:
        self.now += timedelta(hours=hours)


@dataclass(kw_only=True)
class Place:
    """A signer's folder, and how it is started again in it."""

    folder: Path
    clock: Clock
    masters: dict[str, bytes]

    def signer(self) -> Signer:
        book = Book(path=self.folder / "book.jsonl", clock=self.clock)
        book.open()
        keys = KeyStore(folder=self.folder, masters=self.masters)
        return Signer(keys=keys, rules=Rules.read(self.folder / "rules.json"), book=book, lock=Lock())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "rules.json").write_text(json.dumps(RULES))
    place = Place(folder=tmp_path, clock=Clock(), masters={"a": b"a" * 32})
    place.signer().keys.take_in(PUBLIC_KEY)
    return place


@pytest.fixture
def door(place: Place) -> Iterator[SignerClient]:
    """The way in, as the rest of the gateway uses it."""
    import os

    path = place.folder / "s"
    server = serve(path, place.signer(), Door(uids=frozenset({os.getuid()}), secret=SECRET))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield SignerClient(path=str(path), secret=SECRET)
    server.shutdown()
    server.server_close()
    thread.join()
