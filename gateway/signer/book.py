"""The signer's book: every signature that was ever given and every refusal, one line each, chained by hashes.

A signature's line is on the disk before the signature leaves the process, so that the limits of a day outlive a crash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

_DAY = timedelta(hours=24)
_START = "0" * 64


class BookBroken(Exception):
    """A line was changed, or one is missing: nothing is signed until a person has looked."""


@dataclass(slots=True, kw_only=True)
class Book:
    """`clock` is the system's; a test clock has no say here."""

    path: Path
    clock: Callable[[], datetime]
    _last: str = field(default=_START, init=False)
    _days: dict[tuple[int, str, int], tuple[datetime, str | None, int, int]] = field(default_factory=dict, init=False)
    _signed: dict[str, str] = field(default_factory=dict, init=False)

    def open(self) -> None:
        """Read what is there. A last line that a crash cut gave no signature: it is dropped. Raises BookBroken."""
        if not self.path.exists():
            self.path.touch(mode=0o600)
        content = self.path.read_bytes()
        whole, _, rest = content.rpartition(b"\n")
        if rest:
            os.truncate(self.path, len(content) - len(rest))
        for line in whole.splitlines():
            self._take(self._checked(line))

    def signed(self, digest: str) -> str | None:
        """The transaction hash that the same bytes were signed as before, for the same wallet, or None."""
        return self._signed.get(digest)

    def spent(self, chain_id: int, sender: str, nonce: int) -> dict[str, int]:
        """What that wallet was signed for on that chain in the last 24 hours: token → units, and `fee`.

        What has the same nonce isn't counted: of it and of what replaces it one alone can be mined.
        """
        since = self.clock() - _DAY
        self._days = {key: one for key, one in self._days.items() if one[0] > since}
        total: dict[str, int] = {"fee": 0}
        for (chain, wallet, number), (_, token, units, fee) in self._days.items():
            if (chain, wallet) == (chain_id, sender) and number != nonce:
                total["fee"] += fee
                if token is not None:
                    total[token] = total.get(token, 0) + units
        return total

    def write(self, entry: dict[str, Any]) -> None:
        """Add a line, and have it on the disk."""
        line = {"at": self.clock().isoformat(), **entry, "before": self._last}
        text = json.dumps(line, separators=(",", ":"), sort_keys=True).encode()
        with self.path.open("ab") as out:
            out.write(text + b"\n")
            out.flush()
            os.fsync(out.fileno())
        self._last = hashlib.sha256(text).hexdigest()
        self._take(line)

    def lines(self) -> Iterator[dict[str, Any]]:
        """All of it, checked. Raises BookBroken."""
        last = _START
        for raw in self.path.read_bytes().splitlines():
            line = json.loads(raw)
            if line["before"] != last:
                raise BookBroken("a line of the signer's book was changed or is missing")
            last = hashlib.sha256(raw).hexdigest()
            yield line

    def _checked(self, raw: bytes) -> dict[str, Any]:
        try:
            line: dict[str, Any] = json.loads(raw)
            before = line["before"]
        except (ValueError, KeyError, TypeError):
            raise BookBroken("a line of the signer's book can't be read") from None
        if before != self._last:
            raise BookBroken("a line of the signer's book was changed or is missing")
        self._last = hashlib.sha256(raw).hexdigest()
        return line

    def _take(self, line: dict[str, Any]) -> None:
        if line.get("what") != "signed":
            return
        key = (int(line["chain_id"]), line["sender"], int(line["nonce"]))
        self._days[key] = (datetime.fromisoformat(line["at"]), line["token"], int(line["units"]), int(line["fee"]))
        self._signed[line["digest"]] = line["tx"]
