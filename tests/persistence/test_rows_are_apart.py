"""Row-level security: with the application's filter gone, another business's rows still aren't there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import true

from gateway.adapters.persistence.request_log import SqlRequestLog
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import LoggedRequest, Page, ProviderExchange, ReplyAddress, Scope
from gateway.application.replays import begin
from gateway.domain.checkout import CheckoutSession
from gateway.domain.errors import NotFound
from gateway.domain.payment_links import LinkUse, PaymentLink
from ports.money import KES
from ports.report import Grade, Report, Status
from tests.persistence.shop import NOW, PHONE, Shop, a_key, new_id
from tests.servers import ROLES

OWNED = (
    "customer",
    "payment",
    "checkout_session",
    "attempt",
    "receipt",
    "payout",
    "payout_attempt",
    "reply_to",
    "provider_call",
    "provider_callback",
    "report",
    "outbox",
    "event",
    "webhook_endpoint",
    "delivery",
    "delivery_try",
    "idempotency_key",
    "alert",
    "webhook_replay",
    "payment_link",
    "link_use",
    "request_log",
)
#: No role but the operator's reads these at all.
CLOSED = ("platform", "api_key", "taken_reference", "phone_prompt", "audit")
POOLED = ("float", "connection")
#: What a role may not read at all, though others may.
UNREAD = {
    "gateway_app": {"reply_to", "alert", *CLOSED},
    "gateway_worker": {"idempotency_key", "alert", "payment_link", "link_use", "request_log", *CLOSED},
    "gateway_read": {
        "customer",
        "reply_to",
        "provider_call",
        "provider_callback",
        "report",
        "outbox",
        "webhook_endpoint",
        "delivery",
        "delivery_try",
        "idempotency_key",
        "alert",
        "fee_schedule",
        "connection",
        "webhook_replay",
        "payment_link",
        "link_use",
        "request_log",
        *CLOSED,
    },
}
SERVED = ("gateway_app", "gateway_worker", "gateway_read")


def fill(shop: Shop, scope: Scope) -> None:
    """One row at least in every table of a business."""
    shop.endpoint(scope)
    payment = shop.payment(scope)
    payout = shop.payout(scope)
    with shop.units()(scope) as work:
        customer = work.customers.by_phone(PHONE, new_id=new_id(), now=NOW)
        work.sessions.add(_session(payment.id, scope), None)
    if scope == shop.a:
        attempt = shop.attempt(payment, customer_id=customer.id)
        shop.receipt(attempt)
        shop.payout_attempt(payout)
        with shop.units()(scope) as work:
            work.attempts.reserve_reference(shop.float_id, "NJERI-AAAAAA")
            work.attempts.take_prompt(PHONE, NOW)
        secret = bytes(32)
        with shop.units("worker")(scope) as work:
            work.replies.add(_reply(shop, scope, attempt.id, secret))
            work.evidence.add_report(
                "attempt", attempt.id, Report(status=Status.PENDING, grade=Grade.ANSWER), None, NOW
            )
            work.evidence.add_exchange(_exchange(shop, attempt.id))
            work.alerts.raise_("x", attempt.id, "look")
            (delivery,), _ = work.deliveries.page(work.endpoints.page(Page())[0][0].id, Page())
        _mark_tried(shop, scope, delivery.id)
        _fill_surface(shop, scope)
        found = shop.web_doors.reply(secret)
        assert found is not None
        assert shop.callbacks.store(found, body=b"{}", headers={}, peer="127.0.0.1")
        shop.keys.begin(shop.call(scope), "k", b"f", object_id=new_id(), keep_days=1)


def _session(payment_id: UUID, scope: Scope) -> Any:
    return CheckoutSession(
        id=new_id(),
        business_id=scope.business_id,
        livemode=scope.livemode,
        created=NOW,
        updated=NOW,
        payment_id=payment_id,
        secret_hash=new_id().bytes * 2,
        success_url=None,
        cancel_url=None,
        expires_at=NOW,
    )


def _reply(shop: Shop, scope: Scope, attempt_id: UUID, secret: bytes) -> ReplyAddress:
    return ReplyAddress(
        id=new_id(),
        secret_hash=secret,
        connection_id=shop.connection_id,
        business_id=scope.business_id,
        livemode=scope.livemode,
        subject_kind="attempt",
        subject_id=attempt_id,
        purpose="start",
        created=NOW,
    )


def _exchange(shop: Shop, attempt_id: UUID) -> ProviderExchange:
    return ProviderExchange(
        id=new_id(),
        subject_kind="attempt",
        subject_id=attempt_id,
        connection_id=shop.connection_id,
        operation="start",
        started_at=NOW,
        ended_at=NOW,
        outcome="pending",
    )


def _fill_surface(shop: Shop, scope: Scope) -> None:
    link = PaymentLink(
        id=new_id(),
        business_id=scope.business_id,
        livemode=scope.livemode,
        created=NOW,
        updated=NOW,
        currency=KES,
        amount_units=100,
        secret_hash=bytes(32),
    )
    use = LinkUse(
        id=new_id(), created=NOW, link_id=link.id, token_hash=bytes(32), session_id=new_id(), payment_id=new_id()
    )
    with shop.units()(scope) as work:
        work.links.add(link, "0" * 32, None)
        work.links.add_use(use, "0" * 32)
        begin(work, work.endpoints.page(Page())[0][0], since=NOW, until=NOW, missed=True)
    note = LoggedRequest(
        id=new_id(), business_id=scope.business_id, livemode=scope.livemode, at=NOW, key_id=None, method="GET",
        route="/v1/payments", status=200, duration_ms=1,
    )  # fmt: skip
    SqlRequestLog(engine=shop.engine("app")).keep([note, note])


def _mark_tried(shop: Shop, scope: Scope, delivery_id: UUID) -> None:
    with shop.units("worker")(scope) as work:
        work.deliveries.save(replace(work.deliveries.get(delivery_id), tries=1, last_status=200, last_tried_at=NOW))


class Looking:
    """A session of one role, with the settings as a test wants them."""

    def __init__(self, shop: Shop, role: str) -> None:
        word = next(word for word, name in ROLES.items() if name == role)
        self.conn = psycopg.connect(shop.database.plain_url(word))

    def count(self, table: str, settings: dict[str, str]) -> int | None:
        """Rows seen; None without the right to look."""
        with self.conn.transaction(force_rollback=True):
            for name, value in settings.items():
                self.conn.execute("SELECT set_config(%s, %s, true)", (name, value))
            ask = sql.SQL(
                "SELECT count(id) FROM gateway.{}"
                if table not in ("taken_reference",)
                else "SELECT count(*) FROM gateway.{}"
            )
            try:
                with self.conn.transaction():
                    row = self.conn.execute(ask.format(sql.Identifier(table))).fetchone()
            except psycopg.errors.InsufficientPrivilege:
                return None
        assert row is not None
        return int(row[0])


@pytest.fixture
def filled(shop: Shop) -> Shop:
    for scope in (shop.a, shop.b, shop.live):
        fill(shop, scope)
    shop.directory.add_key(a_key(shop.platform, shop.a.business_id, "sk_test_1"))
    shop.directory.audit("ops", "business.create", shop.a.business_id, "first", NOW)
    return shop


@pytest.mark.parametrize("role", SERVED)
def test_each_role_sees_its_business_and_mode_alone(filled: Shop, role: str) -> None:
    """Each table × right, wrong, empty and unset settings."""
    a = {"app.business": str(filled.a.business_id), "app.livemode": "false"}
    nothing: tuple[dict[str, str], ...] = (
        {},
        {"app.business": "", "app.livemode": ""},
        {"app.business": a["app.business"]},
        {"app.livemode": "false"},
        {"app.business": a["app.business"], "app.livemode": ""},
        {"app.business": str(new_id()), "app.livemode": "false"},
    )
    looking = Looking(filled, role)
    for table in OWNED:
        rows = looking.count(table, a)
        if table in UNREAD[role]:
            assert rows is None, table
            continue
        assert rows is not None, table
        assert rows >= 1, f"{role} must see its own {table}"
        for settings in nothing:
            assert looking.count(table, settings) == 0, (table, settings)
        live = looking.count(table, {**a, "app.livemode": "true"})
        assert live is not None
        with psycopg.connect(filled.database.plain_url("operator")) as operator:
            row = operator.execute(
                sql.SQL("SELECT count(*) FROM gateway.{} WHERE business_id = %s AND livemode").format(
                    sql.Identifier(table)
                ),
                (filled.a.business_id,),
            ).fetchone()
        assert row == (live,), table
    for table in CLOSED:
        # Web reads keys, of the platform that the transaction names; here none is named.
        unseen = 0 if (role, table) == ("gateway_app", "api_key") else None
        assert looking.count(table, a) == unseen, table
    looking.conn.close()


@pytest.mark.parametrize("role", SERVED)
def test_what_is_shared_is_seen_by_mode_or_by_business(filled: Shop, role: str) -> None:
    looking = Looking(filled, role)
    ours = {"app.business": str(filled.a.business_id), "app.livemode": "false"}
    for table in POOLED:
        if table in UNREAD[role]:
            assert looking.count(table, ours) is None
        else:
            assert looking.count(table, ours) == 1
            assert looking.count(table, {**ours, "app.livemode": "true"}) == 0
            assert looking.count(table, {}) == 0
    assert looking.count("business", ours) == 1
    assert looking.count("business", {**ours, "app.livemode": "true"}) == 1, "one business, both modes"
    assert looking.count("business", {}) == 0
    looking.conn.close()


def test_the_operator_sees_everything(filled: Shop) -> None:
    looking = Looking(filled, "gateway_operator")
    for table in (*OWNED, *POOLED, *CLOSED, "business"):
        assert looking.count(table, {}), table
    looking.conn.close()


def test_the_filter_s_removal_changes_nothing(filled: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Features, E8: a build without the application's filter is still held by the database."""
    with filled.units()(filled.b) as work:
        theirs = work.payments.page(Page())[0][0]
    monkeypatch.setattr(Transaction, "own", lambda *_: true())
    with filled.units()(filled.a) as work:
        found, _ = work.payments.page(Page())
        assert {(p.business_id, p.livemode) for p in found} == {(filled.a.business_id, False)}
        with pytest.raises(NotFound):
            work.payments.get(theirs.id)
        with pytest.raises(Exception, match="in the meantime"):
            work.payments.save(theirs)


