"""The operator's acts: each with a reason and an audit row, and a person's word where no provider gives one."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.application.interfaces import Json
from gateway.application.operators import Act
from gateway.application.resolutions import Word
from gateway.application.sandbox_seed import BUSINESS, FUNDING_UNITS, SeedSandbox, Wanted
from gateway.domain.errors import Conflict, Invalid, NotFound
from gateway.domain.ledger import Journal, Kind, Leg, bucket, float_
from ports import errors
from ports.callback import Door, Incoming
from ports.errors import OutcomeUnknown
from tests.application.harness import ACT, World, broken, id_of


def audited(world: World) -> list[str]:
    return [row[0] for row in world.rows("SELECT action FROM gateway.audit ORDER BY id")]


def resolve(world: World, payment: Json, receipt_number: str | None) -> Json:
    return world.operator.resolve_payment(id_of(payment), Word(receipt_number=receipt_number), ACT)


def lost(world: World) -> Json:
    """A payment whose prompt's answer was lost: nobody can be asked."""
    world.rail.on_start(OutcomeUnknown("silence"))
    return world.prompted()


@pytest.mark.parametrize(
    ("word", "status", "balance"),
    [("ST1", "succeeded", {"available": 147_750}), (None, "requires_payment_method", {})],
)
def test_a_statement_settles_an_unresolved_payment(
    world: World, word: str | None, status: str, balance: dict[str, int]
) -> None:
    payment = lost(world)
    world.advance(25 * 3600)
    assert resolve(world, payment, word)["status"] == status
    assert world.balance() == balance
    assert audited(world)[-1] == "payment.resolve"
    with pytest.raises(Conflict):
        resolve(world, payment, None)


def test_a_statement_that_does_not_show_it_outweighs_a_callback(world: World) -> None:
    payment = world.prompted()
    reference = world.reference(payment)
    told = world.rail.pay(reference)
    world.rail.of(reference)[-1].code = "waiting"
    world.call_back(told, world.rail.started[-1].reply_to)
    world.settle()
    assert resolve(world, payment, None)["status"] == "requires_payment_method"
    assert world.attempt(payment)["status"] == "failed"


def test_a_statement_that_shows_a_failed_try_s_money_books_it(world: World) -> None:
    payment = world.prompted()
    world.call_back(world.rail.fail(world.reference(payment)), world.rail.started[-1].reply_to)
    world.settle()
    assert resolve(world, payment, "ST9")["status"] == "succeeded"
    assert world.balance() == {"available": 147_750}


def test_what_nobody_made_cannot_be_settled(world: World) -> None:
    for settle in (world.operator.resolve_payment, world.operator.resolve_payout):
        with pytest.raises(NotFound):
            settle(world.business.id, Word(receipt_number=None), ACT)


def test_an_unknown_word_of_the_provider_s_is_told_to_a_person(world: World) -> None:
    world.paid()
    payment, payout = world.prompted(), world.payout()
    world.settle()
    world.rail.of(world.reference(payment))[-1].code = "novelty"
    world.advance(31)
    world.channel.of(world.reference(payout))[-1].code = "novelty"
    bundle = world.channel.submitted[-1]
    world.call_back(world.channel.result(bundle.id), bundle.instructions[0].reply_to)
    world.settle()
    assert world.alerts() == ["unrecognised_word"] * 2
    assert (world.see(payment)["status"], world.see(payout)["status"]) == ("requires_action", "in_transit")


def test_a_reason_is_never_left_out() -> None:
    with pytest.raises(Invalid) as refused:
        Act(actor="otieno", reason="  ")
    assert refused.value.code == "reason_required"


def test_every_act_leaves_an_audit_row(world: World) -> None:
    desk = world.operator.desk
    world.run_sql("TRUNCATE gateway.audit")
    business = world.add_business()
    desk.open_business(business.id, ACT, payments=True, payouts=False)
    key, secret = desk.issue_key(business, livemode=True, name="till", act=ACT)
    desk.pause_connection(world.rail_line.id, ACT)
    desk.resume_connection(world.rail_line.id, ACT)
    world.fund(500)
    assert audited(world) == [
        "business.create",
        "fee_schedule.create collect",
        "fee_schedule.create payout",
        "business.open payments=True payouts=False",
        "api_key.create",
        "connection.pause",
        "connection.resume",
        audited(world)[-1],
    ]
    assert audited(world)[-1].startswith("float.record ticket-")
    assert secret.startswith("sk_live_")
    assert (len(secret), key.last4) == (48, secret[-4:])


