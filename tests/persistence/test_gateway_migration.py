"""The second migration goes up, down and up again, and leaves the ledger alone."""

from __future__ import annotations

import psycopg

from gateway.adapters.persistence.migrate import HEAD, downgrade, migrate, pending
from gateway.adapters.persistence.models import check_models_match
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
    assert pending(database.url("owner")) == [HEAD]
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
