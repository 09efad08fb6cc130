"""What a connection may say of its chain, and what it may not."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from plugins.base.facts import CHAINS as BASE
from plugins.base.plugin import register_chains as offer_base
from plugins.celo.facts import CHAINS as CELO
from plugins.celo.plugin import register_chains as offer_celo
from plugins.kit.evm.facts import Chains
from plugins.kit.evm.settings import read
from plugins.kit.evm.words import address, checksummed
from plugins.polygon.facts import CHAINS as POLYGON
from plugins.polygon.plugin import register_chains as offer_polygon
from ports.chain import ChainOffer, Tag
from ports.context import Environment
from ports.errors import Misconfigured
from tests.fakes.context import FakeWorld

OFFERS: list[ChainOffer] = [*offer_celo(), *offer_polygon(), *offer_base()]
ONE = "https://rpc.example/v2/secret-key"
TWO = "https://other.example/secret-key"
PLACE = "0x" + "5f" * 20


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.code)
def test_an_offer_builds_a_live_line_without_asking_anybody(offer: ChainOffer) -> None:
    world = FakeWorld(environment=Environment.LIVE)
    line = offer.build({"endpoint_1": ONE, "endpoint_2": TWO}, world.context)
    assert line.facts == offer.capabilities
    assert world.log.lines == []


def test_the_facts_of_the_three() -> None:
    assert [(one.code, one.capabilities.network, one.capabilities.chain_id) for one in OFFERS] == [
        ("celo_rpc", "celo", 42220),
        ("polygon_rpc", "polygon", 137),
        ("base_rpc", "base", 8453),
    ]
    assert [one.capabilities.depths[-1].tag for one in OFFERS] == [Tag.FINALIZED] * 3
    codes = [[token.asset.code for token in one.capabilities.tokens] for one in OFFERS]
    assert codes == [["USDT.celo", "USDC.celo", "cKES.celo"], ["USDT.polygon", "USDCe.polygon"], ["USDC.base"]]


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.code)
def test_endpoints_are_secret_and_facts_are_not(offer: ChainOffer) -> None:
    properties: dict[str, Any] = json.loads(json.dumps(offer.config_schema))["properties"]
    secret = {name for name, rule in properties.items() if rule.get("secret")}
    assert secret == {"endpoint_1", "endpoint_2", "endpoint_3"}


def test_the_first_block_of_live_networks_is_pinned_and_of_local_ones_is_not() -> None:
    assert {chains.live.pinned[0] for chains in (CELO, POLYGON, BASE) if chains.live.pinned} == {0}
    assert len({chains.live.pinned for chains in (CELO, POLYGON, BASE)} - {None}) == 3
    assert [chains.test.pinned for chains in (CELO, POLYGON, BASE)] == [None] * 3


def test_a_sandbox_is_on_the_test_network() -> None:
    said = read(CELO, {"endpoint_1": ONE}, Environment.SANDBOX).network.capabilities
    assert said.chain_id == 11142220
    assert {token.asset.code for token in said.tokens} == {"USDT.celo", "USDC.celo", "cKES.celo"}
    assert not {one.address for one in said.tokens} & {one.address for one in CELO.live.capabilities.tokens}


def test_a_local_node_brings_its_facts_in_a_sandbox() -> None:
    given = {"endpoint_1": "http://127.0.0.1:8545", "chain_id": "31337", "tokens": f"USDC.base={PLACE}"}
    network = read(BASE, {**given, "fee_oracle": PLACE}, Environment.SANDBOX).network
    assert (network.capabilities.chain_id, network.fees.l1_oracle) == (31337, PLACE)
    (token,) = network.capabilities.tokens
    assert (token.address, token.asset.scale, token.domain) == (PLACE, 6, ("USD Coin", "2"))


WRONG: list[tuple[Chains, Environment, dict[str, object], str]] = [
    (CELO, Environment.LIVE, {"chain_id": "31337"}, "brings no facts of its own: chain_id"),
    (CELO, Environment.LIVE, {"tokens": f"USDC.celo={PLACE}"}, "brings no facts of its own: tokens"),
    (BASE, Environment.LIVE, {"fee_oracle": PLACE}, "brings no facts of its own: fee_oracle"),
    (CELO, Environment.LIVE, {"endpoint_1": "http://rpc.example"}, "reached by https"),
    (CELO, Environment.SANDBOX, {"endpoint_1": "ftp://rpc.example"}, "/endpoint_1: must match"),
    (CELO, Environment.SANDBOX, {"endpoint_1": "http://:80/x"}, "is no URL"),
    (CELO, Environment.SANDBOX, {"endpoint_2": ONE}, "two endpoints are the same"),
    (CELO, Environment.SANDBOX, {"chain_id": "0x10"}, "/chain_id: must match"),
    (CELO, Environment.SANDBOX, {"tokens": f"USDC.base={PLACE}"}, "/tokens: must match"),
    (CELO, Environment.SANDBOX, {"tokens": "USDC.celo=0x12"}, "/tokens: must match"),
    (CELO, Environment.SANDBOX, {"tokens": f"USDC.celo={PLACE} USDC.celo={PLACE}"}, "one token twice"),
    (CELO, Environment.SANDBOX, {"tokens": "USDC.celo=0xcEbA9300f2b948710d2653dD7B07f33A8B32118C"}, "wrong checksum"),
    (POLYGON, Environment.SANDBOX, {}, "/tokens: missing"),
    (POLYGON, Environment.SANDBOX, {"fee_oracle": PLACE}, "/fee_oracle: unknown"),
    (POLYGON, Environment.LIVE, {"gas_in": "POL"}, "/gas_in: unknown"),
    (CELO, Environment.LIVE, {"gas_in": "USDM"}, "/gas_in: must be one of"),
]


@pytest.mark.parametrize(("chains", "environment", "changed", "words"), WRONG)
def test_what_can_not_work_is_refused_without_a_secret(
    chains: Chains, environment: Environment, changed: dict[str, object], words: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        read(chains, {"endpoint_1": ONE, **changed}, environment)
    assert words in str(refused.value)
    assert "secret-key" not in str(refused.value)


def test_a_live_node_on_this_machine_may_be_asked_in_the_clear() -> None:
    assert read(CELO, {"endpoint_1": "http://127.0.0.1:8545"}, Environment.LIVE).endpoints


def test_what_pays_for_gas() -> None:
    assert read(CELO, {"endpoint_1": ONE}, Environment.LIVE).gas_in is None
    assert read(CELO, {"endpoint_1": ONE, "gas_in": "CELO"}, Environment.LIVE).gas_in is None
    assert read(CELO, {"endpoint_1": ONE, "gas_in": "USDC.celo"}, Environment.LIVE).gas_in == "USDC.celo"


def test_settings_show_no_endpoint() -> None:
    found = read(CELO, {"endpoint_1": ONE}, Environment.LIVE)
    assert "secret-key" not in repr(found)
    assert {one.name for one in fields(found)} == {"endpoints", "network", "gas_in"}


def test_no_endpoint_is_ever_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    world = FakeWorld(environment=Environment.LIVE)
    (offer,) = offer_celo()
    line = offer.build({"endpoint_1": "http://127.0.0.1:9/secret-key"}, world.context)
    with pytest.raises(Exception, match=r".*") as raised:
        line.heads()
    assert "secret-key" not in f"{world.log.lines} {raised.value!r}"
    assert world.log.lines


def test_checksums_are_those_of_the_standard() -> None:
    for text in (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ):
        assert checksummed(text.lower()) == text
        assert address(text) == text.lower()
        with pytest.raises(ValueError, match="checksum"):
            address(text[:-1] + text[-1].swapcase() if text[-1].isalpha() else text[:2] + text[2:].swapcase())
