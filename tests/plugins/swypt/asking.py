"""What the tests ask of a rail and a channel, and the paths at which it arrives (v2)."""

from __future__ import annotations

from ports.abilities import DeliveryOrder, LostStart
from ports.callback import ReplyTo
from ports.money import KES, Money
from ports.payment_rail import Collection, Question
from ports.payout_channel import Bundle, Destination, DestinationKind, Instruction
from tests.contract.asked import EXPIRES
from tests.fakes.context import MORNING
from tests.plugins.swypt.papers import TX, WALLET

QUOTE = "/fx-quotes"
ASSETS = "/listed-assets"
ONRAMP = "/onramp-orders"
DEPOSIT = "/deposit"
OFFRAMP = "/offramp-orders"
DEPOSITS = f"/deposit-transactions/{WALLET}"
WITHDRAWALS = f"/withdrawal-transactions/{WALLET}"
ONRAMP_TICKET = "/onramp-ticket"
OFFRAMP_TICKET = "/offramp-ticket"

PAYER = "+254700000001"
NOBODY = ReplyTo(url="https://pay.example/in/x")


def onramp_status(order: str) -> str:
    return f"/onramp-order-status/{order}"


def offramp_status(order: str) -> str:
    return f"/offramp-order-status/{order}"


def shillings(amount: int) -> Money:
    return Money(units=amount * 100, asset=KES)


def collection(amount: int = 100, payer: str | None = PAYER) -> Collection:
    return Collection(
        reference="SHOP-7K2M4Q",
        amount=shillings(amount),
        payer=payer,
        text="Order 2041",
        reply_to=NOBODY,
        expires_at=EXPIRES,
    )


def question(order: str | None, funding: str | None = None) -> Question:
    return Question(
        reference="SHOP-7K2M4Q",
        provider_reference=order,
        receipt_number=None,
        started_at=MORNING,
        reply_to=NOBODY,
        funding=funding,
    )


def delivery(order: str = "D-ri3b1-7H", address: str = WALLET) -> DeliveryOrder:
    return DeliveryOrder(
        reference="SHOP-7K2M4Q", provider_reference=order, network="celo", address=address, asset="USDT.celo"
    )


def bundle(amount: int = 20, funding: str | None = TX, account: str = PAYER) -> Bundle:
    instruction = Instruction(
        reference="7a1e6c1e-9d0b-4b58-9d3e-000000000001",
        amount=shillings(amount),
        destination=Destination(kind=DestinationKind.MPESA_PHONE, account=account),
        text="Sales of Monday",
        reply_to=NOBODY,
    )
    return Bundle(id="bundle-1", instructions=(instruction,), funding=funding)


def lost(amount: int = 21, payer: str = PAYER) -> LostStart:
    return LostStart(amount=shillings(amount), payer=payer, since=MORNING, until=MORNING)
