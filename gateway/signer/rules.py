"""What the signer signs: its own rules, in a file that nobody else writes, held against what it decoded itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.signer.payloads import Call, Payload, call_of, words_of

_HEX = re.compile(r"0x[0-9a-f]{40}")
_SELECTOR = re.compile(r"[0-9a-f]{8}")


class RulesBroken(Exception):
    """The file of rules can't be gone by: nothing is signed."""


class Forbidden(Exception):
    """The rules say no. The message names the rule and no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRule:
    """`per_tx` and `per_day` bound what leaves by transfers and by calls that spend it, in units."""

    per_tx: int
    per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRule:
    """A call that may be made: by its selector; `token_word` and `amount_word` say which of its 32-byte arguments name
    the token and the sum that it takes."""

    selector: str
    token_word: int
    amount_word: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRule:
    """One chain: tokens by address, who may be paid, who may be approved, which contracts may be called how."""

    fee_per_tx: int
    fee_per_day: int
    tokens: Mapping[str, TokenRule]
    recipients: frozenset[str]
    spenders: frozenset[str]
    calls: Mapping[str, Mapping[str, CallRule]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What one signature may cost: `units` of `token` (none: nothing), and at most `fee`."""

    token: str | None
    units: int
    fee: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Rules by chain id."""

    chains: Mapping[int, ChainRule]

    @classmethod
    def read(cls, path: Path) -> Rules:
        """Read the file. Raises RulesBroken, naming what is wrong."""
        try:
            found = json.loads(path.read_text())
            chains = {int(name): _chain(one) for name, one in found["chains"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise RulesBroken(f"{path.name}: {type(wrong).__name__}: {wrong}") from None
        return cls(chains=chains)

    def judge(self, payload: Payload, sender: str) -> Spending:
        """What it spends, when it may be signed for that sender. Raises Forbidden, Undecodable."""
        chain = self.chains.get(payload.chain_id)
        if chain is None:
            raise Forbidden(f"chain {payload.chain_id} isn't in the rules")
        if payload.fee_currency is not None and payload.fee_currency not in chain.tokens:
            raise Forbidden("its fee currency isn't in the rules")
        if payload.fee_most > chain.fee_per_tx:
            raise Forbidden("its fee is above the limit of one transaction")
        call = call_of(payload)
        token, units = _spends(chain, payload, call, sender)
        if token is not None and units > chain.tokens[token].per_tx:
            raise Forbidden("the sum is above the limit of one transaction")
        return Spending(token=token, units=units, fee=payload.fee_most)

    def of_day(self, payload: Payload, spending: Spending, spent: Mapping[str, int]) -> None:
        """Hold it against what was signed in the last 24 hours: token → units, and `fee`. Raises Forbidden."""
        chain = self.chains[payload.chain_id]
        if spent.get("fee", 0) + spending.fee > chain.fee_per_day:
            raise Forbidden("fees are above the limit of a day")
        token = spending.token
        if token is not None and spent.get(token, 0) + spending.units > chain.tokens[token].per_day:
            raise Forbidden("the sum is above the limit of a day")


def _spends(chain: ChainRule, payload: Payload, call: Call, sender: str) -> tuple[str | None, int]:
    if call.kind == "plain":
        if payload.value or payload.to != sender:
            raise Forbidden("coins are sent to nobody; a cancellation goes to the sender itself")
        return None, 0
    if payload.value:
        raise Forbidden("a call that carries coins")
    if call.kind == "other":
        return _of_call(chain, payload, call)
    if payload.to not in chain.tokens:
        raise Forbidden("that token isn't in the rules")
    allowed = chain.recipients if call.kind == "transfer" else chain.spenders
    if call.recipient not in allowed:
        raise Forbidden(f"that address may not be {'paid' if call.kind == 'transfer' else 'approved'}")
    # An approval spends nothing by itself; the call that uses it is counted. It is bounded all the same.
    if call.kind == "approve":
        if call.units > chain.tokens[payload.to].per_tx:
            raise Forbidden("the approved sum is above the limit of one transaction")
        return None, 0
    return payload.to, call.units


def _of_call(chain: ChainRule, payload: Payload, call: Call) -> tuple[str | None, int]:
    rule = chain.calls.get(payload.to, {}).get(call.selector)
    if rule is None:
        raise Forbidden("that contract may not be called so")
    words = words_of(payload)
    if max(rule.token_word, rule.amount_word) >= len(words):
        raise Forbidden("the call has too few arguments")
    token = f"0x{words[rule.token_word]:040x}"
    if token not in chain.tokens:
        raise Forbidden("the call takes a token that isn't in the rules")
    return token, words[rule.amount_word]


def _chain(found: Mapping[str, Any]) -> ChainRule:
    return ChainRule(
        fee_per_tx=_units(found["fee_per_tx"]),
        fee_per_day=_units(found["fee_per_day"]),
        tokens={
            _address(token): TokenRule(per_tx=_units(one["per_tx"]), per_day=_units(one["per_day"]))
            for token, one in found["tokens"].items()
        },
        recipients=frozenset(map(_address, found.get("recipients", ()))),
        spenders=frozenset(map(_address, found.get("spenders", ()))),
        calls={
            _address(contract): {
                _selector(selector): CallRule(
                    selector=selector, token_word=int(one["token_word"]), amount_word=int(one["amount_word"])
                )
                for selector, one in calls.items()
            }
            for contract, calls in found.get("calls", {}).items()
        },
    )


def _address(text: str) -> str:
    low = text.lower()
    if not _HEX.fullmatch(low):
        raise ValueError(f"{text!r} is no address")
    return low


def _selector(text: str) -> str:
    if not _SELECTOR.fullmatch(text):
        raise ValueError(f"{text!r} is no selector of eight hex digits")
    return text


def _units(value: object) -> int:
    """Whole units, as text or as a number."""
    number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else -1
    if number < 0:
        raise ValueError(f"{value!r} is no number of units")
    return number
