"""Settling a statement is killed at every boundary, runs in any order beside other news, and is quick."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.adapters.cli.statements import statement
from gateway.application import statements_settling
from gateway.application.interfaces import Json
from gateway.domain.errors import Busy, Conflict
from gateway.domain.ids import Prefix, decode, encode
from ports.statement import LineKind, StatementLine
from tests.application.harness import World, id_of
from tests.application.payouts import sent
from tests.application.places import Place
from tests.application.processes import Doom, Killed
from tests.application.statement_files import Files, collection, line
from tests.application.test_order_of_news import same_every_time

MakeWorld = Callable[..., World]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that a short file has many boundaries."""
    monkeypatch.setattr(statements_settling, "BATCH", 2)
    monkeypatch.setattr(statements_settling, "BATCHES", 2)
    monkeypatch.setattr(statements_settling, "SINGLE", 2)


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
@pytest.mark.usefixtures("small_batches")
def test_a_worker_that_dies_anywhere_leaves_each_line_to_be_settled_once(make_world: MakeWorld, point: str) -> None:
    died = 0
    # Every other boundary, the others with the other point.
    for times in range(1 + (point == "after_commit"), 60, 2):
        if not _settled_in_spite_of(make_world(), Doom(point, times), f"{point[0].upper()}{times:02d}"):
            break
        died += 1
    assert died > 6, "a statement of this length has more boundaries than that"


def _settled_in_spite_of(world: World, doom: Doom, mark: str) -> bool:
    """A statement in a world of its own, settled by a worker that is killed; gives whether it was."""
    files, place, payment = Files(world), Place(world), world.payment()
    place.confirm(payment)
    lines = [collection(f"{mark}000000{at}", 10_000) for at in range(3)]
    lines.append(collection(f"{mark}PAID001", 150_000, reference=world.reference(payment)))
    lines += [line(LineKind.CHARGE, f"{mark}CHARGE{at}", 100) for at in range(2)]
    lines.append(line(LineKind.PAYOUT, f"{mark}NOBODY1", 7_000))
    lines.append(line(LineKind.REVERSAL, f"{mark}REVERS1", 150_000, original_receipt=f"{mark}PAID001"))
    shown = files.import_lines(*lines, settle=False)
    world.worker.doors.worker.close()
    world.worker = world.process("worker", doom=doom)
    _same_plugins(world)
    try:
        world.run("statement.settle", files.id(shown), files.house)
        world.advance(60)
    except Killed:
        killed = True
    else:
        killed = False
    doom.point = ""
    world.replace_worker()
    _same_plugins(world)
    # What was on its way to the dead worker comes back when its lease runs out.
    world.run_sql("UPDATE gateway.outbox SET lease_until = NULL WHERE done_at IS NULL AND holder IS NULL")
    world.advance(120)
    assert files.outcomes(shown) == ["suspense"] * 3 + ["booked"] * 3 + ["unmatched", "matched"]
    assert files.show(shown)["status"] == "settled"
    assert world.float_units(world.rail_float.id) == 30_000 - 200
    told = world.value("SELECT count(*) FROM gateway.reversal WHERE reversal_number = :n", n=f"{mark}REVERS1")
    assert told == 1
    return killed


def _same_plugins(world: World) -> None:
    """A new worker has the plugins that the test gave the others."""
    mine, others = world.worker.lines_, world.operator.lines_
    assert isinstance(mine.rails, dict)
    mine.rails.update(others.rails)


