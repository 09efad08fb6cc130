"""Which chains the gateway starts with, and the sentence it refuses the others with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from gateway.adapters.plugin_host import PluginRefused, load_plugins
from ports.chain import ChainCapabilities, Depth, Tag
from ports.hookspecs import hookimpl
from ports.money import Asset
from tests.fakes.chain_offer import FAKE_CHAIN, FAKE_CHAIN_OFFER, FAKE_COIN, FAKE_USD
from tests.fakes.rail import FakeRail

#: What another plugin would offer beside it.
OTHER = replace(
    FAKE_CHAIN_OFFER, code="other_rpc", capabilities=replace(FAKE_CHAIN, network="otherchain", chain_id=900_002)
)
Offer = Callable[..., EntryPoint]


@pytest.fixture
def offering() -> Iterator[Offer]:
    """Make a plugin that offers these by `register_chains`, or by the hook of another `name`."""
    made: list[str] = []

    def install(plugin: str, *offers: object, hook: str = "register_chains") -> EntryPoint:
        def offered() -> Sequence[object]:
            return offers

        offered.__name__ = hook
        module = ModuleType(f"out_of_tree_{plugin}")
        setattr(module, hook, hookimpl(offered))
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        return EntryPoint(name=plugin, value=module.__name__, group="gateway.plugins")

    yield install
    for name in made:
        sys.modules.pop(name, None)


def refused(said: str, *points: EntryPoint) -> None:
    with pytest.raises(PluginRefused, match=said):
        load_plugins([point.name for point in points], points)


def test_a_plugin_that_offers_only_chains_offers_something(offering: Offer) -> None:
    plugins = load_plugins(["one", "two"], [offering("one", FAKE_CHAIN_OFFER), offering("two", OTHER)])
    assert dict(plugins.chains) == {"fakechain_rpc": FAKE_CHAIN_OFFER, "other_rpc": OTHER}
    assert (dict(plugins.rails), dict(plugins.channels)) == ({}, {})
    with pytest.raises(TypeError):
        plugins.chains["more"] = OTHER  # type: ignore[index]


def test_a_misspelt_hook_is_refused(offering: Offer) -> None:
    refused("plugin one: unknown hook 'register_chain'", offering("one", FAKE_CHAIN_OFFER, hook="register_chain"))


def test_what_is_no_chain_offer_is_refused(offering: Offer) -> None:
    for wrong in (None, "celo", FAKE_CHAIN, FakeRail().registration()):
        refused("not a ChainOffer", offering("one", wrong))


def test_two_chains_of_one_code_network_or_chain_id_are_refused(offering: Offer) -> None:
    one = offering("one", FAKE_CHAIN_OFFER)
    refused("the code fakechain_rpc is offered twice: by one and by two", one, offering("two", FAKE_CHAIN_OFFER))
    code = replace(FAKE_CHAIN_OFFER, code="other_rpc")
    refused("the network fakechain is offered twice: by one and by two", one, offering("two", code))
    both = replace(OTHER, capabilities=replace(OTHER.capabilities, chain_id=FAKE_CHAIN.chain_id))
    refused("the chain id 900001 is offered twice: by one and by two", one, offering("two", both))


def test_a_chain_and_a_rail_of_one_code_are_refused(offering: Offer) -> None:
    rail = replace(FakeRail().registration(), code=FAKE_CHAIN_OFFER.code)
    refused(
        "the code fakechain_rpc is offered twice: by two and by one",
        offering("one", FAKE_CHAIN_OFFER),
        offering("two", rail, hook="register_payment_rails"),
    )


def with_depths(*depths: Depth) -> dict[str, Any]:
    return {"depths": depths}


def with_usd(**changed: Any) -> dict[str, Any]:
    return {"tokens": (replace(FAKE_USD, **changed),)}


ANY = Depth(tag=Tag.FINALIZED)
CHECKSUMMED = "0xcebA9300f2b948710d2653dD7B07f33A8B32118C"
CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"network": "Celo"}, "the network is small letters"),
    ({"chain_id": 0}, "chain_id is below one"),
    ({"block_time_s": 0}, "block_time_s is not above zero"),
    ({"window_max": 0}, "window_max is below one"),
    ({"concurrency": 0}, "concurrency is below one"),
    ({"calls_per_s": 0}, "calls_per_s is below one"),
    ({"call_timeout_s": 0}, "call_timeout_s is below one"),
    ({"final_lag_s": 0}, "final_lag_s is below one"),
    (with_depths(), "no depth"),
    (with_depths(Depth(tag=Tag.LATEST, up_to_usd_cents=5_000)), "the last depth is not for any amount"),
    (with_depths(ANY, ANY), "the depths' amounts do not rise"),
    (with_depths(Depth(tag=Tag.SAFE, up_to_usd_cents=9), Depth(tag=Tag.SAFE, up_to_usd_cents=9), ANY), "do not rise"),
    (with_depths(Depth(tag=Tag.SAFE, up_to_usd_cents=9), Depth(tag=Tag.SAFE, up_to_usd_cents=8), ANY), "do not rise"),
    (with_depths(Depth(tag=Tag.SAFE, up_to_usd_cents=0), ANY), "do not rise"),
    (with_depths(Depth(tag=Tag.LATEST, behind=-1)), "a depth lies above its tag"),
    ({"tokens": ()}, "no token"),
    ({"tokens": (FAKE_USD, replace(FAKE_USD, address="0x" + "aa" * 20))}, "two assets have one code"),
    (with_usd(asset=Asset(code=FAKE_COIN.code, scale=6)), "two assets have one code"),
    ({"tokens": (FAKE_USD, replace(FAKE_USD, asset=Asset(code="B", scale=6)))}, "two tokens have one address"),
    (with_usd(address="0x12"), "the address of USDF.fake is not 0x and 40 small hex digits"),
    (with_usd(address=CHECKSUMMED), "the address of USDF.fake is not 0x and 40 small hex digits"),
    (with_usd(address="0x" + "00" * 20), "or is zero"),
    (with_usd(asset=Asset(code="USDF.fake", scale=19)), "the scale of USDF.fake lies outside"),
    (with_usd(asset=Asset(code="USDF.fake", scale=-1)), "the scale of USDF.fake lies outside"),
    (with_usd(dust_units=0), "dust_units of USDF.fake is below one"),
]


@pytest.mark.parametrize(("changed", "said"), CONTRADICTIONS)
def test_facts_that_contradict_themselves_stop_the_start(
    offering: Offer, changed: Mapping[str, Any], said: str
) -> None:
    offer = replace(FAKE_CHAIN_OFFER, capabilities=replace(FAKE_CHAIN, **changed))
    refused(f"plugin one, offer fakechain_rpc: .*{said}", offering("one", offer))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"code": "Celo"}, "the code is small letters"),
        ({"contract": 2}, "written for version 2 of the contract"),
        ({"build": None}, "build is a function"),
        ({"config_schema": []}, "the configuration schema is no object"),
        ({"capabilities": FakeRail().registration().capabilities}, "a chain declares ChainCapabilities"),
    ],
)
def test_an_offer_that_is_not_whole_stops_the_start(offering: Offer, changed: Mapping[str, Any], said: str) -> None:
    refused(said, offering("one", replace(FAKE_CHAIN_OFFER, **changed)))


def test_every_number_of_a_chain_is_checked() -> None:
    names = {name for changed, _ in CONTRADICTIONS for name in changed}
    counted = {
        name for name, field in ChainCapabilities.__dataclass_fields__.items() if str(field.type) in ("int", "float")
    }
    assert counted - names == set()


def test_the_shipped_chains_are_sound() -> None:
    names = ("base", "celo", "polygon")
    points = [EntryPoint(name=name, value=f"plugins.{name}.plugin", group="gateway.plugins") for name in names]
    assert list(load_plugins(names, points).chains) == ["base_rpc", "celo_rpc", "polygon_rpc"]
