"""A paybill or a till beside a world's push rail, on the same float."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from gateway.application.commands import Confirmation
from gateway.application.interfaces import Call, Json
from gateway.domain.businesses import HOUSE
from gateway.domain.ids import Prefix, decode
from ports.callback import Incoming, ReplyTo
from ports.payment_rail import RailCapabilities
from ports.report import MoneyIn
from tests.application.harness import ACT, World
from tests.fakes.places import FAKE_PLACE, FakePlace


class Place:
    """The place, its connection, and how its news comes in."""

    def __init__(self, world: World, offers: RailCapabilities = FAKE_PLACE, kind: type[FakePlace] = FakePlace) -> None:
        self.world = world
        namespace = f"fake-{world.number}"
        self.rail = kind(capabilities=replace(offers, receipt_namespace=namespace))
        code = f"fake_place_{world.number}"
        for process in (world.web, world.worker, world.operator):
            rails = process.lines_.rails
            assert isinstance(rails, dict)
            rails[code] = self.rail.registration(code, "mpesa_paybill")
        self.line = world.operator.desk.add_connection(
            code, "Place", world.rail_float.id, {}, livemode=world.livemode, act=ACT
        )
        world.operator.money_in.register(self.line.id, ACT)
        self.addresses = self.rail.registered[-1]
        self.house = Call(business_id=HOUSE, livemode=world.livemode)

    def confirm(self, payment: Json, *, call: Call | None = None) -> Json:
        """Say that the shopper will pay there."""
        command = Confirmation(payment_id=decode(Prefix.PAYMENT, payment["id"]), method="mpesa_paybill", phone=None)
        shown = self.world.web.payments.confirm(command, call or self.world.call)
        self.world.settle()
        return shown

    def post(self, incoming: Incoming, to: ReplyTo, *, peer: str = "127.0.0.1") -> bytes:
        """The provider posts; gives what it is answered."""
        tag, secret = to.url.split("/")[-2:]
        body, _ = self.world.web.use_cases.receive_callback(tag, secret, body=incoming.body, headers={}, peer=peer)
        self.world.settle()
        return body

    def announce(self, one: MoneyIn, *, peer: str = "127.0.0.1") -> None:
        """The confirmation of a sum."""
        self.post(self.rail.announcement(one), self.addresses.announced, peer=peer)

    def answer(self, one: MoneyIn) -> None:
        """The answer to the last question about it, if one was put."""
        for question in self.rail.asked[::-1]:
            if question.receipt_number == one.receipt_number:
                self.post(self.rail.answer(one), question.reply_to)
                return

    def pull(self) -> None:
        """Read the history now."""
        self.world.run("connection.pull", self.line.id, self.house)
        self.world.settle()

    def proved(self, units: int, reference: str | None) -> MoneyIn:
        """A sum that came in and shows in the history."""
        one = self.rail.paid(units, reference)
        self.pull()
        return one

    def loose(self) -> list[Json]:
        """What of this place is in suspense."""
        found = self.world.operator.money_in.receipts.unmatched(livemode=self.world.livemode, limit=10_000)
        numbers = {one.receipt_number for one in self.rail.money}
        own = self.world.rows(
            "SELECT id FROM gateway.receipt WHERE float_id = :f AND payment_id IS NULL", f=self.world.rail_float.id
        )
        ids = {row[0] for row in own}
        return [r for r in found if decode(Prefix.RECEIPT, r["id"]) in ids and r["receipt_number"] in numbers]

    def record_id(self, one: MoneyIn) -> UUID:
        """Its record's id."""
        found: UUID = self.world.value(
            "SELECT id FROM gateway.external_record WHERE receipt_namespace = :s AND receipt_number = :n",
            s=one.receipt_namespace,
            n=one.receipt_number,
        )
        return found
