"""Lines about money that left, came back or was taken back; and the provider's own CSV, whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.application.interfaces import Json
from gateway.application.refunds import NewRefund
from plugins.mpesa.statement import read_statement
from ports.errors import OutcomeUnknown, Refused
from ports.report import Failure, FailureKind, Grade, Report, Status
from ports.statement import LineKind
from tests.application.harness import FREE, FUNDED, World, id_of, kes
from tests.application.payouts import answer, record, result, sent
from tests.application.places import Place
from tests.application.statement_files import Files, collection, line, when
from tests.fakes.refunds import FAILURES, FAKE_PARTS, FAKE_REFUNDING

MakeWorld = Callable[..., World]


@pytest.fixture
def files(world: World) -> Files:
    """Statements of the account that payouts leave from; the business has money to pay out."""
    world.paid(1_000_000)
    return Files(world, on_payouts=True)


def told_paid(world: World, payout: Json, minutes: int = 0) -> None:
    """The provider pays it, posts the result and answers the question that it woke."""
    world.channel.pay(world.reference(payout), happened_at=when(minutes))
    result(world)
    answer(world)
    assert world.see(payout)["status"] == "paid"


def paid_out(world: World, minutes: int = 0) -> Json:
    payout = sent(world)
    told_paid(world, payout, minutes)
    return payout


# Payouts ----------------------------------------------------------------------------------------------------------


def test_a_payout_that_the_books_have_is_matched_by_its_number(files: Files, world: World) -> None:
    payout = paid_out(world)
    number = world.see(payout)["receipt_number"]
    held = world.float_units(files.float_id)
    shown = files.import_lines(line(LineKind.PAYOUT, number, 50_000))
    (one,) = files.lines(shown)
    assert (one["outcome"], one["matched"]) == ("matched", payout["id"])
    assert world.float_units(files.float_id) == held == FUNDED - 50_000
    assert files.alerts(shown) == []


def test_a_payout_whose_number_only_weak_news_told_is_proved_paid(files: Files, world: World) -> None:
    payout = sent(world)
    weak = Report(status=Status.SUCCEEDED, grade=Grade.SOLICITED, receipt_number="PW00000001", amount=kes(50_000))
    record(world, payout, weak)
    assert world.see(payout)["status"] == "in_transit"
    shown = files.import_lines(line(LineKind.PAYOUT, "PW00000001", 50_000))
    seen = world.see(payout)
    assert (seen["status"], seen["receipt_number"]) == ("paid", "PW00000001")
    assert files.outcomes(shown) == ["matched"]
    assert world.float_units(files.float_id) == FUNDED - 50_000


def test_an_unknown_payout_is_proved_paid_by_our_reference_on_the_line(files: Files, world: World) -> None:
    world.channel.on_submit(OutcomeUnknown("no answer"))
    payout = world.payout()
    world.settle()
    assert world.see(payout)["status"] == "unknown"
    shown = files.import_lines(line(LineKind.PAYOUT, "PU00000001", 50_000, reference=world.reference(payout)))
    assert world.see(payout)["status"] == "paid"
    assert files.outcomes(shown) == ["matched"]


def test_money_that_left_without_an_order_is_unmatched_and_told(files: Files, world: World) -> None:
    shown = files.import_lines(line(LineKind.PAYOUT, "NO00000001", 50_000))
    assert files.outcomes(shown) == ["unmatched"]
    assert files.alerts(shown) == ["payout_unordered"]
    assert world.float_units(files.float_id) == FUNDED
    assert [one["row"] for one in files.lines(shown, unmatched=True)] == [1]


def test_a_line_is_matched_once_its_payout_s_number_is_learnt(files: Files, world: World) -> None:
    payout = sent(world)
    shown = files.import_lines(line(LineKind.PAYOUT, "FP00000001", 50_000))
    assert files.outcomes(shown) == ["unmatched"]
    told_paid(world, payout)
    assert world.see(payout)["receipt_number"] == "FP00000001"
    (one,) = files.lines(shown)
    assert (one["outcome"], one["matched"]) == ("matched", payout["id"])


def test_another_sum_than_the_order_s_is_a_conflict_and_books_nothing(files: Files, world: World) -> None:
    payout = sent(world)
    weak = Report(status=Status.SUCCEEDED, grade=Grade.SOLICITED, receipt_number="AS00000001", amount=kes(50_000))
    record(world, payout, weak)
    shown = files.import_lines(line(LineKind.PAYOUT, "AS00000001", 60_000))
    assert files.outcomes(shown) == ["conflict"]
    assert "statement_conflict" in files.alerts(shown)
    assert world.see(payout)["status"] == "in_transit"
    assert world.alerts() == ["payout_contradiction"]


def test_a_second_number_for_one_order_is_a_conflict(files: Files, world: World) -> None:
    payout = paid_out(world)
    shown = files.import_lines(line(LineKind.PAYOUT, "SN00000009", 50_000, reference=world.reference(payout)))
    assert files.outcomes(shown) == ["conflict"]
    assert world.float_units(files.float_id) == FUNDED - 50_000


def test_a_payout_booked_as_failed_and_on_the_statement_is_a_person_s_case(files: Files, world: World) -> None:
    payout = sent(world)
    failed = Failure(kind=FailureKind.DESTINATION_INVALID)
    record(world, payout, Report(status=Status.FAILED, grade=Grade.ANSWER, failure=failed))
    world.settle()
    assert world.see(payout)["status"] == "failed"
    shown = files.import_lines(line(LineKind.PAYOUT, "BF00000001", 50_000, reference=world.reference(payout)))
    assert files.outcomes(shown) == ["conflict"]
    assert world.see(payout)["status"] == "failed"
    assert world.alerts() == ["payout_contradiction"]


def test_paid_payouts_of_the_period_that_no_line_shows_are_missing(files: Files, world: World) -> None:
    payouts = [paid_out(world, minutes) for minutes in (0, 0, 55)]
    numbers = [world.see(payout)["receipt_number"] for payout in payouts]
    shown = files.import_lines(line(LineKind.PAYOUT, numbers[0], 50_000))
    # The third was paid so near the period's end that its line may stand on the next statement.
    assert [m["payout"] for m in files.show(shown)["missing"]] == [payouts[1]["id"]]
    assert files.alerts(shown) == ["payouts_missing"]
    files.import_lines(line(LineKind.PAYOUT, numbers[1], 50_000))
    assert files.show(shown)["missing"] == []


def test_a_payout_that_came_back_is_returned(files: Files, world: World) -> None:
    payout = paid_out(world)
    number = world.see(payout)["receipt_number"]
    shown = files.import_lines(
        line(LineKind.RETURN, "RT00000001", 50_000, original_receipt=number, happened_at=when(5)),
        line(LineKind.PAYOUT, number, 50_000),
        line(LineKind.RETURN, "RT00000002", 50_000, original_receipt="NOBODY0001"),
        line(LineKind.RETURN, "RT00000003", 50_000),
    )
    assert world.see(payout)["status"] == "returned"
    assert files.outcomes(shown) == ["matched", "matched", "open", "unmatched"]
    assert world.float_units(files.float_id) == FUNDED
    world.advance(5_000)
    assert files.outcomes(shown) == ["matched", "matched", "unmatched", "unmatched"]
    assert files.alerts(shown) == ["statement_unmatched"]
    assert files.show(shown)["status"] == "settled"


# Reversals and refunds --------------------------------------------------------------------------------------------


@pytest.fixture
def refunding(make_world: MakeWorld) -> World:
    return make_world(rail_offers=FAKE_PARTS, collect=FREE)


def test_a_reversal_by_the_provider_s_desk_is_owed(refunding: World) -> None:
    world, files = refunding, Files(refunding)
    payment = world.paid()
    number = world.see(payment)["receipts"][0]["receipt_number"]
    shown = files.import_lines(line(LineKind.REVERSAL, "RX00000001", 150_000, original_receipt=number))
    assert world.alerts() == ["payment_reversed"]
    assert world.float_units(files.float_id) == 0
    (one,) = files.lines(shown)
    assert (one["outcome"], one["matched"]) == ("matched", payment["id"])


def test_our_own_refund_is_proved_by_its_line(refunding: World) -> None:
    world, files = refunding, Files(refunding)
    payment = world.paid()
    number = world.see(payment)["receipts"][0]["receipt_number"]
    refund = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), world.call)
    world.settle()
    assert world.see(refund)["status"] == "submitted"
    shown = files.import_lines(line(LineKind.REVERSAL, "RO00000001", 150_000, original_receipt=number))
    assert world.see(refund)["status"] == "succeeded"
    assert world.alerts() == []
    (one,) = files.lines(shown)
    assert (one["outcome"], one["matched"]) == ("matched", refund["id"])


def test_a_refund_that_went_as_a_payout_is_proved_by_its_line(make_world: MakeWorld) -> None:
    world = make_world(rail_offers=FAKE_REFUNDING, collect=FREE)
    files, payment = Files(world, on_payouts=True), world.payment()
    world.confirm(payment)
    world.settle()
    world.call_back(world.rail.pay(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    world.rail.on_refund(Refused(FAILURES["too_old"]))
    refund = world.web.refunds.create(NewRefund(payment_id=id_of(payment)), world.call)
    world.settle()
    world.advance(31)
    (instruction,) = world.channel.submitted[-1].instructions
    assert world.see(refund)["status"] == "submitted"
    shown = files.import_lines(line(LineKind.PAYOUT, "RP00000001", 150_000, reference=instruction.reference))
    assert world.see(refund)["status"] == "succeeded"
    (one,) = files.lines(shown)
    assert (one["outcome"], one["matched"]) == ("matched", refund["id"])
    assert world.float_units(files.float_id) == FUNDED - 150_000


def test_a_reversal_waits_for_its_receipt_and_not_for_ever(refunding: World) -> None:
    world, files = refunding, Files(refunding)
    early = files.import_lines(
        line(LineKind.REVERSAL, "RW00000001", 150_000, original_receipt="RW00000002"),
        line(LineKind.REVERSAL, "RW00000003", 150_000, original_receipt="RW00000004"),
        line(LineKind.REVERSAL, "RW00000005", 150_000),
    )
    assert files.outcomes(early) == ["open", "open", "unmatched"]
    payment = world.payment()
    place = Place(world)
    place.confirm(payment)
    files.import_lines(collection("RW00000002", reference=world.reference(payment)))
    assert world.see(payment)["status"] == "succeeded"
    world.advance(700)
    assert files.outcomes(early) == ["matched", "open", "unmatched"]
    assert "payment_reversed" in world.alerts()
    world.advance(4_000)
    assert files.outcomes(early) == ["matched", "unmatched", "unmatched"]
    assert files.show(early)["status"] == "settled"


# The provider's own file ------------------------------------------------------------------------------------------

HEAD = """Organization Statement,,,
Short Code:,400200,Account:,Utility Account
Time Period:,From 2026-11-24 00:00:00 To 2026-11-24 23:59:59,,
Opening Balance:,"0.00",Closing Balance:,"{closing}"

Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,\
Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.
"""


def csv_row(number: str, details: str, *, came: str = "", left: str = "", **more: str) -> str:
    cells = (
        f'{number},2026-11-24 10:15:30,,{details},{more.get("status", "Completed")},"{came}","{left}",,true,'
        f"{more.get('reason', '')},{more.get('other', '')},{more.get('linked', '')},{more.get('account', '')}"
    )
    return cells + "\n"


def test_a_day_of_a_paybill_from_its_own_csv(refunding: World) -> None:
    world = refunding
    world.channel_float = world.rail_float
    files, place = Files(world, read_by=read_statement), Place(world)
    known = world.paid()
    known_number = world.see(known)["receipts"][0]["receipt_number"]
    reversed_ = world.paid(40_000)
    reversed_number = world.see(reversed_)["receipts"][0]["receipt_number"]
    refunded = world.paid(30_000)
    refunded_number = world.see(refunded)["receipts"][0]["receipt_number"]
    refund = world.web.refunds.create(NewRefund(payment_id=id_of(refunded)), world.call)
    world.settle()
    world.rail.on_start(OutcomeUnknown("no answer"))
    unknown = world.prompted(20_000)
    at_place = world.payment(60_000)
    place.confirm(at_place)
    content = "".join(
        [
            HEAD.format(closing="2,797.00"),
            csv_row(known_number, "Pay Bill Online", came="1,500.00", other="254712345678 - JANE DOE"),
            csv_row(reversed_number, "Pay Bill Online", came="400.00"),
            csv_row(refunded_number, "Pay Bill Online", came="300.00"),
            csv_row("QKA1B2C3D4", "Pay Bill Online", came="200.00", account=world.reference(unknown)),
            csv_row("QKA1B2C3D5", "Pay Bill", came="600.00", account=world.reference(at_place).lower()),
            csv_row("QKA1B2C3D6", "Pay Bill", came="700.00", account="0712345678"),
            csv_row("QKA1B2C3D7", "Pay Bill", came="900.00", status="Declined"),
            csv_row("QKA1B2C3D5", "Pay Bill Charge", left="-3.00", linked="QKA1B2C3D5"),
            csv_row("QKA1B2C3D8", "Reversal by desk", left="-400.00", linked=reversed_number),
            csv_row("QKA1B2C3D9", "Reversal", left="-300.00", linked=refunded_number),
            csv_row("QKA1B2C3E0", "Business Payment to Customer via API", left="-200.00"),
            csv_row("QKA1B2C3E1", "Organization Settlement Account to Working Account", left="-0.00", came="5.00"),
        ]
    ).encode()
    preview = files.bring_in(content, preview=True)
    assert (preview["account"], preview["account_differs"], preview["new"]) == ("400200", False, 12)
    shown = files.bring_in(content)
    assert files.outcomes(shown) == [
        "booked",
        "booked",
        "booked",
        "booked",
        "booked",
        "suspense",
        "not_completed",
        "booked",
        "matched",
        "matched",
        "unmatched",
        "noted",
    ]
    assert world.see(unknown)["status"] == "succeeded"
    assert world.see(at_place)["status"] == "succeeded"
    assert world.see(refund)["status"] == "succeeded"
    assert "payment_reversed" in world.alerts()
    # What nobody ordered is in no book, and our own five shillings are for a person: the rest agrees to the cent.
    balance = files.show(shown)["balance"]
    assert balance["books"] == 150_000 + 20_000 + 60_000 + 70_000 - 300
    assert balance["difference"] == 279_700 - balance["books"] == -20_000
    assert files.alerts(shown) == ["payout_unordered", "float_differs"]
    told = repr(files.lines(shown)) + repr(files.show(shown))
    assert "0712345678" not in told
    assert "JANE" not in told
