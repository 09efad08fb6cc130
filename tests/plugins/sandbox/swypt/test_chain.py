"""The simulated Swypt on a real node: tokens that really move, the escrow's three forms, refunds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from plugins.sandbox.chains.contracts import DEPLOYER
from plugins.sandbox.chains.deployment import Deployed, endow, put_on
from plugins.sandbox.chains.node import RICH_KEY, LocalNode, running_nodes
from plugins.sandbox.chains.proxy import FaultProxy
from plugins.sandbox.swypt.on_chains import network_settings
from plugins.sandbox.swypt.world import SandboxSwypt, running_swypt
from plugins.swypt.channel import SwyptOfframp
from plugins.swypt.rail import SwyptOnramp
from ports.abilities import DeliveryState
from ports.errors import AlreadyTaken, OutcomeUnknown
from ports.report import Status
from tests.fakes.context import FakeWorld
from tests.plugins.sandbox.swypt.shopper import NOON
from tests.plugins.swypt.asking import bundle, collection, delivery, question, shillings
from tests.plugins.swypt.papers import channel_values, rail_values
from tests.waiting import eventually

#: A rich account of every local node, which plays our pooled wallet; nodes sign for it.
WALLET = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
PAYER = "+254712345678"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    with running_nodes(tmp_path_factory.mktemp("nodes"), "celo") as nodes:
        yield nodes["celo"]


@pytest.fixture
def deployed(node: LocalNode, request: pytest.FixtureRequest) -> Iterator[Deployed]:
    before = node.controls.snapshot()
    found = put_on(node.controls, "celo", escrow=getattr(request, "param", "B"))
    endow(found, node.controls, DEPLOYER)
    endow(found, node.controls, WALLET)
    yield found
    node.controls.revert(before)


@pytest.fixture
def swypt(node: LocalNode, deployed: Deployed, tmp_path: Path) -> Iterator[SandboxSwypt]:
    celo = network_settings(deployed, node.url, RICH_KEY)
    with running_swypt(state_dir=tmp_path, frozen_at=NOON, networks={"celo": celo}) as sandbox:
        yield sandbox


def values(swypt: SandboxSwypt, deployed: Deployed) -> dict[str, str]:
    token = deployed.tokens["USDT.celo"].address
    return rail_values(swypt.url) | {"token_address": token, "wallet_address": WALLET}


def held(deployed: Deployed, address: str) -> int:
    return deployed.tokens["USDT.celo"].ask("balanceOf", address)


def test_a_deposit_brings_tokens_once(swypt: SandboxSwypt, deployed: Deployed, node: LocalNode) -> None:
    rail = SwyptOnramp.build(values(swypt, deployed), FakeWorld().context)
    started = rail.start(collection(1_000, PAYER))
    swypt.control.decide(PAYER.removeprefix("+"))
    swypt.control.advance(2)
    before = held(deployed, WALLET)
    order = delivery(started.provider_reference or "", address=WALLET)
    sent = rail.deliver(order)
    assert sent.tx is not None
    assert node.controls.mined(sent.tx)["status"] == "0x1"
    assert held(deployed, WALLET) - before == 7_738_740
    with pytest.raises(AlreadyTaken):
        rail.deliver(order)
    told = rail.look_up_delivery(order)
    assert (told.state, told.tx, told.units) == (DeliveryState.SENT, sent.tx, 7_738_740)
    assert held(deployed, WALLET) - before == 7_738_740


@pytest.mark.parametrize(("script", "permille"), [("delivered_short", 900), ("delivered_over", 1100)])
def test_a_deposit_may_bring_another_sum(
    swypt: SandboxSwypt, deployed: Deployed, node: LocalNode, script: str, permille: int
) -> None:
    rail = SwyptOnramp.build(values(swypt, deployed), FakeWorld().context)
    swypt.control.script(script, endpoint="onramp")
    started = rail.start(collection(1_000, PAYER))
    swypt.control.advance(2)
    before = held(deployed, WALLET)
    sent = rail.deliver(delivery(started.provider_reference or "", address=WALLET))
    assert sent.tx is not None
    node.controls.mined(sent.tx)
    assert held(deployed, WALLET) - before == 7_738_740 * permille // 1000


@pytest.mark.parametrize("script", ["foreign_hash", "delivered_never"])
def test_a_hash_may_be_nobodys(swypt: SandboxSwypt, deployed: Deployed, node: LocalNode, script: str) -> None:
    rail = SwyptOnramp.build(values(swypt, deployed), FakeWorld().context)
    swypt.control.script(script, endpoint="onramp")
    started = rail.start(collection(1_000, PAYER))
    swypt.control.advance(2)
    before = held(deployed, WALLET)
    sent = rail.deliver(delivery(started.provider_reference or "", address=WALLET))
    assert sent.tx is not None
    assert node.controls.receipt(sent.tx) is None
    assert held(deployed, WALLET) == before


def test_without_tokens_a_deposit_fails_and_a_later_one_delivers(
    swypt: SandboxSwypt, deployed: Deployed, node: LocalNode
) -> None:
    rail = SwyptOnramp.build(values(swypt, deployed), FakeWorld().context)
    swypt.control.script("success", endpoint="onramp")
    started = rail.start(collection(1_000, PAYER))
    swypt.control.advance(2)
    order = delivery(started.provider_reference or "", address=WALLET)
    deployed.tokens["USDT.celo"].do("setPaused", True)
    with pytest.raises(OutcomeUnknown):
        rail.deliver(order)
    assert rail.look_up_delivery(order).state is DeliveryState.NO_NEWS
    deployed.tokens["USDT.celo"].do("setPaused", False)
    sent = rail.deliver(order)
    assert sent.tx is not None
    assert node.controls.mined(sent.tx)["status"] == "0x1"


@pytest.mark.parametrize("fault", ["lose_answer", "hang_up"])
def test_a_send_whose_answer_got_lost_is_one_transfer(
    swypt: SandboxSwypt, deployed: Deployed, node: LocalNode, fault: str
) -> None:
    rail = SwyptOnramp.build(values(swypt, deployed), FakeWorld().context)
    swypt.control.script("success", endpoint="onramp", times=2)
    orders = [rail.start(collection(1_000, PAYER)).provider_reference or "" for _ in range(2)]
    swypt.control.advance(2)
    before = held(deployed, WALLET)
    proxy = FaultProxy(node.url)
    proxy.start()
    try:
        swypt.control.post("chain", network="celo", rpc=proxy.url)
        proxy.arm(fault, method="eth_sendRawTransaction", times=1)
        # The second order may take the number of a transaction that was lost.
        for order in (orders[0], orders[1], orders[0], orders[1]):
            with suppress(OutcomeUnknown, AlreadyTaken):
                rail.deliver(delivery(order, address=WALLET))
        eventually(lambda: held(deployed, WALLET) - before == 2 * 7_738_740)
        effects = swypt.control.counts()["effects"]
        assert effects["tokens sent"] == 2
    finally:
        proxy.stop()


@pytest.mark.parametrize("deployed", ["A", "B", "C"], indirect=True)
@pytest.mark.parametrize("script", ["success", "payout_fails_refunded"])
def test_what_is_in_the_escrow_is_paid_out_or_given_back(
    swypt: SandboxSwypt, deployed: Deployed, node: LocalNode, script: str
) -> None:
    given = {"escrow_address": deployed.escrow.address, "escrow_abi": deployed.escrow.name[-1]}
    channel = SwyptOfframp.build(channel_values(swypt.url) | values(swypt, deployed) | given, FakeWorld().context)
    plan = channel.plan_funding(shillings(500), WALLET)
    approve, withdraw = plan.steps
    before = held(deployed, WALLET)
    deployed.tokens["USDT.celo"].do("approve", approve.to, approve.units, sender=WALLET)
    tx = node.controls.send(WALLET, withdraw.to, "0x" + withdraw.data.hex())
    assert node.controls.mined(tx)["status"] == "0x1"
    assert before - held(deployed, WALLET) == withdraw.spends
    swypt.control.script(script, endpoint="offramp")
    (report,) = channel.submit(bundle(500, tx, account=PAYER)).reports
    with pytest.raises(AlreadyTaken) as taken:
        channel.submit(bundle(500, tx, account=PAYER))
    assert taken.value.provider_reference == report.provider_reference
    swypt.control.advance(2)
    told = channel.look_up(question(report.provider_reference))
    if script == "success":
        assert (told.status, told.amount) == (Status.SUCCEEDED, shillings(500))
        return
    assert told.status is Status.FAILED
    (made,) = swypt.control.get("withdrawals")["withdrawals"]
    assert node.controls.mined(made["refund_tx"])["status"] == "0x1"
    assert held(deployed, WALLET) == before


def test_a_transaction_that_put_nothing_there_is_no_payout(
    swypt: SandboxSwypt, deployed: Deployed, node: LocalNode
) -> None:
    given = {"escrow_address": deployed.escrow.address, "escrow_abi": deployed.escrow.name[-1]}
    channel = SwyptOfframp.build(channel_values(swypt.url) | values(swypt, deployed) | given, FakeWorld().context)
    plain = deployed.tokens["USDT.celo"].do("transfer", deployed.escrow.address, 5_000_000, sender=WALLET)
    reverted = node.controls.send(WALLET, deployed.escrow.address, "0xffffffff")
    node.controls.mined(reverted)
    for tx in (plain["transactionHash"], reverted, "0x" + "12" * 32):
        with pytest.raises(OutcomeUnknown):
            channel.submit(bundle(500, tx, account=PAYER))
    assert swypt.control.get("withdrawals")["withdrawals"] == []
