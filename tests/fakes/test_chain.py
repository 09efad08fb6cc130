"""The fake chain keeps the chain port's suite."""

from __future__ import annotations

import pytest

from tests.contract.chain import ChainContract, ChainLine
from tests.fakes.chain import FakeChain
from tests.fakes.chain_offer import FAKE_USD


class TestFakeChain(ChainContract):
    """The fake, as the others."""

    @pytest.fixture
    def line(self) -> ChainLine:
        chain = FakeChain()
        return ChainLine(chain=chain, world=chain.node, code=FAKE_USD.asset.code)