def test_no_row_can_be_written_for_another_business(shop: Shop) -> None:
    with psycopg.connect(shop.database.plain_url("app")) as conn:
        conn.execute("SELECT set_config('app.business', %s, true)", (str(shop.a.business_id),))
        conn.execute("SELECT set_config('app.livemode', 'false', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            conn.execute(
                "INSERT INTO gateway.event (id, business_id, livemode, created, type, object_id, sequence, payload)"
                " VALUES (%s, %s, false, now(), 'x', %s, 1, '{}')",
                (new_id(), shop.b.business_id, new_id()),
            )


def test_no_role_of_the_gateway_passes_the_policies(shop: Shop) -> None:
    with psycopg.connect(shop.database.plain_url("owner")) as conn:
        rows = conn.execute(
            "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles"
            " WHERE rolname LIKE 'gateway\\_%' OR rolname = 'ledger_owner'"
        ).fetchall()
        tables = conn.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE nspname = 'gateway' AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchall()
        owners = conn.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'gateway'").fetchall()
        definers = conn.execute(
            "SELECT proname, proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE nspname = 'gateway' AND prosecdef ORDER BY proname"
        ).fetchall()
        public = conn.execute(
            "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE nspname = 'gateway' AND has_function_privilege('public', p.oid, 'EXECUTE')"
        ).fetchall()
    assert len(rows) == 6
    assert not any(mighty for _, mighty in rows)
    assert tables == []
    assert owners == [("gateway_owner",)]
    assert public == []
    # What runs past the policies is this list, each with a fixed search path.
    assert sorted(name for name, _ in definers) == [
        "add_health",
        "awaited_in",
        "backlog_s",
        "balance_asked",
        "claim_due",
        "connection_facts",
        "conversion_of_tx",
        "find_api_key",
        "find_candidate",
        "find_link",
        "find_loose",
        "find_money_out",
        "find_orders",
        "find_origin",
        "find_receipt",
        "find_reference",
        "find_reply",
        "find_session",
        "float_short",
        "float_standing",
        "free_due",
        "held_due",
        "held_on",
        "held_on_at",
        "hurry_balance",
        "is_ambiguous",
        "is_low",
        "is_well",
        "keep_requests",
        "lanes_held",
        "last_price",
        "late_lines",
        "metrics",
        "note_key_use",
        "oldest_due",
        "payouts_missing",
        "platform_event",
        "platform_events",
        "promise_float",
        "promise_pulls",
        "promise_refund",
        "promise_tending",
        "promised_of",
        "reseal",
        "set_lane",
        "settle_alert",
        "settle_degraded",
        "settle_float_alert",
        "settle_known_lines",
        "spend_retry",
        "start_due",
        "statement_conflicts",
        "sweep",
        "sweep_events",
        "sweep_requests",
        "take_prompt",
        "take_receipt",
        "take_reference",
        "tally",
        "wanted_by",
        "watch_floats",
    ]
    assert all("search_path=pg_catalog, pg_temp" in (config or []) for _, config in definers)


