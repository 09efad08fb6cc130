"""What a unit of work holds for money that goes back, and for quotes: one repository a noun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces.values import IdempotentCall, Page, Scope
from gateway.domain.quotes import Quote
from gateway.domain.refunds import Acceptance, Refund, RefundAttempt
from gateway.domain.reversals import Recovery, Reversal


class Refunds(Protocol):
    """Refunds of the unit's business and mode."""

    def add(self, refund: Refund, idempotency: IdempotentCall | None) -> None:
        """Insert. Raises AlreadyMade as payments do."""

    def made_by(self, idempotency: IdempotentCall | None) -> None:
        """Raise AlreadyMade when this idempotent call has made a refund before."""

    def get(self, refund_id: UUID, *, lock: bool = False) -> Refund:
        """The refund. Raises NotFound."""

    def of_payment(self, payment_id: UUID) -> Sequence[Refund]:
        """All refunds of a payment, oldest first."""

    def save(self, refund: Refund) -> Refund:
        """Write it, guarded by version."""

    def page(self, page: Page) -> tuple[Sequence[Refund], bool]:
        """A page, newest first. Filters: state, payment_id."""


class RefundAttempts(Protocol):
    """Refund attempts of the unit's business and mode."""

    def add(self, attempt: RefundAttempt) -> None:
        """Insert. At most one live one a refund (partial unique index)."""

    def get(self, attempt_id: UUID, *, lock: bool = False) -> RefundAttempt:
        """The attempt. Raises NotFound."""

    def of(self, refund_id: UUID) -> Sequence[RefundAttempt]:
        """All attempts of a refund, oldest first."""

    def of_many(self, refund_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[RefundAttempt]]:
        """The attempts of several refunds in one query."""

    def of_receipt(self, receipt_id: UUID) -> Sequence[RefundAttempt]:
        """All attempts to give one receipt's money back, oldest first."""

    def save(self, attempt: RefundAttempt) -> RefundAttempt:
        """Write it, guarded by version."""

    def promise(self, float_id: UUID, refund_id: UUID, units: int) -> bool:
        """Whether the float, under its lock until the end of the transaction, can promise `units` more."""

    def short_of(self, float_id: UUID) -> int:
        """How much is missing on a float for the payouts that wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """An order of ours that a provider knows under an id; `code` is its rail's or channel's."""

    attempt_id: UUID
    code: str
    over_rail: bool


class Orders(Protocol):
    """Payouts' and refunds' orders, of every business of the unit's mode."""

    def known_as(self, provider_reference: str) -> Sequence[KnownOrder]:
        """Those that some provider knows under that id; ids of two providers may be the same."""


class Reversals(Protocol):
    """What the provider took back from the unit's business, and what was recovered of it."""

    def whose(self, namespace: str, number: str, *, livemode: bool) -> tuple[UUID, Scope] | None:
        """The receipt with that number, of any business, and its scope; None when nobody has it."""

    def is_known(self, namespace: str, number: str) -> bool:
        """Whether the unit's business has that reversal already."""

    def add(self, reversal: Reversal) -> bool:
        """Insert; False when that reversal is known."""

    def of_receipt(self, receipt_id: UUID) -> Sequence[Reversal]:
        """What was taken back of one receipt, oldest first."""

    def lock(self) -> int:
        """Take the business's reversals for the rest of the transaction; gives the number of the next sweep."""

    def add_recovery(self, recovery: Recovery) -> None:
        """Note what a sweep moved."""


class Overpayments(Protocol):
    """What a business kept of excesses."""

    def of(self, payment_id: UUID) -> Sequence[Acceptance]:
        """All of a payment, oldest first."""

    def add(self, acceptance: Acceptance) -> None:
        """Insert; the same number of a payment a second time is a conflict."""


class Quotes(Protocol):
    """Quotes of the unit's business and mode."""

    def add(self, quote: Quote, idempotency: IdempotentCall | None) -> None:
        """Insert. Raises AlreadyMade as payments do."""

    def get(self, quote_id: UUID) -> Quote:
        """The quote. Raises NotFound."""
