"""With the application's filter taken out, PostgreSQL still gives nothing of another business: every table and role."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.api.world import World

ROLES = ("app", "worker")
#: Rows that no call of the API leaves behind; other tests fill these.
_UNFILLED = 20


@pytest.fixture(scope="module")
def filled(world: World) -> World:
    for shop in (world.a, world.b, world.a_live, world.b_live):
        world.furnish(shop)
    return world


def _tables(world: World) -> list[tuple[str, str, bool]]:
    """Every table of ours with a business, from the catalog: a new one can't be forgotten."""
    asked = """
      SELECT n.nspname, c.relname, EXISTS (
        SELECT FROM pg_attribute m WHERE m.attrelid = c.oid AND m.attname = 'livemode')
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE n.nspname IN ('gateway', 'ledger') AND c.relkind IN ('r', 'p') AND a.attname = 'business_id' ORDER BY 1, 2
    """
    with psycopg.connect(world.database.plain_url("owner")) as conn:
        return [(schema, table, mode) for schema, table, mode in conn.execute(asked)]


def _count(
    conn: psycopg.Connection, table: sql.Identifier, where: sql.Composable, values: tuple[object, ...]
) -> int | None:
    """Rows that are seen; None without the right to look."""
    try:
        with conn.transaction():
            row = conn.execute(
                sql.SQL("SELECT count(business_id) FROM {} WHERE {}").format(table, where), values
            ).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reads_another_businesss_rows(filled: World, role: str) -> None:
    a, b = filled.a.business.id, filled.b.business.id
    seen, unfilled = 0, []
    with (
        psycopg.connect(filled.database.plain_url("owner")) as owner,
        psycopg.connect(filled.database.plain_url(role)) as conn,
    ):
        platform = owner.execute("SELECT platform_id FROM gateway.business WHERE id = %s", (a,)).fetchone()
        assert platform is not None
        for schema, name, has_mode in _tables(filled):
            table = sql.Identifier(schema, name)
            of_a = sql.SQL("business_id = %s AND NOT livemode" if has_mode else "business_id = %s")
            if not _count(owner, table, of_a, (a,)):
                unfilled.append(name)
            with conn.transaction():
                conn.execute("SELECT set_config('app.livemode', 'false', true)")
                conn.execute("SELECT set_config('app.platform', %s, true)", (str(platform[0]),))
                conn.execute("SELECT set_config('app.business', %s, true)", (str(b),))
                assert _count(conn, table, sql.SQL("business_id = %s"), (a,)) in (0, None), (schema, name)
                conn.execute("SELECT set_config('app.business', %s, true)", (str(a),))
                own = _count(conn, table, of_a, (a,))
                seen += bool(own)
                if has_mode:
                    assert _count(conn, table, sql.SQL("business_id = %s AND livemode"), (a,)) in (0, None), name
    assert seen >= 8, "the role must see its own, or nothing is proved"
    assert len(unfilled) <= _UNFILLED, unfilled


def test_every_table_with_a_business_has_forced_policies(world: World) -> None:
    # The books' owner is no login and has no policies; the application's owner runs functions, so it is bound too.
    forced = "(relforcerowsecurity OR relnamespace = 'ledger'::regnamespace)"
    asked = f"SELECT relrowsecurity AND {forced} FROM pg_class WHERE oid = %s::regclass"
    with psycopg.connect(world.database.plain_url("owner")) as conn:
        for schema, name, _ in _tables(world):
            row = conn.execute(asked, (f'{schema}."{name}"',)).fetchone()
            assert row == (True,), (schema, name)
