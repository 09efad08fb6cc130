"""What /metrics shows, counted from what happened; and every shipped alert rule, fired by the fact that it is for."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml

from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.tending import SqlTending
from gateway.adapters.system import SystemClock
from gateway.adapters.web.metrics import FAMILIES, exposition
from gateway.domain.ids import Prefix, encode
from gateway.domain.maintenance import Halt
from ports.errors import NotSent
from tests.application.harness import ACT, FUNDED, World, id_of
from tests.docs.papers import DOCS
from tests.docs.promql import Rule, Scrape

GROUPS = yaml.safe_load((DOCS / "alert-rules.yml").read_text())["groups"]
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
#: All that is there by now: ids are made by the machine's clock, a millisecond long.
NOW = timedelta(milliseconds=-2)


def scrape(world: World) -> Scrape:
    """Count what happened, and read what web shows of it."""
    SqlTending(engine=world.worker.engine, clock=UnitClock(system=SystemClock())).tally(NOW)
    return Scrape.read(exposition(world.web.operation.tending()))


def of(found: Scrape, name: str, **labels: str) -> float:
    """The sum of the samples that bear those labels."""
    return sum(v for key, v in found.samples.get(name, {}).items() if labels.items() <= dict(key).items())


def con(world: World, line: Any = None) -> str:
    return encode(Prefix.CONNECTION, (line or world.rail_line).id)


def test_calls_are_counted_once_by_connection_operation_and_outcome(world: World) -> None:
    world.rail.on_start(NotSent("no route", retry_after_s=1))
    world.prompted()
    world.advance(2)
    found = scrape(world)
    calls = {"connection": con(world), "operation": "start"}
    assert of(found, "gateway_provider_calls_total", **calls, outcome="NotSent") == 1
    assert of(found, "gateway_provider_calls_total", **calls, outcome="pending") == 1
    assert of(found, "gateway_provider_call_seconds_count", **calls) == 2
    assert of(found, "gateway_provider_call_seconds_bucket", **calls, le="+Inf") == 2
    again = scrape(world)
    assert of(again, "gateway_provider_calls_total", **calls) == 2
    world.prompted()
    assert of(scrape(world), "gateway_provider_calls_total", **calls) >= 3


def test_floats_are_shown_by_the_books_and_promised(world: World) -> None:
    world.paid(300_000)
    world.payout(50_000)
    world.settle()
    found, name = scrape(world), encode(Prefix.FLOAT, world.channel_float.id)
    assert of(found, "gateway_float_books_units", float=name) == FUNDED
    assert of(found, "gateway_float_promised_units", float=name) == 50_000
    assert of(found, "gateway_float_threshold_units", float=name) == 0


def test_only_names_that_are_explained_are_shown_and_used(world: World) -> None:
    page = (DOCS / "operators.md").read_text()
    for family in FAMILIES:
        assert f"`{family}`" in page, f"{family} isn't explained to operators"
    known = set(FAMILIES) | {f + s for f in FAMILIES for s in ("_bucket", "_sum", "_count")}
    for rule in RULES.values():
        used = set(re.findall(r"gateway_[a-z_]+", rule["expr"]))
        assert used
        assert used <= known
    assert set(scrape(world).samples) <= known


def sql(world: World, text: str, **values: Any) -> None:
    world.run_sql(text, **values)


def calls(world: World, outcome: str, seconds: int, n: int) -> None:
    sql(
        world,
        "INSERT INTO gateway.provider_call (id, business_id, livemode, subject_kind, subject_id, connection_id,"
        " operation, started_at, ended_at, outcome)"
        " SELECT gateway.new_id(), :b, false, 'attempt', :b, :c, 'start', :now,"
        " :now + make_interval(secs => :s), :o FROM generate_series(1, :n)",
        b=world.business.id,
        c=world.rail_line.id,
        now=world.now,
        s=seconds,
        o=outcome,
        n=n,
    )


def requests(world: World, status: int, ms: int, n: int) -> None:
    sql(
        world,
        "INSERT INTO gateway.request_log (id, business_id, livemode, at, method, route, status, duration_ms)"
        " SELECT gateway.new_id(), :b, false, :now, 'POST', '/v1/payments', :s, :ms FROM generate_series(1, :n)",
        b=world.business.id,
        now=world.now,
        s=status,
        ms=ms,
        n=n,
    )


def unknown(world: World) -> None:
    payment = world.prompted()
    sql(
        world,
        "UPDATE gateway.attempt SET state = 'unknown', submitted_at = :at WHERE payment_id = :p",
        at=world.now - timedelta(hours=2),
        p=id_of(payment),
    )


def alert(world: World, kind: str) -> None:
    sql(
        world,
        "INSERT INTO gateway.alert (id, livemode, kind, subject_id, detail, raised_at)"
        " VALUES (gateway.new_id(), false, :k, :s, 'x', :now)",
        k=kind,
        s=world.channel_float.id,
        now=world.now,
    )


def old_balance(world: World) -> None:
    sql(
        world,
        "INSERT INTO gateway.float_balance (connection_id, livemode, pocket, float_id, currency, units, is_owed, at)"
        " VALUES (:c, false, 'x', :f, 'KES', 1, false, :at)",
        c=world.channel_line.id,
        f=world.channel_float.id,
        at=world.now - timedelta(hours=4),
    )


def waiting(world: World, queue: str, kind: str, n: int) -> None:
    sql(
        world,
        "INSERT INTO gateway.outbox (id, business_id, livemode, kind, queue, lease_s, subject_id, due_at)"
        " SELECT gateway.new_id(), :b, false, :k, :q, 60, gateway.new_id(), :at FROM generate_series(1, :n)",
        b=world.business.id,
        k=kind,
        q=queue,
        n=n,
        at=world.now - timedelta(minutes=5),
    )


def live_and_paused(world: World) -> None:
    desk = world.operator.desk
    pocket = desk.add_float("Live", livemode=True, act=ACT)
    line = desk.add_connection(world.rail_code, "Live", pocket.id, {}, livemode=True, act=ACT)
    desk.pause_connection(line.id, ACT)


FACTS = {
    "GatewayProviderFails": lambda w: (calls(w, "pending", 1, 3), calls(w, "OutcomeUnknown", 1, 2)),
    "GatewayProviderSlow": lambda w: calls(w, "pending", 9, 3),
    "GatewayOutcomesUnknown": unknown,
    "GatewayFloatLow": lambda w: w.operator.operation.floats.set_threshold(w.channel_float.id, FUNDED + 1),
    "GatewayFloatDiffers": lambda w: alert(w, "float_differs"),
    "GatewayBalanceOld": old_balance,
    "GatewayWorkLags": lambda w: waiting(w, "pay", "payout.submit", 1),
    "GatewayWebhooksWait": lambda w: waiting(w, "send", "webhook.deliver", 1_001),
    "GatewayConnectionPaused": live_and_paused,
    "GatewayHalted": lambda w: w.operator.operation.windows.halt(Halt.PAYMENTS, ACT, livemode=True),
    "GatewayAlertsOpen": lambda w: alert(w, "payment_conflict"),
    "GatewayApiFails": lambda w: (requests(w, 200, 5, 9), requests(w, 503, 5, 1)),
    "GatewayApiSlow": lambda w: requests(w, 200, 2_000, 2),
}


def quiet(world: World) -> None:
    """What other tests left, put away."""
    for text in (
        "UPDATE gateway.alert SET resolved_at = clock_timestamp() WHERE resolved_at IS NULL",
        "UPDATE gateway.attempt SET state = 'failed' WHERE state IN ('unknown', 'unresolved')",
        "UPDATE gateway.connection SET state = 'active', paused_for = NULL",
        "UPDATE gateway.float SET low_units = NULL",
        "DELETE FROM gateway.float_balance",
        "DELETE FROM gateway.halt",
    ):
        sql(world, text)
    world.forget_open_work()


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_rule_is_silent_until_its_fact_is_there(world: World, name: str) -> None:
    quiet(world)
    expression = RULES[name]["expr"]
    before = scrape(world)
    assert Rule(before=before, after=before).fires(expression) == {}
    try:
        FACTS[name](world)
        assert Rule(before=before, after=scrape(world)).fires(expression) != {}
    finally:
        quiet(world)


def test_no_metrics_at_all_fire_and_every_rule_has_its_fact(world: World) -> None:
    nothing = Scrape(samples={})
    expression = RULES["GatewayMetricsAbsent"]["expr"]
    assert Rule(before=nothing, after=nothing).fires(expression) != {}
    there = scrape(world)
    assert Rule(before=there, after=there).fires(expression) == {}
    assert set(RULES) == {*FACTS, "GatewayMetricsAbsent"}
    for rule in RULES.values():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert re.fullmatch(r"\d+m", rule["for"])
