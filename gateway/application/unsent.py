"""Prompts that never left: they fail when their time is over, since a prompt that comes late frightens its payer."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.application.interfaces import UnitOfWork
from gateway.application.reports import fail
from gateway.domain.attempts import Attempt
from gateway.domain.payments import Payment
from ports.payment_rail import RailCapabilities
from ports.report import Failure, FailureKind, TryAgain


def unsent_until(attempt: Attempt, offer: RailCapabilities) -> datetime:
    """Until when a prompt that wasn't sent may still be: as long as it would live, from the order on."""
    return attempt.created + timedelta(seconds=offer.prompt_life_s)


def fail_unsent(work: UnitOfWork, payment: Payment, attempt: Attempt, offer: RailCapabilities) -> bool:
    """Fail a try that waits to be sent when its time is over; gives whether it was. The payer may try another way."""
    if work.now < unsent_until(attempt, offer):
        return False
    work.due.drop("attempt.submit", attempt.id)
    failure = Failure(
        kind=FailureKind.RAIL_UNAVAILABLE,
        detail="the prompt could not be sent in its time; nothing was asked of the payer",
        try_again=TryAgain.ANOTHER_WAY,
    )
    fail(work, payment, attempt, failure)
    return True
