"""Each revision by itself: it goes down to exactly what it came up from, and no function is made in two places."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory

from gateway.adapters.persistence import migrate as migrations
from tests.servers import Database

FOLDER = Path(migrations.__file__).parent / "migrations"
OURS = "n.nspname IN ('gateway', 'ledger')"
#: What a schema is made of, each thing as one line of text; owners' own rights are left out, since granting anything
#: writes them down.
PARTS = (
    "SELECT 'function ' || p.oid::regprocedure || md5(pg_get_functiondef(p.oid)) FROM pg_proc p"
    f" JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS}",
    "SELECT 'right ' || p.oid::regprocedure || ' ' || a.grantee::regrole || ' ' || a.privilege_type FROM pg_proc p"
    f" JOIN pg_namespace n ON n.oid = p.pronamespace CROSS JOIN aclexplode(p.proacl) a WHERE {OURS}"
    " AND a.grantee <> p.proowner",
    "SELECT 'public ' || p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = 'gateway' AND has_function_privilege('public', p.oid, 'EXECUTE')",
    "SELECT concat_ws(' ', 'column', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " pg_get_expr(d.adbin, d.adrelid)) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    f" WHERE {OURS} AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped",
    "SELECT 'constraint ' || t.conrelid::regclass || ' ' || t.conname || ' ' || pg_get_constraintdef(t.oid)"
    f" FROM pg_constraint t JOIN pg_namespace n ON n.oid = t.connamespace WHERE {OURS} AND t.contype <> 'n'",
    "SELECT 'index ' || i.indexdef FROM pg_indexes i WHERE i.schemaname IN ('gateway', 'ledger')",
    "SELECT 'trigger ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS} AND NOT t.tgisinternal",
    "SELECT concat_ws(' ', 'policy', tablename, policyname, cmd, roles, qual, with_check) FROM pg_policies"
    " WHERE schemaname IN ('gateway', 'ledger')",
    "SELECT 'right ' || c.oid::regclass || ' ' || a.grantee::regrole || ' ' || a.privilege_type FROM pg_class c"
    f" JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) a WHERE {OURS}"
    " AND a.grantee <> c.relowner",
    "SELECT 'right ' || c.oid::regclass || '.' || t.attname || ' ' || a.grantee::regrole || ' ' || a.privilege_type"
    " FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" CROSS JOIN aclexplode(t.attacl) a WHERE {OURS}",
)


def _shape(database: Database) -> set[str]:
    with psycopg.connect(database.plain_url("owner")) as conn:
        return {row[0] for part in PARTS for row in conn.execute(part)}


def _revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return [one.revision for one in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


def test_each_revision_goes_down_to_what_it_came_up_from(empty_database: Database) -> None:
    url = empty_database.url("owner")
    revisions, shapes = _revisions(), {}
    for revision in revisions:
        migrations.migrate(url, revision)
        shapes[revision] = _shape(empty_database)
    for revision in reversed(revisions[:-1]):
        migrations.downgrade(url, revision)
        found = _shape(empty_database)
        assert found ^ shapes[revision] == set(), f"back at {revision}"
    migrations.migrate(url)
    assert _shape(empty_database) ^ shapes[revisions[-1]] == set()


def test_a_function_is_made_in_one_place() -> None:
    """Whoever changes one must find it; `new_id` has a quicker body on servers that make such ids themselves."""
    made = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION\s+(\w+\.\w+)")
    names = Counter(name for file in (FOLDER / "sql").glob("*.sql") for name in made.findall(file.read_text()))
    assert {name for name, n in names.items() if n > 1} == {"gateway.new_id"}
