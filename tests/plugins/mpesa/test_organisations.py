"""Paying paybills and tills, moving our own money, names of holders; pushes for tills; ages of credentials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from plugins.mpesa import wire_more
from plugins.mpesa.b2b import MpesaB2b
from plugins.mpesa.payout import MpesaB2c
from plugins.mpesa.rail import MpesaPush
from ports.abilities import FindingState, OwnTransfer
from ports.errors import Misconfigured, OutcomeUnknown, Refused
from ports.money import KES, Money
from ports.payout_channel import Destination, DestinationKind
from ports.report import Status
from tests.fakes.context import MORNING, FakeWorld
from tests.plugins.mpesa.asking import OAUTH, PUSH, STATUS, bundle, collection, question
from tests.plugins.mpesa.papers import (
    B2C_OK,
    PUSH_OK,
    REPLY_TO,
    TOKEN_OK,
    channel_values,
    error,
    parameters,
    posted,
    rail_values,
    result,
)
from tests.plugins.scripted import ScriptedServer, hang_up, reply, scripted_server

B2B, HOLDER = wire_more.B2B_PATH, wire_more.HOLDER_PATH
PAYBILL = Destination(kind=DestinationKind.PAYBILL, account="888880", reference="353353")
TILL = Destination(kind=DestinationKind.TILL, account="600111")


@pytest.fixture
def daraja() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        running.on(OAUTH, reply(200, TOKEN_OK))
        running.on(B2B, reply(200, B2C_OK))
        yield running


@pytest.fixture
def channel(daraja: ScriptedServer) -> MpesaB2b:
    return MpesaB2b.build(channel_values(daraja.url), FakeWorld().context)


def sent(daraja: ScriptedServer) -> dict[str, object]:
    (one,) = daraja.seen_at(B2B)
    return one.json


def test_a_paybill_is_paid_with_its_account(channel: MpesaB2b, daraja: ScriptedServer) -> None:
    (report,) = channel.submit(bundle(destination=PAYBILL)).reports
    assert (report.status, report.provider_reference) == (Status.PENDING, B2C_OK["OriginatorConversationID"])
    body = sent(daraja)
    assert (body["CommandID"], body["PartyB"], body["RecieverIdentifierType"]) == ("BusinessPayBill", 888880, "4")
    assert (body["AccountReference"], body["Amount"]) == ("353353", 10)


@pytest.mark.parametrize("kind", ["2", "4"])
def test_a_till_is_paid_by_the_type_that_is_set(daraja: ScriptedServer, kind: str) -> None:
    chosen = {**channel_values(daraja.url), "till_receiver_type": kind}
    MpesaB2b.build(chosen, FakeWorld().context).submit(bundle(destination=TILL))
    body = sent(daraja)
    assert (body["CommandID"], body["RecieverIdentifierType"]) == ("BusinessBuyGoods", kind)


@pytest.mark.parametrize(
    "destination",
    [
        replace(PAYBILL, reference=None),
        replace(PAYBILL, reference="12345678901234"),
        replace(PAYBILL, reference="A#1"),
        replace(PAYBILL, account="12"),
        Destination(kind=DestinationKind.MPESA_PHONE, account="+254712345678"),
    ],
)
def test_an_account_is_never_cut_and_a_phone_is_no_paybill(
    channel: MpesaB2b, daraja: ScriptedServer, destination: Destination
) -> None:
    with pytest.raises(Refused):
        channel.submit(bundle(destination=destination))
    assert daraja.seen == []


def test_a_lost_answer_is_unknown_and_sent_once(channel: MpesaB2b, daraja: ScriptedServer) -> None:
    daraja.on(B2B, hang_up)
    with pytest.raises(OutcomeUnknown):
        channel.submit(bundle(destination=PAYBILL))
    assert len(daraja.seen_at(B2B)) == 1
    assert channel.look_up(question(None)).asked is False
    assert daraja.seen_at(STATUS) == []


def test_a_question_names_their_id(channel: MpesaB2b, daraja: ScriptedServer) -> None:
    daraja.on(STATUS, reply(200, B2C_OK))
    assert channel.look_up(question("AG_1")).asked is True
    assert daraja.seen_at(STATUS)[0].json["OriginalConversationID"] == "AG_1"


def test_its_result_names_receipt_amount_and_charge(channel: MpesaB2b) -> None:
    told = result(
        "0",
        TransactionID="QKA81LK5CY",
        ResultParameters=parameters(
            DebitAccountBalance="{Amount={CurrencyCode=KES, MinimumAmount=618683, BasicAmount=6186.83}}",
            Amount="190.00",
            DebitPartyAffectedAccountBalance="Working Account|KES|346568.83|6186.83|340382.00|0.00",
            TransCompletedTime="20221110110717",
            DebitPartyCharges="Business Pay Bill Charge|KES|15.00",
            ReceiverPartyPublicName="000000 - Merchant",
            Currency="KES",
        ),
    )
    reading = channel.read_callback(posted(told))
    (report,) = reading.reports
    assert (report.status, report.receipt_number, report.amount) == (
        Status.SUCCEEDED,
        "QKA81LK5CY",
        Money(units=19_000, asset=KES),
    )
    (charge,) = reading.charges
    assert (charge.number, charge.amount) == ("QKA81LK5CY", Money(units=1_500, asset=KES))


def test_our_own_money_moves_between_pockets_we_have(channel: MpesaB2b, daraja: ScriptedServer) -> None:
    transfer = OwnTransfer(
        reference="own-1",
        amount=Money(units=100_000, asset=KES),
        source="working",
        target="utility",
        reply_to=REPLY_TO,
    )
    assert channel.move_own(transfer).status is Status.PENDING
    assert sent(daraja)["CommandID"] == "BusinessTransferFromMMFToUtility"
    for wrong in (replace(transfer, source="utility", target="working"), replace(transfer, target="bulk")):
        with pytest.raises(Refused):
            channel.move_own(wrong)


def test_names_of_holders(channel: MpesaB2b, daraja: ScriptedServer) -> None:
    daraja.on(HOLDER, reply(200, {"ResponseCode": "4000", "ResponseMessage": "Success", "OrganizationName": "KPLC"}))
    assert channel.holder_name(PAYBILL).name == "KPLC"
    daraja.on(HOLDER, reply(200, {"ResponseCode": "4001", "ResponseMessage": "Not found"}))
    assert channel.holder_name(TILL).name is None
    daraja.on(HOLDER, reply(500, error("500.003.1001", "Internal Server Error")))
    with pytest.raises(OutcomeUnknown):
        channel.holder_name(TILL)


def test_a_till_is_prompted_for_by_its_store(daraja: ScriptedServer) -> None:
    daraja.on(PUSH, reply(200, PUSH_OK))
    values = {**rail_values(daraja.url), "kind": "till", "till": "600111"}
    MpesaPush.build(values, FakeWorld().context).start(collection())
    (body,) = (seen.json for seen in daraja.seen_at(PUSH))
    assert (body["TransactionType"], body["BusinessShortCode"], body["PartyB"]) == (
        "CustomerBuyGoodsOnline",
        174379,
        600111,
    )
    for wrong in ({"kind": "till"}, {"till": "600111"}):
        with pytest.raises(Misconfigured, match="/till"):
            MpesaPush.build({**rail_values(daraja.url), **wrong}, FakeWorld().context)


@pytest.mark.parametrize(
    ("days", "state"),
    [(1, FindingState.OK), (75, FindingState.WARNING), (90, FindingState.WRONG), (None, FindingState.WARNING)],
)
def test_the_password_grows_old(days: int | None, state: FindingState) -> None:
    values = channel_values("http://127.0.0.1:9")
    if days is not None:
        values["initiator_password_set_on"] = f"{MORNING - timedelta(days=days):%Y-%m-%d}"
    found = {one.name: one for one in MpesaB2c.build(values, FakeWorld().context).self_check(MORNING)}
    assert found["operator password"].state is state
    assert found["certificate"].state is FindingState.OK


def test_half_an_operator_is_refused() -> None:
    values = {**rail_values("http://127.0.0.1:9"), "initiator_name": "testapi"}
    with pytest.raises(Misconfigured, match="/initiator_password: missing"):
        MpesaPush.build(values, FakeWorld().context)
