"""A statement brought in: each file and line once, money in by the one door, charges, what isn't understood."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.application.provider_charges import book_charges
from gateway.application.representations import moment
from gateway.domain.errors import Conflict, Invalid, NotFound
from ports.errors import OutcomeUnknown
from ports.report import ProviderCharge
from ports.statement import LineKind
from tests.application.harness import ACT, World, kes
from tests.application.places import Place
from tests.application.statement_files import Files, collection, line, when


@pytest.fixture
def files(world: World) -> Files:
    return Files(world)


def test_a_preview_shows_what_a_file_holds_and_keeps_nothing(files: Files, world: World) -> None:
    content = files.file(
        collection("PR00000001"),
        collection("PR00000002", 50_000, completed=False),
        line(LineKind.CHARGE, "PR00000001", 2_000),
        line(LineKind.OTHER, "PR00000003", 900, detail="Something new"),
        line(LineKind.CHARGE, "PR00000004", 100, comes_in=True),
        line(LineKind.OWN, "PR00000005", 700_000),
        opening=kes(0),
        closing=kes(148_000),
    )
    shown = files.bring_in(content, preview=True)
    assert "id" not in shown
    assert (shown["account"], shown["account_differs"]) == ("400200", False)
    assert (shown["since"], shown["until"]) == (moment(when(-60)), moment(when(60)))
    assert (shown["opening"], shown["closing"]) == (0, 148_000)
    assert (shown["lines"], shown["new"], shown["known"], shown["not_completed"]) == (6, 6, 0, 1)
    assert shown["kinds"] == [
        {"kind": "collection", "count": 2, "came_in": 150_000, "left": 0},
        {"kind": "charge", "count": 2, "came_in": 100, "left": 2_000},
        {"kind": "own", "count": 1, "came_in": 0, "left": 700_000},
        {"kind": "other", "count": 1, "came_in": 0, "left": 900},
    ]
    assert [(u["row"], u["detail"]) for u in shown["unclear_lines"]] == [(4, "Something new"), (5, "")]
    assert world.value("SELECT count(*) FROM gateway.statement WHERE float_id = :f", f=files.float_id) == 0
    assert world.value("SELECT count(*) FROM gateway.statement_line WHERE float_id = :f", f=files.float_id) == 0


def test_the_same_file_twice_is_refused_and_names_the_first(files: Files) -> None:
    content = files.file(collection("TW00000001"))
    first = files.bring_in(content)
    for preview in (False, True):
        with pytest.raises(Conflict) as caught:
            files.bring_in(content, preview=preview)
        assert caught.value.code == "statement_known"
        assert first["id"] in caught.value.detail


def test_files_that_overlap_bring_in_only_what_is_new(files: Files, world: World) -> None:
    files.import_lines(collection("OV00000001"), collection("OV00000002"))
    held = world.float_units(files.float_id)
    shown = files.import_lines(collection("OV00000002"), collection("OV00000001"), collection("OV00000003"))
    assert (shown["lines"], shown["new"], shown["known"]) == (3, 1, 2)
    assert [one["receipt_number"] for one in files.lines(shown)] == ["OV00000003"]
    assert held == 300_000
    assert world.float_units(files.float_id) == 450_000
    assert files.show(shown)["status"] == "settled"


def test_a_line_that_was_listed_before_it_was_completed_counts_once_it_is(files: Files, world: World) -> None:
    early = files.import_lines(collection("LC00000001", completed=False))
    assert files.outcomes(early) == ["not_completed"]
    assert world.float_units(files.float_id) == 0
    late = files.import_lines(collection("LC00000001"))
    assert (late["new"], files.outcomes(late)) == (1, ["suspense"])
    assert world.float_units(files.float_id) == 150_000


def test_a_file_that_can_t_be_read_is_refused_by_its_row_and_nothing_is_kept(files: Files, world: World) -> None:
    for preview in (True, False):
        with pytest.raises(Invalid, match="row 3: no amount") as caught:
            files.bring_in(b"nonsense", preview=preview)
        assert caught.value.code == "statement_unreadable"
    assert world.value("SELECT count(*) FROM gateway.statement WHERE float_id = :f", f=files.float_id) == 0


def test_another_account_s_statement_is_shown_as_such_and_taken_only_on_demand(files: Files) -> None:
    content = files.file(collection("AC00000001"), account="600000")
    assert files.bring_in(content, preview=True)["account_differs"] is True
    with pytest.raises(Invalid) as caught:
        files.bring_in(content)
    assert caught.value.code == "statement_account"
    assert files.outcomes(files.bring_in(content, any_account=True)) == ["suspense"]


def test_a_connection_that_reads_no_files_says_so(world: World) -> None:
    with pytest.raises(Invalid) as caught:
        world.operator.statements.import_(world.rail_line.id, "x.csv", b"x", ACT)
    assert caught.value.code == "not_supported"
    with pytest.raises(NotFound):
        world.operator.statements.import_(world.business.id, "x.csv", b"x", ACT)


def test_the_file_s_name_and_what_was_typed_show_no_number_of_a_person(files: Files, world: World) -> None:
    content = files.file(collection("NA00000001", reference="0712345678", payer_hint="+2547•••••678"))
    name = "/home/me/0712345678 november.csv"
    shown = world.operator.statements.import_(files.line.id, name, content, ACT)
    assert files.show(shown)["name"] == "…678 november.csv"
    (one,) = files.lines(shown)
    assert (one["reference"], one["payer_hint"]) == ("…678", "+2547•••••678")


# Money in ---------------------------------------------------------------------------------------------------------


def test_a_payment_that_the_books_have_is_booked_once(files: Files, world: World) -> None:
    payment = world.paid()
    number = world.see(payment)["receipts"][0]["receipt_number"]
    before = (world.balance(), world.float_units(files.float_id))
    shown = files.import_lines(collection(number))
    assert (world.balance(), world.float_units(files.float_id)) == before
    (one,) = files.lines(shown)
    assert (one["outcome"], one["matched"]) == ("booked", payment["id"])


def test_an_unknown_push_that_nobody_can_ask_about_is_settled_by_the_statement(files: Files, world: World) -> None:
    world.rail.on_start(OutcomeUnknown("no answer"))
    payment = world.prompted()
    reference = world.reference(payment)
    world.advance(600)
    assert world.see(payment)["outcome_unknown"] is True
    files.import_lines(collection("UN00000001", reference=reference))
    seen = world.see(payment)
    assert (seen["status"], seen["receipts"][0]["receipt_number"]) == ("succeeded", "UN00000001")
    assert world.balance() == {"available": 147_750}


def test_money_at_a_place_is_booked_by_its_reference_or_kept_in_suspense(files: Files, world: World) -> None:
    place, payment = Place(world), world.payment()
    place.confirm(payment)
    shown = files.import_lines(
        collection("PB00000001", reference=world.reference(payment).lower()),
        collection("PB00000002", 70_000, reference="somebody"),
        collection("PB00000003", 90_000),
    )
    assert world.see(payment)["status"] == "succeeded"
    assert files.outcomes(shown) == ["booked", "suspense", "suspense"]
    assert files.lines(shown, unmatched=True)[0]["receipt_number"] == "PB00000002"
    assert world.float_units(files.float_id) == 310_000
    summary = files.show(shown)["summary"]
    assert [(s["outcome"], s["count"], s["came_in"]) for s in summary] == [
        ("booked", 1, 150_000),
        ("suspense", 2, 160_000),
    ]


def test_a_sum_that_the_books_have_otherwise_is_a_conflict(files: Files, world: World) -> None:
    payment = world.paid()
    number = world.see(payment)["receipts"][0]["receipt_number"]
    shown = files.import_lines(collection(number, 140_000))
    assert files.outcomes(shown) == ["conflict"]
    assert "statement_conflict" in files.alerts(shown)
    assert world.see(payment)["amount_received"] == 150_000


def test_two_lines_of_one_number_with_two_sums_are_a_conflict(files: Files, world: World) -> None:
    shown = files.import_lines(collection("TS00000001", 10_000), collection("TS00000001", 20_000))
    assert files.outcomes(shown) == ["conflict", "conflict"]
    assert files.alerts(shown) == ["statement_conflict"]
    assert world.float_units(files.float_id) == 0


# Charges, our own money, what nobody understands ------------------------------------------------------------------


def test_a_charge_is_booked_once_whatever_says_it(files: Files, world: World) -> None:
    first = files.import_lines(line(LineKind.CHARGE, "CH00000001", 2_240))
    assert files.outcomes(first) == ["booked"]
    assert world.float_units(files.float_id) == -2_240
    again = files.import_lines(line(LineKind.CHARGE, "CH00000001", 2_240), collection("CH00000002", 5_000))
    assert (again["known"], world.float_units(files.float_id)) == (1, 2_760)


def test_two_charges_of_one_receipt_in_one_file_are_one_charge(files: Files, world: World) -> None:
    shown = files.import_lines(
        line(LineKind.CHARGE, "CT00000001", 2_000),
        line(LineKind.CHARGE, "CT00000001", 240, detail="Excise duty"),
        line(LineKind.CHARGE, "CT00000001", 240, detail="Excise duty"),
    )
    assert files.outcomes(shown) == ["booked", "booked", "booked"]
    assert world.float_units(files.float_id) == -2_480
    sql = "SELECT count(*) FROM ledger.journal WHERE idem_key LIKE 'charge:%' AND idem_key LIKE '%CT00000001'"
    assert world.value(sql) == 1


def test_another_charge_under_a_known_number_is_a_conflict(files: Files, world: World) -> None:
    files.import_lines(line(LineKind.CHARGE, "CC00000001", 2_000))
    other = files.import_lines(line(LineKind.CHARGE, "CC00000001", 300))
    assert files.outcomes(other) == ["conflict"]
    assert files.alerts(other) == ["statement_conflict"]
    assert world.float_units(files.float_id) == -2_000


@pytest.mark.parametrize(("told", "outcome"), [(2_240, "booked"), (1_000, "conflict")])
def test_a_charge_that_a_callback_told_first_is_the_same_charge(
    files: Files, world: World, told: int, outcome: str
) -> None:
    charge = ProviderCharge(number="CA00000001", amount=kes(told), happened_at=when(0))
    with world.worker.units(files.house.scope, call=files.house) as work:
        book_charges(work, files.float_id, "CA00000001", [charge], livemode=False)
    shown = files.import_lines(line(LineKind.CHARGE, "CA00000001", 2_240))
    assert files.outcomes(shown) == [outcome]
    assert world.float_units(files.float_id) == -told


def test_a_charge_that_a_callback_tells_last_stops_nothing(files: Files, world: World) -> None:
    files.import_lines(line(LineKind.CHARGE, "CL00000001", 2_240))
    charge = ProviderCharge(number="CL00000001", amount=kes(1_000), happened_at=when(0))
    with world.worker.units(files.house.scope, call=files.house) as work:
        book_charges(work, files.float_id, "CL00000001", [charge], livemode=False)
    assert world.float_units(files.float_id) == -2_240


def test_own_money_and_what_isn_t_understood_are_noted_and_move_nothing(files: Files, world: World) -> None:
    shown = files.import_lines(
        line(LineKind.OWN, "OW00000001", 900_000),
        line(LineKind.OTHER, "OW00000002", 100),
        line(LineKind.PAYOUT, "OW00000003", 100, comes_in=True),
        line(LineKind.PAYOUT, "OW00000004", 100, completed=False),
    )
    assert files.outcomes(shown) == ["noted", "noted", "noted", "not_completed"]
    assert world.float_units(files.float_id) == 0
    assert files.show(shown)["status"] == "settled"


# The closing balance ----------------------------------------------------------------------------------------------


def test_the_closing_balance_is_held_against_the_books_of_that_moment(files: Files, world: World) -> None:
    early = files.file(collection("CB00000001"), closing=kes(150_000))
    agreed = files.bring_in(early)
    assert files.show(agreed)["balance"]["difference"] == 0
    assert files.alerts(agreed) == []
    files.import_lines(collection("CB00000002", 40_000, happened_at=when(300)))
    assert files.show(agreed)["balance"]["difference"] == 0  # what came later isn't of that moment
    off = files.bring_in(files.file(collection("CB00000003", 10_000), closing=kes(165_000)))
    balance = files.show(off)["balance"]
    assert (balance["statement"], balance["books"], balance["difference"]) == (165_000, 160_000, 5_000)
    assert files.alerts(off) == ["float_differs"]


def test_a_statement_over_a_channel_s_connection_finds_the_rail_of_its_float(world: World) -> None:
    payouts = Files(world, on_payouts=True)
    lonely = payouts.import_lines(collection("RF00000001"))
    assert payouts.outcomes(lonely) == ["unmatched"]
    assert payouts.alerts(lonely) == ["statement_unmatched"]
    Files(replace_floats(world))
    shared = payouts.import_lines(collection("RF00000002"))
    assert payouts.outcomes(shared) == ["suspense"]


def replace_floats(world: World) -> World:
    """The same world, whose collections land where its payouts leave from."""
    world.rail_float = replace(world.channel_float)
    return world
