"""What a unit of work holds for money that nobody asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces.values import Page
from gateway.domain.external_records import ExternalRecord, Found, HistoryCursor, LooseReceipt
from gateway.domain.receipts import Receipt


class ExternalRecords(Protocol):
    """Incoming sums as providers named them, of the unit's mode; the unit is the house's."""

    def known(self, record: ExternalRecord) -> ExternalRecord:
        """The row of that namespace and number, inserted if it is new, locked until the unit closes."""

    def get(self, record_id: UUID, *, lock: bool = False) -> ExternalRecord:
        """The record. Raises NotFound."""

    def save(self, record: ExternalRecord) -> ExternalRecord:
        """Write it, guarded by version."""

    def in_conflict(self, limit: int) -> Sequence[ExternalRecord]:
        """Those whose reports contradict one another, oldest first."""

    def named(self, float_id: UUID, reference: str) -> Found | None:
        """The one try on that float whose reference this is, of any business; None when there is none, or two."""

    def candidate(self, reference: str) -> UUID | None:
        """The one business with whose tag the reference begins."""

    def is_ambiguous(self, float_id: UUID, units: int) -> bool:
        """Whether a receipt without a number, or an open prompt, of that sum is on the float."""

    def owner(self, namespace: str, number: str) -> UUID | None:
        """The business that has a receipt with that number; the house's id when it is in suspense; else None."""

    def cursor(self, connection_id: UUID) -> HistoryCursor | None:
        """How far the connection's history was read."""

    def keep_cursor(self, cursor: HistoryCursor) -> None:
        """Insert or write it."""


class LooseReceipts(Protocol):
    """Receipts that are nobody's."""

    def add(self, receipt: LooseReceipt) -> bool:
        """Insert, in a unit of the house; False when the number is booked already."""

    def get(self, receipt_id: UUID) -> LooseReceipt:
        """One that the unit may see: all of them for the operator, those that bear its tag for a business.

        Raises NotFound.
        """

    def find(self, namespace: str, number: str) -> LooseReceipt | None:
        """The one with that number, locked; workers and operators only."""

    def take_back(self, receipt: LooseReceipt, units: int) -> None:
        """Note, in a unit of the house, that the provider took so much of it back."""

    def take(self, receipt: Receipt) -> bool:
        """Make it the unit's business's, as `receipt` says; False when somebody was faster."""

    def offer(self, receipt_id: UUID, business_id: UUID) -> None:
        """Say whose it may be (operators only)."""

    def of_business(self, page: Page) -> tuple[Sequence[LooseReceipt], bool]:
        """A page of those that bear the unit's business's tag and aren't taken back, newest first."""

    def all(self, limit: int) -> Sequence[LooseReceipt]:
        """The oldest of all of the mode that aren't taken back (operators only)."""
