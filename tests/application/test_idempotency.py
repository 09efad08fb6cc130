"""One key, one object: replayed, retried after a crash, used for something else, and with the store of keys emptied."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from gateway.application.commands import Confirmation, NewEndpoint, NewPayment, NewPayout, NewSession
from gateway.application.interfaces import Begun, Call, InFlight, Json, Mismatch, Replay
from gateway.domain.errors import Conflict, InsufficientFunds, Unprocessable
from tests.application.harness import World, a_phone, id_of, idempotent, under
from tests.application.processes import Doom, Killed

Make = Callable[[World, Call], Json]


def a_payment(world: World, call: Call) -> Json:
    command = NewPayment(amount=150_000, currency="KES", reference="order 7", metadata={"cart": "7"})
    return world.web.payments.create(command, call)


def a_payout(world: World, call: Call) -> Json:
    command = NewPayout(amount=20_000, currency="KES", destination_kind="mpesa_phone", account="0712345678")
    return world.web.payouts.create(command, call)


def a_session(world: World, call: Call) -> Json:
    return world.web.checkout.create(
        NewSession(amount=150_000, currency="KES", success_url="https://shop.example"), call
    )


MAKERS: dict[str, Make] = {"payment": a_payment, "payout": a_payout, "session": a_session}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.fixture
def world(world: World) -> World:
    world.paid()
    return world


def begin(world: World, key: str = "order-7", body: bytes = b"one") -> Call:
    begun = idempotent(world, key, body)
    assert isinstance(begun, Begun)
    return under(world.call, begun.call)


def wipe(world: World) -> None:
    """The store of keys is empty, as after its time or a restored backup."""
    world.run_sql("DELETE FROM gateway.idempotency_key WHERE business_id = :b", b=world.business.id)


def counted(world: World) -> tuple[int, ...]:
    """How many of each there are."""
    tables = ("payment", "payout", "checkout_session", "event", "attempt")
    return tuple(
        int(world.value(f"SELECT count(*) FROM gateway.{t} WHERE business_id = :b", b=world.business.id))
        for t in tables
    )


@makers
def test_the_same_key_gives_the_stored_answer(world: World, make: Make) -> None:
    made = make(world, begin(world))
    before = counted(world)
    again = idempotent(world, "order-7")
    assert isinstance(again, Replay)
    assert (again.status, again.body) == (201, made)
    assert counted(world) == before


@makers
def test_the_object_bears_the_id_that_the_key_reserved(world: World, make: Make) -> None:
    call = begin(world)
    assert call.idempotency is not None
    assert id_of(make(world, call)) == call.idempotency.object_id


@makers
def test_a_crash_between_key_and_use_case_is_retried_under_the_same_id(world: World, make: Make) -> None:
    call = begin(world)
    assert isinstance(idempotent(world, "order-7"), InFlight)
    lapse(world)  # the process is gone and so, after a while, is its lease
    second = begin(world)
    assert call.idempotency is not None
    assert second.idempotency is not None
    assert second.idempotency.object_id == call.idempotency.object_id
    assert id_of(make(world, second)) == call.idempotency.object_id


def lapse(world: World) -> None:
    world.run_sql(
        "UPDATE gateway.idempotency_key SET lease_until = clock_timestamp() WHERE business_id = :b AND status IS NULL",
        b=world.business.id,
    )


@makers
@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_crash_inside_the_use_case_makes_one_object(world: World, make: Make, point: str) -> None:
    call = begin(world)
    before = counted(world)
    world.web = world.process("app", doom=Doom(point, 1))
    with pytest.raises(Killed):
        make(world, call)
    assert (counted(world) == before) is (point == "before_commit")
    lapse(world)
    again = idempotent(world, "order-7")
    if isinstance(again, Begun):
        assert point == "before_commit"
        make(world, under(world.call, again.call))
    else:
        assert isinstance(again, Replay)
    assert sum(counted(world)[:3]) == sum(before[:3]) + (2 if make is a_session else 1)


@makers
def test_two_runs_of_one_key_at_once_make_one_object(world: World, make: Make) -> None:
    """Both hold the lease, as after one of them was thought dead: the object's own keys decide."""
    call = begin(world)
    before = counted(world)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: make(world, call), range(2)))
    assert made[0]["id"] == made[1]["id"]
    assert sum(counted(world)[:3]) == sum(before[:3]) + (2 if make is a_session else 1)


@makers
def test_j2_with_the_store_wiped_a_replay_finds_the_object(world: World, make: Make) -> None:
    made = make(world, begin(world))
    before = counted(world)
    wipe(world)
    again = make(world, begin(world))
    assert again["id"] == made["id"]
    assert counted(world) == before
    assert isinstance(idempotent(world, "order-7"), Replay)


