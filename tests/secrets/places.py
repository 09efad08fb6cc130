"""Where a planted secret could turn up: dumps, Redis, processes and logs, each as bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

from gateway.adapters.servers.binaries import client_program
from tests.servers import Database


def dump(database: Database) -> bytes:
    """The whole database as `pg_dump` writes it. What is sealed is in it too, and is only bytes."""
    command = [client_program("pg_dump"), "--no-owner", "--no-privileges", database.plain_url("owner")]
    return subprocess.run(command, capture_output=True, check=True).stdout


def redis_content(url: str) -> bytes:
    """All keys and values of all databases of the server."""
    lines: list[bytes] = []
    for number in range(16):
        with redis.Redis.from_url(url.rpartition("/")[0] + f"/{number}") as client:
            for key in client.scan_iter(count=1000):
                lines += [key, *_values(client, key)]
    return b"\n".join(lines)


def _values(client: Any, key: bytes) -> Iterator[bytes]:
    kind = client.type(key)
    if kind == b"string":
        yield client.get(key) or b""
    elif kind == b"hash":
        for field, value in client.hgetall(key).items():
            yield from (field, value)
    elif kind == b"list":
        yield from client.lrange(key, 0, -1)
    elif kind == b"set":
        yield from client.smembers(key)
    elif kind == b"zset":
        yield from client.zrange(key, 0, -1)
    else:
        # A kind that isn't known here still is what Redis itself writes of it.
        yield client.dump(key) or b""


def family(pid: int) -> list[int]:
    """The process and all that it started."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(entry) == pid:
            found += family(int(entry.name))
    return found


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def shown_by_proc(pid: int) -> bytes:
    """What the machine shows of a process to whoever runs as the same user."""
    return b"\n".join((Path("/proc") / str(one) / name).read_bytes() for one in family(pid) for name in _SHOWN)


_SHOWN = ("environ", "cmdline", "comm")
