"""What a line finds when it holds its pinned facts against what its endpoints show. Anything wrong stops money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from plugins.kit.evm.answers import NodeRefused, WrongChain
from plugins.kit.evm.facts import Network
from plugins.kit.evm.node import Call, Node, block_call
from plugins.kit.evm.nodes import Nodes
from plugins.kit.evm.reading import head_of, time_of
from plugins.kit.evm.words import domain_separator, hash_of, selector, word_at
from plugins.kit.http import Budget
from ports.abilities import FindingState, SelfFinding
from ports.chain import Head, Token
from ports.errors import Misconfigured, NotSent, OutcomeUnknown

_DECIMALS = "0x" + selector("decimals()").hex()
_SEPARATOR = "0x" + selector("DOMAIN_SEPARATOR()").hex()
#: How often its ordinary lag the final block may trail: above the first it is alarming, above the second it stops.
_LATE, _TOO_LATE = 3, 10
#: What takes an answer apart that has an unexpected shape.
_SHAPELESS = (KeyError, ValueError, TypeError, AttributeError, IndexError)


def self_check(
    nodes: Nodes, network: Network, now: datetime, *, alone_is_fine: bool, budget: Budget
) -> tuple[SelfFinding, ...]:
    """Every difference, and a word for everything that is as it should be."""
    found: list[SelfFinding] = []
    finals: dict[str, Head] = {}
    for node in nodes.all:
        findings, final = _of_node(node, network, now, budget)
        found += findings
        if final is not None:
            finals[node.name] = final
    if not finals:
        found.append(_wrong("endpoints", "no endpoint could be checked"))
    if not alone_is_fine and len(nodes.all) == 1:
        found.append(_warning("endpoints", "one endpoint has nobody to agree with: configure a second provider's"))
    found += _at_odds(nodes, finals, budget)
    found += [
        _wrong(node.name, "set aside: its final block went back, or is on a fork")
        for node in nodes.all
        if not nodes.trusted(node)
    ]
    return tuple(found)


def _of_node(node: Node, network: Network, now: datetime, budget: Budget) -> tuple[list[SelfFinding], Head | None]:
    try:
        said = network.capabilities
        pinned = [] if network.pinned is None else [block_call(network.pinned[0])]
        asked = [call for token in said.tokens for call in _token_calls(token)]
        oracle = network.fees.l1_oracle
        asked += [] if oracle is None else [("eth_getCode", [oracle, "latest"])]
        first = node.ask([("eth_chainId", []), block_call("finalized"), *pinned, *asked], budget)
        node.same_chain(_value(first[0]))
        raw = _value(first[1])
        findings = [_ok(node.name, f"is of chain {said.chain_id}"), _recent(node, network, time_of(raw), now)]
        if network.pinned is not None:
            findings.append(_pinned(node, network.pinned, first[2]))
        answers = first[2 + len(pinned) :]
        for place, token in enumerate(said.tokens):
            findings.append(_token(node, token, said.chain_id, answers[3 * place : 3 * place + 3]))
        if oracle is not None and not _has_code(answers[-1]):
            findings.append(_wrong(f"{node.name} fee oracle", "no contract at its address"))
        return findings, head_of(raw)
    except WrongChain as other:
        return [_wrong(node.name, str(other))], None
    except (Misconfigured, NotSent, OutcomeUnknown, NodeRefused) as trouble:
        return [_warning(node.name, f"could not be checked: {trouble}")], None
    except _SHAPELESS as shape:
        return [_wrong(node.name, f"answers in an unknown shape ({type(shape).__name__})")], None


def _value(answer: Any) -> Any:
    if isinstance(answer, NodeRefused):
        raise answer
    return answer


def _token_calls(token: Token) -> list[Call]:
    return [
        ("eth_getCode", [token.address, "latest"]),
        ("eth_call", [{"to": token.address, "data": _DECIMALS}, "latest"]),
        ("eth_call", [{"to": token.address, "data": _SEPARATOR}, "latest"]),
    ]


def _token(node: Node, token: Token, chain_id: int, answers: Sequence[object]) -> SelfFinding:
    code, decimals, separator = answers
    name = f"{node.name} {token.asset.code}"
    if not _has_code(code):
        return _wrong(name, "no contract at its address")
    scale = word_at(decimals, 0) if isinstance(decimals, str) else None
    if scale != token.asset.scale:
        return _wrong(name, f"has {scale} decimals, not {token.asset.scale}")
    if token.domain is not None:
        expected = domain_separator(*token.domain, chain_id, token.address)
        if separator != expected:
            return _wrong(name, "its signing domain is not the pinned one")
    return _ok(name, "is as pinned")


def _has_code(answer: object) -> bool:
    return isinstance(answer, str) and len(answer) > len("0x")


def _pinned(node: Node, pinned: tuple[int, str], raw: object) -> SelfFinding:
    height, expected = pinned
    name = f"{node.name} block {height}"
    if not isinstance(raw, dict):
        # Not every provider keeps what is that old; the chain id has been shown.
        return _warning(name, "can't be shown, so it couldn't be compared")
    if hash_of(raw["hash"]) != expected:
        return _wrong(name, "is another block than the pinned one")
    return _ok(name, "is the pinned one")


def _recent(node: Node, network: Network, final_at: datetime, now: datetime) -> SelfFinding:
    lag, usual = (now - final_at).total_seconds(), network.capabilities.final_lag_s
    name, words = f"{node.name} finalized", f"is {lag:.0f} s old, ordinarily {usual} s"
    if lag > _TOO_LATE * usual:
        return _wrong(name, words)
    return _warning(name, words) if lag > _LATE * usual else _ok(name, words)


def _at_odds(nodes: Nodes, finals: dict[str, Head], budget: Budget) -> list[SelfFinding]:
    """Endpoints that show another block where the lowest final one is."""
    if len(finals) < 2:
        return []
    lowest = min(finals.values(), key=lambda head: head.number)
    findings = []
    for node in nodes.all:
        if node.name not in finals:
            continue
        try:
            (raw,) = node.read([block_call(lowest.number)], budget)
            same = raw is not None and head_of(raw).hash == lowest.hash
        except (Misconfigured, NotSent, OutcomeUnknown, NodeRefused, *_SHAPELESS) as trouble:
            findings.append(_warning(node.name, f"could not be compared ({type(trouble).__name__})"))
            continue
        if not same:
            findings.append(_wrong(node.name, f"shows another final block {lowest.number} than other endpoints"))
    return findings


def _ok(name: str, words: str) -> SelfFinding:
    return SelfFinding(name=name, state=FindingState.OK, words=words)


def _warning(name: str, words: str) -> SelfFinding:
    return SelfFinding(name=name, state=FindingState.WARNING, words=words)


def _wrong(name: str, words: str) -> SelfFinding:
    return SelfFinding(name=name, state=FindingState.WRONG, words=words)
