"""Money is whole units: where it is counted there is no float, no true division and no floating literal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from ports.money import KES, UNITS_MAX, Money

ROOT = Path(__file__).parents[2]
COUNTED = ("ports", "gateway/domain", "gateway/application")
EVERYWHERE = (*COUNTED, "gateway/adapters/persistence", "plugins/mpesa", "plugins/swypt")


def _modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def _faults(path: Path) -> Iterator[str]:
    return _found(path.read_text(), str(path.relative_to(ROOT)))


def _found(source: str, name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        where = f"{name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield f"{where} calls float()"
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            yield f"{where} divides with /"


@pytest.mark.parametrize("path", list(_modules(*COUNTED)), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_that_counts_money_divides_or_floats(path: Path) -> None:
    assert list(_faults(path)) == []


@pytest.mark.parametrize("path", list(_modules(*EVERYWHERE)), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_amount_passes_through_float(path: Path) -> None:
    assert [fault for fault in _faults(path) if "float()" in fault] == []


def test_the_rule_finds_what_it_forbids() -> None:
    assert len(list(_found("fee = float(amount) * 15\nhalf = amount / 2\nhalf /= 2\n", "bad.py"))) == 3


def test_a_hundred_thousand_amounts_survive_the_round_trip() -> None:
    chance = Random(20261124)
    for _ in range(100_000):
        units = chance.randrange(10 ** chance.randrange(1, 39)) % (UNITS_MAX + 1)
        money = Money(units=units, asset=KES)
        text = str(money.to_decimal())
        assert Money.from_decimal(Decimal(text), KES) == money
