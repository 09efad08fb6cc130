"""The identifiers M-Pesa gives out, drawn from a seed and a position that only moves forward.

The position is kept with the rest of the state, so that one state directory never gives the same receipt twice.
Shapes: captures of the Daraja sandbox, September and October 2026, and the portal's samples, December 2025.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from plugins.sandbox.mpesa import clock

T = TypeVar("T")

BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# A step that shares no factor with 36 visits every seven-character receipt before it repeats one.
RECEIPTS = 36**7
STEP = 27_182_818_283


class Ids:
    """The one source of identifiers and of chance. Not thread-safe: the simulator's lock guards it."""

    def __init__(self, seed: int, position: int = 0) -> None:
        self.seed = seed
        self.position = position
        self._node = hashlib.sha256(f"{seed}:node".encode()).hexdigest()
        self._shift = int.from_bytes(hashlib.sha256(f"{seed}:receipts".encode()).digest()[:8], "big") % RECEIPTS

    def _draw(self) -> int:
        self.position += 1
        return int.from_bytes(hashlib.sha256(f"{self.seed}:{self.position}".encode()).digest(), "big")

    def _text(self, length: int, alphabet: str) -> str:
        number, letters = self._draw(), []
        for _ in range(length):
            number, rest = divmod(number, len(alphabet))
            letters.append(alphabet[rest])
        return "".join(letters)

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self._draw() % len(options)]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The same items in another order."""
        left, mixed, number = list(items), [], self._draw()
        while left:
            number, pick = divmod(number, len(left))
            mixed.append(left.pop(pick))
        return mixed

    def token(self) -> str:
        """A bearer token of 28 characters, as in `c9SQxWWhmdVRlyh0zh8gZDTkubVF`."""
        return self._text(28, BASE62)

    def request_id(self, style: str = "new") -> str:
        """`f1e2-4b95-a71d-b30d3cdbb7a7942864`: four groups of the node, then digits; `old` is `29115-34620561-1`."""
        digits = self._text(7, "0123456789")
        if style == "old":
            return f"{10000 + self.position % 90000}-{digits}-1"
        node = self._node
        return f"{node[:4]}-4{node[5:8]}-a{node[9:12]}-{node[12:24]}{digits}"

    def incident(self) -> str:
        """An Incapsula incident number."""
        return f"{self._text(7, '123456789')}-{self._text(17, '123456789')}"

    def checkout_id(self, now_ms: int, phone: str, style: str = "new") -> str:
        """`ws_CO_` + `DDMMYYYYHHmmss` + digits + the customer's last nine digits; `old` carries no number."""
        moment = clock.eat(now_ms).strftime("%d%m%Y%H%M%S")
        if style == "old":
            return f"ws_CO_DMZ_{self._text(9, '0123456789')}_{moment}{self._text(3, '0123456789')}"
        self.position += 1  # Its last digits keep apart two prompts of one customer within a second.
        return f"ws_CO_{moment}{self.position % 1000:03d}{phone[-9:]}"

    def conversation_id(self, now_ms: int) -> str:
        """`AG_20240706_20106e9209f64bebd05b`."""
        return f"AG_{clock.eat(now_ms):%Y%m%d}_2010{self._text(16, '0123456789abcdef')}"

    def receipt(self, now_ms: int) -> str:
        """Ten characters: three for the day, seven that this state directory has never used."""
        self.position += 1
        number = (STEP * self.position + self._shift) % RECEIPTS
        if number == 0:  # That would be a placeholder.
            return self.receipt(now_ms)
        letters = []
        for _ in range(7):
            number, rest = divmod(number, 36)
            letters.append(BASE36[rest])
        return day_letters(now_ms) + "".join(letters)


def day_letters(now_ms: int) -> str:
    """The day as M-Pesa codes it at the head of a receipt: `UJ6` is 6 October 2026 (N is 2019, A January)."""
    day = clock.eat(now_ms)
    return chr(ord("A") + (day.year - 2006) % 26) + chr(ord("A") + day.month - 1) + BASE36[day.day]


def placeholder(now_ms: int) -> str:
    """The `OAK0000000` that stands where a transaction's id would be."""
    return day_letters(now_ms) + "0" * 7
