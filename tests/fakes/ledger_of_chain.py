"""A chain in memory: blocks, balances, a pool, tags, and levers for everything that goes wrong with one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ports.chain import Block, ChainCapabilities, Head, Heads, Mined, Tag, Transaction, Transfer
from tests.fakes.chain_offer import FAKE_CHAIN
from tests.fakes.context import MORNING

NOBODY = "0x" + "00" * 20
GENESIS = "0x" + "00" * 32
GAS, PRICE = 50_000, 3 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Tokens that go from one to another, by the token's address."""

    token: str
    sender: str
    recipient: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeTx:
    """A transaction: what it moves, what it pays for gas, and the coins that it sends to `to`."""

    hash: str
    sender: str
    nonce: int | None = None
    moves: tuple[Move, ...] = ()
    to: str = ""
    value: int = 0
    tip: int = 0
    max_fee: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeBlock:
    """A block with what was in it, what came of each, and the books after it."""

    block: Block
    txs: tuple[FakeTx, ...]
    ok: frozenset[str]
    books: Counter[tuple[str, str]]
    nonces: Counter[str]


@dataclass(kw_only=True)
class FakeNode:
    """The chain itself. Books are keyed by (token's address or "", holder)."""

    facts: ChainCapabilities = FAKE_CHAIN
    epoch: int = 4
    chain_id: int = 0
    running: bool = True
    listening: bool = True
    loses_answers: int = 0
    final_frozen: int | None = None
    halted: bool = False
    frozen: set[tuple[str, str]] = field(default_factory=set)
    pool: list[FakeTx] = field(default_factory=list)
    blocks: list[FakeBlock] = field(default_factory=list)
    seen: dict[str, FakeTx] = field(default_factory=dict)
    _salt: int = 0

    def __post_init__(self) -> None:
        self.chain_id = self.chain_id or self.facts.chain_id
        self._append((), Counter(), Counter())
        self.mine(10)

    # What tests do.

    def mint(self, code: str, address: str, units: int) -> str:
        """Give tokens, mined now."""
        return self._others([Move(token=self._token(code), sender=NOBODY, recipient=address, units=units)], NOBODY)

    def give_coins(self, address: str, units: int) -> None:
        """Set what an address has of the native coin."""
        self.blocks[-1].books["", address] = units

    def move(self, code: str, sender: str, recipient: str, units: int) -> str:
        """Have anybody send tokens, mined now; gives the hash."""
        return self.move_many(code, sender, [recipient], units)

    def move_many(self, code: str, sender: str, recipients: Sequence[str], units: int) -> str:
        """As `move`, one transfer after another in one transaction."""
        token = self._token(code)
        return self._others(
            [Move(token=token, sender=sender, recipient=one, units=units) for one in recipients], sender
        )

    def freeze(self, code: str, address: str) -> None:
        """The issuer lets the address neither send nor get that token."""
        self.frozen.add((self._token(code), address))

    def mine(self, blocks: int = 1) -> None:
        """Make blocks; the first takes what waits."""
        for _ in range(blocks):
            last = self.blocks[-1]
            waiting, self.pool = self._ready(), self.pool
            self.pool = [tx for tx in self.pool if tx not in waiting]
            self._append(waiting, last.books.copy(), last.nonces.copy())

    def halt(self) -> None:
        """Make no blocks until `go_on`."""
        self.halted = True

    def go_on(self) -> None:
        """Make a block of what waits, and one for each transaction from now on."""
        self.halted = False
        self.mine()

    def reorganise(self, depth: int, again: Sequence[str] = ()) -> None:
        """Make the last blocks anew; transactions of these hashes come again, in the second of the new blocks."""
        self.roll_back(depth)
        self._salt += 1
        for place in range(depth):
            if place == min(1, depth - 1):
                self.pool = [*(self.seen[tx] for tx in again), *self.pool]
            self.mine()

    def roll_back(self, depth: int) -> None:
        """Cut blocks off."""
        del self.blocks[len(self.blocks) - depth :]

    def lose_answer(self) -> None:
        """The next transaction sent is taken, and its answer is lost."""
        self.loses_answers += 1

    def freeze_final(self) -> None:
        """The final block stands still from now on."""
        self.final_frozen = self.head(Tag.FINALIZED).number

    def close(self) -> None:
        """Connections are refused from now on."""
        self.listening = False

    def become_another(self) -> None:
        """The endpoint is of another chain from now on."""
        self.chain_id += 1

    # What a line asks.

    def head(self, tag: Tag) -> Head:
        """The block of a tag."""
        top = len(self.blocks) - 1
        number = max(0, top - {Tag.LATEST: 0, Tag.SAFE: self.epoch, Tag.FINALIZED: 2 * self.epoch}[tag])
        if tag is Tag.FINALIZED and self.final_frozen is not None:
            number = min(number, self.final_frozen)
        return Head(number=number, hash=self.blocks[number].block.hash)

    def heads(self) -> Heads:
        """The three, and when two of them were."""
        latest, safe, final = (self.head(tag) for tag in (Tag.LATEST, Tag.SAFE, Tag.FINALIZED))
        return Heads(
            latest=latest,
            safe=safe,
            finalized=final,
            latest_at=self.blocks[latest.number].block.at,
            finalized_at=self.blocks[final.number].block.at,
        )

    def transaction(self, name: str) -> Transaction:
        """What became of it."""
        for one in self.blocks:
            for tx in one.txs:
                if tx.hash == name:
                    return self._mined(one, tx)
        waits = any(tx.hash == name for tx in self.pool)
        return Transaction(hash=name, state=Mined.WAITING if waits else Mined.NOT_SEEN)

    def _mined(self, one: FakeBlock, tx: FakeTx) -> Transaction:
        return Transaction(
            hash=tx.hash,
            state=Mined.OK if tx.hash in one.ok else Mined.REVERTED,
            block=one.block.number,
            block_hash=one.block.hash,
            sender=tx.sender,
            nonce=tx.nonce,
            transfers=self.transfers_of(one, tx),
            fee_units=0 if tx.nonce is None else GAS * PRICE,
            fee_asset=self.facts.native,
        )

    def transfers_of(self, one: FakeBlock, tx: FakeTx) -> tuple[Transfer, ...]:
        """The transfers of a transaction in its block, with their places."""
        if tx.hash not in one.ok:
            return ()
        return tuple(
            Transfer(
                tx=tx.hash,
                position=place,
                block=one.block.number,
                block_hash=one.block.hash,
                token=move.token,
                sender=move.sender,
                recipient=move.recipient,
                units=move.units,
            )
            for place, move in enumerate(tx.moves)
            if move.units
        )

    def take(self, tx: FakeTx) -> None:
        """A signed transaction arrives."""
        self.seen[tx.hash] = tx
        self.pool = [one for one in self.pool if (one.sender, one.nonce) != (tx.sender, tx.nonce)] + [tx]
        if not self.halted:
            self.mine()

    def goes(self, moves: Sequence[Move], books: Counter[tuple[str, str]]) -> bool:
        """Whether those moves would go through on these books; they are changed where it does."""
        trial = books.copy()
        for move in moves:
            if {(move.token, move.sender), (move.token, move.recipient)} & self.frozen:
                return False
            if move.sender != NOBODY:
                if trial[move.token, move.sender] < move.units:
                    return False
                trial[move.token, move.sender] -= move.units
            trial[move.token, move.recipient] += move.units
        books.update({key: trial[key] - books[key] for key in trial})
        return True

    def _token(self, code: str) -> str:
        token = self.facts.token(code)
        if token is None:
            raise LookupError(code)
        return token.address

    def _others(self, moves: Sequence[Move], sender: str) -> str:
        tx = FakeTx(hash=self._name("tx", len(self.seen)), sender=sender, moves=tuple(moves))
        self.seen[tx.hash] = tx
        self.pool.append(tx)
        self.mine()
        return tx.hash

    def _ready(self) -> tuple[FakeTx, ...]:
        """What can be mined: others' transactions, and ours in the order of their nonces without a gap."""
        nonces, ready = self.blocks[-1].nonces.copy(), []
        for tx in sorted(self.pool, key=lambda one: one.nonce or 0):
            if tx.nonce is None:
                ready.append(tx)
            elif tx.nonce == nonces[tx.sender]:
                nonces[tx.sender] += 1
                ready.append(tx)
        return tuple(ready)

    def _append(self, txs: Sequence[FakeTx], books: Counter[tuple[str, str]], nonces: Counter[str]) -> None:
        ok = {tx.hash for tx in txs if self._run(tx, books, nonces)}
        number = len(self.blocks)
        block = Block(
            number=number,
            hash=self._name("block", number),
            parent=self.blocks[-1].block.hash if self.blocks else GENESIS,
            at=self._time(number),
        )
        self.blocks.append(FakeBlock(block=block, txs=tuple(txs), ok=frozenset(ok), books=books, nonces=nonces))

    def _run(self, tx: FakeTx, books: Counter[tuple[str, str]], nonces: Counter[str]) -> bool:
        if tx.nonce is not None:
            nonces[tx.sender] = tx.nonce + 1
            books["", tx.sender] -= GAS * PRICE + tx.value
            books["", tx.to] += tx.value
        return self.goes(tx.moves, books)

    def _time(self, number: int) -> datetime:
        return MORNING + timedelta(seconds=number * self.facts.block_time_s)

    def _name(self, kind: str, number: int) -> str:
        return "0x" + hashlib.sha256(f"{self.facts.network}:{kind}:{number}:{self._salt}".encode()).hexdigest()
