"""Broadcasting: the same bytes to every endpoint, and one word on what came of it."""

from __future__ import annotations

from plugins.kit.evm.answers import NodeRefused, WrongChain, send_error
from plugins.kit.evm.encoding import name_of
from plugins.kit.evm.node import Node
from plugins.kit.evm.nodes import Nodes
from plugins.kit.http import Budget
from ports.chain import CannotSend
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, PortError

#: When no endpoint took it: what is nearest to the truth for all of them, best first. A node that knows the bytes
#: settles the matter; one whose answer got lost may have them; only then does it count why others wouldn't.
_WORDS = (CannotSend.NO_GAS_COIN, CannotSend.UNDERPRICED, CannotSend.NONCE_TOO_HIGH, CannotSend.NO_NODE)


def broadcast(nodes: Nodes, signed: bytes, budget: Budget) -> str:
    """Send to every endpoint; gives the hash when one of them took it. The same bytes may always be sent again.

    Raises AlreadyTaken, OutcomeUnknown, NotSent and Misconfigured as the port says.
    """
    name, troubles = name_of(signed), []
    taken = False
    for node in nodes.all:
        trouble = _send(node, signed, name, budget)
        if trouble is None:
            taken = True
        else:
            troubles.append(trouble)
    if taken:
        return name
    raise _of_all(troubles)


def _send(node: Node, signed: bytes, name: str, budget: Budget) -> PortError | None:
    try:
        answer = node.one("eth_sendRawTransaction", ["0x" + signed.hex()], budget)
    except (NotSent, OutcomeUnknown, Misconfigured) as trouble:
        return trouble
    if isinstance(answer, NodeRefused):
        return send_error(answer)
    if not isinstance(answer, str) or answer.lower() != name:
        return OutcomeUnknown(f"{node.name}: the hash that was answered is not that of our bytes")
    return None


def _of_all(troubles: list[PortError]) -> PortError:
    for kind in (AlreadyTaken, OutcomeUnknown, WrongChain):
        for one in troubles:
            if isinstance(one, kind):
                return one
    unsent = [one for one in troubles if isinstance(one, NotSent)]
    if not unsent:
        return troubles[0]
    best = min(unsent, key=lambda one: _WORDS.index(_word(one)))
    return NotSent(_word(best), retry_after_s=best.retry_after_s)


def _word(trouble: NotSent) -> CannotSend:
    return CannotSend(trouble.reason) if trouble.reason in _WORDS else CannotSend.NO_NODE