@pytest.mark.parametrize("tag", ["A", "TOOLONG", "abc", "A1", "ÄÖ"])
def test_a_shop_tag_is_capital_letters(world: World, tag: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.operator.desk.add_business(world.platform_id, "Duka", tag, ACT)
    assert refused.value.code == "shop_tag_invalid"


def test_a_settlement_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        world.operator.desk.add_business(world.platform_id, "Duka", "DUKA", ACT, settlement="T+99")
    assert refused.value.code == "settlement_invalid"


def test_money_moves_between_our_own_floats_once_a_ticket(world: World) -> None:
    desk = world.operator.desk
    for _ in range(2):
        desk.record_move(
            world.channel_float.id,
            world.rail_float.id,
            30_000,
            livemode=False,
            act=ACT,
            ticket=f"portal-{world.number}",
        )
    assert world.float_units(world.rail_float.id) == 30_000
    assert world.float_units(world.channel_float.id) == 100_000_000 - 30_000


@pytest.mark.parametrize(("units", "same", "code"), [(0, False, "amount_invalid"), (500, True, "same_float")])
def test_a_move_that_is_none_is_refused(world: World, units: int, same: bool, code: str) -> None:
    source = world.rail_float.id if same else world.channel_float.id
    with pytest.raises((Invalid, Conflict)) as refused:
        world.operator.desk.record_move(source, world.rail_float.id, units, livemode=False, act=ACT, ticket="t")
    assert refused.value.code == code  # type: ignore[union-attr]


def test_an_overview_names_what_there_is(world: World) -> None:
    world.operator.desk.pause_connection(world.rail_line.id, ACT)
    seen = world.operator.desk.overview()
    assert any(line.endswith(world.business.name) for line in seen["businesses"])
    assert any(f"{world.rail_code} Rail paused" in line for line in seen["connections"])
    assert {"platforms", "floats", "alerts"} <= set(seen)


def test_the_sandbox_is_seeded_once_and_its_configuration_refreshed(world: World) -> None:
    seed = SeedSandbox(desk=world.operator.desk, directory=world.operator.directory)
    wanted = (
        Wanted(code=f"seed_rail_{world.number}", title="Rail", float_title="In", config={"url": "http://one"}),
        Wanted(
            code=f"seed_channel_{world.number}",
            title="Channel",
            float_title="Out",
            config={"url": "http://one"},
            funding_units=FUNDING_UNITS,
        ),
        Wanted(
            code=f"seed_place_{world.number}",
            title="Place",
            shares_float_with=f"seed_rail_{world.number}",
            config={"url": "http://one"},
        ),
    )
    first, lines = seed("sk_test_" + "a" * 40, wanted)
    counts = len(world.operator.directory.businesses()), len(world.operator.directory.connections())
    second, again = seed("sk_test_" + "a" * 40, wanted)
    assert (first.id, first.name) == (second.id, BUSINESS)
    assert counts == (len(world.operator.directory.businesses()), len(world.operator.directory.connections()))
    there = {c.code: c for c in world.operator.directory.connections()}
    assert there[wanted[0].code].version == 2
    assert there[wanted[0].code].float_id == there[wanted[2].code].float_id != there[wanted[1].code].float_id
    assert lines[wanted[2].code] == again[wanted[2].code] == there[wanted[2].code].id
    assert world.float_units(there[wanted[1].code].float_id) == FUNDING_UNITS


# The books, through their one door


def test_the_ledger_s_door_posts_alone_or_together_and_reads_what_moved(world: World) -> None:
    world.paid()
    ledger = world.operator.use_cases.ledger
    available = bucket(world.business.id, "available")

    def journal(number: int, units: int) -> Journal:
        return Journal(
            key=f"test:{world.number}:{number}",
            kind=Kind.RECEIPT_BOOKED,
            livemode=False,
            business_id=world.business.id,
            effective_at=world.now,
            legs=(Leg(debit=float_(world.rail_float.id), credit=available, units=units),),
        )

    ledger.open_accounts([available], livemode=False)
    assert ledger.post_now(journal(1, 100)).replayed is False
    assert ledger.post_now(journal(1, 100)).replayed is True
    assert [p.replayed for p in ledger.post_many([journal(1, 100), journal(2, 50)])] == [True, False]
    with world.worker.units(world.call.scope) as work:
        ledger.post(work, journal(3, 7))
    assert ledger.balances(world.business.id, livemode=False)["KES"]["available"] == 147_750 + 157
    entries = ledger.entries(world.business.id, livemode=False, limit=2)
    assert [(e.change, e.after) for e in entries] == [(7, 147_907), (50, 147_900)]
    older = ledger.entries(world.business.id, livemode=False, before=entries[-1].uid)
    assert older[0].change == 100
    worker = world.worker.use_cases.ledger
    assert worker.drain() > 0
    assert worker.drain() == 0
    assert broken(ledger.check()) == []


def test_a_callback_by_a_wrong_door_is_still_read_with_care(world: World) -> None:
    payment = world.prompted()
    told = Incoming(body=b'{"id": "fake-1"}', door=Door.CALL)
    world.call_back(told, world.rail.started[-1].reply_to)
    world.settle()
    assert world.see(payment)["status"] == "requires_action"


@pytest.mark.parametrize("error", ["BadSignature", "Misconfigured", "fault KeyError"])
def test_a_callback_that_cannot_be_read_says_why_and_moves_nothing(
    world: World, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = world.prompted()
    told = world.rail.pay(world.reference(payment))
    fault = KeyError("a bug") if error.startswith("fault") else getattr(errors, error)("no")

    def unreadable(_: Incoming) -> Any:
        raise fault

    monkeypatch.setattr(world.rail, "read_callback", unreadable)
    world.call_back(told, world.rail.started[-1].reply_to)
    world.settle()
    verdict = world.value("SELECT verdict FROM gateway.provider_callback WHERE business_id = :b", b=world.business.id)
    assert verdict == {"BadSignature": "bad_signature", "Misconfigured": "misconfigured"}.get(error, error)
    assert world.see(payment)["status"] == "requires_action"
    assert world.run("callback.weigh", last_callback(world)) is None


def last_callback(world: World) -> Any:
    return world.value("SELECT id FROM gateway.provider_callback WHERE business_id = :b", b=world.business.id)
