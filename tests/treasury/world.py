"""A treasury in one process: a partner that delivers tokens on a chain in memory, and a wallet that is watched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from gateway.adapters.chain_lines import LinesToChains
from gateway.application.chain_bookings import BookSightings
from gateway.application.chain_watching import WatchChain
from gateway.bootstrap.treasury import FollowChain, wallet_service
from gateway.domain.ids import Prefix, encode
from ports.abilities import Ability, Delivers, Delivery, DeliveryOrder, DeliveryState, Landing, Quotes, Rate
from ports.context import Context
from ports.errors import AlreadyTaken, OutcomeUnknown, PortError
from ports.money import KES, Money
from ports.payment_rail import LandsIn, RailCapabilities
from tests.application.harness import ACT, World
from tests.application.processes import InterruptedRail
from tests.fakes.chain import FakeChain
from tests.fakes.chain_offer import FAKE_CHAIN, FAKE_USD
from tests.fakes.context import FakeWorld
from tests.fakes.ledger_of_chain import FakeNode
from tests.fakes.rail import FAKE_PROMPT

PARTNER = "0x" + "9a" * 20
#: Shillings of one token: 129.00.
RATE = 12_900
_WALLETS = count(1)

DELIVERING: RailCapabilities = replace(
    FAKE_PROMPT,
    lands_in=LandsIn.CLEARING,
    delivers=True,
    abilities=(Ability.DELIVER.value, Ability.QUOTE.value),
)


@dataclass(kw_only=True)
class DeliveringRail(InterruptedRail, Delivers, Quotes):
    """The fake rail with a second step. `answers` are scripts of one delivery call each: an error raised after the
    effect (OutcomeUnknown, AlreadyTaken) or before it; without one it tells the truth."""

    node: FakeNode
    wallet: str
    delivered: dict[str, str] = field(default_factory=dict)
    answers: list[PortError] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    short_bps: int = 0
    rate: int = RATE
    silent: bool = False

    def landing(self) -> Landing:
        return Landing(network=self.node.facts.network, address=self.wallet, asset=FAKE_USD.asset)

    def quote_in(self, amount: Money) -> Rate:
        zero = Money(units=0, asset=KES)
        most = Money(units=10**9, asset=KES)
        return Rate(give=amount, get=self.worth(amount), fee=zero, limit_min=zero, limit_max=most)

    def quote_out(self, amount: Money) -> Rate:
        zero = Money(units=0, asset=KES)
        give = Money(units=-(-amount.units * 10**6 // self.rate), asset=FAKE_USD.asset)
        return Rate(give=give, get=amount, fee=zero, limit_min=zero, limit_max=Money(units=10**9, asset=KES))

    def worth(self, amount: Money) -> Money:
        """Tokens for that much, rounded down."""
        return Money(units=amount.units * 10**6 // self.rate, asset=FAKE_USD.asset)

    def deliver(self, order: DeliveryOrder) -> Delivery:
        self.asked.append("deliver")
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None and not isinstance(answer, (OutcomeUnknown, AlreadyTaken)):
            raise answer
        known = order.provider_reference in self.delivered
        self.send(order.provider_reference)
        if answer is not None:
            raise answer
        if known:
            raise AlreadyTaken("delivered already")
        if self.silent:
            return Delivery(state=DeliveryState.PENDING)
        return Delivery(state=DeliveryState.SENT, tx=self.delivered[order.provider_reference])

    def look_up_delivery(self, order: DeliveryOrder) -> Delivery:
        self.asked.append("look_up")
        tx = self.delivered.get(order.provider_reference)
        return Delivery(state=DeliveryState.NO_NEWS) if tx is None else Delivery(state=DeliveryState.SENT, tx=tx)

    def send(self, provider_reference: str) -> None:
        """Tokens leave the partner, once an order."""
        if provider_reference in self.delivered:
            return
        amount = next(t.collection.amount for t in self.tries if t.provider_reference == provider_reference)
        units = self.worth(amount).units * (10_000 - self.short_bps) // 10_000
        self.delivered[provider_reference] = self.node.move(FAKE_USD.asset.code, PARTNER, self.wallet, units)


@dataclass(kw_only=True)
class TreasuryWorld(World):
    """A world whose rail delivers; its chain has a network of its own, so that worlds share a database in peace."""

    node: FakeNode = field(init=False)
    rail: DeliveringRail = field(init=False)

    def __post_init__(self) -> None:
        number = next(_WALLETS)
        facts = replace(FAKE_CHAIN, network=f"fakechain{number}x{os.getpid()}")
        self.node = FakeNode(facts=facts)
        self.wallet = f"0x{self.number:020x}{number:020x}"
        self.node.mint(FAKE_USD.asset.code, PARTNER, 10**15)
        line = FakeChain(node=self.node)
        self.rail_offers = DELIVERING
        self.make_rail = lambda **given: DeliveringRail(node=self.node, wallet=self.wallet, **given)
        offer = line.offer()
        self.chains = LinesToChains(offers={offer.code: offer}, lend=lambda _: self._context())
        super().__post_init__()
        self.chain_line = self.operator.desk.add_connection(
            offer.code, "Chain", self.rail_float.id, {}, livemode=self.livemode, act=ACT
        )
        service = wallet_service(self.operator.units, self.chains, self.operator.engine, self.operator.desk)
        self.wallet_row = service.add(self.chain_line.id, self.wallet, "Pool", ACT)
        self.follow = FollowChain(
            watch=WatchChain(unit=self.worker.units, lines=self.chains),
            book=BookSightings(unit=self.worker.units, lines=self.chains),
        )

    def _context(self) -> Context:
        return FakeWorld(clock=self.clock).context

    def watch(self) -> None:
        """Read the chain on, as far as it goes."""
        for _ in range(20):
            if not self.follow(self.chain_line.id, livemode=self.livemode):
                return
        raise AssertionError("a chain without end")

    def held(self) -> int:
        """Tokens in the wallet by the chain itself."""
        return self.node.blocks[-1].books[FAKE_USD.address, self.wallet]

    def conversion(self) -> Any:
        """The newest conversion's row."""
        return self.rows(
            "SELECT * FROM gateway.conversion WHERE connection_id = :c ORDER BY id DESC", c=self.rail_line.id
        )[0]

    def books(self) -> Mapping[str, int]:
        """Path → debits less credits of what is behind this world's shillings, where it isn't zero."""
        names = (encode(Prefix.WALLET, self.wallet_row.id), encode(Prefix.CONNECTION, self.rail_line.id))
        lines = self.operator.ledger.trial_balance(livemode=self.livemode)
        return {
            line.path: line.dr - line.cr for line in lines if line.dr != line.cr and any(n in line.path for n in names)
        }
