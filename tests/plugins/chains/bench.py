"""Real nodes as the suites drive them: a chain of its own for each test, behind an endpoint that can fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module

from eth_account import Account

from plugins.kit.evm.line import EvmChain
from plugins.kit.evm.words import checksummed
from plugins.sandbox.chains.controls import Controls
from plugins.sandbox.chains.deployment import Deployed, put_on
from plugins.sandbox.chains.node import LocalNode
from plugins.sandbox.chains.proxy import FaultProxy
from tests.contract.chain import PAYER, PEOPLE, STRANGER, WALLET
from tests.fakes.context import FakeWorld

#: The token that the suites move.
CODES = {"celo": "USDC.celo", "polygon": "USDT.polygon", "base": "USDC.base"}
#: The senders that the suites act as need coins.
_PEOPLE = (PAYER, STRANGER)
KEYS = {one.address.lower(): one.key for one in (WALLET, *PEOPLE)}


@dataclass(kw_only=True)
class Prepared:
    """A node with its contracts, and the moment to which every test goes back."""

    node: LocalNode
    deployed: Deployed
    snapshot: str

    def go_back(self) -> None:
        self.node.controls.revert(self.snapshot)
        self.snapshot = self.node.controls.snapshot()


def prepared(node: LocalNode) -> Prepared:
    deployed = put_on(node.controls, node.kind.network)
    for one in _PEOPLE:
        node.controls.give_coins(one, 10**20)
    # Finality needs a past.
    node.controls.mine(10)
    return Prepared(node=node, deployed=deployed, snapshot=node.controls.snapshot())


@dataclass(kw_only=True)
class Bench:
    """One test's node. `proxies` are the endpoints that lines use."""

    node: LocalNode
    deployed: Deployed
    proxies: list[FaultProxy]
    fake: FakeWorld = field(default_factory=FakeWorld)
    closed: set[int] = field(default_factory=set)

    @property
    def controls(self) -> Controls:
        return self.node.controls

    @property
    def proxy(self) -> FaultProxy:
        return self.proxies[0]

    def line(self, **more: str) -> EvmChain:
        """A line by the plugin's own door."""
        self.follow_time()
        network = self.node.kind.network
        (offer,) = import_module(f"plugins.{network}.plugin").register_chains()
        values = {f"endpoint_{place}": one.url for place, one in enumerate(self.proxies, start=1)}
        built = offer.build({**values, **self.deployed.settings(), **more}, self.fake.context)
        assert isinstance(built, EvmChain)
        return built

    def follow_time(self) -> None:
        """Have the clock stand where the chain's does."""
        self.fake.clock.time = datetime.fromtimestamp(int(self.controls.block()["timestamp"], 16), UTC)

    def mint(self, code: str, address: str, units: int) -> None:
        self.deployed.tokens[code].do("mint", address, units)

    def give_coins(self, address: str, units: int) -> None:
        self.controls.give_coins(address, units)

    def move(self, code: str, sender: str, recipient: str, units: int) -> str:
        return self._signed(code, sender, "transfer", recipient, units)

    def move_many(self, code: str, sender: str, recipients: Sequence[str], units: int) -> str:
        return self._signed(code, sender, "transferMany", list(recipients), units)

    def _signed(self, code: str, sender: str, function: str, *arguments: object) -> str:
        """By the sender's own key, so that the bytes can come again in another block."""
        token, key = self.deployed.tokens[code], KEYS[sender]
        fields = {
            "type": 2,
            "chainId": self.node.kind.chain_id,
            "nonce": int(self.controls.rpc("eth_getTransactionCount", sender, "latest"), 16),
            "to": checksummed(token.address),
            "value": 0,
            "data": token.encoded(function, *arguments),
            "gas": 500_000,
            "maxFeePerGas": 10**12,
            "maxPriorityFeePerGas": 10**9,
        }
        raw = Account.sign_transaction(fields, key).raw_transaction
        tx = str(self.controls.rpc("eth_sendRawTransaction", "0x" + bytes(raw).hex()))
        assert int(self.controls.mined(tx)["status"], 16) == 1
        return tx

    def freeze(self, code: str, address: str) -> None:
        self.deployed.tokens[code].do("setBlacklisted", address, True)

    def mine(self, blocks: int = 1) -> None:
        self.controls.mine(blocks)

    def halt(self) -> None:
        self.controls.halt()

    def go_on(self) -> None:
        self.controls.go_on()

    def reorganise(self, depth: int, again: Sequence[str] = ()) -> None:
        self.controls.reorganise(depth, [(self.controls.raw(tx), min(1, depth - 1)) for tx in again])

    def lose_answer(self) -> None:
        self.proxy.arm("lose_answer", method="eth_sendRawTransaction", times=1)

    def close(self) -> None:
        for place, one in enumerate(self.proxies):
            if place not in self.closed:
                self.closed.add(place)
                one.stop()

    def become_another(self) -> None:
        self.proxy.arm("chain_id", value=1)


@contextmanager
def bench_on(ready: Prepared, endpoints: int = 1) -> Iterator[Bench]:
    """A bench whose node is as it was prepared."""
    ready.go_back()
    proxies = [FaultProxy(ready.node.url) for _ in range(endpoints)]
    for one in proxies:
        one.start()
    bench = Bench(node=ready.node, deployed=ready.deployed, proxies=proxies)
    try:
        yield bench
    finally:
        ready.node.controls.rpc("evm_setAutomine", True)
        bench.close()