def test_web_can_t_read_what_it_doesn_t_need(filled: Shop) -> None:
    with psycopg.connect(filled.database.plain_url("app"), autocommit=True) as conn:
        for statement in (
            "SELECT config FROM gateway.connection",
            "SELECT secret FROM gateway.webhook_endpoint",
            "SELECT previous_secret FROM gateway.webhook_endpoint",
            "INSERT INTO gateway.request_log DEFAULT VALUES",
            "SELECT body FROM gateway.provider_callback",
            "SELECT key_hash FROM gateway.api_key",
            "UPDATE gateway.receipt SET amount_units = 1",
            "DELETE FROM gateway.payment",
            "UPDATE gateway.report SET status = 'succeeded'",
            "INSERT INTO ledger.leg DEFAULT VALUES",
            "UPDATE ledger.balance SET cr = cr + 1",
            "CREATE TABLE gateway.mine (id int)",
            "CREATE TABLE public.mine (id int)",
            "SELECT gateway.claim_due(ARRAY['pay'], ARRAY[1], 4, now())",
            "SET ROLE gateway_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)


@pytest.mark.parametrize("role", ["gateway_app", "gateway_worker", "gateway_operator"])
def test_evidence_is_never_rewritten(filled: Shop, role: str) -> None:
    looking = Looking(filled, role)
    looking.conn.autocommit = True
    for table in (
        "event",
        "report",
        "provider_call",
        "receipt",
        "delivery_try",
        "provider_callback",
        "audit",
        "reply_to",
    ):
        for statement in ("DELETE FROM gateway.{}", "TRUNCATE gateway.{}", "UPDATE gateway.{} SET id = id"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                looking.conn.execute(sql.SQL(statement).format(sql.Identifier(table)))
    looking.conn.close()
