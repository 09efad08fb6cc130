"""Webhooks as the command line sends them: past the queue to this machine, or again to a business's endpoints."""

from __future__ import annotations

from uuid import UUID

from gateway.adapters.outbound.webhook_sender import SafeWebhookSender
from gateway.adapters.persistence.webhooks import scope_of_event
from gateway.adapters.system import SystemClock
from gateway.application.interfaces import Call
from gateway.bootstrap.gateway import Gateway
from gateway.domain.errors import NotFound


def local_sender() -> SafeWebhookSender:
    """A sender that also goes to this machine, by plain http."""
    return SafeWebhookSender(now=SystemClock(), allow_loopback=True)


def resend_event(gateway: Gateway, event_id: UUID, endpoint_id: UUID | None) -> int:
    """Send an event of any business again, as an operator; gives to how many endpoints. Raises NotFound."""
    scope = scope_of_event(gateway.engine, event_id)
    if scope is None:
        raise NotFound("there is no such event; old ones are forgotten")
    call = Call(business_id=scope.business_id, livemode=scope.livemode)
    return gateway.use_cases.resend.event(event_id, call, endpoint_id=endpoint_id)
