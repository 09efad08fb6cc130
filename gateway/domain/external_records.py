"""An incoming sum as providers named it, whoever's it is; and a receipt that is nobody's yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from gateway.domain.proof import Evidence, Finding, Verdict, agreed_facts
from ports.money import Money
from ports.report import Grade


class RecordState(Enum):
    """Where an incoming sum stands."""

    ANNOUNCED = "announced"
    """Only weak news of it: the provider is asked."""
    UNMATCHED = "unmatched"
    """Proved, and it may be the sum of a receipt without a number: nothing is posted before that is known."""
    BOOKED = "booked"
    SUSPENSE = "suspense"
    CONFLICT = "conflict"
    DISMISSED = "dismissed"
    """Its reports contradict one another, and a person said that it is no money of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalRecord:
    """One sum under one receipt number. `reference` is as typed; `owner_id` is the business whose try it named.

    `trusted`: it was announced from an address that the operator trusts, within the ceiling that the policy sets.
    `decided_units`: the sum that a person took where reports contradict one another, spoken at `decided_at`.
    """

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    connection_id: UUID
    float_id: UUID
    receipt_namespace: str
    receipt_number: str
    reference: str | None = None
    state: RecordState = RecordState.ANNOUNCED
    owner_id: UUID | None = None
    attempt_id: UUID | None = None
    trusted: bool = False
    look_ups: int = 0
    decided_units: int | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseReceipt:
    """A proved receipt of the house: in suspense until it is assigned. `candidate_id` is whose it may be.

    `reversed_units`: so much of it the provider took back.
    """

    id: UUID
    livemode: bool
    created: datetime
    updated: datetime
    version: int = 1
    float_id: UUID
    receipt_namespace: str
    receipt_number: str
    amount: Money
    happened_at: datetime
    payer_hint: str | None = None
    candidate_id: UUID | None = None
    typed_masked: str | None = None
    reversed_units: int = 0

    @property
    def is_gone(self) -> bool:
        """Whether the provider has taken all of it back: there is nothing left to assign."""
        return self.reversed_units >= self.amount.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How far a connection is trusted. `announced_ceiling_units` bounds what an announcement alone may book."""

    validation: bool = False
    announced_addresses: tuple[str, ...] = ()
    announced_ceiling_units: int = 0

    @classmethod
    def read(cls, kept: Mapping[str, object]) -> Policy:
        """A policy as it is kept; what is missing is off."""
        addresses, ceiling = kept.get("announced_addresses", ()), kept.get("announced_ceiling_units", 0)
        listed = kept.get("announced_trust", "none") == "address_list"
        return cls(
            validation=kept.get("validation") is True,
            announced_addresses=tuple(str(a) for a in addresses) if listed and isinstance(addresses, list) else (),
            announced_ceiling_units=ceiling if listed and isinstance(ceiling, int) else 0,
        )

    def kept(self) -> dict[str, object]:
        """The same as `read` takes it."""
        return {
            "validation": self.validation,
            "announced_trust": "address_list" if self.announced_addresses else "none",
            "announced_addresses": list(self.announced_addresses),
            "announced_ceiling_units": self.announced_ceiling_units,
        }

    def trusts(self, peer: str, amount: Money | None) -> bool:
        """Whether an announcement from that address proves that sum."""
        return amount is not None and peer in self.announced_addresses and amount.units <= self.announced_ceiling_units


#: Of strong news that contradicts itself the higher one is believed: a statement is the last word.
_STRENGTH = {Grade.ANSWER: 1, Grade.SIGNED: 2, Grade.FILE: 3}


def strongest_sums(evidence: Sequence[Evidence]) -> set[Money]:
    """The sums that the strongest news of one receipt number names; more than one where that contradicts itself."""
    told = [e for e in evidence if e.amount is not None]
    most = max((_STRENGTH.get(e.grade, 0) for e in told), default=0)
    best = [e for e in told if e.is_strong and _STRENGTH[e.grade] == most] or agreed_facts(told)
    return {e.amount for e in best if e.amount is not None}


def weigh_sum(evidence: Sequence[Evidence], *, trusted: bool, decided: int | None = None) -> Finding:
    """What all news of one receipt number amounts to. Order and repeats don't matter.

    Proved: one strong report with the amount, or two weak ones by different secrets that agree on it, or an
    announcement that the connection's policy trusts, or the sum, in units, that a person decided for.
    """
    told = [e for e in evidence if e.amount is not None and decided in (None, e.amount.units)]
    strong = [e for e in told if e.is_strong]
    proof = strong or agreed_facts(told) or (told if trusted or decided is not None else [])
    amounts = {e.amount for e in proof}
    if not proof:
        return Finding(verdict=Verdict.ASK)
    if len(amounts) > 1:
        return Finding(verdict=Verdict.CONFLICT)
    return Finding(
        verdict=Verdict.PAID,
        amount=amounts.pop(),
        receipt_number=proof[0].receipt_number,
        number_is_strong=True,
        happened_at=min((e.happened_at for e in strong or told if e.happened_at is not None), default=None),
        payer_hint=min((e.payer_hint for e in told if e.payer_hint), default=None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The one try that a reference names, and whose it is."""

    attempt_id: UUID
    business_id: UUID
    payment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryCursor:
    """How far a connection's history was read; `page` goes on inside the window from `page_since` to `page_until`."""

    connection_id: UUID
    read_until: datetime
    page: str | None = None
    page_since: datetime | None = None
    page_until: datetime | None = None
