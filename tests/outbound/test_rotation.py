"""While a secret rotates, receivers that know either secret verify; afterwards only those that know the new one."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from tests.outbound.receivers import a_receiver
from tests.outbound.test_sender import BODY, SECRET, SENDER

OLD = "whsec_" + "b2xkLXNlY3JldC1vZi1hLXRlc3Qtb2YtMzItYnl0ZXM="


def test_two_signatures_during_the_grace_and_one_after_it() -> None:
    with a_receiver() as receiver:
        for previous in (OLD, None):
            SENDER.send(
                receiver.url, secret=SECRET, previous=previous, message_id="evt_1", delivery_id="whd_1", body=BODY
            )
        during, after = receiver.received
    assert len(during.headers["webhook-signature"].split()) == 2
    assert len(after.headers["webhook-signature"].split()) == 1
    for secret in (SECRET, OLD):
        assert Webhook(secret).verify(during.body, during.headers)
    assert Webhook(SECRET).verify(after.body, after.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(after.body, after.headers)
    altered = during.body.replace(b"succeeded", b"succeedee")
    for secret in (SECRET, OLD):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(altered, during.headers)
