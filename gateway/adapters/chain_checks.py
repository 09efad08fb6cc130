"""What an offered chain must keep before the gateway starts with it: facts that make sense, addresses that exist."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ports.chain import ChainCapabilities, ChainOffer, Depth, Token
from ports.registration import CONTRACT_VERSION

_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
#: The port's form: lower-case. A checksum in capitals is the plugin's business, before it gets here.
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
#: The ledger counts up to 38 digits, and no token here has more decimals than the coins.
_SCALE_MAX = 18
_COUNTED = ("window_max", "concurrency", "calls_per_s", "call_timeout_s", "final_lag_s")


def chain_faults(offer: object) -> list[str]:
    """What is wrong with an offered chain, in sentences; nothing when it is sound."""
    if not isinstance(offer, ChainOffer):
        return ["not a ChainOffer"]
    faults = _offer_faults(offer)
    said: object = offer.capabilities
    if not isinstance(said, ChainCapabilities):
        return [*faults, "a chain declares ChainCapabilities"]
    return [*faults, *_number_faults(said), *_depth_faults(said.depths), *_token_faults(said)]


def _offer_faults(offer: ChainOffer) -> list[str]:
    faults = []
    if offer.contract != CONTRACT_VERSION:
        faults.append(f"written for version {offer.contract} of the contract; this gateway speaks {CONTRACT_VERSION}")
    if not _CODE.fullmatch(offer.code):
        faults.append("the code is small letters, digits and _")
    # Types promise these too, but a plugin may never have been type-checked.
    build: object = offer.build
    if not callable(build):
        faults.append("build is a function")
    schema: object = offer.config_schema
    if not isinstance(schema, Mapping):
        faults.append("the configuration schema is no object")
    return faults


def _number_faults(said: ChainCapabilities) -> list[str]:
    faults = [f"{name} is below one" for name in _COUNTED if getattr(said, name) < 1]
    if not _CODE.fullmatch(said.network):
        faults.append("the network is small letters, digits and _")
    if said.chain_id < 1:
        faults.append("chain_id is below one")
    if said.block_time_s <= 0:
        faults.append("block_time_s is not above zero")
    return faults


def _depth_faults(depths: tuple[Depth, ...]) -> list[str]:
    if not depths:
        return ["no depth"]
    faults = []
    if any(depth.behind < 0 for depth in depths):
        faults.append("a depth lies above its tag")
    *banded, last = [depth.up_to_usd_cents for depth in depths]
    if last is not None:
        faults.append("the last depth is not for any amount")
    bounds = [bound for bound in banded if bound is not None]
    if len(bounds) < len(banded) or any(bound < 1 for bound in bounds) or sorted(set(bounds)) != bounds:
        faults.append("the depths' amounts do not rise")
    return faults


def _token_faults(said: ChainCapabilities) -> list[str]:
    faults = [fault for token in said.tokens for fault in _one_token_faults(token)]
    if not said.tokens:
        faults.append("no token")
    codes = [said.native.code, *(token.asset.code for token in said.tokens)]
    if len(set(codes)) < len(codes):
        faults.append("two assets have one code")
    if len({token.address for token in said.tokens}) < len(said.tokens):
        faults.append("two tokens have one address")
    return faults


def _one_token_faults(token: Token) -> list[str]:
    code, faults = token.asset.code, []
    if not _ADDRESS.fullmatch(token.address) or not int(token.address, 16):
        faults.append(f"the address of {code} is not 0x and 40 small hex digits, or is zero")
    if not 0 <= token.asset.scale <= _SCALE_MAX:
        faults.append(f"the scale of {code} lies outside 0 to {_SCALE_MAX}")
    if token.dust_units < 1:
        faults.append(f"dust_units of {code} is below one")
    return faults