def test_two_files_that_overlap_and_come_in_at_once_keep_each_line_once(world: World) -> None:
    files = Files(world)
    shared = [collection(f"R{at:09d}", 100 + at) for at in range(200)]
    contents = [files.file(*shared, collection(f"S{who:09d}")) for who in range(2)]
    gate = threading.Barrier(2)
    refused: list[Exception] = []

    def bring_in(content: bytes) -> None:
        gate.wait(10)
        try:
            files.bring_in(content, settle=False)
        except (Conflict, Busy) as fault:
            refused.append(fault)

    threads = [threading.Thread(target=bring_in, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for content in contents:
        with suppress(Conflict):
            files.bring_in(content, settle=False)
    kept = world.value("SELECT count(*) FROM gateway.statement_line WHERE float_id = :f", f=files.float_id)
    counted = world.value("SELECT sum(lines - known) FROM gateway.statement WHERE float_id = :f", f=files.float_id)
    assert (kept, counted) == (202, 202)
    assert len(refused) < 2
    world.forget_open_work()


# Any order --------------------------------------------------------------------------------------------------------

NEWS = ("confirmation", "answer", "history", "first half", "second half", "whole", "again")


@settings(same_every_time, max_examples=12)
@given(news=st.lists(st.tuples(st.sampled_from(NEWS), st.integers(0, 2)), max_size=8))
@example(news=[("second half", 0), ("confirmation", 1), ("first half", 0)])
@example(news=[("history", 0), ("whole", 0), ("confirmation", 0)])
def test_statements_join_the_other_news_in_any_order(world: World, news: list[tuple[str, int]]) -> None:
    before = (world.balance(), world.float_units(world.rail_float.id))
    world.forget_open_work()
    place, files, payment = Place(world), Files(world), world.payment()
    place.confirm(payment)
    tag = encode(Prefix.PAYMENT, id_of(payment))[-8:]
    parts = [
        place.rail.paid(units, world.reference(payment), number=f"{tag}{units}") for units in (50_000, 70_000, 60_000)
    ]
    lines: list[StatementLine] = [
        collection(str(one.receipt_number), one.amount.units if one.amount else 0, reference=one.reference)
        for one in parts
    ]
    lines += [line(LineKind.CHARGE, f"{tag}50000", 500), line(LineKind.OWN, f"{tag}OWN", 9_000)]
    pieces = {"first half": lines[:3], "second half": lines[2:], "whole": lines}
    imported: dict[str, Json] = {}

    def say(word: str, at: int) -> None:
        if word == "confirmation":
            place.announce(parts[at])
        elif word == "answer":
            place.answer(parts[at])
        elif word == "history":
            place.pull()
        elif word in pieces and word not in imported:
            imported[word] = files.import_lines(*pieces[word], settle=False)
            world.settle()
        else:
            for shown in imported.values():
                world.run("statement.settle", files.id(shown), files.house)

    for word, at in [*news, ("whole", 0), ("again", 0)]:
        say(word, at)
    seen = world.see(payment)
    assert (seen["status"], seen["exception_status"], seen["amount_received"]) == ("succeeded", "overpaid", 180_000)
    assert sorted(r["amount"] for r in seen["receipts"]) == [50_000, 60_000, 70_000]
    assert world.float_units(world.rail_float.id) == before[1] + 180_000 - 500
    assert world.balance()["available"] == before[0].get("available", 0) + 147_750
    open_ = world.value(
        "SELECT count(*) FROM gateway.statement_line WHERE float_id = :f AND outcome IS NULL", f=files.float_id
    )
    assert open_ == 0


# How fast ---------------------------------------------------------------------------------------------------------

#: Of a statement's lines, sums that nobody had told of.
NEW_SUMS, LINES = 200, 20_000


def test_twenty_thousand_lines_are_kept_and_settled_in_seconds(world: World, capsys: Any) -> None:
    files = Files(world)
    lines = [collection(f"N{at:09d}", 100 + at) for at in range(NEW_SUMS)]
    lines += [line(LineKind.OWN, f"O{at:09d}", 100 + at) for at in range(LINES - NEW_SUMS)]
    content = files.file(*lines)
    started = time.perf_counter()
    shown = files.bring_in(content, settle=False)
    kept = time.perf_counter() - started
    started = time.perf_counter()
    world.run("statement.settle", files.id(shown), files.house)
    settled = time.perf_counter() - started
    world.advance(30)
    assert files.show(shown)["status"] == "settled"
    # As on the day after: all of it is known to the books.
    world.run_sql("UPDATE gateway.statement_line SET outcome = NULL WHERE statement_id = :s", s=files.id(shown))
    world.run_sql("UPDATE gateway.statement SET state = 'settling' WHERE id = :s", s=files.id(shown))
    started = time.perf_counter()
    world.run("statement.settle", files.id(shown), files.house)
    again = time.perf_counter() - started
    with capsys.disabled():
        print(
            f"\nstatement: kept {LINES / kept:,.0f} lines/s; told {NEW_SUMS} new sums among them in {settled:.1f} s;"
            f" settled what the books know at {LINES / again:,.0f} lines/s"
        )
    assert files.show(shown)["status"] == "settled"
    summary = {(s["kind"], s["outcome"]): s["count"] for s in files.show(shown)["summary"]}
    assert summary == {("collection", "suspense"): NEW_SUMS, ("own", "noted"): LINES - NEW_SUMS}
    assert kept < 30
    assert again < 15


# The command line and the rights ----------------------------------------------------------------------------------


def _command(world: World, *words: str) -> str:
    cli = SimpleNamespace(gateway=lambda _: world.operator)
    done = CliRunner().invoke(statement, list(words), obj=cli, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_commands_show_a_file_before_and_after(world: World, tmp_path: Any) -> None:
    world.paid(1_000_000)
    payout = sent(world)
    files = Files(world, on_payouts=True)
    content = files.file(
        line(LineKind.PAYOUT, "CL00000001", 50_000, reference=world.reference(payout)),
        line(LineKind.PAYOUT, "CL00000002", 1_234_500),
        line(LineKind.OTHER, "CL00000003", 900, detail="Something new"),
        closing=None,
    )
    path = tmp_path / "november.csv"
    path.write_bytes(content)
    where = ("--connection", encode(Prefix.CONNECTION, files.line.id), "--reason", "November")
    shown = _command(world, "import", str(path), "--preview", *where)
    assert "account 400200\n" in shown
    assert "3 lines: 3 new, 0 known from earlier files, 0 not completed, 1 not understood" in shown
    assert "Something new" in shown
    assert shown.endswith("nothing was kept\n")
    kept = _command(world, "import", str(path), *where)
    number = kept.strip().split()[-1]
    assert number.startswith("st_")
    world.advance(15)
    assert number in _command(world, "list")
    told = _command(world, "show", number, "--unmatched")
    assert f"{number} settled: november.csv" in told
    assert [row.split() for row in told.splitlines() if row.startswith("payout")] == [
        ["payout", "matched", "1", "0.00", "500.00"],
        ["payout", "unmatched", "1", "0.00", "12,345.00"],
    ]
    assert "-12,345.00" in told
    assert payout["id"] in _command(world, "show", number, "--kind", "payout")
    actions = world.rows(
        "SELECT action, reason FROM gateway.audit WHERE subject_id = :s", s=decode(Prefix.STATEMENT, number)
    )
    assert [tuple(row) for row in actions] == [("statement.import", "November")]


@pytest.mark.parametrize(
    ("role", "sql"),
    [
        ("read", "SELECT reference FROM gateway.statement_line"),
        ("read", "SELECT name FROM gateway.statement"),
        ("app", "SELECT id FROM gateway.statement_line"),
        ("app", "SELECT gateway.find_money_out(gen_random_uuid(), false, 'x', 'x')"),
        ("worker", "INSERT INTO gateway.statement DEFAULT VALUES"),
        ("worker", "UPDATE gateway.statement_line SET amount_units = 1"),
        ("worker", "DELETE FROM gateway.statement_line"),
        ("operator", "UPDATE gateway.statement_line SET outcome = 'matched'"),
        ("operator", "UPDATE gateway.statement SET state = 'settled'"),
        ("operator", "DELETE FROM gateway.statement"),
    ],
)
def test_lines_are_nobody_s_to_change_and_not_the_reader_s_to_see(world: World, role: str, sql: str) -> None:
    with (
        psycopg.connect(world.engines.database.plain_url(role), autocommit=True) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute(sql)
