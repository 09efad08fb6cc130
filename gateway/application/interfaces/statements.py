"""What a unit of the house holds for providers' statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces.values import Json
from gateway.domain.statements import KeptLine, Match, MoneyOut, Outcome, Statement
from ports.statement import LineKind, StatementLine


class Statements(Protocol):
    """Statements of the unit's mode; the unit is the house's."""

    def imported(self, connection_id: UUID, sha256: bytes) -> Statement | None:
        """The import of that very file over that connection."""

    def known(self, float_id: UUID, lines: Sequence[StatementLine]) -> int:
        """How many of a file's lines earlier files had."""

    def add(self, statement: Statement, lines: Sequence[StatementLine], tell: Callable[[int], None]) -> Statement:
        """Insert it and those lines that are new; gives it with the count of the others. `tell` gets lines done so far.

        Raises Conflict (`statement_known`) when the same file came in at the same time.
        """

    def get(self, statement_id: UUID, *, lock: bool = False) -> Statement:
        """Raises NotFound."""

    def save(self, statement: Statement) -> None:
        """Write its state and looks."""

    def latest(self, limit: int) -> Sequence[Statement]:
        """The newest first."""

    def settle_known(self, statement_id: UUID) -> int:
        """Give every line an outcome that tells nothing new; gives how many."""

    def open_lines(self, statement_id: UUID, kinds: Sequence[LineKind], limit: int) -> Sequence[KeptLine]:
        """Lines without an outcome, in the file's order, locked until the unit closes."""

    def settle(self, line_id: UUID, outcome: Outcome, match: Match | None = None) -> None:
        """Write a line's outcome, if it has none yet."""

    def late_lines(self, statement_id: UUID) -> Sequence[KeptLine]:
        """Reversals and returns that were called unmatched, and whose original is known by now."""

    def settle_late(self, line_id: UUID, outcome: Outcome, match: Match | None = None) -> None:
        """Write the outcome of a line that was called unmatched."""

    def waits(self, statement_id: UUID) -> bool:
        """Whether a reversal or return of it names an original that nobody has."""

    def waiting(self, *, float_id: UUID | None = None, original: tuple[str, str] | None = None) -> Sequence[UUID]:
        """Statements, of a float or for an original (namespace and number), with lines that wait for theirs."""

    def charged(self, statement_id: UUID, receipt_number: str) -> int:
        """The sum of a statement's charges under one number."""

    def charge_booked(self, float_id: UUID, receipt_number: str) -> int | None:
        """What is booked as the charge of that number, in units."""

    def is_settling_money(self, statement_id: UUID) -> bool:
        """Whether sums that the statement told are still on their way into the books."""

    def money_out(self, float_id: UUID, receipt_number: str, reference: str | None) -> MoneyOut | None:
        """The try of ours, of any business, that a line about money that left names."""

    def own_transfer(self, float_id: UUID, line: KeptLine) -> UUID | None:
        """The move of our own money that a line on that float names, by its number or our reference; two are none."""

    def own_line(self, float_ids: Sequence[UUID], number: str) -> KeptLine | None:
        """What a statement of one of these floats says of our own money under that number."""

    def rail_on(self, float_id: UUID, codes: Sequence[str]) -> UUID | None:
        """A connection of one of these codes on that float: the first one made."""

    def differing(self, statement_id: UUID) -> int:
        """How many of its collections the books have with another sum, or as a contradiction."""

    def missing(self, statement_id: UUID) -> Sequence[Json]:
        """Payouts of the period that the books call paid and no statement shows."""

    def books_at(self, float_id: UUID, currency: str, at: datetime) -> int:
        """What the books say the float held at that moment, in units; may be below zero."""

    def summary(self, statement_id: UUID) -> Sequence[Json]:
        """For each kind and outcome: count, sum that came in, sum that left. For an operator."""

    def lines(self, statement_id: UUID, *, kind: str | None, outcomes: Sequence[str], limit: int) -> Sequence[Json]:
        """Lines with what became of them, in the file's order. For an operator."""
