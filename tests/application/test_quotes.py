"""Quotes: the breakdown, the largest payout, and a price that holds while the quote does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.application.commands import Confirmation, NewPayout
from gateway.application.interfaces import Json
from gateway.application.quotes import QuoteRequest
from gateway.domain.errors import Conflict, InsufficientFunds, Unprocessable
from gateway.domain.fees import Bearer, FeeSchedule
from gateway.domain.ids import Prefix, decode
from gateway.domain.quotes import QuoteType
from tests.application.harness import COLLECT, FREE, World, a_phone, id_of

MakeWorld = Callable[..., World]


def quoted(world: World, type_: QuoteType, amount: int | None, bearer: str | None = None) -> Json:
    method = "mpesa" if type_ is QuoteType.PAYMENT else "mpesa_phone"
    asked = QuoteRequest(type=type_, amount=amount, currency="KES", method=method, bearer=bearer)
    return world.web.refunds.quote(asked, world.call)


def quote_id(quote: Json) -> UUID:
    return decode(Prefix.QUOTE, quote["id"])


def confirm(world: World, payment: Json, quote: Json | None = None) -> Json:
    return world.web.payments.confirm(
        Confirmation(
            payment_id=id_of(payment), method="mpesa", phone=a_phone(), quote_id=quote_id(quote) if quote else None
        ),
        world.call,
    )


def test_a_quote_s_sums_add_up_and_the_payment_keeps_them(world: World) -> None:
    quote = quoted(world, QuoteType.PAYMENT, 150_000, "customer")
    assert (quote["customer_fee"], quote["rounding"], quote["customer_total"]) == (2_250, 50, 152_300)
    assert quote["customer_total"] == quote["merchant_net"] + quote["fee"]
    payment = world.payment()
    assert confirm(world, payment, quote)["amount_due"] == 152_300
    world.settle()
    assert world.rail.started[-1].amount.units == 152_300
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    assert world.see(payment)["status"] == "succeeded"
    assert world.balance() == {"available": 150_000}


def test_the_price_holds_although_the_list_changed(world: World) -> None:
    quote = quoted(world, QuoteType.PAYMENT, 150_000)
    world.clock.forward(60)
    world.price(replace(COLLECT, bps=900), "collect")
    payment = world.payment()
    assert confirm(world, payment, quote)["fee_schedule"] == quote["fee_schedule"]
    assert confirm(world, world.payment())["fee_schedule"] != quote["fee_schedule"]


def test_a_quote_too_old_or_for_something_else_is_refused(world: World) -> None:
    quote = quoted(world, QuoteType.PAYMENT, 150_000)
    with pytest.raises(Unprocessable) as other:
        confirm(world, world.payment(20_000), quote)
    assert other.value.code == "quote_mismatch"
    payment = world.payment()
    world.advance(15 * 60)
    with pytest.raises(Conflict) as late:
        confirm(world, payment, quote)
    assert late.value.code == "quote_expired"


def test_the_largest_payout_is_what_the_balance_covers(world: World) -> None:
    with pytest.raises(InsufficientFunds):
        quoted(world, QuoteType.PAYOUT, None)
    world.paid(1_234_500)
    quote = quoted(world, QuoteType.PAYOUT, None)
    available = world.balance()["available"]
    assert (quote["amount"], quote["total"]) == ((available - 3_000) // 100 * 100, quote["amount"] + 3_000)
    command = NewPayout(
        amount=quote["amount"],
        currency="KES",
        destination_kind="mpesa_phone",
        account=a_phone(),
        quote_id=quote_id(quote),
    )
    world.clock.forward(60)
    world.price(FeeSchedule(id=UUID(int=1), version=2, flat_units=50_000), "payout")
    assert world.web.payouts.create(command, world.call)["fee"] == 3_000
    assert world.balance()["available"] < 100


def test_the_price_of_a_method_goes_before_the_price_of_all(make_world: MakeWorld) -> None:
    world = make_world(collect=FREE)
    world.price(FeeSchedule(id=UUID(int=1), version=1, flat_units=100, method="mpesa"), "collect")
    world.price(FeeSchedule(id=UUID(int=1), version=1, flat_units=900), "collect")
    assert quoted(world, QuoteType.PAYMENT, 150_000)["fee"] == 100


def test_a_split_fee_is_split_as_the_list_says(make_world: MakeWorld) -> None:
    world = make_world(collect=replace(COLLECT, bearer=Bearer.SPLIT, customer_bps=5_000))
    quote = quoted(world, QuoteType.PAYMENT, 100_000)
    assert (quote["customer_fee"], quote["customer_total"]) == (750, 100_800)
    assert (quote["merchant_net"], quote["fee"]) == (99_250, 1_550)
