"""A shop's client that doesn't give up."""

from __future__ import annotations

import time
from typing import Any

import requests

from tests.stack import Shop


def insistent(shop: Shop, method: str, path: str, body: Any, idem: str) -> Any:
    """A shop's client: after silence or trouble it asks again, with the same key, until it has an answer."""
    deadline = time.monotonic() + 40
    while True:
        try:
            answer = shop.call(method, path, body, idem=idem)
        except requests.RequestException:
            answer = None
        if answer is not None and answer.status < 500 and answer.status not in (409, 429):
            return answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
