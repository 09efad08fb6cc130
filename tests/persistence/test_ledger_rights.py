"""Who may do what to the books: nothing changes, nothing mixes, and nobody sees what is another's."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from gateway.domain.ledger import charges
from tests.persistence.books import Books, Trader, new_id

TABLES = ("asset", "account", "balance", "balance_delta", "journal", "leg")
OWN = ("account", "balance", "journal", "leg")
LOGINS = ("app", "worker", "operator", "read")


@pytest.fixture(scope="module")
def traders(shared_books: Books) -> list[Trader]:
    """Two businesses with money in both modes, and the platform's own."""
    traders = [Trader(), Trader()]
    for trader in traders:
        for livemode in (True, False):
            shared_books.of().post_now(trader.pay_in(1000, livemode=livemode))
    platform = traders[0].journal((charges(traders[0].float_id), traders[0].float, 5), business_id=None)
    shared_books.of("worker").post_now(platform)
    return traders


def refused(conn: psycopg.Connection[Any], sql: str) -> str:
    """The SQLSTATE of the refusal."""
    with pytest.raises(psycopg.Error) as error:
        conn.execute(sql)  # type: ignore[call-overload]
    return error.value.sqlstate or ""


# Nothing changes.


@pytest.mark.parametrize("table", ["journal", "leg"])
@pytest.mark.parametrize("replica", [False, True], ids=["origin", "replica"])
@pytest.mark.parametrize("as_owner", [False, True], ids=["superuser", "ledger_owner"])
def test_rows_never_change(
    shared_books: Books, traders: list[Trader], table: str, replica: bool, as_owner: bool
) -> None:
    column = {"journal": "kind", "leg": "asset"}[table]
    with shared_books.owner() as conn:
        if replica:
            conn.execute("SET session_replication_role = replica")
        if as_owner:
            conn.execute("SET ROLE ledger_owner")
        for sql in (
            f"UPDATE ledger.{table} SET {column} = {column}",
            f"DELETE FROM ledger.{table}",
            f"TRUNCATE ledger.{table} CASCADE",
        ):
            assert refused(conn, sql) == "LG001", sql
    assert shared_books.proved()


@pytest.mark.parametrize("replica", [False, True], ids=["origin", "replica"])
def test_accounts_are_never_renamed_or_removed(shared_books: Books, traders: list[Trader], replica: bool) -> None:
    with shared_books.owner() as conn:
        if replica:
            conn.execute("SET session_replication_role = replica")
        for change in (
            "path = path || 'x'",
            "asset = 'CELO'",
            "livemode = NOT livemode",
            "class = 'X'",
            "balance_mode = 'Q'",
        ):
            assert refused(conn, f"UPDATE ledger.account SET {change} WHERE business_id IS NOT NULL") == "LG001"
        assert refused(conn, "DELETE FROM ledger.account") == "LG001"
        conn.execute("UPDATE ledger.account SET title = title, closed = false")


@pytest.mark.parametrize("role", LOGINS)
@pytest.mark.parametrize("table", TABLES)
def test_no_role_writes_a_table(shared_books: Books, traders: list[Trader], role: str, table: str) -> None:
    with shared_books.role(role) as conn:
        conn.execute("SET default_transaction_read_only = off")
        column = {"asset": "code", "account": "title", "journal": "kind", "leg": "asset"}.get(table, "dr")
        for sql in (
            f"INSERT INTO ledger.{table} DEFAULT VALUES",
            f"UPDATE ledger.{table} SET {column} = {column}",
            f"DELETE FROM ledger.{table}",
            f"TRUNCATE ledger.{table}",
            f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL",
            f"ALTER TABLE ledger.{table} DISABLE ROW LEVEL SECURITY",
        ):
            assert refused(conn, sql) == "42501", sql


@pytest.mark.parametrize("role", LOGINS)
def test_no_role_creates_anything_or_becomes_another(shared_books: Books, role: str) -> None:
    with shared_books.role(role) as conn:
        conn.execute("SET default_transaction_read_only = off")
        for sql in (
            "CREATE TABLE ledger.mine (x int)",
            "CREATE TABLE public.mine (x int)",
            "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "SET ROLE ledger_owner",
            "SET ROLE gateway_owner",
            "SET session_replication_role = replica",
            "SELECT ledger.open_missing(true, NULL, '{}', '{}', '[]')",
        ):
            assert refused(conn, sql) == "42501", sql


@pytest.mark.parametrize(
    ("role", "function", "allowed"),
    [
        *((role, "post", True) for role in ("app", "worker", "operator")),
        *((role, "post_many", True) for role in ("app", "worker", "operator")),
        *((role, "open_account", True) for role in ("app", "worker", "operator")),
        *(("read", function, False) for function in ("post", "post_many", "open_account", "drain")),
        *((role, "drain", role == "worker") for role in ("app", "worker", "operator")),
    ],
)
def test_who_may_call_what(shared_books: Books, role: str, function: str, allowed: bool) -> None:
    with shared_books.role(role) as conn:
        row = conn.execute(
            "SELECT bool_and(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc"
            " WHERE pronamespace = 'ledger'::regnamespace AND proname = %s",
            (function,),
        ).fetchone()
    assert row == (allowed,)


