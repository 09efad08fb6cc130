"""What authors of plugins are told is the contract: no word of it is missing, and the quoted code is the example's."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields

import pytest

from ports import abilities, errors
from ports.abilities import Ability
from ports.payment_rail import RailCapabilities
from ports.payout_channel import ChannelCapabilities
from ports.report import Grade
from tests.docs.papers import DOCS, blocks_of

PAGE = (DOCS / "plugin-authors.md").read_text()
EXAMPLE = DOCS / "plugin-example"


def _tables() -> set[str]:
    """The words in the first two columns of the page's tables."""
    rows = re.findall(r"^\| ([^|]+\|[^|]+)\|", PAGE, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize("kind", [RailCapabilities, ChannelCapabilities])
def test_every_capability_has_its_meaning(kind: type) -> None:
    assert {one.name for one in fields(kind)} - _tables() == set()


def test_every_ability_stands_beside_its_protocol() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| `([A-Z]\w+)` \|", PAGE, re.MULTILINE))
    assert set(told) == {ability.value for ability in Ability}
    for ability, name in told.items():
        assert f"(`{ability}`)" in inspect.getdoc(getattr(abilities, name)).replace("\n", " ")


def test_every_error_and_grade_is_told() -> None:
    raised = {name for name, one in vars(errors).items() if isinstance(one, type) and one.__base__ is errors.PortError}
    assert len(raised) == 7
    assert (raised | {grade.name for grade in Grade}) - _tables() == set()


def test_the_code_is_the_examples() -> None:
    sources = "".join(path.read_text() for path in (*EXAMPLE.rglob("*.py"), EXAMPLE / "setup.cfg"))
    blocks = blocks_of(PAGE)
    assert len(blocks) > 2
    assert [block.line for block in blocks if block.text not in sources] == []
