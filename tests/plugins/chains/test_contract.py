"""The port's suite, kept by Celo, Polygon and Base before real nodes."""

from __future__ import annotations

import pytest

from tests.contract.chain import ChainContract, ChainLine
from tests.plugins.chains.bench import CODES, Bench


class TestCelo(ChainContract):
    """Celo before a real node."""

    @pytest.fixture
    def line(self, celo: Bench) -> ChainLine:
        return ChainLine(chain=celo.line(), world=celo, code=CODES["celo"])


class TestPolygon(ChainContract):
    """Polygon before a real node."""

    @pytest.fixture
    def line(self, polygon: Bench) -> ChainLine:
        return ChainLine(chain=polygon.line(), world=polygon, code=CODES["polygon"])


class TestBase(ChainContract):
    """Base before a real node."""

    @pytest.fixture
    def line(self, base: Bench) -> ChainLine:
        return ChainLine(chain=base.line(), world=base, code=CODES["base"])
