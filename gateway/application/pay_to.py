"""Tries that the payer begins by himself: told where to pay, never prompted, ended with their payment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application import representations as shown
from gateway.application.interfaces import Call, OpenUnit, Providers, UnitOfWork
from gateway.application.replies import Replying
from gateway.application.reports import fail
from gateway.domain.attempts import Attempt, AttemptState, AttemptStep
from gateway.domain.connections import Connection
from gateway.domain.payments import PaymentState, PayToAction
from ports.callback import ReplyTo
from ports.errors import Misconfigured, PortError, Refused
from ports.payment_rail import Collection
from ports.report import Report

#: A place that couldn't be named is asked for again after this.
AGAIN_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPayTo:
    """Ask the adapter where to pay. It calls nobody, so that a crash costs nothing: the same is asked once more."""

    unit: OpenUnit
    providers: Providers
    replying: Replying

    def __call__(self, attempt_id: UUID, call: Call) -> datetime | None:
        """When to come again, or None."""
        with self.unit(call.scope, call=call) as work:
            attempt = work.attempts.get(attempt_id)
            if attempt.state is not AttemptState.CREATED:
                return None
            expires_at = work.payments.get(attempt.payment_id).expires_at
            connection = work.connections.get(attempt.connection_id)
            reply_to = self.replying.open(
                work, connection, subject_kind="attempt", subject_id=attempt.id, purpose="start"
            )
        try:
            report = self._ask(connection, attempt, expires_at, reply_to)
        except Refused as refused:
            with self.unit(call.scope, call=call) as work:
                payment = work.payments.get(attempt.payment_id, lock=True)
                fail(work, payment, work.attempts.get(attempt_id, lock=True), refused.failure)
            return None
        except Misconfigured as wrong:
            with self.unit(call.scope, call=call) as work:
                work.connections.pause(connection.id, str(wrong), work.now)
                work.alerts.raise_("connection_paused", connection.id, str(wrong))
                return work.now + timedelta(seconds=AGAIN_S)
        except PortError:
            with self.unit(call.scope, call=call) as work:
                return work.now + timedelta(seconds=AGAIN_S)
        with self.unit(call.scope, call=call) as work:
            _told(work, attempt_id, report)
        return None

    def _ask(self, connection: Connection, attempt: Attempt, expires_at: datetime, reply_to: ReplyTo) -> Report:
        collection = Collection(
            reference=attempt.reference,
            amount=attempt.amount,
            payer=None,
            text=attempt.reference,
            reply_to=reply_to,
            expires_at=expires_at,
        )
        return self.providers.rail(connection).start(collection)


def _told(work: UnitOfWork, attempt_id: UUID, report: Report) -> None:
    """The place is known: the try waits for the payer, and the business is told where he is to pay."""
    payment, attempt = work.attempts.locked(attempt_id)
    if attempt.state is not AttemptState.CREATED:
        return
    attempt = attempt.take(AttemptStep.CLAIM, work.now, submitted_at=work.now, sends=1)
    work.attempts.save(attempt.take(AttemptStep.ACKNOWLEDGE, work.now))
    if payment.state is not PaymentState.REQUIRES_ACTION or report.next_action is None:
        return
    action = PayToAction(expires_at=payment.expires_at, pay_to=report.next_action.pay_to)
    payment = work.payments.save(replace(payment, next_action=action, updated=work.now))
    work.events.put("payment.requires_action", payment.id, shown.payment(payment))
