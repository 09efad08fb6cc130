"""Several endpoints of one chain: each reading is one endpoint's alone, and another is asked when it can't be had.

An endpoint in trouble is asked last for a moment. One whose final block went back, or that shows another block where a
final one was seen, is set aside: it sits on a fork, and what it says of money can't be believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from plugins.kit.evm.answers import NodeRefused, WrongChain
from plugins.kit.evm.node import Node
from ports.chain import CannotSend, Head
from ports.context import Log
from ports.errors import Misconfigured, NotSent, OutcomeUnknown

T = TypeVar("T")

#: How long an endpoint in trouble is asked last.
_PAUSE_S = 5
#: How long one on a fork isn't asked at all; and one whose final block went back, as balanced unequal nodes show it.
_DISTRUST_S = 60
_WENT_BACK_S = 10
#: What an answer of an unexpected shape raises when it is taken apart.
_SHAPELESS = (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError)


class Behind(Exception):
    """The endpoint hasn't the block that is asked about."""


class Forked(Exception):
    """The endpoint's final block went back, or is another than was seen. It isn't asked for that many seconds."""

    def __init__(self, why: str, seconds: int) -> None:
        super().__init__(why)
        self.seconds = seconds


class Nodes:
    """The endpoints in the order of the configuration. Safe to share between threads: what is lost in a race is a
    moment's preference."""

    def __init__(self, nodes: Sequence[Node], *, clock: Callable[[], datetime], log: Log) -> None:
        self.all = tuple(nodes)
        self._clock = clock
        self._log = log
        self._paused: dict[str, datetime] = {}
        self._distrusted: dict[str, datetime] = {}
        self._final_of: dict[str, int] = {}
        self._final: Head | None = None

    @property
    def final(self) -> Head | None:
        """The highest final block that any endpoint has shown."""
        return self._final

    def read(self, reading: Callable[[Node], T], *, start: int = 0, only: Node | None = None) -> T:
        """The reading at the first endpoint that can give it; `start` begins at a later one, `only` asks no other.

        Raises WrongChain at once; Misconfigured when every endpoint refuses its key; OutcomeUnknown when an answer
        got lost and no other endpoint gave one; NotSent when none could be asked, or none has the block yet.
        """
        troubles: list[Exception] = []
        for node in self._in_order(start) if only is None else (only,):
            try:
                return reading(node)
            except WrongChain:
                # No other endpoint makes up for it: somebody has set up something wrong.
                raise
            except Forked as fork:
                self._distrust(node, fork)
                troubles.append(fork)
            except Behind as behind:
                troubles.append(behind)
            except (Misconfigured, NotSent, OutcomeUnknown, NodeRefused) as trouble:
                if isinstance(trouble, NotSent) and trouble.reason == CannotSend.NO_GAS_COIN:
                    # No trouble of the endpoint's: every other would say the same.
                    raise
                self._pause(node, trouble)
                troubles.append(trouble)
            except _SHAPELESS as shape:
                lost = OutcomeUnknown(f"{node.name}: an answer of an unknown shape ({type(shape).__name__})")
                self._pause(node, lost)
                troubles.append(lost)
        raise _worst(troubles) from None

    def trusted(self, node: Node) -> bool:
        """Whether the endpoint isn't set aside for a fork."""
        until = self._distrusted.get(node.name)
        return until is None or self._clock() >= until

    def _in_order(self, start: int) -> Iterator[Node]:
        turned = [*self.all[start % len(self.all) :], *self.all[: start % len(self.all)]]
        now = self._clock()
        usable = [node for node in turned if self.trusted(node)]
        return iter(sorted(usable, key=lambda node: self._paused.get(node.name, now) > now))

    def _pause(self, node: Node, trouble: Exception) -> None:
        wait = trouble.retry_after_s if isinstance(trouble, NotSent) else _PAUSE_S
        self._paused[node.name] = self._clock() + timedelta(seconds=wait)
        self._log.warning("chain_node_paused", node=node.name, why=type(trouble).__name__, seconds=wait)

    def _distrust(self, node: Node, fork: Forked) -> None:
        self._distrusted[node.name] = self._clock() + timedelta(seconds=fork.seconds)
        self._log.warning("chain_node_set_aside", node=node.name, why=str(fork), seconds=fork.seconds)

    def note_final(self, node: Node, final: Head, at_mark: str | None) -> None:
        """Take the endpoint's final block; `at_mark` is the hash that it shows at the height of `self.final`.

        Raises Forked when its final block went back or differs, Behind when others were further and it agrees.
        """
        mark = self._final
        if mark is not None and at_mark is not None and at_mark != mark.hash:
            raise Forked("final_differs", _DISTRUST_S)
        if final.number < self._final_of.get(node.name, 0):
            raise Forked("final_went_back", _WENT_BACK_S)
        self._final_of[node.name] = final.number
        if mark is not None and final.number < mark.number:
            raise Behind
        self._final = final


def _worst(troubles: Sequence[Exception]) -> Exception:
    keyless = [one for one in troubles if isinstance(one, Misconfigured)]
    if keyless and len(keyless) == len(troubles):
        return keyless[0]
    for one in troubles:
        if isinstance(one, NodeRefused):
            return OutcomeUnknown(f"a node refused to answer: {one}")
        if isinstance(one, OutcomeUnknown):
            return one
    waits = [one.retry_after_s for one in troubles if isinstance(one, NotSent)]
    return NotSent(CannotSend.NO_NODE, retry_after_s=min(waits, default=_PAUSE_S))
