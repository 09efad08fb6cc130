"""One connection's endpoints and options: the schema that a chain publishes, and what is read from it.

Endpoints are secret, since providers put their keys into the URL. Facts of a chain come with its plugin; only a
sandbox connection may bring others, for nodes on one's own machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from plugins.kit.evm.facts import Chains, Network
from plugins.kit.evm.words import address
from plugins.kit.schema import checked
from ports.context import Environment
from ports.errors import Misconfigured

_ENDPOINTS = ("endpoint_1", "endpoint_2", "endpoint_3")
_FACTS = ("chain_id", "tokens", "fee_oracle")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a line works with. `gas_in` is the asset whose units pay for gas, None for the native coin."""

    endpoints: tuple[str, ...] = field(repr=False)
    network: Network
    gas_in: str | None


def schema_of(chains: Chains) -> dict[str, object]:
    """The published schema of a chain's connections."""
    codes = sorted(token.asset.code for token in chains.live.capabilities.tokens)
    code = "(" + "|".join(map(re.escape, codes)) + ")"
    properties: dict[str, object] = {
        "endpoint_1": _url("JSON-RPC endpoint that is asked first"),
        "endpoint_2": _url("Second endpoint, of another provider"),
        "endpoint_3": _url("Third endpoint"),
        "chain_id": _fact("Chain id of a local node (sandbox connections only)", "^[1-9][0-9]{0,15}$"),
        "tokens": _fact(
            "Token addresses at a local node, as CODE=0x… with spaces between (sandbox connections only)",
            f"^{code}=0x[0-9a-fA-F]{{40}}( {code}=0x[0-9a-fA-F]{{40}})*$",
        ),
    }
    if chains.live.fees.l1_oracle:
        properties["fee_oracle"] = _fact(
            "Contract that prices the layer below, at a local node (sandbox connections only)", "^0x[0-9a-fA-F]{40}$"
        )
    if chains.live.fee_currencies:
        words = [chains.live.capabilities.native.code, *sorted(chains.live.fee_currencies)]
        properties["gas_in"] = {"type": "string", "title": "What pays for gas", "enum": words, "default": words[0]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Nodes of {chains.title}",
        "type": "object",
        "additionalProperties": False,
        "required": ["endpoint_1"],
        "properties": properties,
    }


def _url(title: str) -> dict[str, object]:
    return {
        "type": "string",
        "title": title,
        "minLength": 1,
        "maxLength": 500,
        "pattern": r"^https?://[!-~]+$",
        "secret": True,  # nosec B105
    }


def _fact(title: str, pattern: str) -> dict[str, object]:
    return {"type": "string", "title": title, "minLength": 1, "maxLength": 2_000, "pattern": pattern}


def read(chains: Chains, values: Mapping[str, object], environment: Environment) -> Settings:
    """Give what a connection works with. Raises Misconfigured, never with a value in it."""
    given = checked(schema_of(chains), values)
    live = environment is Environment.LIVE
    if live and (brought := [name for name in _FACTS if name in given]):
        raise Misconfigured(f"configuration: a live connection brings no facts of its own: {', '.join(brought)}")
    endpoints = tuple(given[name].strip() for name in _ENDPOINTS if name in given)
    if len(set(endpoints)) < len(endpoints):
        raise Misconfigured("configuration: two endpoints are the same")
    for one in endpoints:
        _fit(one, live)
    network = chains.live if live else _local(chains, given)
    gas_in = given.get("gas_in")
    if gas_in == network.capabilities.native.code:
        gas_in = None
    if gas_in is not None and gas_in not in network.fee_currencies:
        raise Misconfigured("configuration: /gas_in: gas can't be paid with that on this network")
    return Settings(endpoints=endpoints, network=network, gas_in=gas_in)


def _fit(endpoint: str, live: bool) -> None:
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise Misconfigured("configuration: an endpoint is no URL")
    if live and parts.scheme != "https" and host not in _LOOPBACK:
        raise Misconfigured("configuration: a live endpoint is reached by https, or on this machine")


def _local(chains: Chains, given: Mapping[str, str]) -> Network:
    """The test network with the facts of local nodes, where the connection brings any.

    A token at a local node is the live one in all but its address.
    """
    test = chains.test
    said, fees, pinned = test.capabilities, test.fees, test.pinned
    if "chain_id" in given:
        said, pinned = replace(said, chain_id=int(given["chain_id"])), None
    if "tokens" in given:
        pairs = [pair.split("=") for pair in given["tokens"].split(" ")]
        if len({code for code, _ in pairs}) < len(pairs):
            raise Misconfigured("configuration: /tokens: one token twice")
        places = {code: _address("tokens", text) for code, text in pairs}
        tokens = tuple(
            replace(token, address=places[token.asset.code])
            for token in chains.live.capabilities.tokens
            if token.asset.code in places
        )
        said, pinned = replace(said, tokens=tokens), None
    if not said.tokens:
        raise Misconfigured("configuration: /tokens: missing; the test network has none that we know")
    if "fee_oracle" in given:
        fees = replace(fees, l1_oracle=_address("fee_oracle", given["fee_oracle"]))
    return replace(test, capabilities=said, fees=fees, pinned=pinned)


def _address(name: str, text: str) -> str:
    try:
        return address(text)
    except ValueError as wrong:
        raise Misconfigured(f"configuration: /{name}: {wrong}") from None
