"""The one door to the books: posting outside a unit of work, reading, and the proof that the books hold."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from gateway.domain.ledger import Account, Journal, Posted

#: How many rounds a drain makes before it lets go: with 1,000 rows a round, a queue ten times the alarm's.
_ROUNDS_MAX = 100
_ROWS_A_ROUND = 1000


class Verdict(Enum):
    """What a check found. WARN is nothing wrong in the books, but something for a person to look at."""

    PASS = "PASS"  # noqa: S105  # nosec B105
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One invariant: its name, what was found, the evidence in a sentence, and how long it took."""

    name: str
    verdict: Verdict
    evidence: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLine:
    """An account and what it holds; `balance` is credits less debits, in units."""

    path: str
    title: str
    class_: str
    asset: str
    dr: int
    cr: int

    @property
    def balance(self) -> int:
        return self.cr - self.dr


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One leg as one of a business's buckets sees it.

    `change` is what it did to the bucket and `after` what the bucket held after the whole journal, both in the sense in
    which the bucket grows (`owed` by debit, the others by credit). `version` counts the journals of that bucket.
    """

    uid: UUID
    line: int
    kind: str
    bucket: str
    asset: str
    change: int
    after: int
    version: int
    effective_at: datetime
    recorded_at: datetime


class Books(Protocol):
    """What the service needs of whoever keeps the books."""

    @abstractmethod
    def post_now(self, journal: Journal) -> Posted:
        """Post in a transaction of its own. Raises InsufficientFunds, KeyConflict, LedgerRefused or Busy."""

    @abstractmethod
    def post_many(self, journals: Sequence[Journal]) -> list[Posted]:
        """Post 1 to 200 journals of one mode in a transaction of their own, all or none."""

    @abstractmethod
    def open_accounts(self, accounts: Sequence[Account], *, livemode: bool) -> None:
        """Open those that don't exist yet: for a title that posting wouldn't know."""

    @abstractmethod
    def drain(self, *, livemode: bool, rows: int) -> int:
        """Carry up to `rows` queued movements to their balances; gives how many."""

    @abstractmethod
    def business_balances(self, business_id: UUID, *, livemode: bool) -> dict[str, dict[str, int]]:
        """Asset → bucket → units, as that business may see them."""

    @abstractmethod
    def business_entries(
        self, business_id: UUID, *, livemode: bool, before: UUID | None = None, limit: int = 20
    ) -> list[Entry]:
        """The entries of up to `limit` journals of that business, newest first, older than the journal `before`."""

    @abstractmethod
    def trial_balance(self, *, livemode: bool) -> list[TrialLine]:
        """Every account of a mode, by path: for an operator."""

    @abstractmethod
    def check(self) -> list[Finding]:
        """Prove every invariant on one snapshot: for an operator."""


class TakesJournals(Protocol):
    """The part of a unit of work that records journals."""

    @abstractmethod
    def post(self, journal: Journal) -> None:
        """Record; the unit posts as its last statement."""


class WorkWithBooks(Protocol):
    """A unit of work, as far as the books are concerned."""

    @property
    def journal(self) -> TakesJournals:
        """Where it records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerService:
    """The only door to the ledger for the rest of the application."""

    books: Books

    def post(self, work: WorkWithBooks, journal: Journal) -> None:
        """Post with what else the unit does, or not at all; InsufficientFunds is raised by leaving the unit."""
        work.journal.post(journal)

    def post_now(self, journal: Journal) -> Posted:
        """Post a journal that stands for itself. The same again gives the first one."""
        return self.books.post_now(journal)

    def post_many(self, journals: Sequence[Journal]) -> list[Posted]:
        """Post journals of one mode, all or none."""
        return self.books.post_many(journals)

    def open_accounts(self, accounts: Sequence[Account], *, livemode: bool) -> None:
        """Open accounts with their titles; those that exist stay as they are."""
        self.books.open_accounts(accounts, livemode=livemode)

    def drain(self) -> int:
        """Carry what both modes have queued to the balances; gives how many movements."""
        return sum(self._drain(livemode=livemode) for livemode in (True, False))

    def _drain(self, *, livemode: bool) -> int:
        moved = 0
        for _ in range(_ROUNDS_MAX):
            now = self.books.drain(livemode=livemode, rows=_ROWS_A_ROUND)
            moved += now
            if now < _ROWS_A_ROUND:
                break
        return moved

    def balances(self, business_id: UUID, *, livemode: bool) -> dict[str, dict[str, int]]:
        """A business's buckets, by asset."""
        return self.books.business_balances(business_id, livemode=livemode)

    def entries(self, business_id: UUID, *, livemode: bool, before: UUID | None = None, limit: int = 20) -> list[Entry]:
        """What moved a business's buckets, newest first, with running balances."""
        return self.books.business_entries(business_id, livemode=livemode, before=before, limit=limit)

    def trial_balance(self, *, livemode: bool) -> list[TrialLine]:
        """Every account of a mode."""
        return self.books.trial_balance(livemode=livemode)

    def check(self) -> list[Finding]:
        """Prove every invariant."""
        return self.books.check()