def test_a_caller_cannot_put_its_own_objects_in_the_way(shared_books: Books) -> None:
    """Functions run as the owner; a search path or a temporary table of the caller must not reach into them."""
    trader = Trader()
    with shared_books.owner() as conn:
        conn.execute("CREATE SCHEMA evil")
        conn.execute("CREATE FUNCTION evil.cardinality(anyarray) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0'")
        conn.execute("GRANT USAGE ON SCHEMA evil TO gateway_app")
    try:
        with shared_books.engine("app").connect() as conn:
            conn.exec_driver_sql("BEGIN")
            conn.exec_driver_sql("SET LOCAL search_path = evil, pg_catalog")
            assert not shared_books.of().post(conn, trader.pay_in(7)).replayed
            conn.exec_driver_sql("COMMIT")
    finally:
        with shared_books.owner() as conn:
            conn.execute("DROP SCHEMA evil CASCADE")
    assert shared_books.holds(trader.bucket("available")) == 7


# Nothing mixes.


def _post(
    conn: psycopg.Connection[Any], trader: Trader, *, business: Any, path: list[str], livemode: bool = True
) -> None:
    conn.execute(
        "SELECT ledger.post(%s, %s, %s, %s, %s, 'receipt.booked', now(), '{}', %s::text[], ARRAY['KES', 'KES'], NULL,"
        " ARRAY[1], ARRAY[2], ARRAY[1::numeric])",
        (new_id(), livemode, business, f"mix:{new_id()}", bytes(32), path),
    )


def _post_many(
    conn: psycopg.Connection[Any], trader: Trader, *, business: Any, path: list[str], livemode: bool = True
) -> None:
    conn.execute(
        "SELECT ledger.post_many(%s, jsonb_build_array(jsonb_build_array(%s::text, 'KES'),"
        " jsonb_build_array(%s::text, 'KES')), jsonb_build_array(jsonb_build_object('uid', %s::uuid,"
        " 'business', %s::uuid, 'key', %s::text, 'kind', 'receipt.booked', 'fingerprint', repeat('00', 32),"
        " 'effective_at', now(), 'legs', '[[1, 2, \"1\"]]'::jsonb)))",
        (livemode, *path, new_id(), business, f"mix:{new_id()}"),
    )


@pytest.mark.parametrize("post", [_post, _post_many])
def test_two_businesses_never_meet_in_a_journal(shared_books: Books, traders: list[Trader], post: Any) -> None:
    one, other = (trader.bucket("available").path for trader in traders)
    before = shared_books.count("journal")
    with shared_books.role("operator") as conn:
        for business, path in (
            (traders[0].business_id, [one, other]),
            (traders[0].business_id, [traders[1].float.path, other]),
            (None, [one, traders[0].float.path]),
            (None, [one, other]),
            (traders[0].business_id, [traders[0].float.path, traders[1].float.path]),
        ):
            with pytest.raises(psycopg.Error) as error:
                post(conn, traders[0], business=business, path=path)
            assert error.value.sqlstate == "LG006"
    assert shared_books.count("journal") == before


@pytest.mark.parametrize("post", [_post, _post_many])
@pytest.mark.parametrize("role", ["app", "worker"])
def test_a_session_posts_for_its_own_business_and_mode(
    shared_books: Books, traders: list[Trader], post: Any, role: str
) -> None:
    mine, path = traders[0], [traders[0].float.path, traders[0].bucket("available").path]
    with shared_books.role(role) as conn:
        for settings in ((traders[1].business_id, "true"), (mine.business_id, "false"), (new_id(), "")):
            conn.execute(
                "SELECT set_config('app.business', %s, false), set_config('app.livemode', %s, false)",
                (str(settings[0]), settings[1]),
            )
            with pytest.raises(psycopg.Error) as error:
                post(conn, mine, business=mine.business_id, path=path)
            assert error.value.sqlstate == "LG006"


@pytest.mark.parametrize("settings", [("own", "true"), ("own", ""), ("", "true"), ("", "")])
def test_a_session_bound_to_the_business_or_to_nothing_posts(shared_books: Books, settings: tuple[str, str]) -> None:
    trader = Trader()
    with shared_books.engine("app").connect() as conn:
        conn.exec_driver_sql("BEGIN")
        conn.exec_driver_sql(
            "SELECT set_config('app.business', %s, true), set_config('app.livemode', %s, true)",
            (str(trader.business_id) if settings[0] else "", settings[1]),
        )
        assert not shared_books.of().post(conn, trader.pay_in(9)).replayed
        conn.exec_driver_sql("COMMIT")
    assert shared_books.holds(trader.bucket("available")) == 9


