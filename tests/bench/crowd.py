"""Shoppers who make and confirm payments, and the shop's server that hears of it: cheap, to leave the machine to us."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from urllib.parse import urlsplit

from tests.bench.load import exchange, post
from tests.stack import a_phone

_KEYS = itertools.count(1)
_BODY = b'{"amount": 150000, "currency": "KES"}'
_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Shoppers of one shop, each on a connection of his own."""

    url: str
    key: str

    def pays(self, shoppers: int, payments: int) -> list[float]:
        """All of them together make and confirm so many payments; gives when each confirm began, by `monotonic`."""
        return asyncio.run(self._pay(shoppers, payments))

    async def _pay(self, shoppers: int, payments: int) -> list[float]:
        where, left, began = urlsplit(self.url), iter(range(payments)), []

        async def one() -> None:
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            for _ in left:
                writer.write(self._post("/v1/payments", _BODY))
                made = await exchange(reader, 201)
                began.append(time.monotonic())
                writer.write(self._post(f"/v1/payments/{made['id']}/confirm", _confirmation()))
                await exchange(reader, 200)
            writer.close()

        await asyncio.gather(*(one() for _ in range(shoppers)))
        return began

    def _post(self, path: str, body: bytes) -> bytes:
        key = f"bench-{os.getpid()}-{next(_KEYS)}"
        return post(path, body, {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key})


def _confirmation() -> bytes:
    return json.dumps({"payment_method": {"type": "mpesa", "phone": a_phone()}}).encode()


@dataclass(slots=True, kw_only=True)
class Till:
    """The shop's server: counts successes and when they came, by `monotonic`."""

    url: str = ""
    rang: list[float] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One webhook a connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        length = next(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
        body = await reader.readexactly(length)
        if b'"payment.succeeded"' in body:
            self.rang.append(time.monotonic())
        writer.write(_TAKEN)
        await writer.drain()
        writer.close()


@contextmanager
def a_till() -> Iterator[Till]:
    """On loopback, in a thread."""
    till, loop = Till(), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(till.serve, "127.0.0.1", 0))
    till.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield till
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()
