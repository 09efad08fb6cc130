"""The environment is read once: what is missing or wrong is named, and each process needs its own database alone."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest

from gateway.settings import Settings, Wrong, read

KEY = base64.b64encode(b"k" * 32).decode()
LEAST = {
    "GATEWAY_PUBLIC_URL": "https://pay.example.com/",
    "GATEWAY_REDIS_URL": "redis://127.0.0.1:6379/0",
    "GATEWAY_MASTER_KEY": KEY,
}


def settings(**more: str) -> Settings:
    return read({**LEAST, **{f"GATEWAY_{name}": value for name, value in more.items()}})


def test_what_isnt_said_is_for_production() -> None:
    found = settings()
    assert found.is_production
    assert not found.webhook_loopback
    assert (found.public_url, found.trusted_proxies, found.web_threads) == ("https://pay.example.com", 0, 4)
    assert (found.key_calls_per_s, found.plugins, found.log_level) == (100, ("mpesa",), "info")


def test_a_process_needs_the_url_of_its_own_role_alone() -> None:
    found = settings(DATABASE_URL_APP="postgresql://gateway_app:x@db/gateway")
    assert found.database_of("app") == "postgresql+psycopg://gateway_app:x@db/gateway"
    with pytest.raises(Wrong, match="GATEWAY_DATABASE_URL_OPERATOR is not set"):
        found.database_of("operator")


def test_secrets_dont_show() -> None:
    shown = repr(settings(DATABASE_URL_APP="postgresql://gateway_app:hunter2@db/gateway"))
    assert "hunter2" not in shown
    assert KEY not in shown


def test_master_keys_come_in_order_and_keep_their_ids() -> None:
    other = base64.b64encode(b"o" * 32).decode()
    ((name, key),) = settings().master_keys
    assert (name, key) == ("k" + sha256(b"k" * 32).hexdigest()[:8], b"k" * 32)
    assert settings(MASTER_KEY=f"k2:{other},k1:{KEY}").master_keys == (("k2", b"o" * 32), ("k1", b"k" * 32))


@pytest.mark.parametrize("name", sorted(LEAST))
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(Wrong, match=f"{name} is not set"):
        read({**LEAST, name: " "})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("PUBLIC_URL", "pay.example.com"),
        ("PUBLIC_URL", "http://pay.example.com"),
        ("PUBLIC_URL", "https://mpesa.example.com"),
        ("PUBLIC_URL", "https://pay.example.com/query"),
        ("MASTER_KEY", "short"),
        ("MASTER_KEY", f"a:{KEY},a:{KEY}"),
        ("DATABASE_URL_APP", "mysql://db/gateway"),
        ("PLUGINS", ","),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "11"),
        ("WEB_THREADS", "0"),
        ("WEBHOOK_ALLOW_LOOPBACK", "perhaps"),
        ("WEBHOOK_ALLOW_LOOPBACK", "true"),
        ("METRICS_TOKEN", "short"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(Wrong, match=f"GATEWAY_{name}"):
        settings(**{name: value})


@pytest.mark.parametrize(("environment", "open_"), [("sandbox", True), ("development", False)])
def test_only_a_sandbox_sends_webhooks_to_itself_unasked(environment: str, open_: bool) -> None:
    assert settings(ENVIRONMENT=environment, PUBLIC_URL="http://127.0.0.1:8080").webhook_loopback is open_
