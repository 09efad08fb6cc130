"""The embedded PostgreSQL keeps its promises: loopback, durable, never root, and never left behind."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest

from gateway.adapters.servers import RunningPostgres, ServerTrouble, embedded_postgres
from gateway.adapters.servers.account import Account, closed_folder
from gateway.adapters.servers.binaries import copied, package_folder
from tests.embedded.conftest import is_running


def _ask(server: RunningPostgres, question: str) -> object:
    with psycopg.connect(server.url_for().replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_it_answers_on_loopback_alone_and_is_gone_afterwards(place: Path) -> None:
    with embedded_postgres(place) as server:
        assert _ask(server, "SHOW listen_addresses") == "127.0.0.1"
        assert _ask(server, "SHOW unix_socket_directories") == ""
        assert _ask(server, "SHOW fsync") == "on"
        server.ensure_database("gateway")
        server.ensure_database("gateway")
        assert _ask(server, "SELECT count(*) FROM pg_database WHERE datname = 'gateway'") == 1
    assert not is_running(server.pid)
    with pytest.raises(psycopg.OperationalError):
        _ask(server, "SELECT 1")


def test_a_second_start_keeps_what_was_written_even_after_a_crash(place: Path) -> None:
    with embedded_postgres(place) as server:
        _ask(server, "CREATE TABLE kept (word text)")
        _ask(server, "INSERT INTO kept VALUES ('crashed')")
        server.kill()
        assert not is_running(server.pid)
    with embedded_postgres(place, port=server.port) as again:
        assert again.port == server.port
        assert _ask(again, "SELECT word FROM kept") == "crashed"


def test_an_error_in_the_block_stops_it_too(place: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded_postgres(place, durable=False) as server:
        _ = 1 // 0
    assert not is_running(server.pid)


def test_speed_may_be_bought_with_safety(postgres: RunningPostgres) -> None:
    assert _ask(postgres, "SHOW fsync") == "off"


def test_it_never_runs_as_root(postgres: RunningPostgres) -> None:
    assert Path("/proc", str(postgres.pid)).stat().st_uid != 0


def test_two_servers_never_share_a_folder(postgres: RunningPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.adapters.servers.process.LOCK_WITHIN_S", 0.05)
    with pytest.raises(ServerTrouble, match="another server is running on"), embedded_postgres(postgres.folder):
        raise AssertionError("it started")


def test_a_taken_port_is_named_and_nothing_is_left(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(ServerTrouble, match=r"(?s)PostgreSQL ended at once.*already in use"),
            embedded_postgres(place, port=port),
        ):
            raise AssertionError("it started")
    with embedded_postgres(place, port=port) as server:
        assert server.port == port


def test_production_is_refused(place: Path) -> None:
    with pytest.raises(ServerTrouble, match="never used in production"), embedded_postgres(place, production=True):
        raise AssertionError("it started")
    assert not place.exists()


def test_the_folder_that_closes_the_way_is_named(tmp_path: Path) -> None:
    stranger = Account(uid=os.getuid() + 1, gid=os.getgid() + 1)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    found = closed_folder(private / "data", stranger)
    assert found is not None
    assert (private / "data").is_relative_to(found)
    assert closed_folder(Path("/"), stranger) is None
    assert closed_folder(private, None) is None


def test_a_copy_of_the_programs_runs_on_its_own(place: Path) -> None:
    place.mkdir()
    home = place / "copy"
    assert copied(package_folder("embedded_postgres"), home)
    program = home / "embedded_postgres" / "pginstall" / "bin" / "postgres"
    said = subprocess.run([program, "--version"], capture_output=True, check=True, env={}, cwd="/", text=True).stdout
    assert said.startswith("postgres (PostgreSQL)")
    assert [path.name for path in place.iterdir()] == ["copy"]
