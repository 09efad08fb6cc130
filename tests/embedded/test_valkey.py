"""The embedded Valkey keeps its promises: loopback, kept on disk when asked, never evicting."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from gateway.adapters.servers import RunningValkey, ServerTrouble, embedded_valkey
from tests.embedded.conftest import is_running


def _setting(server: RunningValkey, name: str) -> str:
    with redis.Redis.from_url(server.url_for(), decode_responses=True) as client:
        return str(client.config_get(name)[name])


def test_it_runs_as_asked_and_is_gone_afterwards(place: Path) -> None:
    with embedded_valkey(place) as server:
        assert _setting(server, "bind") == "127.0.0.1"
        assert _setting(server, "save") == ""
        assert _setting(server, "appendonly") == "yes"
        assert _setting(server, "appendfsync") == "everysec"
        assert _setting(server, "maxmemory-policy") == "noeviction"
    assert not is_running(server.pid)


def test_a_second_start_keeps_what_was_written(place: Path) -> None:
    with embedded_valkey(place) as server, redis.Redis.from_url(server.url_for()) as client:
        client.set("word", "kept")
    with embedded_valkey(place) as again, redis.Redis.from_url(again.url_for()) as client:
        assert client.get("word") == b"kept"
        again.kill()
        assert not is_running(again.pid)


def test_two_servers_never_share_a_folder(valkey: RunningValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.adapters.servers.process.LOCK_WITHIN_S", 0.05)
    with pytest.raises(ServerTrouble, match="another server is running on"), embedded_valkey(valkey.folder):
        raise AssertionError("it started")


def test_production_is_refused(place: Path) -> None:
    with pytest.raises(ServerTrouble, match="never used in production"), embedded_valkey(place, production=True):
        raise AssertionError("it started")
    assert not place.exists()
