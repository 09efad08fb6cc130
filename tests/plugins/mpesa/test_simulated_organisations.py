"""Paybill, till and B2B clients against the simulated M-Pesa: written apart from the same papers, they must agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from plugins.mpesa.b2b import MpesaB2b
from plugins.mpesa.c2b import MpesaCollects
from plugins.sandbox.mpesa import books, control, views
from plugins.sandbox.remote import Body
from ports.abilities import OwnAddresses, OwnTransfer, RefundOrder
from ports.callback import Door, Incoming, Reading
from ports.errors import Refused
from ports.money import KES, Money
from ports.payment_rail import Question
from ports.payout_channel import Destination, DestinationKind
from ports.report import Report, Status
from ports.statement import LineKind
from tests.fakes.context import MORNING
from tests.plugins.mpesa.asking import bundle
from tests.plugins.mpesa.simulated import SimulatedMpesa, simulated

PHONE = "254712345678"


@pytest.fixture
def mpesa(tmp_path: Path) -> Iterator[SimulatedMpesa]:
    with simulated("b2b", tmp_path) as running:
        yield running


def kes(shillings: int) -> Money:
    return Money(units=shillings * 100, asset=KES)


def values(mpesa: SimulatedMpesa, shortcode: str, **more: object) -> dict[str, object]:
    given = mpesa.credentials()
    names = ("consumer_key", "consumer_secret", "initiator_name", "initiator_password", "certificate_pem")
    return {**{name: given[name] for name in names}, "base_url": mpesa.url, "shortcode": given[shortcode], **more}


@pytest.fixture
def paybill(mpesa: SimulatedMpesa) -> MpesaCollects:
    more = {"nominated_number": mpesa.credentials()["nominated_number"]}
    rail = MpesaCollects.paybill(values(mpesa, "shortcode", **more), mpesa.world.context)
    rail.register(OwnAddresses(announced=mpesa.reply_to("announced"), validation=None))
    return rail


@pytest.fixture
def channel(mpesa: SimulatedMpesa) -> MpesaB2b:
    return MpesaB2b.build(values(mpesa, "b2b_shortcode"), mpesa.world.context)


def did(mpesa: SimulatedMpesa, path: str, **body: object) -> Body:
    return control.change(mpesa.server.sim, path, body)


def pay(mpesa: SimulatedMpesa, amount: int = 500, **where: object) -> str:
    where = where or {"shortcode": "174379", "account": "shop-7k2m4q"}
    return str(did(mpesa, "pay", phone=PHONE, amount=amount, **where)["receipt"])


def read(
    rail: MpesaCollects | MpesaB2b, mpesa: SimulatedMpesa, name: str, door: Door, *, of_question: bool = False
) -> Reading:
    body = mpesa.posted(name)[-1]
    return rail.read_callback(Incoming(body=body, door=door, of_question=of_question))


def only(reading: Reading) -> Report:
    (report,) = reading.reports
    return report


def test_a_payment_is_announced_and_found_in_history(mpesa: SimulatedMpesa, paybill: MpesaCollects) -> None:
    receipt = pay(mpesa)
    (told,) = only(read(paybill, mpesa, "announced", Door.CONNECTION)).money
    assert (told.receipt_number, told.amount, told.reference) == (receipt, kes(500), "shop-7k2m4q")
    day = timedelta(days=1)
    page = paybill.history(MORNING - day, MORNING + day, None)
    assert [(one.receipt_number, one.amount, one.happened_at) for one in page.money] == [
        (receipt, told.amount, told.happened_at)
    ]
    assert page.next_cursor is not None
    assert paybill.history(MORNING - day, MORNING + day, page.next_cursor).money == ()


def test_registered_twice_in_production_is_refused(mpesa: SimulatedMpesa, paybill: MpesaCollects) -> None:
    did(mpesa, "settings", c2b_once=True)
    with pytest.raises(Refused) as refused:
        paybill.register(OwnAddresses(announced=mpesa.reply_to("announced"), validation=None))
    assert "registered already" in (refused.value.failure.detail or "")


def asked(mpesa: SimulatedMpesa, name: str, *, theirs: str | None = None, receipt: str | None = None) -> Question:
    return Question(
        reference="SHOP-7K2M4Q",
        provider_reference=theirs,
        receipt_number=receipt,
        started_at=MORNING,
        reply_to=mpesa.reply_to(name),
    )


def test_a_receipt_can_be_asked_about(mpesa: SimulatedMpesa, paybill: MpesaCollects) -> None:
    receipt = pay(mpesa)
    paybill.look_up(asked(mpesa, "asked", receipt=receipt))
    mpesa.finish()
    report = only(read(paybill, mpesa, "asked", Door.CALL, of_question=True))
    assert report.status is Status.SUCCEEDED
    assert [(one.receipt_number, one.amount) for one in report.money] == [(receipt, kes(500))]


def refund(mpesa: SimulatedMpesa, rail: MpesaCollects, receipt: str, name: str) -> Report:
    order = RefundOrder(
        reference="REF-1",
        amount=kes(500),
        receipt_number=receipt,
        received=kes(500),
        payer=None,
        text="Returned goods",
        reply_to=mpesa.reply_to(name),
    )
    return rail.refund(order)


def test_a_refund_goes_back_and_can_be_asked_about(mpesa: SimulatedMpesa, paybill: MpesaCollects) -> None:
    receipt = pay(mpesa)
    ordered = refund(mpesa, paybill, receipt, "refund")
    assert ordered.status is Status.PENDING
    mpesa.finish()
    assert only(read(paybill, mpesa, "refund", Door.CALL)).status is Status.SUCCEEDED
    with mpesa.server.sim.look():
        assert books.held(mpesa.server.sim, "174379", "working") == 0
    paybill.look_up_refund(asked(mpesa, "asked", theirs=ordered.provider_reference, receipt=receipt))
    mpesa.finish()
    assert only(read(paybill, mpesa, "asked", Door.CALL, of_question=True)).status is Status.SUCCEEDED


@pytest.mark.parametrize("shape", ["absent", "object", "list"])
def test_too_little_money_is_a_failed_refund(mpesa: SimulatedMpesa, paybill: MpesaCollects, shape: str) -> None:
    did(mpesa, "settings", failure_shape=shape)
    receipt = pay(mpesa)
    did(mpesa, "balances", shortcode="174379", working=0)
    refund(mpesa, paybill, receipt, "refund")
    mpesa.finish()
    assert only(read(paybill, mpesa, "refund", Door.CALL)).status is Status.FAILED


def test_a_till_is_announced_without_a_reference(mpesa: SimulatedMpesa) -> None:
    till = str(mpesa.credentials()["till"])
    rail = MpesaCollects.till(values(mpesa, "store_shortcode", till=till), mpesa.world.context)
    rail.register(OwnAddresses(announced=mpesa.reply_to("till"), validation=None))
    receipt = pay(mpesa, till=till)
    (told,) = only(read(rail, mpesa, "till", Door.CONNECTION)).money
    assert (told.receipt_number, told.reference) == (receipt, None)
    assert refund(mpesa, rail, receipt, "refund").status is Status.PENDING
    mpesa.finish()
    assert only(read(rail, mpesa, "refund", Door.CALL)).status is Status.SUCCEEDED


def test_a_paybill_and_a_till_are_paid(mpesa: SimulatedMpesa, channel: MpesaB2b) -> None:
    places = (
        Destination(kind=DestinationKind.PAYBILL, account="600000", reference="353353"),
        Destination(kind=DestinationKind.TILL, account="600997"),
    )
    for number, place in enumerate(places):
        name = f"paid {number}"
        (ordered,) = channel.submit(bundle(destination=place, reply_to=mpesa.reply_to(name))).reports
        mpesa.finish()
        report = only(read(channel, mpesa, name, Door.CALL))
        assert report.status is Status.SUCCEEDED
        channel.look_up(asked(mpesa, f"asked {number}", theirs=ordered.provider_reference))
        mpesa.finish()
        again = only(read(channel, mpesa, f"asked {number}", Door.CALL, of_question=True))
        assert (again.status, again.receipt_number) == (Status.SUCCEEDED, report.receipt_number)
        holder = channel.holder_name(place)
        assert holder.name == mpesa.server.sim.world.shortcodes[place.account].name


def test_an_unknown_receiver_fails_and_has_no_name(mpesa: SimulatedMpesa, channel: MpesaB2b) -> None:
    place = Destination(kind=DestinationKind.PAYBILL, account="999999", reference="1")
    channel.submit(bundle(destination=place, reply_to=mpesa.reply_to("paid")))
    mpesa.finish()
    assert only(read(channel, mpesa, "paid", Door.CALL)).status is Status.FAILED
    assert channel.holder_name(place).name is None


def test_own_money_moves_and_the_balance_tells_it(mpesa: SimulatedMpesa, channel: MpesaB2b) -> None:
    did(mpesa, "balances", shortcode="600992", working=1000, utility=0, charges=0)
    transfer = OwnTransfer(
        reference="T-1", amount=kes(400), source="working", target="utility", reply_to=mpesa.reply_to("moved")
    )
    channel.move_own(transfer)
    mpesa.finish()
    assert only(read(channel, mpesa, "moved", Door.CALL)).status is Status.SUCCEEDED
    assert channel.balance(mpesa.reply_to("balance")) is None
    mpesa.finish()
    pockets = read(channel, mpesa, "balance", Door.CALL).pockets
    assert pockets is not None
    told = {one.name.lower(): one.balance for one in pockets}
    assert kes(600) in told.values()
    assert kes(400) in told.values()


def test_the_statement_is_understood_row_by_row(mpesa: SimulatedMpesa, paybill: MpesaCollects) -> None:
    first, second = pay(mpesa, 2000), pay(mpesa)
    back = str(did(mpesa, "reverse", receipt=second)["receipt"])
    text = views.read_statement(mpesa.server.sim, {"shortcode": "174379"})
    found = paybill.read_file("statement.csv", text.encode())
    kinds = [(line.receipt_number, line.kind, line.original_receipt) for line in reversed(found.lines)]
    assert kinds == [
        (first, LineKind.COLLECTION, None),
        (first, LineKind.CHARGE, None),
        (second, LineKind.COLLECTION, None),
        (second, LineKind.CHARGE, None),
        (back, LineKind.REVERSAL, second),
    ]
    assert (found.account, found.opening, found.closing) == ("174379", kes(0), kes(1975))
