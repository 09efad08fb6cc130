"""The promises of ports.abilities.ReadsFiles: all of a statement, line by line as it stands there, or nothing.

A binding subclasses ReadFileContract and gives a fixture `line`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from ports.abilities import ReadsFiles
from ports.errors import Unreadable
from ports.registration import Capabilities
from ports.statement import LineKind, StatementLine
from tests.contract.asked import nothing_outside

#: What the suite compares of a line: kind, receipt number, units, whether it came in.
Told = tuple[LineKind, str, int, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFileLine:
    """An adapter, a good file of its provider's, and what stands in it.

    `widened` is the same file with columns that nobody knows; `spoiled` are files of which one row can't be read, by
    the number of that row; `other` are no statements. `private` is personal and stands in the file.
    """

    adapter: ReadsFiles
    capabilities: Capabilities
    content: bytes
    account: str
    lines: tuple[Told, ...]
    widened: bytes
    spoiled: Mapping[int, bytes]
    other: tuple[bytes, ...]
    private: tuple[str, ...]

    def read(self, content: bytes) -> tuple[StatementLine, ...]:
        return self.adapter.read_file("statement", content).lines


def told(line: StatementLine) -> Told:
    """Of a line what the suite compares."""
    return line.kind, line.receipt_number, line.amount.units, line.comes_in


class ReadFileContract:
    """Each test is one promise of the ability."""

    def test_every_line_is_told_in_the_files_order(self, line: ReadFileLine) -> None:
        found = line.adapter.read_file("statement", line.content)
        assert tuple(map(told, found.lines)) == line.lines
        assert (found.account, found.receipt_namespace) == (line.account, line.capabilities.receipt_namespace)
        rows = [one.row for one in found.lines]
        assert rows == sorted(set(rows))
        assert rows[0] > 0

    def test_every_line_moves_something_of_the_connections_assets(self, line: ReadFileLine) -> None:
        for one in line.read(line.content):
            assert one.amount.units > 0
            assert one.amount.asset in line.capabilities.assets
            assert one.happened_at.tzinfo is not None

    def test_it_is_pure(self, line: ReadFileLine, monkeypatch: pytest.MonkeyPatch) -> None:
        with nothing_outside(monkeypatch):
            first = line.adapter.read_file("statement", line.content)
            assert line.adapter.read_file("statement", line.content) == first

    def test_columns_that_nobody_knows_change_nothing(self, line: ReadFileLine) -> None:
        assert line.read(line.widened) == line.read(line.content)

    def test_one_row_that_can_not_be_read_refuses_the_file_by_its_number(self, line: ReadFileLine) -> None:
        assert line.spoiled
        for row, content in line.spoiled.items():
            with pytest.raises(Unreadable, match=rf"\b{row}\b"):
                line.read(content)

    def test_a_file_cut_short_never_tells_another_sum(self, line: ReadFileLine) -> None:
        whole = [(one.row, one.happened_at, one.completed, *told(one)) for one in line.read(line.content)]
        for end in range(len(line.content)):
            try:
                cut = line.read(line.content[:end])
            except Unreadable:
                continue
            found = [(one.row, one.happened_at, one.completed, *told(one)) for one in cut]
            assert found == whole[: len(found)], f"cut after {end} bytes"

    def test_what_is_no_statement_is_unreadable(self, line: ReadFileLine) -> None:
        assert line.other
        for content in (*line.other, b"", b"\0", b"\xff\xfe\x00", b"%PDF-1.7\n", b"PK\x03\x04"):
            with pytest.raises(Unreadable):
                line.read(content)

    def test_nothing_personal_is_told(self, line: ReadFileLine) -> None:
        said = [repr(line.adapter.read_file("statement", line.content))]
        name = f"statement of {line.private[0]}.csv"
        for content in (*line.spoiled.values(), *line.other):
            with pytest.raises(Unreadable) as error:
                line.adapter.read_file(name, content)
            said.append(f"{error.value} {error.value!r} {error.value.__cause__}")
        assert [(word, text) for word in line.private for text in said if word in text] == []
