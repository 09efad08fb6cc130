"""An event's payload is the object as the transition left it: compared with what the same transaction wrote."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.adapters.lines import Lines
from gateway.adapters.system import SystemChance
from gateway.application.attempts import GiveUpOnAttempt, SubmitAttempt, WatchWindow
from gateway.application.callbacks import WeighCallback
from gateway.application.commands import Confirmation, NewPayment
from gateway.application.interfaces import Call
from gateway.application.jobs import RunDueWork
from gateway.application.look_ups import LookUpAttempt
from gateway.application.payment_expiry import ExpirePayment
from gateway.application.payments import CancelPayment, ConfirmPayment, CreatePayment
from gateway.application.releases import ReleaseReceipt
from gateway.application.replies import Replying
from gateway.application.reports import RecordReport
from gateway.domain.due import QUEUES
from gateway.domain.errors import GatewayError
from gateway.domain.ids import Prefix, decode
from ports.errors import NotSent, OutcomeUnknown
from tests.fakes.context import FakeWorld
from tests.fakes.rail import FakeRail
from tests.jobs.doing import MovableClock
from tests.persistence.shop import Shop

#: Each row of a payment and each event, with the transaction that wrote it.
_WATCH = """
CREATE TABLE public.written (n bigserial, xact xid8 DEFAULT pg_current_xact_id(), kind text, id uuid, version int,
                             state text);
CREATE FUNCTION public.watch_payment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO public.written (kind, id, version, state) VALUES ('payment', NEW.id, NEW.version, NEW.state); RETURN NEW;
END $$;
CREATE FUNCTION public.watch_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO public.written (kind, id) VALUES ('event', NEW.id); RETURN NEW;
END $$;
CREATE TRIGGER watch AFTER INSERT OR UPDATE ON gateway.payment FOR EACH ROW EXECUTE FUNCTION public.watch_payment();
CREATE TRIGGER watch AFTER INSERT ON gateway.event FOR EACH ROW EXECUTE FUNCTION public.watch_event();
"""
#: Each event of a payment beside what its own transaction wrote of the payment: the last state, and all versions.
_COMPARE = """
SELECT e.type, e.sequence, w.state, w.versions,
       e.payload #>> '{data,object,status}' AS told, (e.payload #>> '{data,object,version}')::int AS told_version
FROM gateway.event e JOIN public.written x ON x.kind = 'event' AND x.id = e.id
LEFT JOIN LATERAL (
  SELECT (array_agg(p.state ORDER BY p.n DESC))[1] AS state, array_agg(p.version) AS versions FROM public.written p
  WHERE p.kind = 'payment' AND p.id = e.object_id AND p.xact = x.xact) w ON true
