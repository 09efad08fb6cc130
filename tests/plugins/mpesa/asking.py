"""What the tests ask of a rail and a channel, and where Daraja answers it."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from ports.money import KES, Money
from ports.payment_rail import Collection, Question
from ports.payout_channel import Bundle, Destination, DestinationKind, Instruction
from tests.fakes.context import MORNING
from tests.plugins.mpesa.papers import CHECKOUT, PAYOUT, PHONE, REPLY_TO, error
from tests.plugins.scripted import reply

OAUTH = "/oauth/v1/generate"
PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
B2C = "/mpesa/b2c/v3/paymentrequest"
STATUS = "/mpesa/transactionstatus/v1/query"
STALE = reply(404, error("404.001.03", "Invalid Access Token"))


def collection(**changed: object) -> Collection:
    asked = Collection(
        reference="SHOP-7K2M4Q",
        amount=Money(units=1000, asset=KES),
        payer=PHONE,
        text="Order 2041",
        reply_to=REPLY_TO,
        expires_at=MORNING,
    )
    return replace(asked, **changed)  # type: ignore[arg-type]


def instruction(**changed: object) -> Instruction:
    asked = Instruction(
        reference=PAYOUT,
        amount=Money(units=1000, asset=KES),
        destination=Destination(kind=DestinationKind.MPESA_PHONE, account=PHONE),
        text="Sales of Monday",
        reply_to=REPLY_TO,
    )
    return replace(asked, **changed)  # type: ignore[arg-type]


def bundle(**changed: object) -> Bundle:
    return Bundle(id=str(uuid4()), instructions=(instruction(**changed),))


def question(provider_reference: str | None = CHECKOUT, reference: str = "SHOP-7K2M4Q") -> Question:
    return Question(
        reference=reference,
        provider_reference=provider_reference,
        receipt_number=None,
        started_at=MORNING,
        reply_to=REPLY_TO,
    )
