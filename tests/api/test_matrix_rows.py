"""With the application's filter taken out, PostgreSQL still gives nothing of another business: every table and role."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from gateway.adapters.servers import RunningValkey
from tests.api.world import World, a_world
from tests.servers import Database

ROLES = ("app", "worker", "read")
#: A value of each type, for what must not be empty.
_VALUES = {
    "uuid": "gen_random_uuid()", "text": "'x'", "bytea": "'x'", "boolean": "false", "timestamp with time zone": "now()",
    "date": "now()", "jsonb": "'{}'", "text[]": "'{}'", "inet": "'127.0.0.1'",
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(module_database: Database, valkey: RunningValkey) -> Iterator[World]:
    """An application of its own whose database has a row of business A in every table there is."""
    with a_world(module_database, valkey.url_for(5)) as world:
        for shop in (world.a, world.b, world.a_live, world.b_live):
            world.furnish(shop)
        with psycopg.connect(module_database.plain_url("owner"), autocommit=True) as conn:
            # Neither triggers nor foreign keys: what no call of the API leaves behind stands there by itself.
            conn.execute("SET session_replication_role = replica")
            for schema, name, has_mode in _tables(world):
                _fill(conn, sql.Identifier(schema, name), f'{schema}."{name}"', world.a.business.id, has_mode)
        yield world


def _fill(conn: psycopg.Connection, table: sql.Identifier, name: str, business: UUID, has_mode: bool) -> None:
    """A row of the business where it has none."""
    if _count(conn, table, sql.SQL("business_id = %s" + (" AND NOT livemode" if has_mode else "")), (business,)):
        return
    checks = conn.execute("SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", (name,))
    for (check,) in checks.fetchall():
        conn.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(check)))
    needed = conn.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND attnotnull AND NOT attisdropped AND attgenerated = '' AND attidentity = ''",
        (name,),
    ).fetchall()
    given = {column: _VALUES.get(kind, "1") for column, kind in needed}
    given |= {"business_id": f"'{business}'", **({"livemode": "false"} if has_mode else {})}
    row = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        table, sql.SQL(", ").join(map(sql.Identifier, given)), sql.SQL(", ").join(map(sql.SQL, given.values()))
    )
    conn.execute(row)


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
    seen = 0
    with (
        psycopg.connect(filled.database.plain_url("owner")) as owner,
        psycopg.connect(filled.database.plain_url(role)) as conn,
    ):
        platform = owner.execute("SELECT platform_id FROM gateway.business WHERE id = %s", (a,)).fetchone()
        assert platform is not None
        for schema, name, has_mode in _tables(filled):
            table = sql.Identifier(schema, name)
            of_a = sql.SQL("business_id = %s AND NOT livemode" if has_mode else "business_id = %s")
            assert _count(owner, table, of_a, (a,)), "of an empty table nothing is proved"
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


def test_every_table_with_a_business_has_forced_policies(world: World) -> None:
    # The books' owner isn't bound (no FORCE), on purpose: it is no login, and its functions post for every business and
    # for none, so a policy for it would be `true`. The application's owner runs functions that look things up for
    # callers, and is bound: each of its tables says what those may see.
    forced = "(relforcerowsecurity OR relnamespace = 'ledger'::regnamespace)"
    asked = f"SELECT relrowsecurity AND {forced} FROM pg_class WHERE oid = %s::regclass"
    with psycopg.connect(world.database.plain_url("owner")) as conn:
        for schema, name, _ in _tables(world):
            row = conn.execute(asked, (f'{schema}."{name}"',)).fetchone()
            assert row == (True,), (schema, name)