WHERE e.object_id = :payment ORDER BY e.sequence
"""
#: Events that are named after a state.
NAMED = ("requires_action", "processing", "succeeded", "canceled", "expired")
_NUMBERS = count(711_000_000)


@dataclass
class World:
    """A business, a provider in memory, and workers in this process."""

    shop: Shop
    rail: FakeRail = field(default_factory=FakeRail)

    def __post_init__(self) -> None:
        assert isinstance(self.shop.clock, MovableClock)
        self.clock, self.call = self.shop.clock, self.shop.call()
        offers = {"mpesa_push": self.rail.registration(code="mpesa_push", method="mpesa")}
        lines = Lines(rails=offers, channels={}, lend=lambda _: FakeWorld().context)
        web, unit = self.shop.units(), self.shop.units("worker")
        self.create = CreatePayment(unit=web, providers=lines)
        self.confirm = ConfirmPayment(unit=web, providers=lines, chance=SystemChance())
        self.cancel = CancelPayment(unit=web)
        self.doors = self.shop.worker()
        self.run = RunDueWork(doors=self.doors, handlers=_handlers(unit, lines))

    def work(self) -> None:
        """Run what is due, and what that makes due, as workers would."""
        for _ in range(10):
            rows = self.doors.claim_due(dict.fromkeys(QUEUES, 100))
            for row in rows:
                done = self.run(row.id)
                assert done is None or done.fault is None or isinstance(done.fault, GatewayError), done
            if not rows:
                return

    def latest(self) -> str | None:
        """The reference of the latest prompt that took effect."""
        return self.rail.tries[-1].collection.reference if self.rail.tries else None


def _handlers(unit: Any, lines: Lines) -> dict[str, Callable[[UUID, Call], datetime | None]]:
    replying = Replying(chance=SystemChance(), url=lambda tag, secret: f"https://pay.example/in/{tag}/{secret}")
    record = RecordReport(unit=unit, providers=lines)
    # Nothing but prompts is told of here.
    nobody: Any = None
    weigh = WeighCallback(
        unit=unit, providers=lines, record=record, record_payout=nobody, record_refund=nobody, record_money=nobody,
        record_own=nobody,
    )  # fmt: skip
    return {
        "attempt.submit": SubmitAttempt(unit=unit, providers=lines, replying=replying, record=record),
        "attempt.look_up": LookUpAttempt(unit=unit, providers=lines, replying=replying, record=record),
        "attempt.window": WatchWindow(unit=unit, providers=lines),
        "attempt.give_up": GiveUpOnAttempt(unit=unit),
        "payment.expire": ExpirePayment(unit=unit),
        "receipt.release": ReleaseReceipt(unit=unit),
        "callback.weigh": weigh,
    }


def confirm(world: World, payment: UUID) -> None:
    wanted = Confirmation(payment_id=payment, method="mpesa", phone=f"+254{next(_NUMBERS)}", acknowledge_unknown=True)
    world.confirm(wanted, world.call)


def cancel(world: World, payment: UUID) -> None:
    world.cancel(payment, world.call)


def pay(world: World, _: UUID) -> None:
    if (reference := world.latest()) is not None:
        world.rail.pay(reference, happened_at=world.clock())
        later(world, 15)


def fail(world: World, _: UUID) -> None:
    if (reference := world.latest()) is not None and world.rail.of(reference)[-1].code == "waiting":
        world.rail.fail(reference)
        later(world, 15)


def lose_answers(world: World, _: UUID) -> None:
    world.rail.on_start(OutcomeUnknown("nobody knows"))


def refuse_lines(world: World, _: UUID) -> None:
    world.rail.on_start(NotSent("no line"))


def later(world: World, seconds: int) -> None:
    world.clock.shift += timedelta(seconds=seconds)
    world.work()


ACTIONS: dict[str, Callable[[World, UUID], None]] = {
    "confirm": confirm,
    "cancel": cancel,
    "pay": pay,
    "fail": fail,
    "lose": lose_answers,
    "refuse": refuse_lines,
    "a moment": lambda world, _: later(world, 20),
    "the window": lambda world, _: later(world, 160),
    "a day": lambda world, _: later(world, 86_500),
}


def test_g6_every_payload_is_what_its_own_transaction_wrote(shop: Shop) -> None:
    with shop.engine("owner").connect() as conn:
        conn.exec_driver_sql(_WATCH)
    seen: set[str] = set()
    events = 0

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from(sorted(ACTIONS)), min_size=2, max_size=9))
    def check(walk: list[str]) -> None:
        nonlocal events
        world = World(shop)
        payment = decode(Prefix.PAYMENT, world.create(NewPayment(amount=150_000, currency="KES"), world.call)["id"])
        for name in ["confirm", *walk]:
            with suppress(GatewayError):
                ACTIONS[name](world, payment)
            world.work()
        rows = compared(shop, payment)
        world.doors.worker.close()
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        for row in rows:
            assert row.state is not None, f"{row.type} was recorded apart from its transition"
            assert row.told == row.state, (row.type, walk)
            assert row.told_version in row.versions, (row.type, walk)
            word = row.type.removeprefix("payment.")
            assert word not in NAMED or word == row.told, (row.type, row.told)
        seen.update(row.type for row in rows)
        events += len(rows)

    check()
    # A walk that comes to a proved failure is left to chance: what every few walks meet is asked for.
    assert {"payment.created", "payment.requires_action", "payment.succeeded"} <= seen
    assert events > 150


def compared(shop: Shop, payment: UUID) -> Any:
    """The events of a payment beside what their transactions wrote."""
    with shop.engine("owner").connect() as conn:
        return conn.execute(text(_COMPARE), {"payment": payment}).all()