def test_a_leg_of_two_modes_or_assets_cannot_be_stored(shared_books: Books, traders: list[Trader]) -> None:
    """Behind the functions the foreign keys say the same."""
    with shared_books.owner() as conn:
        row = conn.execute("SELECT id FROM ledger.journal LIMIT 1").fetchone()
        assert row is not None
        live, test = (
            conn.execute(
                "SELECT id FROM ledger.account WHERE path = %s AND livemode = %s", (traders[0].float.path, mode)
            ).fetchone()
            for mode in (True, False)
        )
        assert live is not None
        assert test is not None
        insert = (
            "INSERT INTO ledger.leg (journal_id, line, livemode, phase, asset, debit_id, credit_id, amount)"
            " VALUES (%s, 90, true, 'P', '%s', %s, %s, 1)"
        )
        assert refused(conn, insert % (row[0], "KES", live[0], test[0])) == "23503"
        other = conn.execute("SELECT id FROM ledger.account WHERE livemode AND id <> %s LIMIT 1", live).fetchone()
        assert other is not None
        assert refused(conn, insert % (row[0], "CELO", live[0], other[0])) == "23503"
        assert refused(conn, insert % (row[0], "KES", live[0], live[0])) == "23514"


# Nobody sees what is another's.


def _seen(conn: psycopg.Connection[Any], business: str | None, livemode: str | None) -> dict[str, set[Any]]:
    """What a session with these settings sees: table → whose rows."""
    conn.execute("RESET ALL")
    for name, value in (("app.business", business), ("app.livemode", livemode)):
        if value is not None:
            conn.execute("SELECT set_config(%s, %s, false)", (name, value))
    seen: dict[str, set[Any]] = {}
    for table in OWN:
        rows = conn.execute(f"SELECT DISTINCT business_id, livemode FROM ledger.{table}").fetchall()  # type: ignore[call-overload]
        seen[table] = set(rows)
    seen["balance_delta"] = set(conn.execute("SELECT DISTINCT account_id FROM ledger.balance_delta").fetchall())
    return seen


@pytest.mark.parametrize("role", ["app", "worker", "read"])
def test_a_business_sees_its_own_rows_of_one_mode(shared_books: Books, traders: list[Trader], role: str) -> None:
    with shared_books.role(role) as conn:
        for trader in traders:
            for livemode in (True, False):
                seen = _seen(conn, str(trader.business_id), str(livemode).lower())
                assert seen == {**{t: {(trader.business_id, livemode)} for t in OWN}, "balance_delta": set()}


@pytest.mark.parametrize("role", ["app", "worker", "read"])
@pytest.mark.parametrize("business", ["own", "unknown", "", None])
@pytest.mark.parametrize("livemode", ["true", "", None])
def test_without_the_right_settings_there_is_nothing(
    shared_books: Books, traders: list[Trader], role: str, business: str | None, livemode: str | None
) -> None:
    if business == "own" and livemode == "true":
        business = "unknown"
    name = {"own": str(traders[0].business_id), "unknown": str(new_id())}.get(business or "", business)
    with shared_books.role(role) as conn:
        assert _seen(conn, name, livemode) == {table: set() for table in (*OWN, "balance_delta")}


@pytest.mark.parametrize("role", ["app", "worker", "read"])
@pytest.mark.parametrize("settings", [("garbage", "true"), (str(new_id()), "garbage")])
def test_settings_that_are_none_are_an_error(shared_books: Books, role: str, settings: tuple[str, str]) -> None:
    with shared_books.role(role) as conn, pytest.raises(psycopg.Error) as error:
        _seen(conn, *settings)
    assert error.value.sqlstate == "22P02"


def test_the_operator_sees_everything(shared_books: Books, traders: list[Trader]) -> None:
    with shared_books.role("operator") as conn:
        seen = _seen(conn, None, None)
    everybody = {(trader.business_id, livemode) for trader in traders for livemode in (True, False)}
    for table in OWN:
        assert everybody <= seen[table]
        assert any(business is None for business, _ in seen[table])
    assert seen["balance_delta"]


@pytest.mark.parametrize("role", ["app", "worker", "read"])
def test_views_and_platform_accounts_keep_to_the_policies(
    shared_books: Books, traders: list[Trader], role: str
) -> None:
    trader = traders[0]
    with shared_books.role(role) as conn:
        conn.execute(
            "SELECT set_config('app.business', %s, false), set_config('app.livemode', 'true', false)",
            (str(trader.business_id),),
        )
        paths = conn.execute("SELECT path FROM ledger.trial_balance").fetchall()
        assert paths == [(trader.bucket("available").path,)]
        assert conn.execute("SELECT count(*) FROM ledger.balance_now").fetchone() == (1,)
        assert conn.execute("SELECT DISTINCT business_id FROM ledger.entry").fetchall() == [(trader.business_id,)]
        assert conn.execute("SELECT count(*) FROM ledger.queue").fetchone() == (0,)


def test_a_business_posts_to_accounts_that_it_never_reads(shared_books: Books, traders: list[Trader]) -> None:
    """The float is the platform's: posted to by its path, and not in sight."""
    balances = shared_books.of("app").business_balances(traders[0].business_id, livemode=True)
    assert balances == {"KES": {"available": 1000}}
