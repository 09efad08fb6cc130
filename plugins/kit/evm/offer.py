"""A chain's offer out of its facts. What builds lines is imported when the first one is built, by no web process."""

from __future__ import annotations

from collections.abc import Mapping

from plugins.kit.evm.facts import Chains
from plugins.kit.evm.settings import schema_of
from ports.chain import Chain, ChainOffer
from ports.context import Context


def offer_of(code: str, chains: Chains) -> ChainOffer:
    """The offer of a chain under that code."""

    def build(values: Mapping[str, object], context: Context) -> Chain:
        from plugins.kit.evm.line import built

        return built(chains, values, context)

    return ChainOffer(
        code=code,
        title=chains.title,
        capabilities=chains.live.capabilities,
        build=build,
        config_schema=schema_of(chains),
    )
