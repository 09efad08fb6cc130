"""Events: gapless per object, each with the state that the change led to, and nothing personal in any of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.application.commands import NewEndpoint, NewSession
from gateway.application.interfaces import Json, Sent
from gateway.domain.errors import Conflict, GatewayError
from gateway.domain.webhooks import EVENT_TYPES
from ports.errors import NotSent, OutcomeUnknown, Refused
from ports.report import Failure, FailureKind, TryAgain
from tests.application.harness import World, a_phone, id_of

#: What an event's name says of the object's status.
STATUS = {
    "payment.created": {"requires_payment_method"},
    "payment.requires_action": {"requires_action"},
    "payment.processing": {"processing"},
    "payment.succeeded": {"succeeded"},
    "payment.canceled": {"canceled"},
    "payment.expired": {"expired"},
    "payment.attempt_failed": {"requires_payment_method"},
    "payment.paid_late": {"succeeded"},
    "payment.duplicate": {"succeeded"},
    "payment.overpaid": {"succeeded"},
    "payment.underpaid": {"requires_payment_method", "expired", "canceled"},
    "checkout.session.completed": {"complete"},
    "checkout.session.expired": {"expired"},
    "payout.created": {"queued"},
    "payout.queued": {"queued"},
    "payout.in_transit": {"in_transit"},
    "payout.paid": {"paid"},
    "payout.failed": {"failed"},
    "payout.returned": {"returned"},
    "payout.canceled": {"canceled"},
}


def check(world: World) -> None:
    """All that must hold for every event of the business."""
    sequences: dict[str, list[int]] = {}
    for event in world.events():
        shown = event["data"]["object"]
        assert event["type"] in EVENT_TYPES
        assert shown.get("status") in STATUS.get(event["type"], {shown.get("status")}), event["type"]
        assert (event["business"], event["livemode"]) == (shown["business"], shown["livemode"])
        key = shown["id"]
        sequences.setdefault(key, []).append(event["sequence"])
        text = json.dumps(event)
        for private in secrets_of(world):
            assert private not in text, (event["type"], private)
    for found in sequences.values():
        assert found == list(range(1, len(found) + 1))


def secrets_of(world: World) -> set[str]:
    """Phone numbers as they were prompted or paid to, the provider's references, and callback addresses."""
    phones = {c.payer for c in world.rail.started if c.payer}
    phones |= {b.instructions[0].destination.account for b in world.channel.submitted}
    theirs = {f'"{t.provider_reference}"' for t in world.rail.tries}
    theirs |= {f'"{t.provider_reference}"' for t in world.channel.taken}
    urls = {c.reply_to.url.split("/")[-1] for c in world.rail.started}
    return {p[1:] for p in phones} | {p[4:] for p in phones} | theirs | urls


