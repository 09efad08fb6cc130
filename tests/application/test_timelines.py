"""Timelines: all that happened to a messy payment or payout, in the order in which one thing led to another."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gateway.application.commands import NewEndpoint
from gateway.application.interfaces import Json, Sent
from ports.errors import NotSent, OutcomeUnknown, Refused
from ports.report import Failure, FailureKind, TryAgain
from tests.application.harness import World, a_phone, id_of, kes
from tests.application.processes import TickingClock

MakeWorld = Callable[..., World]


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world in which each step takes its time; what one unit writes still bears one moment."""
    return make_world(clock=TickingClock())


def lines(world: World, one: Json) -> list[Json]:
    read = world.web.payouts.read if one["object"] == "payout" else world.web.payments.read
    found: list[Json] = read.timeline(id_of(one), world.call)["data"]
    return found


def words(found: list[Json]) -> list[str]:
    return [f"{line['kind']}: {line['summary']}" for line in found]


def place(found: list[Json], kind: str, part: str, nth: int = 0) -> int:
    """Where the nth line of that kind stands whose summary or detail has that part."""
    hits = [i for i, one in enumerate(found) if one["kind"] == kind and part in json.dumps(one)]
    return hits[nth]


def a_messy_payment(world: World) -> Json:
    """Not sent, then silence, a forged callback, a second prompt, a wrong amount, a double payment, a slow receiver."""
    world.web.use_cases.endpoints.create(NewEndpoint(url="https://shop.example/hook"), world.call)
    world.receiver.answers.append(Sent(status=500))
    payment = world.payment()
    world.rail.on_start(NotSent("no connection"), OutcomeUnknown("silence"))
    world.confirm(payment)
    world.advance(10)
    first = world.rail.started[-1]
    world.call_back(world.rail.pay(first.reference, amount=kes(100_000)), first.reply_to)
    world.rail.of(first.reference)[-1].code = "waiting"
    world.settle()
    world.advance(200)
    world.confirm(payment, phone=a_phone(), acknowledge=True)
    world.settle()
    second = world.rail.started[-1]
    world.advance(20)
    world.call_back(world.rail.pay(second.reference), second.reply_to)
    world.settle()
    world.advance(40)
    return payment


def test_a_messy_payment_s_timeline_is_complete(world: World) -> None:
    payment = a_messy_payment(world)
    found = lines(world, payment)
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)
    calls = [one["detail"] for one in found if one["kind"] == "call"]
    assert [(c["operation"], c["outcome"]) for c in calls[:2]] == [("start", "NotSent"), ("start", "OutcomeUnknown")]
    asked = len(world.rail.looked_up)
    assert len([c for c in calls if c["operation"] == "look_up"]) == asked
    assert len([one for one in found if one["kind"] == "callback"]) == len(world.rail.read) == 2
    told = [one["detail"]["type"] for one in found if one["kind"] == "event" and one["object"] == payment["id"]]
    assert told == world.told(payment)
    assert [one["detail"]["kind"] for one in found if one["kind"] == "journal"] == world.journals()
    assert len([one for one in found if one["kind"] == "delivery"]) == len(world.receiver.got)
    reports = world.value("SELECT count(*) FROM gateway.report WHERE business_id = :b", b=world.business.id)
    assert len([one for one in found if one["kind"] == "report"]) == reports


def test_a_messy_payment_s_timeline_is_in_causal_order(world: World) -> None:
    payment = a_messy_payment(world)
    found = lines(world, payment)
    order = [
        place(found, "event", "payment.created"),
        place(found, "event", "payment.requires_action"),
        place(found, "call", "NotSent"),
        place(found, "call", "OutcomeUnknown"),
        place(found, "callback", "called back"),
        place(found, "report", "solicited"),
        place(found, "event", "payment.processing"),
        place(found, "event", "payment.requires_action", 1),
        place(found, "call", '"start"', 2),
        place(found, "callback", "called back", 1),
        place(found, "report", "150000"),
        place(found, "event", "receipt.received"),
        place(found, "event", "payment.succeeded"),
        place(found, "journal", "receipt.booked"),
        place(found, "delivery", "payment.succeeded"),
    ]
    assert order == sorted(order), words(found)


def test_a_timeline_tells_which_request_did_it_and_whose_line_it_is(world: World) -> None:
    payment = a_messy_payment(world)
    found = lines(world, payment)
    attempts = {a["id"] for a in world.see(payment)["attempts"]}
    receipts = {r["id"] for r in world.see(payment)["receipts"]}
    assert {one["object"] for one in found} <= {payment["id"]} | attempts | receipts
    assert attempts <= {one["object"] for one in found}
    created = found[place(found, "event", "payment.created")]
    assert created["request_id"] == "req_test"


def test_a_timeline_holds_nothing_personal_and_no_secret(world: World) -> None:
    payment = a_messy_payment(world)
    text = json.dumps(lines(world, payment))
    for collection in world.rail.started:
        assert collection.payer is not None
        assert collection.payer[4:] not in text
        assert collection.reply_to.url.split("/")[-1] not in text
    for one in world.rail.tries:
        assert f'"{one.provider_reference}"' not in text


def test_a_messy_payout_s_timeline_is_complete_and_in_causal_order(world: World) -> None:
    world.paid()
    later = Failure(kind=FailureKind.INSUFFICIENT_FUNDS, provider_code="1", try_again=TryAgain.LATER, after_s=60)
    world.channel.on_submit(Refused(later), OutcomeUnknown("silence"))
    payout = world.payout(50_000)
    world.advance(100)
    world.channel.pay(world.reference(payout))
    bundle = world.channel.submitted[-1]
    world.call_back(world.channel.result(bundle.id), bundle.instructions[0].reply_to)
    world.settle()
    question = world.channel.looked_up[-1]
    world.clock.forward(1)
    world.call_back(world.channel.answer_to(question), question.reply_to)
    world.settle()
    found = lines(world, payout)
    order = [
        place(found, "event", "payout.created"),
        place(found, "journal", "payout.accepted"),
        place(found, "call", "Refused"),
        place(found, "event", "payout.queued", 1),
        place(found, "call", "OutcomeUnknown"),
        place(found, "callback", "called back"),
        place(found, "call", '"outcome": "asked"', 1),
        place(found, "callback", "called back", 1),
        place(found, "event", "payout.paid"),
        place(found, "journal", "payout.outcome"),
    ]
    assert order == sorted(order), words(found)
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)
    assert len({one["object"] for one in found if one["object"].startswith("poa_")}) == 2
