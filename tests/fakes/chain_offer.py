"""A chain that plugins may offer in tests: facts that are sound, to be spoilt one by one."""

from __future__ import annotations

from collections.abc import Mapping

from ports.chain import Chain, ChainCapabilities, ChainOffer, Depth, Tag, Token
from ports.context import Context
from ports.errors import Misconfigured
from ports.money import Asset

FAKE_COIN = Asset(code="FAKE", scale=18)
FAKE_USD = Token(asset=Asset(code="USDF.fake", scale=6), address="0x" + "f1" * 20, domain=("Fake Dollar", "1"))
FAKE_KES = Token(asset=Asset(code="KESF.fake", scale=18), address="0x" + "f2" * 20)

FAKE_CHAIN = ChainCapabilities(
    network="fakechain",
    chain_id=900_001,
    native=FAKE_COIN,
    tokens=(FAKE_USD, FAKE_KES),
    block_time_s=1.0,
    depths=(
        Depth(tag=Tag.LATEST, behind=3, up_to_usd_cents=5_000),
        Depth(tag=Tag.SAFE, up_to_usd_cents=100_000),
        Depth(tag=Tag.FINALIZED),
    ),
    final_lag_s=20,
)


def no_line(values: Mapping[str, object], context: Context) -> Chain:
    """The offer is what is looked at: nobody builds it."""
    raise Misconfigured("this chain is only offered")


FAKE_CHAIN_OFFER = ChainOffer(code="fakechain_rpc", title="Fake chain", capabilities=FAKE_CHAIN, build=no_line)
