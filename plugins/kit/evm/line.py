"""A chain kept: settings, endpoints and the port's eight methods, each with the seconds that it may take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from plugins.kit.evm import answers, building, checking, encoding, reading, scanning, sending
from plugins.kit.evm.facts import Chains
from plugins.kit.evm.node import Node
from plugins.kit.evm.nodes import Nodes
from plugins.kit.evm.settings import Settings, read
from plugins.kit.evm.words import address, hash_of
from plugins.kit.http import Budget, Http
from ports.abilities import SelfFinding
from ports.chain import Block, Chain, ChainCapabilities, Heads, Holding, Intent, Mined, Scan, Transaction, Unsigned
from ports.context import Context, Environment
from ports.errors import NotSent, OutcomeUnknown, Refused


class EvmChain(Chain):
    """One connection's line. Safe to share between threads; it keeps no connection open."""

    def __init__(self, settings: Settings, context: Context) -> None:
        said = settings.network.capabilities
        self._network = settings.network
        self._gas_in = settings.gas_in
        self._clock = context.clock
        self._log = context.log
        self._sandbox = context.environment is Environment.SANDBOX
        self._scanned = 0
        self._nodes = Nodes(
            [
                Node(
                    name=f"{said.network} endpoint {place}",
                    http=Http(base_url=url, user_agent=context.user_agent, log=context.log),
                    chain_id=said.chain_id,
                    window_max=said.window_max,
                )
                for place, url in enumerate(settings.endpoints, start=1)
            ],
            clock=context.clock,
            log=context.log,
        )

    @property
    def facts(self) -> ChainCapabilities:
        return self._network.capabilities

    def _budget(self) -> Budget:
        return Budget(self.facts.call_timeout_s)

    def heads(self) -> Heads:
        budget = self._budget()
        return self._nodes.read(lambda node: reading.heads(node, self._nodes, budget))

    def blocks(self, since: int, until: int) -> tuple[Block, ...]:
        budget = self._budget()
        return self._nodes.read(lambda node: scanning.headers(node, since, until, budget))

    def transfers(self, since: int, until: int, tokens: Sequence[str], addresses: Sequence[str]) -> Scan:
        asked = scanning.Range(
            since=since,
            until=until,
            tokens=frozenset(map(address, tokens)),
            addresses=frozenset(map(address, addresses)),
        )
        if not asked.tokens <= {token.address for token in self.facts.tokens}:
            raise ValueError(f"{self.facts.network} lists no such token")
        if not 0 <= since <= until:
            raise ValueError("a range begins at or before its end")
        budget = self._budget()
        # What was read once is read again at another endpoint: one that leaves out logs is found by its neighbour.
        start = 1 if until <= self._scanned else 0
        scan = self._nodes.read(lambda node: scanning.scan(node, asked, budget), start=start)
        self._scanned = max(self._scanned, scan.until)
        return scan

    def transaction(self, tx: str) -> Transaction:
        name, budget = hash_of(tx), self._budget()
        found = self._nodes.read(lambda node: reading.transaction(node, name, self._network, budget))
        for node in self._nodes.all[1:]:
            found = self._agreed(found, self._second(name, node, budget))
        return found

    def _second(self, name: str, node: Node, budget: Budget) -> Transaction | None:
        """What another endpoint knows of it; None when it can't be asked, since one is enough to go on."""
        try:
            return self._nodes.read(lambda one: reading.transaction(one, name, self._network, budget), only=node)
        except (NotSent, OutcomeUnknown) as trouble:
            self._log.warning("chain_second_opinion_missing", node=node.name, why=type(trouble).__name__)
            return None

    def _agreed(self, one: Transaction, other: Transaction | None) -> Transaction:
        """The further of two; what is mined must be mined alike."""
        order = (Mined.NOT_SEEN, Mined.WAITING, Mined.OK, Mined.REVERTED)
        if other is None:
            return one
        if one.block is not None and other.block is not None and one != other:
            raise OutcomeUnknown("endpoints tell different outcomes of one transaction")
        return max(one, other, key=lambda found: order.index(found.state))

    def build(self, intent: Intent, sender: str, nonce: int, above: Unsigned | None = None) -> Unsigned:
        call, budget = building.wanted(intent, sender, self._network), self._budget()

        def built(gas_in: str | None, only: Node | None = None) -> Unsigned:
            cap = intent.fee_cap_units
            return self._nodes.read(
                lambda node: building.build(node, self._network, call, nonce, cap, above, gas_in, budget), only=only
            )

        if self._gas_in is None or (above is not None and encoding.is_plain(above.content)):
            return self._wherever_it_passes(lambda only: built(None, only))
        try:
            return built(self._gas_in)
        except OutcomeUnknown as trouble:
            if above is not None:
                raise
            # A currency can leave the chain's list, or lose its price, at any time: coins always pay.
            self._log.warning("chain_gas_paid_in_coins", network=self.facts.network, why=type(trouble).__name__)
            return built(None)

    def _wherever_it_passes(self, build: Callable[[Node | None], Unsigned]) -> Unsigned:
        """A dry run that reverts counts once every endpoint has said so: one may lag behind what it depends on."""
        try:
            return build(None)
        except Refused as refused:
            if refused.failure.provider_code != answers.REVERTED:
                raise
            for node in self._nodes.all if len(self._nodes.all) > 1 else ():
                with suppress(Refused, NotSent, OutcomeUnknown):
                    return build(node)
            raise

    def broadcast(self, signed: bytes) -> str:
        return sending.broadcast(self._nodes, signed, self._budget())

    def balances(
        self, addresses: Sequence[str], assets: Sequence[str], block: int | None = None
    ) -> tuple[Holding, ...]:
        ours, budget = [address(one) for one in addresses], self._budget()
        for code in assets:
            if code != self.facts.native.code:
                reading.address_of(self.facts, code)
        return self._nodes.read(lambda node: reading.balances(node, self.facts, ours, assets, block, budget))

    def self_check(self) -> tuple[SelfFinding, ...]:
        return checking.self_check(
            self._nodes, self._network, self._clock(), alone_is_fine=self._sandbox, budget=self._budget()
        )


def built(chains: Chains, values: Mapping[str, object], context: Context) -> Chain:
    """A line from one connection's configuration. No I/O; raises Misconfigured when it can't work."""
    return EvmChain(read(chains, values, context.environment), context)