@makers
def test_j2_with_the_store_wiped_another_request_under_the_key_is_refused(world: World, make: Make) -> None:
    make(world, begin(world))
    before = counted(world)
    wipe(world)
    with pytest.raises(Unprocessable) as refused:
        make(world, begin(world, body=b"two"))
    assert refused.value.code == "idempotency_mismatch"
    assert counted(world) == before


def test_j2_a_session_with_a_reference_is_found_again_too(world: World) -> None:
    command = NewSession(amount=150_000, currency="KES", reference="cart 9")
    made = world.web.checkout.create(command, begin(world))
    wipe(world)
    again = world.web.checkout.create(command, begin(world))
    assert again["id"] == made["id"]
    assert again["url"] is None  # its secret was shown once, and is kept hashed


def test_another_body_under_the_key_is_a_mismatch(world: World) -> None:
    a_payment(world, begin(world))
    assert isinstance(idempotent(world, "order-7", b"two"), Mismatch)


def test_a_reference_is_used_once(world: World) -> None:
    a_payment(world, world.call)
    with pytest.raises(Conflict) as refused:
        a_payment(world, world.call)
    assert refused.value.code == "reference_taken"


def test_keys_of_a_platform_and_of_its_business_are_apart(world: World) -> None:
    own = a_payout(world, begin(world))
    platform = replace(world.call, owner_id=world.platform_id)
    begun = idempotent(world, "order-7", call=platform)
    assert isinstance(begun, Begun)
    assert a_payout(world, under(platform, begun.call))["id"] != own["id"]


def test_a_confirm_that_is_retried_after_a_crash_prompts_once(world: World) -> None:
    payment = world.payment()
    call = begin(world, "confirm-7")
    command = Confirmation(payment_id=id_of(payment), method="mpesa", phone=a_phone())
    first = world.web.payments.confirm(command, call)
    second = world.web.payments.confirm(command, call)
    assert (first["status"], second["status"]) == ("requires_action", "requires_action")
    world.settle()
    assert len([c for c in world.rail.started if c.reference == world.reference(payment)]) == 1


def test_j2_a_confirm_with_the_store_wiped_prompts_once(world: World) -> None:
    payment = world.payment()
    command = Confirmation(payment_id=id_of(payment), method="mpesa", phone=a_phone())
    world.web.payments.confirm(command, begin(world, "confirm-7"))
    world.settle()
    wipe(world)
    # The key stands on the try as well: the replay is answered from it, as if the store had kept its answer.
    assert world.web.payments.confirm(command, begin(world, "confirm-7"))["status"] == "requires_action"
    world.settle()
    assert len(world.see(payment)["attempts"]) == 1
    assert len([c for c in world.rail.started if c.reference == world.reference(payment)]) == 1


def test_a_refusal_leaves_the_key_for_the_next_try(world: World) -> None:
    call = begin(world)
    command = NewPayout(amount=500_000, currency="KES", destination_kind="mpesa_phone", account="0712345678")
    with pytest.raises(InsufficientFunds):
        world.web.payouts.create(command, call)
    world.web.use_cases.idempotency.release(call, call.idempotency)  # type: ignore[arg-type]
    world.paid(1_000_000)
    again = idempotent(world, "order-7")
    assert isinstance(again, Begun)
    assert world.web.payouts.create(command, under(world.call, again.call))["status"] == "queued"


@pytest.mark.parametrize("act", ["cancel", "refresh", "expire", "retry", "cancel_payout", "refresh_payout", "customer"])
def test_every_act_stores_its_answer_with_its_own_transaction(world: World, act: str) -> None:
    payment, payout = world.payment(), world.payout(20_000)
    session = a_session(world, world.call)
    acts: dict[str, Callable[[Call], Any]] = {
        "cancel": lambda call: world.web.payments.cancel(id_of(payment), call),
        "refresh": lambda call: world.web.payments.refresh(id_of(payment), call),
        "expire": lambda call: world.web.checkout.expire(id_of(session), call),
        "retry": lambda call: world.web.payouts.retry(id_of(payout), call),
        "cancel_payout": lambda call: world.web.payouts.cancel(id_of(payout), call),
        "refresh_payout": lambda call: world.web.payouts.refresh(id_of(payout), call),
        "customer": lambda call: world.web.use_cases.save_customer(call, phone=a_phone()),
    }
    said = acts[act](begin(world))
    again = idempotent(world, "order-7")
    assert isinstance(again, Replay)
    assert again.body == said


def test_a_webhook_endpoint_s_secret_comes_again_with_the_stored_answer_alone(world: World) -> None:
    made = world.web.use_cases.endpoints.create(NewEndpoint(url="https://shop.example/hook"), begin(world))
    again = idempotent(world, "order-7")
    assert isinstance(again, Replay)
    assert again.body["secret"] == made["secret"]
    assert world.web.use_cases.endpoints.get(id_of(made), world.call)["secret"] is None
