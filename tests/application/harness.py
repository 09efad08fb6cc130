"""A gateway in one process on a real database: fake providers, a clock to turn, due work run until none is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gateway.adapters.lines import Lines
from gateway.adapters.system import UuidV7
from gateway.application.commands import Confirmation, ListQuery, NewPayment, NewPayout
from gateway.application.interfaces import AsksSigner, Call, ChainLines, IdempotentCall, Json
from gateway.application.ledger import Finding, Verdict
from gateway.application.operators import Act
from gateway.domain.businesses import Business
from gateway.domain.due import QUEUES
from gateway.domain.fees import FeeSchedule
from gateway.domain.ids import Prefix, decode, encode
from ports.callback import Incoming, ReplyTo
from ports.money import KES, Money
from ports.payment_rail import RailCapabilities
from ports.payout_channel import ChannelCapabilities
from tests.application.processes import (
    Doom,
    Engines,
    FakeReceiver,
    InterruptedChannel,
    InterruptedRail,
    Process,
    settings_of_a_test,
)
from tests.fakes.channel import FAKE_PHONES
from tests.fakes.context import FakeClock, FakeWorld
from tests.fakes.rail import FAKE_PROMPT
from tests.waiting import eventually

#: 1.5 % at collection and KES 30 a payout.
COLLECT = FeeSchedule(id=UUID(int=1), version=1, bps=150)
PAYOUT = FeeSchedule(id=UUID(int=2), version=1, flat_units=3_000)
#: A business that pays nothing, whatever everybody else pays.
FREE = FeeSchedule(id=UUID(int=3), version=1)
#: What the payout float holds, unless a test says otherwise.
FUNDED = 100_000_000

ACT = Act(actor="tests", reason="a world of its own")
_NUMBERS = count(1)
_TAGS = "ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(kw_only=True)
class World:
    """One business with one rail and one channel of its own, and every process that works for it.

    What earlier worlds left to do is forgotten, so that turning the clock wakes nobody else's timers.
    """

    engines: Engines
    rail_offers: RailCapabilities = FAKE_PROMPT
    channel_offers: ChannelCapabilities = FAKE_PHONES
    settlement: str = "instant"
    collect: FeeSchedule | None = COLLECT
    payout_fee: FeeSchedule | None = PAYOUT
    funded: int = FUNDED
    livemode: bool = False
    clock: FakeClock = field(default_factory=FakeClock)
    doom: Doom = field(default_factory=Doom)
    receiver: FakeReceiver = field(default_factory=FakeReceiver)
    number: int = field(default_factory=lambda: next(_NUMBERS))
    made: list[Process] = field(default_factory=list)
    make_rail: Callable[..., InterruptedRail] | None = None
    chains: ChainLines | None = None
    signer: AsksSigner | None = None

    def __post_init__(self) -> None:
        self.forget_open_work()
        # Each world has a provider of its own, which counts receipts from one.
        namespace = f"fake-{self.number}"
        self.rail = (self.make_rail or InterruptedRail)(
            capabilities=replace(self.rail_offers, receipt_namespace=namespace), doom=self.doom
        )
        self.channel = InterruptedChannel(
            capabilities=replace(self.channel_offers, receipt_namespace=namespace), doom=self.doom
        )
        self.web, self.worker, self.operator = (self.process(role) for role in ("app", "worker", "operator"))
        platform = self.operator.desk.add_platform(f"Platform {self.number}", ACT)
        self.platform_id = platform.id
        self.business = self.add_business()
        self.call = Call(business_id=self.business.id, livemode=self.livemode, request_id="req_test")
        desk = self.operator.desk
        self.rail_float = desk.add_float("Collections", livemode=self.livemode, act=ACT)
        self.channel_float = desk.add_float("Payouts", livemode=self.livemode, act=ACT)
        self.rail_line = desk.add_connection(
            self.rail_code, "Rail", self.rail_float.id, {}, livemode=self.livemode, act=ACT
        )
        self.channel_line = desk.add_connection(
            self.channel_code, "Channel", self.channel_float.id, {}, livemode=self.livemode, act=ACT
        )
        if self.funded:
            self.fund(self.funded)

    # Who is here

    @property
    def rail_code(self) -> str:
        return f"fake_prompt_{self.number}"

    @property
    def channel_code(self) -> str:
        return f"fake_phones_{self.number}"

    def process(self, role: str, *, doom: Doom | None = None) -> Process:
        """A process of that role, on the room's engines and this world's clock and providers."""
        lines = Lines(
            rails={self.rail_code: self.rail.registration(self.rail_code, "mpesa")},
            channels={self.channel_code: self.channel.registration(self.channel_code, "mpesa_phone")},
            lend=lambda _: FakeWorld(clock=self.clock).context,
        )
        process = Process(
            settings=settings_of_a_test(),
            role=role,
            shared=self.engines.by_role[role],
            time=self.clock,
            lines_=lines,
            chains_=self.chains,
            signer_=self.signer,
            receiver=self.receiver,
            doom=doom or Doom(),
        )
        self.made.append(process)
        return process

    def add_business(self, settlement: str | None = None) -> Business:
        """A business of the platform, at this world's prices."""
        desk, number = self.operator.desk, next(_NUMBERS)
        tag = "".join(_TAGS[number // 22**place % 22] for place in range(4))
        business = desk.add_business(
            self.platform_id, f"Duka {number}", tag, ACT, settlement=settlement or self.settlement
        )
        for schedule, product in ((self.collect, "collect"), (self.payout_fee, "payout")):
            if schedule is not None:
                self.price(schedule, product, business)
        if self.livemode:
            desk.open_business(business.id, ACT, payments=True, payouts=True)
        return business

    def price(self, schedule: FeeSchedule, product: str, business: Business | None = None) -> FeeSchedule:
        """A price of the business's own from now on; gives it with the id it got."""
        priced = replace(schedule, id=self.operator.desk.new_id())
        self.operator.desk.set_fee(priced, product, (business or self.business).id, ACT)
        return priced

    def fund(self, units: int) -> None:
        """The owners put money into the payout float."""
        ticket = f"ticket-{next(_NUMBERS)}"
        self.operator.desk.record_move(
            None, self.channel_float.id, units, livemode=self.livemode, act=ACT, ticket=ticket
        )

    def of(self, business: Business) -> Call:
        """A call by another business of this world."""
        return Call(business_id=business.id, livemode=self.livemode)

    # Time and work

    @property
    def now(self) -> datetime:
        return self.clock()

    def settle(self) -> None:
        """Run due work until nothing is due. A job that fails fails the test."""
        for _ in range(200):
            claimed = self.worker.doors.claim_due(dict.fromkeys(QUEUES, 50))
            if not claimed:
                return
            for one in claimed:
                run = self.worker.use_cases.run_due(one.id)
                if run is not None and run.fault is not None:
                    raise run.fault
        raise AssertionError("work that never ends")

    def run(self, kind: str, subject_id: UUID, call: Call | None = None) -> datetime | None:
        """Do one kind of work at once, due or not, as a second worker would."""
        return self.worker.handlers[kind](subject_id, call or self.call)

    def advance(self, seconds: float) -> None:
        """Let time pass: each timer goes off at its own moment."""
        end = self.clock() + timedelta(seconds=seconds)
        self.settle()
        stuck = 0
        while (next_at := self._next_due(end)) is not None:
            stuck = stuck + 1 if next_at <= self.clock.time else 0
            assert stuck < 5, "due work that nobody can take"
            self.clock.time = max(next_at, self.clock.time)
            self.settle()
        self.clock.time = end
        self.settle()

    def _next_due(self, end: datetime) -> datetime | None:
        sql = "SELECT min(due_at) FROM gateway.outbox WHERE done_at IS NULL AND due_at <= :end"
        found: datetime | None = self.value(sql, end=end)
        return found

    def due_kinds(self) -> dict[str, datetime]:
        """What is still to be done, and when."""
        sql = "SELECT kind, min(due_at) FROM gateway.outbox WHERE done_at IS NULL AND business_id = :b GROUP BY kind"
        return {row[0]: row[1] for row in self.rows(sql, b=self.business.id)}

    def forget_open_work(self) -> None:
        """Nothing that was left to do, by whomever, will be done."""
        self.run_sql("UPDATE gateway.outbox SET done_at = clock_timestamp(), holder = NULL WHERE done_at IS NULL")
        self.run_sql("UPDATE gateway.payout SET state = 'canceled' WHERE state = 'queued'")

    def replace_worker(self) -> None:
        """The worker is gone; another takes over what it held, as soon as PostgreSQL has seen its session end."""
        self.worker.doors.worker.close()
        self.worker = self.process("worker")
        eventually(self._nothing_is_held)

    def _nothing_is_held(self) -> bool:
        self.worker.doors.free_abandoned()
        held = self.value("SELECT count(*) FROM gateway.outbox WHERE done_at IS NULL AND holder IS NOT NULL")
        return bool(held == 0)

    def close(self) -> None:
        for process in self.made:
            if "doors" in vars(process):
                process.doors.worker.close()

    # The business's side

    def payment(self, amount: int = 150_000, *, call: Call | None = None, **more: Any) -> Json:
        return self.web.payments.create(NewPayment(amount=amount, currency="KES", **more), call or self.call)

    def confirm(
        self, payment: Json, *, phone: str | None = None, acknowledge: bool = False, call: Call | None = None
    ) -> Json:
        command = Confirmation(
            payment_id=decode(Prefix.PAYMENT, payment["id"]),
            method="mpesa",
            phone=phone or a_phone(),
            acknowledge_unknown=acknowledge,
        )
        return self.web.payments.confirm(command, call or self.call)

    def prompted(self, amount: int = 150_000, **more: Any) -> Json:
        """A payment whose prompt was sent."""
        payment = self.payment(amount, **more)
        self.confirm(payment)
        self.settle()
        return payment

    def paid(self, amount: int = 150_000) -> Json:
        """A payment that was paid, in the books."""
        payment = self.prompted(amount)
        self.call_back(self.rail.pay(self.reference(payment)), self.rail.started[-1].reply_to)
        self.settle()
        assert self.see(payment)["status"] == "succeeded"
        return payment

    def payout(self, amount: int = 50_000, *, call: Call | None = None, **more: Any) -> Json:
        command = NewPayout(amount=amount, currency="KES", destination_kind="mpesa_phone", account=a_phone(), **more)
        return self.web.payouts.create(command, call or self.call)

    def see(self, one: Json, *, call: Call | None = None) -> Json:
        """The object as it stands now, with what hangs on it."""
        who = call or self.call
        if one["object"] == "refund":
            return self.web.refunds.read.get(id_of(one), who, ("attempts",))
        if one["object"] == "payout":
            return self.web.payouts.read.get(id_of(one), who, ("attempts",))
        return self.web.payments.read.get(id_of(one), who, ("attempts", "receipts"))

    def attempt(self, one: Json, place: int = -1) -> Json:
        found: Json = self.see(one)["attempts"][place]
        return found

    def attempt_id(self, one: Json, place: int = -1) -> UUID:
        return id_of(self.attempt(one, place))

    def reference(self, one: Json, place: int = -1) -> str:
        return str(self.attempt(one, place)["reference"])

    def balance(self, call: Call | None = None) -> dict[str, int]:
        """Bucket → units of KES, the empty ones left out."""
        shown = self.web.use_cases.balances.now(call or self.call)
        sums = {name: value[0]["amount"] for name, value in shown.items() if isinstance(value, list)}
        return {name: units for name, units in sums.items() if units}

    def events(self, one: Json | None = None, *, call: Call | None = None) -> list[Json]:
        """Events as the business reads them, oldest first."""
        filters = {"object_id": id_of(one)} if one is not None else {}
        found: list[Json] = []
        last: UUID | None = None
        while True:
            query = ListQuery(limit=100, starting_after=last, filters=filters)
            page = self.web.use_cases.events.page(query, call or self.call)
            found += page["data"]
            if not page["has_more"]:
                return found[::-1]
            last = decode(Prefix.EVENT, page["data"][-1]["id"])

    def told(self, one: Json | None = None) -> list[str]:
        """The types of those events."""
        return [event["type"] for event in self.events(one)]

    # The provider's side

    def call_back(self, incoming: Incoming, reply_to: ReplyTo) -> None:
        """The provider posts to a call's own URL."""
        tag, secret = reply_to.url.split("/")[-2:]
        self.web.use_cases.receive_callback(tag, secret, body=incoming.body, headers={}, peer="127.0.0.1")

    # The operator's side

    def alerts(self) -> list[str]:
        """Kinds of open alerts of this world's business or connections, oldest first."""
        sql = "SELECT kind FROM gateway.alert WHERE business_id = :b AND resolved_at IS NULL ORDER BY id"
        return [row[0] for row in self.rows(sql, b=self.business.id)]

    def float_units(self, float_id: UUID) -> int:
        """What the books say is on a float."""
        name = f"float:{encode(Prefix.FLOAT, float_id)}"
        lines = self.operator.use_cases.ledger.trial_balance(livemode=self.livemode)
        return sum(-line.balance for line in lines if line.path == name)

    def journals(self) -> list[str]:
        """Kinds of what was booked for this business, in order."""
        sql = "SELECT kind FROM ledger.journal WHERE business_id = :b ORDER BY id"
        return [row[0] for row in self.rows(sql, b=self.business.id)]

    def run_sql(self, sql: str, **values: Any) -> None:
        """A statement as the owner, past every policy."""
        with self.engines.by_role["owner"].connect() as conn:
            conn.execute(text(sql), values)

    def rows(self, sql: str, **values: Any) -> Sequence[Any]:
        with self.engines.by_role["owner"].connect() as conn:
            return conn.execute(text(sql), values).all()

    def value(self, sql: str, **values: Any) -> Any:
        with self.engines.by_role["owner"].connect() as conn:
            return conn.execute(text(sql), values).scalar_one()


_PREFIXES = {
    "payment": Prefix.PAYMENT,
    "payout": Prefix.PAYOUT,
    "attempt": Prefix.ATTEMPT,
    "payout_attempt": Prefix.PAYOUT_ATTEMPT,
    "receipt": Prefix.RECEIPT,
    "refund": Prefix.REFUND,
    "refund_attempt": Prefix.REFUND_ATTEMPT,
    "checkout.session": Prefix.CHECKOUT_SESSION,
    "customer": Prefix.CUSTOMER,
    "webhook_endpoint": Prefix.WEBHOOK_ENDPOINT,
    "event": Prefix.EVENT,
    "delivery": Prefix.DELIVERY,
}


def id_of(one: Json) -> UUID:
    """The id of an object as the API shows it."""
    return decode(_PREFIXES[one["object"]], one["id"])


_PHONES = count(10_000_000)


def a_phone() -> str:
    """A number that nobody was prompted on yet."""
    return f"+2547{next(_PHONES)}"


def kes(units: int) -> Money:
    return Money(units=units, asset=KES)


def idempotent(world: World, key: str, body: bytes = b"one", call: Call | None = None) -> Any:
    """Begin an idempotent call, as web does before a use case."""
    keys = world.web.use_cases.idempotency
    return keys.begin(call or world.call, key, body.ljust(32, b"-"), object_id=UuidV7()(), keep_days=30)


def under(call: Call, key: IdempotentCall) -> Call:
    """The same call under an idempotency key."""
    return replace(call, idempotency=key)


def broken(findings: Sequence[Finding]) -> list[Finding]:
    """What a check of the books found wrong."""
    return [one for one in findings if one.verdict is Verdict.FAIL]
