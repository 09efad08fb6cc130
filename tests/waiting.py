"""Waiting for something to become true, with a deadline: the only waiting tests do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T], *, within_s: float = 5.0, every_s: float = 0.01) -> T:
    """Give back the first truthy answer of `probe`; fail with its last answer once `within_s` seconds are over.

    An AssertionError raised by the probe counts as "not yet", so a probe may be a block of asserts that returns True.
    """
    deadline = time.monotonic() + within_s
    while True:
        said: object = None
        try:
            if answer := probe():
                return answer
            said = answer
        except AssertionError as not_yet:
            said = not_yet
        if time.monotonic() > deadline:
            raise AssertionError(f"still {said!r} after {within_s:g} s")
        time.sleep(every_s)
