"""One endpoint: JSON-RPC over the kit's HTTP, singly or many calls in one exchange. Nothing is sent twice here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from plugins.kit.evm.answers import NodeRefused, WrongChain
from plugins.kit.evm.words import number, quantity
from plugins.kit.http import Answer, Budget, Http, Limits
from ports.chain import CannotSend
from ports.errors import Misconfigured, NotSent, OutcomeUnknown

#: A method and its parameters.
Call = tuple[str, list[object]]

#: Providers bound the calls of one exchange; a hundred is below every bound we know.
BATCH_MAX = 100
_LIMITS = Limits(connect_s=3, read_s=10, total_s=12, least_s=0.2, body_max=33_554_432)
_TOO_MANY = 429
_KEY_REFUSED = (401, 403)
_HEADERS = {"Content-Type": "application/json"}
_RETRY_MAX_S = 300
#: Blocks with whole transactions and their lists, in a batch, are eight deep. Brackets inside of texts are few.
_DEPTH_MAX = 64
_NO_BRACKETS = bytes(one for one in range(256) if one not in b"[]{}")


class Node:
    """An endpoint. `name` is what logs call it: a URL may hold a key."""

    def __init__(self, *, name: str, http: Http, chain_id: int, window_max: int) -> None:
        self.name = name
        self.window = window_max
        self._window_max = window_max
        self._http = http
        self._chain_id = chain_id
        self._batches = True

    def read(self, calls: Sequence[Call], budget: Budget) -> list[Any]:
        """The results in the order of the calls, from a node that has just shown to be of our chain.

        Raises NodeRefused for the first call that was refused, WrongChain, and what `ask` raises.
        """
        found = self.ask([("eth_chainId", []), *calls], budget)
        for one in found:
            if isinstance(one, NodeRefused):
                raise one
        self.same_chain(found[0])
        return found[1:]

    def same_chain(self, said: object) -> None:
        """Raises WrongChain when the answer to `eth_chainId` is another chain's."""
        if number(said) != self._chain_id:
            raise WrongChain(f"{self.name} is of chain {number(said)}, not {self._chain_id}")

    def ask(self, calls: Sequence[Call], budget: Budget) -> list[Any]:
        """What was answered to each call, a result or a NodeRefused, in the order of the calls.

        Raises NotSent (no connection, too many calls), OutcomeUnknown (no whole answer, or none of JSON-RPC) and
        Misconfigured (the endpoint's key is refused).
        """
        found: list[Any] = []
        while len(found) < len(calls):
            piece = calls[len(found) : len(found) + (BATCH_MAX if self._batches else 1)]
            found += [self.one(*piece[0], budget)] if len(piece) == 1 else self._many(piece, budget)
        return found

    def one(self, method: str, params: list[object], budget: Budget) -> Any:
        """The answer to one call: its result, or a NodeRefused as a value. Raises as `ask` does."""
        body = self._exchange(method, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, budget)
        if not isinstance(body, dict):
            raise OutcomeUnknown(f"{self.name}: {method}: many answers to one call")
        return _result(body)

    def _many(self, calls: Sequence[Call], budget: Budget) -> list[Any]:
        body = [
            {"jsonrpc": "2.0", "id": place, "method": method, "params": params}
            for place, (method, params) in enumerate(calls)
        ]
        answered = self._exchange(calls[-1][0], body, budget)
        if isinstance(answered, dict):
            # A node that takes one call at a time says so with one error; reads may be asked again.
            self._batches = False
            return [self.one(method, params, budget) for method, params in calls]
        by_id = {one.get("id"): one for one in answered if isinstance(one, dict)}
        if missing := [place for place in range(len(calls)) if place not in by_id]:
            raise OutcomeUnknown(f"{self.name}: {len(missing)} of {len(calls)} answers are missing")
        return [_result(by_id[place]) for place in range(len(calls))]

    def _exchange(self, method: str, body: object, budget: Budget) -> dict[str, Any] | list[Any]:
        answer = self._http.exchange(
            f"{self.name} {method}",
            "POST",
            "",
            headers=_HEADERS,
            body=json.dumps(body).encode(),
            budget=budget,
            limits=_LIMITS,
        )
        return self._understood(answer)

    def _understood(self, answer: Answer) -> dict[str, Any] | list[Any]:
        if answer.status == _TOO_MANY:
            raise NotSent(CannotSend.NO_NODE, retry_after_s=_seconds(answer.headers.get("retry-after", "")))
        if answer.cut:
            raise OutcomeUnknown(f"{self.name}: the answer is too long")
        body = _json(answer.body)
        # Nodes tell errors of JSON-RPC under any status of HTTP.
        if isinstance(body, list) or (isinstance(body, dict) and ("result" in body or _is_error(body))):
            return body
        if answer.status in _KEY_REFUSED:
            raise Misconfigured(f"{self.name} refuses its key: HTTP {answer.status}")
        raise OutcomeUnknown(f"{self.name}: HTTP {answer.status} without an answer of JSON-RPC")

    def narrow(self, window: int) -> None:
        """Ask for no more blocks than this for a while: a wider range was refused."""
        self.window = max(1, window)

    def widen(self) -> None:
        """A range was given: ask for a little more next time."""
        self.window = min(self._window_max, self.window + max(1, self.window // 10))


def _json(content: bytes) -> Any:
    """What JSON says, or None. What is nested deeper than any answer isn't read: libraries of the same process raise
    Python's own bound, and beyond the stack there is no exception."""
    brackets = content.translate(None, _NO_BRACKETS)
    for _ in range(_DEPTH_MAX):
        if len(brackets) <= _DEPTH_MAX:
            break
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    else:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _is_error(body: dict[str, Any]) -> bool:
    return isinstance(body.get("error"), dict)


def _result(body: dict[str, Any]) -> Any:
    if _is_error(body):
        error = body["error"]
        code = error.get("code")
        return NodeRefused(code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data"))
    if "result" not in body:
        raise OutcomeUnknown("an answer of JSON-RPC without a result")
    return body["result"]


def _seconds(text: str) -> int:
    return min(_RETRY_MAX_S, int(text)) if text.isascii() and text.isdecimal() else 5


def block_call(at: int | str) -> Call:
    """The header of a height or a tag, with no bodies of transactions."""
    return ("eth_getBlockByNumber", [at if isinstance(at, str) else quantity(at), False])
