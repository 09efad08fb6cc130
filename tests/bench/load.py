"""A small HTTP/1.1 load: a few connections kept alive, each sending its next request when the last is answered."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: Makes the n-th request, whole.
Request = Callable[[int], bytes]
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of a load: answers a second, and latency in milliseconds. `wrong` counts what wasn't expected."""

    per_s: float
    p50_ms: float
    p99_ms: float
    wrong: int


def load(url: str, make: Request, *, connections: int, seconds: float, expect: int = 201) -> Measured:
    """Run it."""
    return asyncio.run(_load(url, make, connections, seconds, expect))


async def _load(url: str, make: Request, connections: int, seconds: float, expect: int) -> Measured:
    where = urlsplit(url)
    until = time.monotonic() + seconds
    times: list[float] = []
    wrong = 0

    async def one() -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        while time.monotonic() < until:
            began = time.monotonic()
            writer.write(make(next(_NUMBERS)))
            status = await _answer(reader)
            times.append(time.monotonic() - began)
            wrong += status != expect
        writer.close()

    started = time.monotonic()
    await asyncio.gather(*(one() for _ in range(connections)))
    took = time.monotonic() - started
    times.sort()
    return Measured(
        per_s=len(times) / took,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[len(times) * 99 // 100] * 1000,
        wrong=wrong,
    )


async def _answer(reader: asyncio.StreamReader) -> int:
    return (await _whole(reader))[0]


async def exchange(reader: asyncio.StreamReader, expect: int) -> Any:
    """The JSON of the next answer. Raises RuntimeError when its status isn't the expected one."""
    status, body = await _whole(reader)
    if status != expect:
        raise RuntimeError(f"answered {status}: {body!r}")
    return json.loads(body)


async def _whole(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
    return int(lines[0].split()[1]), await reader.readexactly(length)


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A whole POST of JSON."""
    fixed = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def get(path: str, headers: dict[str, str]) -> bytes:
    """A whole GET."""
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "127.0.0.1", **headers}.items())
    return f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
