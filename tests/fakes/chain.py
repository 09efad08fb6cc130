"""A chain port without nodes: real encodings before a chain in memory, for tests of the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import rlp
from eth_account import Account

from plugins.kit.evm.building import priced, replacing, wanted
from plugins.kit.evm.encoding import Fields, fields_of, name_of, unsigned
from plugins.kit.evm.facts import Fees, Network
from plugins.kit.evm.words import address, selector
from ports.abilities import FindingState, SelfFinding
from ports.chain import (
    Block,
    CannotSend,
    Chain,
    ChainCapabilities,
    ChainOffer,
    Heads,
    Holding,
    Intent,
    Scan,
    Transaction,
    Unsigned,
)
from ports.context import Context
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.report import Failure, FailureKind
from tests.fakes.chain_offer import FAKE_CHAIN_OFFER
from tests.fakes.ledger_of_chain import GAS, PRICE, FakeNode, FakeTx, Move

_TRANSFER = selector("transfer(address,uint256)")
_FEES = Fees(tip_min=10**9)


@dataclass(kw_only=True)
class FakeChain(Chain):
    """A line to a `FakeNode`. `asked` counts calls by name; `contract_moves` says what a CALL's input would move."""

    node: FakeNode = field(default_factory=FakeNode)
    asked: list[str] = field(default_factory=list)
    findings: tuple[SelfFinding, ...] = ()
    contract_moves: Callable[[str, Fields], Sequence[Move]] = lambda *_: ()

    @property
    def facts(self) -> ChainCapabilities:
        return self.node.facts

    def offer(self) -> ChainOffer:
        """An offer whose lines are this one."""

        def build(values: Mapping[str, object], context: Context) -> Chain:
            return self

        return replace(FAKE_CHAIN_OFFER, capabilities=self.facts, build=build)

    def heads(self) -> Heads:
        self._ask("heads")
        return self.node.heads()

    def blocks(self, since: int, until: int) -> tuple[Block, ...]:
        self._ask("blocks")
        return tuple(one.block for one in self.node.blocks[since : until + 1])

    def transfers(self, since: int, until: int, tokens: Sequence[str], addresses: Sequence[str]) -> Scan:
        wanted_tokens, ours = set(map(address, tokens)), set(map(address, addresses))
        if not wanted_tokens <= {token.address for token in self.facts.tokens}:
            raise ValueError("no such token")
        self._ask("transfers")
        if until >= len(self.node.blocks):
            raise NotSent(CannotSend.NO_NODE)
        until = min(until, since + self.facts.window_max - 1)
        blocks = self.node.blocks[since : until + 1]
        return Scan(
            since=since,
            until=until,
            blocks=tuple(one.block for one in blocks),
            transfers=tuple(
                move
                for one in blocks
                for tx in one.txs
                for move in self.node.transfers_of(one, tx)
                if move.token in wanted_tokens and {move.sender, move.recipient} & ours
            ),
        )

    def transaction(self, tx: str) -> Transaction:
        self._ask("transaction")
        return self.node.transaction(tx)

    def build(self, intent: Intent, sender: str, nonce: int, above: Unsigned | None = None) -> Unsigned:
        call = wanted(intent, sender, Network(capabilities=self.facts, fees=_FEES))
        self._ask("build")
        price = priced(_FEES, PRICE, 10**9)
        price = price if above is None else replacing(price, above)
        fields = Fields(
            chain_id=self.facts.chain_id,
            nonce=nonce,
            tip=price.tip,
            max_fee=price.max_fee,
            gas=GAS,
            to=call.to,
            value=call.value,
            data=call.data,
        )
        books = self.node.blocks[-1].books.copy()
        if not self.node.goes(self._moves(call.sender, fields), books):
            raise Refused(Failure(kind=FailureKind.OTHER, provider_code="reverted"))
        most = GAS * price.max_fee
        if most > intent.fee_cap_units:
            raise Refused(Failure(kind=FailureKind.OVER_LIMIT))
        if books["", call.sender] < most + call.value:
            raise NotSent(CannotSend.NO_GAS_COIN)
        return Unsigned(
            content=unsigned(fields), nonce=nonce, gas=GAS, tip=price.tip, max_fee=price.max_fee, fee_units_max=most
        )

    def broadcast(self, signed: bytes) -> str:
        self._ask("broadcast", checks_chain=False)
        tx = self._read(signed)
        self._admit(tx)
        self.node.take(tx)
        if self.node.loses_answers:
            self.node.loses_answers -= 1
            raise OutcomeUnknown("the answer was lost")
        return tx.hash

    def _admit(self, tx: FakeTx) -> None:
        last, nonce = self.node.blocks[-1], tx.nonce or 0
        if any(one.hash == tx.hash for one in self.node.pool) or nonce < last.nonces[tx.sender]:
            raise AlreadyTaken("already known, or nonce too low")
        if last.books["", tx.sender] < GAS * tx.max_fee + tx.value:
            raise NotSent(CannotSend.NO_GAS_COIN)
        for one in self.node.pool:
            same = (one.sender, one.nonce) == (tx.sender, tx.nonce)
            if same and (tx.tip * 10 < one.tip * 11 or tx.max_fee * 10 < one.max_fee * 11):
                raise NotSent(CannotSend.UNDERPRICED)

    def _read(self, signed: bytes) -> FakeTx:
        """The transaction in signed bytes, with whoever signed it."""
        items: list[Any] = rlp.decode(signed[1:])
        fields = fields_of(signed[:1] + rlp.encode(items[:-3]))
        sender = str(Account.recover_transaction(signed)).lower()
        return FakeTx(
            hash=name_of(signed),
            sender=sender,
            nonce=fields.nonce,
            moves=tuple(self._moves(sender, fields)),
            to=fields.to,
            value=fields.value,
            tip=fields.tip,
            max_fee=fields.max_fee,
        )

    def _moves(self, sender: str, fields: Fields) -> Sequence[Move]:
        if fields.data[:4] != _TRANSFER or fields.to not in {token.address for token in self.facts.tokens}:
            return self.contract_moves(sender, fields)
        recipient, units = "0x" + fields.data[16:36].hex(), int.from_bytes(fields.data[36:68], "big")
        return (Move(token=fields.to, sender=sender, recipient=recipient, units=units),)

    def balances(
        self, addresses: Sequence[str], assets: Sequence[str], block: int | None = None
    ) -> tuple[Holding, ...]:
        self._ask("balances")
        if block is not None and block >= len(self.node.blocks):
            raise NotSent(CannotSend.NO_NODE)
        at = self.node.blocks[-1 if block is None else block]
        places = {token.asset.code: token.address for token in self.facts.tokens} | {self.facts.native.code: ""}
        return tuple(
            Holding(
                address=one,
                units=tuple((code, at.books[places[code], one]) for code in assets),
                sent=at.nonces[one],
            )
            for one in addresses
        )

    def self_check(self) -> tuple[SelfFinding, ...]:
        if self.node.chain_id != self.facts.chain_id:
            return (SelfFinding(name="endpoint", state=FindingState.WRONG, words="is of another chain"),)
        return self.findings or (SelfFinding(name="endpoint", state=FindingState.OK, words="is as pinned"),)

    def _ask(self, what: str, *, checks_chain: bool = True) -> None:
        self.asked.append(what)
        if not self.node.listening:
            raise NotSent(CannotSend.NO_NODE)
        if checks_chain and self.node.chain_id != self.facts.chain_id:
            raise Misconfigured("the endpoint is of another chain")
