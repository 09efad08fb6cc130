"""The second migration goes up, down and up again, and leaves the ledger alone."""

from __future__ import annotations

from uuid import RFC_4122, UUID

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.persistence.migrate import HEAD, downgrade, migrate, pending
from gateway.adapters.persistence.models import check_models_match
from gateway.domain.ids import Prefix, encode
from tests.persistence.shop import Shop
from tests.servers import Database


def _objects(database: Database) -> tuple[int, int, int]:
    """Tables and functions of the application, and policies that the ledger has for it."""
    with psycopg.connect(database.plain_url("owner")) as conn:
        row = conn.execute(
            "SELECT (SELECT count(*) FROM pg_tables WHERE schemaname = 'gateway'),"
            " (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = 'gateway'),"
            " (SELECT count(*) FROM pg_policies WHERE schemaname = 'ledger' AND 'gateway_owner' = ANY (roles))"
        ).fetchone()
    assert row is not None
    return row


def test_up_down_and_up_again(database: Database) -> None:
    before = _objects(database)
    assert all(before)
    downgrade(database.url("owner"), "0001")
    assert _objects(database) == (0, 0, 0)
    assert pending(database.url("owner"))[-1] == HEAD
    migrate(database.url("owner"))
    assert _objects(database) == before
    assert check_models_match(database.url("owner")) == []
    shop = Shop(database=database)
    shop.payment()
    shop.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = _objects(database)
    migrate(database.url("owner"))
    assert _objects(database) == before


def test_the_database_s_own_ids_are_uuidv7_in_order(database: Database) -> None:
    with psycopg.connect(database.plain_url("owner")) as conn:
        rows = conn.execute("SELECT gateway.new_id(), clock_timestamp() FROM generate_series(1, 500)").fetchall()
    ids = [row[0] for row in rows]
    assert {(one.version, one.variant) for one in ids} == {(7, RFC_4122)}
    assert len(set(ids)) == 500
    for one, at in rows:
        assert abs((one.int >> 80) / 1000 - at.timestamp()) < 1
    # Two of one microsecond may stand in either order.
    shown = [(one.int >> 64) for one in ids]
    assert shown == sorted(shown)


@given(one=st.uuids())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_writes_public_ids_as_the_domain_does(module_database: Database, one: UUID) -> None:
    with psycopg.connect(module_database.plain_url("owner")) as conn:
        row = conn.execute("SELECT gateway.public_id('flt', %s)", (one,)).fetchone()
    assert row == (encode(Prefix.FLOAT, one),)