class Life:
    """A business with one payment and one payout, and all that may happen to them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.payment = world.payment(expires_in_s=900)
        self.payout: Json | None = None
        self.say: dict[str, Callable[[], object]] = {
            "confirm": lambda: world.confirm(self.payment, acknowledge=True),
            "paid": lambda: self.ended(lambda reference: world.rail.pay(reference)),
            "failed": lambda: self.ended(lambda reference: world.rail.fail(reference)),
            "silence": lambda: world.rail.on_start(OutcomeUnknown("silence")),
            "not sent": lambda: world.rail.on_start(NotSent("no")),
            "cancel": lambda: world.web.payments.cancel(id_of(self.payment), world.call),
            "a minute": lambda: world.advance(60),
            "ten minutes": lambda: world.advance(600),
            "payout": self.ask,
            "payout refused": lambda: world.channel.on_submit(Refused(Failure(kind=FailureKind.OTHER))),
            "payout ended": self.paid_out,
            "payout canceled": lambda: self.payout and world.web.payouts.cancel(id_of(self.payout), world.call),
        }

    def ended(self, end: Callable[[str], object]) -> None:
        rail = self.world.rail
        if rail.tries:
            told = end(rail.tries[-1].collection.reference)
            self.world.call_back(told, rail.tries[-1].collection.reply_to)  # type: ignore[arg-type]

    def ask(self) -> None:
        self.payout = self.world.payout(20_000)

    def paid_out(self) -> None:
        channel = self.world.channel
        if channel.taken:
            told = channel.pay(channel.taken[-1].instruction.reference)
            self.world.call_back(told, channel.taken[-1].instruction.reply_to)
            self.world.settle()
            for question in channel.looked_up:
                self.world.call_back(channel.answer_to(question), question.reply_to)


WORDS = [
    "confirm",
    "paid",
    "failed",
    "silence",
    "cancel",
    "not sent",
    "a minute",
    "ten minutes",
    "payout",
    "payout refused",
    "payout ended",
    "payout canceled",
]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(words=st.lists(st.sampled_from(WORDS), min_size=2, max_size=8))
def test_g6_whatever_happens_each_event_tells_the_state_of_its_change(world: World, words: list[str]) -> None:
    world.forget_open_work()
    life = Life(world)
    for word in words:
        try:
            life.say[word]()
        except GatewayError:
            continue  # a refusal, which changes nothing
        world.settle()
    check(world)


def test_a_payload_is_what_the_object_was_and_stays_so(world: World) -> None:
    payment = world.prompted()
    first = world.events(payment)
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    later = world.events(payment)
    assert later[: len(first)] == first
    assert later[0]["data"]["object"] == payment
    after = world.web.payments.read.get(id_of(payment), world.call)
    succeeded = later[-1]["data"]["object"]
    assert succeeded == {**after, "version": succeeded["version"]}


def test_an_event_names_the_request_that_caused_it(world: World) -> None:
    payment = world.prompted()
    world.advance(100)
    requests = {event["type"]: event["request"]["id"] for event in world.events(payment)}
    assert requests == {
        "payment.created": "req_test",
        "payment.requires_action": "req_test",
        "payment.processing": None,
    }


def test_an_event_is_read_alone_as_it_is_in_the_list(world: World) -> None:
    payment = world.payment()
    (listed,) = world.events(payment)
    assert world.web.use_cases.events.get(id_of({"object": "event", "id": listed["id"]}), world.call) == listed


def test_one_event_is_told_to_each_endpoint_that_wants_it(world: World) -> None:
    create = world.web.use_cases.endpoints.create
    create(NewEndpoint(url="https://a.example/hook", enabled_events=("payment.succeeded",)), world.call)
    create(NewEndpoint(url="https://b.example/hook", enabled_events=("payment.*",)), world.call)
    payment = world.paid()
    by_url: dict[str, list[str]] = {}
    for url, message_id, body in world.receiver.got:
        told = json.loads(body)
        assert told["id"] == message_id
        by_url.setdefault(url, []).append(told["type"])
    assert by_url["https://a.example/hook"] == ["payment.succeeded"]
    assert sorted(by_url["https://b.example/hook"]) == sorted(world.told(payment))


def test_a_webhook_is_sent_again_in_the_same_bytes_until_it_is_taken(world: World) -> None:
    world.web.use_cases.endpoints.create(
        NewEndpoint(url="https://a.example/hook", enabled_events=("payment.created",)), world.call
    )
    world.receiver.answers += [Sent(status=500), Sent(status=None, error="timeout"), Sent(status=204)]
    world.payment()
    world.advance(400)
    assert len(world.receiver.got) == 3
    assert len({got[1:] for got in world.receiver.got}) == 1
    world.advance(24 * 3600)
    assert len(world.receiver.got) == 3


def test_a_session_tells_its_own_end_beside_its_payment_s(world: World) -> None:
    session = world.web.checkout.create(NewSession(amount=150_000, currency="KES"), world.call)
    payment = {"object": "payment", "id": session["payment"]}
    world.confirm(payment)
    world.settle()
    world.call_back(world.rail.pay(world.rail.started[-1].reference), world.rail.started[-1].reply_to)
    world.settle()
    assert world.told(session) == ["checkout.session.completed"]
    other = world.web.checkout.create(NewSession(amount=150_000, currency="KES"), world.call)
    world.web.checkout.expire(id_of(other), world.call)
    assert world.told(other) == ["checkout.session.expired"]
    third = world.web.checkout.create(NewSession(amount=150_000, currency="KES", expires_in_s=60), world.call)
    world.advance(61)
    assert world.told(third) == ["checkout.session.expired"]
    check(world)


def test_a_refused_payout_s_error_tells_no_more_than_it_must(world: World) -> None:
    world.paid()
    failure = Failure(kind=FailureKind.DESTINATION_INVALID, provider_code="2040", detail="", try_again=TryAgain.NEVER)
    world.channel.on_submit(Refused(failure))
    payout = world.payout()
    world.settle()
    assert world.events(payout)[-1]["data"]["object"]["error"] == {
        "code": "destination_invalid",
        "provider_code": "2040",
        "try_again": "never",
        "after_s": None,
    }
    check(world)


def test_what_is_refused_tells_nothing(world: World) -> None:
    payment = world.prompted()
    before = world.told()
    with pytest.raises(Conflict):
        world.confirm(payment, phone=a_phone())
    with pytest.raises(Conflict):
        world.web.payments.cancel(id_of(payment), world.call)
    assert world.told() == before
