"""What is found before a business is known: keys, callbacks, sessions; and what the operator keeps."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from gateway.adapters.persistence.models import check_models_match
from gateway.adapters.servers.account import lent_account
from gateway.adapters.servers.binaries import postgres_programs
from gateway.application.interfaces import KeyFound, ReplyAddress, ReplyFound, SessionFound
from gateway.domain.businesses import Business
from gateway.domain.checkout import CheckoutSession
from gateway.domain.connections import ConnectionState
from gateway.domain.errors import Conflict, NotFound
from gateway.domain.fees import FeeSchedule, Settlement, SettlementKind, TaxRule
from tests.persistence.shop import NOW, PHONE, Shop, a_connection, a_key, a_payment, idempotent, new_id


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def test_a_key_is_found_while_it_may_be_used(shop: Shop) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    past = datetime.now(UTC) - timedelta(seconds=1)
    usable = a_key(shop.platform, shop.a.business_id, "sk_test_1", expires_at=soon)
    for key in (
        usable,
        a_key(shop.platform, shop.a.business_id, "expired", expires_at=past),
        a_key(shop.platform, shop.a.business_id, "revoked", revoked_at=past),
        a_key(shop.platform, None, "platform's", livemode=True),
    ):
        shop.directory.add_key(key)
    assert shop.web_doors.api_key(_hash("sk_test_1")) == KeyFound(
        key_id=usable.id,
        platform_id=shop.platform.id,
        business_id=shop.a.business_id,
        livemode=False,
        expires_at=soon,
        acts_for=shop.a.business_id,
    )
    assert shop.web_doors.api_key(_hash("expired")) is None
    assert shop.web_doors.api_key(_hash("revoked")) is None
    assert shop.web_doors.api_key(_hash("unknown")) is None
    platforms = shop.web_doors.api_key(_hash("platform's"))
    assert platforms is not None
    assert (platforms.business_id, platforms.livemode) == (None, True)


def _reply(shop: Shop, secret: str) -> ReplyFound:
    attempt = shop.attempt(shop.payment())
    reply = ReplyAddress(
        id=new_id(),
        secret_hash=_hash(secret),
        connection_id=shop.connection_id,
        business_id=shop.a.business_id,
        livemode=False,
        subject_kind="attempt",
        subject_id=attempt.id,
        purpose="start",
        created=NOW,
    )
    with shop.units("worker")(shop.a) as work:
        work.replies.add(reply)
    return ReplyFound(
        reply_id=reply.id,
        connection_id=shop.connection_id,
        code="mpesa_push",
        tag=shop.connection_id.hex[-8:],
        business_id=shop.a.business_id,
        livemode=False,
        subject_kind="attempt",
        subject_id=attempt.id,
        purpose="start",
        float_id=shop.float_id,
    )


def test_a_callback_is_found_by_its_secret_and_kept_once(shop: Shop) -> None:
    expected = _reply(shop, "s3cret")
    found = shop.web_doors.reply(_hash("s3cret"))
    assert found == expected
    assert shop.web_doors.reply(_hash("other")) is None
    body = b'{"PhoneNumber": 254712345126}'
    assert shop.callbacks.store(expected, body=body, headers={"Content-Type": "application/json"}, peer="127.0.0.1")
    assert not shop.callbacks.store(expected, body=body, headers={}, peer="127.0.0.1")
    assert shop.callbacks.store(expected, body=body + b" ", headers={}, peer="127.0.0.1")
    claimed = [c for c in shop.doors.claim_due({"ask": 10}) if c.kind == "callback.weigh"]
    assert len(claimed) == 2
    bodies = set()
    for due in claimed:
        with shop.units("worker")(due.scope) as work:
            kept = work.evidence.callback(due.subject_id)
            bodies.add(kept.body)
            assert (kept.reply_id, kept.subject_id, kept.weighed) == (expected.reply_id, expected.subject_id, False)
            work.evidence.weighed(due.subject_id, "ask")
            assert work.evidence.callback(due.subject_id).weighed
    assert bodies == {body, body + b" "}


def test_a_session_is_found_by_its_page_s_secret(shop: Shop) -> None:
    payment = shop.payment()
    session = CheckoutSession(
        id=new_id(),
        business_id=shop.a.business_id,
        livemode=False,
        created=NOW,
        updated=NOW,
        metadata={"cart": "9"},
        payment_id=payment.id,
        secret_hash=_hash("page"),
        success_url="https://shop.example/ok",
        cancel_url=None,
        expires_at=NOW + timedelta(minutes=30),
        line_items=(("Ndizi", 100), ("Maembe", 50)),
    )
    call = idempotent()
    with shop.units()(shop.a) as work:
        work.sessions.add(replace(session, id=call.object_id), call)
        assert work.sessions.get(call.object_id) == replace(session, id=call.object_id)
    found = shop.web_doors.session(_hash("page"))
    assert found == SessionFound(session_id=call.object_id, business_id=shop.a.business_id, livemode=False)
    assert shop.web_doors.session(_hash("another")) is None
    second = replace(session, id=new_id(), secret_hash=_hash("other"))
    with pytest.raises(Conflict), shop.units()(shop.a) as work:
        work.sessions.add(second, None)


def test_the_directory_keeps_what_the_operator_says(shop: Shop) -> None:
    extra = Business(
        id=new_id(),
        platform_id=shop.platform.id,
        created=NOW,
        updated=NOW,
        name="Duka",
        shop_tag="DUKA",
        statement_descriptor="DUKA LTD",
        support_contact="help@duka.example",
        settlement=Settlement(kind=SettlementKind.T_PLUS, days=3),
        payments_enabled=True,
        metadata={"tier": "2"},
    )
    shop.directory.add_business(extra)
    assert shop.directory.platforms() == [shop.platform]
    assert extra in shop.directory.businesses()
    assert [f.id for f in shop.directory.floats()] == [shop.float_id]
    (line,) = shop.directory.connections()
    assert (line.id, line.config) == (shop.connection_id, {})
    shop.directory.open_business(extra.id, payments=False, payouts=True, now=NOW)
    changed = next(b for b in shop.directory.businesses() if b.id == extra.id)
    assert (changed.payments_enabled, changed.payouts_enabled, changed.version) == (False, True, 2)
    with pytest.raises(NotFound):
        shop.directory.open_business(new_id(), payments=True, payouts=True, now=NOW)
    with pytest.raises(NotFound):
        shop.directory.set_connection_state(new_id(), paused_for="x", now=NOW)


def test_the_oldest_active_connection_is_taken_and_a_paused_one_is_better_than_none(shop: Shop) -> None:
    younger = a_connection(new_id(), shop.float_id, created=NOW + timedelta(seconds=1))
    live_float = new_id()
    shop.directory.add_connection(younger)

    def line() -> tuple[UUID, ConnectionState] | None:
        with shop.units()(shop.a) as work:
            found = work.connections.for_method(["mpesa_push", "other"])
        return None if found is None else (found.id, found.state)

    assert line() == (shop.connection_id, ConnectionState.ACTIVE)
    with shop.units("worker")(shop.a) as work:
        work.connections.pause(shop.connection_id, "set-up", NOW)
        work.connections.pause(shop.connection_id, "again", NOW)
    assert line() == (younger.id, ConnectionState.ACTIVE)
    shop.directory.set_connection_state(younger.id, paused_for="maintenance", now=NOW)
    assert line() == (shop.connection_id, ConnectionState.PAUSED)
    shop.directory.set_connection_state(shop.connection_id, paused_for=None, now=NOW)
    assert line() == (shop.connection_id, ConnectionState.ACTIVE)
    with shop.units()(shop.live) as work:
        assert work.connections.for_method(["mpesa_push"]) is None
    with shop.units("worker")(shop.a) as work:
        opened = work.connections.get(shop.connection_id)
        assert opened.config == {"passkey": "planted-passkey", "shortcode": 600000}
        assert opened.paused_for is None
        with pytest.raises(NotFound):
            work.connections.get(live_float)


def test_the_price_in_force_is_the_business_s_own_then_everybody_s_then_free(shop: Shop) -> None:
    def price(scope_at: datetime = NOW) -> tuple[UUID, int]:
        with shop.units()(shop.a) as work:
            found = work.businesses.fee_schedule("collect", scope_at)
        return found.id, found.bps

    assert price() == (UUID(int=0), 0)
    schedules = [
        FeeSchedule(id=new_id(), version=n, bps=n, taxes=(TaxRule(code="vat", rate_bps=1600),)) for n in range(1, 5)
    ]
    for schedule, business, days in (
        (schedules[0], None, 9),
        (schedules[1], None, -1),
        (schedules[2], shop.a.business_id, 5),
        (schedules[3], shop.b.business_id, 9),
    ):
        shop.directory.add_fee_schedule(
            schedule, product="collect", business_id=business, effective_from=NOW - timedelta(days=days)
        )
    assert price() == (schedules[2].id, 3)
    assert price(NOW - timedelta(days=6)) == (schedules[0].id, 1)
    with shop.units()(shop.b) as work:
        assert work.businesses.fee_schedule("collect", NOW) == schedules[3]
        assert work.businesses.fee_schedule("payout", NOW).id == UUID(int=0)
        assert work.businesses.get().shop_tag == "OTIEN"


def test_the_same_open_matter_is_one_alert(shop: Shop) -> None:
    subject = new_id()
    for scope in (shop.a, shop.a, shop.b):
        with shop.units("worker")(scope) as work:
            work.alerts.raise_("connection_paused", subject, "set-up")
            work.alerts.raise_("other", None, "x")
    alerts = shop.directory.alerts()
    assert sorted(a["kind"] for a in alerts) == ["connection_paused", "other"]
    assert {a["subject"] for a in alerts} == {str(subject), None}


def test_a_dump_holds_no_phone_and_no_secret(shop: Shop, tmp_path: Path) -> None:
    """Everything personal or secret is planted through its own door, and the dump is searched for it."""
    shop.endpoint(secret="whsec_planted")
    payment = a_payment(shop.a)
    call = idempotent("planted-idempotency-key")
    with shop.units()(shop.a) as work:
        customer = work.customers.by_phone(PHONE, new_id=new_id(), now=NOW, name="Planted Name")
        work.customers.save(replace(customer, email="planted@example.com"))
        work.payments.add(payment, call)
        work.attempts.take_prompt(PHONE, NOW)
    begun = shop.keys.begin(shop.call(), "planted-idempotency-key", b"f", object_id=new_id(), keep_days=1)
    shop.keys.refuse(shop.call(), begun.call, 400, {"url": "https://pay.example/c/planted-capability"})  # type: ignore[union-attr]
    shop.attempt(payment, provider_reference="ws_CO_254712345126")
    payout = shop.payout()
    shop.payout_attempt(payout, provider_reference="AG_254712345126")
    shop.directory.add_key(a_key(shop.platform, shop.a.business_id, "sk_test_planted"))
    found = _reply(shop, "planted-callback-secret")
    shop.callbacks.store(
        found, body=b'{"PhoneNumber":254712345126,"Name":"Planted Name"}', headers={}, peer="127.0.0.1"
    )
    programs = postgres_programs(lent_account(tmp_path))
    pg_dump = programs / "pg_dump"
    if pg_dump.exists():
        dump = subprocess.run([pg_dump, shop.database.plain_url("owner")], capture_output=True, check=True).stdout
    else:
        dump = _copied(shop)
    text = dump.decode()
    # Bytes are written in hex.
    for planted in ("712345126", "lanted", "sk_test_", "600000,"):
        assert planted not in text, planted
        assert planted.encode().hex() not in text, planted
    assert "+2547•••••126" in text


def _copied(shop: Shop) -> bytes:
    """Every table of the schema, as COPY writes it, where the server came without pg_dump."""
    out = b""
    with psycopg.connect(shop.database.plain_url("owner")) as conn:
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'gateway'").fetchall()
        for (table,) in tables:
            with conn.cursor().copy(sql.SQL("COPY gateway.{} TO STDOUT").format(sql.Identifier(table))) as copy:
                for chunk in copy:
                    out += bytes(chunk)
    return out


def test_models_match_the_migrations(shop: Shop) -> None:
    assert check_models_match(shop.database.url("owner")) == []


def test_a_difference_between_models_and_migrations_is_told(shop: Shop) -> None:
    with psycopg.connect(shop.database.plain_url("owner"), autocommit=True) as conn:
        conn.execute("ALTER TABLE gateway.payment ADD COLUMN extra text")
        conn.execute("DROP INDEX gateway.payment_by_state")
        conn.execute("ALTER TABLE gateway.payout ALTER COLUMN reference SET NOT NULL")
    said = check_models_match(shop.database.url("owner"))
    assert len(said) == 3
    assert {line.split()[0] for line in said} == {"remove_column", "add_index", "modify_nullable"}
