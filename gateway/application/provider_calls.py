"""Calls to providers: what is kept of each, what a question without an answer means, and when to ask again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.application.interfaces import ProviderExchange, UnitOfWork
from ports.errors import AlreadyTaken, Misconfigured, NotSent, OutcomeUnknown, Refused
from ports.registration import Capabilities
from ports.report import Grade, Report, Status

#: After the questions' life, asking goes on at this pace: an unknown order that sends money is never given up.
SLOW_S = 3600


class SentOrder(Protocol):
    """A payout's or a refund's order, as far as the time of its questions goes."""

    @property
    def created(self) -> datetime:
        """When it was made."""

    @property
    def submitted_at(self) -> datetime | None:
        """When it was sent."""

    @property
    def look_ups(self) -> int:
        """How often it was asked about."""

    @property
    def woken(self) -> int | None:
        """How often since weak news came of it."""


def next_question_s(order: SentOrder, offer: Capabilities, now: datetime) -> int:
    """Seconds to the next question: woken, by the ladder, and after its life slowly for ever."""
    if order.woken is not None and order.woken < len(offer.woken_ladder_s):
        return max(offer.woken_ladder_s[order.woken], offer.floor_s)
    started = order.submitted_at or order.created
    if (now - started).total_seconds() > offer.look_up_life_s:
        return SLOW_S
    return offer.look_up_ladder_s[min(order.look_ups, len(offer.look_up_ladder_s) - 1)]


def asked(ask: Callable[[], Report]) -> tuple[Report, str]:
    """Put a question; gives the report and a word for what became of it. A question without an answer is no news."""
    nothing = Report(status=Status.NO_NEWS, grade=Grade.ANSWER)
    try:
        report = ask()
    except (Misconfigured, NotSent, OutcomeUnknown, Refused, AlreadyTaken) as error:
        return nothing, type(error).__name__
    except Exception as fault:
        # An adapter's own fault is a question without an answer.
        return nothing, f"fault {type(fault).__name__}"
    return report, report.status.value


def note_call(
    work: UnitOfWork,
    subject: tuple[str, UUID],
    connection_id: UUID,
    started: datetime,
    operation: str,
    outcome: str,
    detail: str | None = None,
) -> None:
    """Keep evidence of a call that ended just now; `subject` is what it was about, by kind and id."""
    work.evidence.add_exchange(
        ProviderExchange(
            id=work.new_id(),
            subject_kind=subject[0],
            subject_id=subject[1],
            connection_id=connection_id,
            operation=operation,
            started_at=started,
            ended_at=work.now,
            outcome=outcome,
            detail=detail,
        )
    )
