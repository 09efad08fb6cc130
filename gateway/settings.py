"""The environment, read once into one frozen value; a missing or wrong setting is named, with what to write instead."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from gateway.domain.errors import Invalid

#: Words that Safaricom refuses anywhere in a URL given to it (Daraja portal, December 2025).
FORBIDDEN_IN_URL = ("exe", "exec", "cmd", "sql", "query", "mpesa", "m-pesa", "safaricom")
#: Each may be given as `{name}_FILE` instead.
SECRET_SETTINGS = (
    "GATEWAY_MASTER_KEY",
    "GATEWAY_LOOK_UP_KEY",
    "GATEWAY_REDIS_URL",
    "GATEWAY_METRICS_TOKEN",
    "GATEWAY_SIGNER_SECRET",
    "GATEWAY_DATABASE_URL_APP",
    "GATEWAY_DATABASE_URL_WORKER",
    "GATEWAY_DATABASE_URL_OPERATOR",
    "GATEWAY_DATABASE_URL_OWNER",
)
ENVIRONMENTS = ("sandbox", "development", "production")


class Wrong(Invalid):
    """A setting is missing or wrong; the sentence names it and says what to write."""

    code = "setting_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process needs to know. Secrets don't show in its repr.

    `master_keys`: (id, 32 bytes) pairs, the current one first. `sandbox` opens test helpers and the test clock. A
    process is given the database URL of its own role; the others may be empty, and `database_of` names a missing one.
    `event_days` and `request_days`: how long events with their deliveries, and notes of calls, are kept.
    `look_up_key` derives the hashes that phones are found by; None: the last master does. `key_calls_per_s`: what one
    API key may call in a second, reads and writes apart; 0 is no limit, as with the other limits. `web_workers` share a
    limit while Redis is away. `provider_calls_per_s` replaces what plugins declare of every connection, where it isn't
    0. Web sheds load while due work has waited for `shed_after_s`; 0: never. `under_tolerance`: what a payment may be
    short of what is due, in minor units. `signer_socket` is where the signer listens, where this process asks for
    signatures.
    """

    environment: str
    public_url: str
    database_app: str = field(repr=False)
    database_worker: str = field(repr=False)
    database_operator: str = field(repr=False)
    database_owner: str = field(repr=False)
    redis_url: str = field(repr=False)
    master_keys: tuple[tuple[str, bytes], ...] = field(repr=False)
    look_up_key: bytes | None = field(default=None, repr=False)
    plugins: tuple[str, ...] = ("mpesa",)
    trusted_proxies: int = 0
    webhook_loopback: bool = False
    web_threads: int = 4
    key_calls_per_s: int = 100
    address_calls_per_minute: int = 30_000
    publishable_calls_per_minute: int = 60
    web_workers: int = 1
    log_level: str = "info"
    metrics_token: str | None = field(default=None, repr=False)
    event_days: int = 90
    request_days: int = 30
    provider_calls_per_s: int = 0
    shed_after_s: int = 30
    under_tolerance: int = 0
    signer_socket: str = ""
    signer_secret: bytes = field(default=b"", repr=False)

    @property
    def is_sandbox(self) -> bool:
        """Whether this installation is for trying things out."""
        return self.environment == "sandbox"

    @property
    def is_production(self) -> bool:
        """Whether real money runs here."""
        return self.environment == "production"

    def database_of(self, role: str) -> str:
        """The URL of `app`, `worker`, `operator` or `owner`. Raises Wrong when this process wasn't given it."""
        urls = {
            "app": self.database_app,
            "worker": self.database_worker,
            "operator": self.database_operator,
            "owner": self.database_owner,
        }
        if not urls[role]:
            raise Wrong(f"GATEWAY_DATABASE_URL_{role.upper()} is not set; see docs/operators.md for who needs it")
        return urls[role]


def read(environ: Mapping[str, str]) -> Settings:
    """Read and check. Raises Wrong at the first setting that can't be."""
    environ = _with_files(environ)
    environment = _choice(environ, "GATEWAY_ENVIRONMENT", ENVIRONMENTS, "production")
    loopback = _flag(environ, "GATEWAY_WEBHOOK_ALLOW_LOOPBACK", default=environment == "sandbox")
    if loopback and environment == "production":
        raise Wrong("GATEWAY_WEBHOOK_ALLOW_LOOPBACK must be off in production: webhooks must not reach this machine")
    return Settings(
        environment=environment,
        public_url=_public_url(_needed(environ, "GATEWAY_PUBLIC_URL"), environment),
        database_app=_database(environ, "APP"),
        database_worker=_database(environ, "WORKER"),
        database_operator=_database(environ, "OPERATOR"),
        database_owner=_database(environ, "OWNER"),
        redis_url=_needed(environ, "GATEWAY_REDIS_URL"),
        master_keys=_master_keys(_needed(environ, "GATEWAY_MASTER_KEY")),
        look_up_key=_look_up_key(environ),
        plugins=_plugins(environ),
        trusted_proxies=_whole(environ, "GATEWAY_TRUSTED_PROXIES", 0, 0, 10),
        webhook_loopback=loopback,
        web_threads=_whole(environ, "GATEWAY_WEB_THREADS", 4, 1, 64),
        key_calls_per_s=_whole(environ, "GATEWAY_KEY_CALLS_PER_SECOND", 100, 0, 100_000),
        event_days=_whole(environ, "GATEWAY_EVENT_DAYS", 90, 30, 3650),
        request_days=_whole(environ, "GATEWAY_REQUEST_LOG_DAYS", 30, 1, 365),
        address_calls_per_minute=_whole(environ, "GATEWAY_ADDRESS_CALLS_PER_MINUTE", 30_000, 0, 10_000_000),
        publishable_calls_per_minute=_whole(environ, "GATEWAY_PUBLISHABLE_CALLS_PER_MINUTE", 60, 0, 100_000),
        web_workers=_whole(environ, "GATEWAY_WEB_WORKERS", 1, 1, 256),
        provider_calls_per_s=_whole(
            environ, "GATEWAY_PROVIDER_CALLS_PER_SECOND", 200 if environment == "sandbox" else 0, 0, 1_000
        ),
        under_tolerance=_whole(environ, "GATEWAY_UNDER_TOLERANCE", 0, 0, 1_000_000),
        shed_after_s=_whole(environ, "GATEWAY_SHED_AFTER_SECONDS", 0 if environment == "sandbox" else 30, 0, 3_600),
        metrics_token=_metrics_token(environ),
        signer_socket=environ.get("GATEWAY_SIGNER_SOCKET", "").strip(),
        signer_secret=environ.get("GATEWAY_SIGNER_SECRET", "").strip().encode(),
        log_level=_choice(environ, "GATEWAY_LOG_LEVEL", ("debug", "info", "warning", "error"), "info"),
    )


def _with_files(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Secrets may stand in files, which a process's environment, readable in /proc, only names."""
    found = dict(environ)
    for name in SECRET_SETTINGS:
        path = environ.get(f"{name}_FILE", "").strip()
        if not path:
            continue
        if environ.get(name, "").strip():
            raise Wrong(f"{name} and {name}_FILE are both set; keep one")
        try:
            found[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as trouble:
            raise Wrong(f"{name}_FILE can't be read: {type(trouble).__name__}") from None
    return found


def _look_up_key(environ: Mapping[str, str]) -> bytes | None:
    text = environ.get("GATEWAY_LOOK_UP_KEY", "").strip()
    if not text:
        return None
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise Wrong("GATEWAY_LOOK_UP_KEY must be 32 bytes in base 64")
    return key


def _metrics_token(environ: Mapping[str, str]) -> str | None:
    token = environ.get("GATEWAY_METRICS_TOKEN", "").strip()
    if token and (len(token) < 16 or not token.isascii() or not token.isprintable()):
        raise Wrong("GATEWAY_METRICS_TOKEN must be at least 16 plain characters; leave it out for this machine alone")
    return token or None


def _needed(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise Wrong(f"{name} is not set; docs/operators.md lists every setting, and `make sandbox` needs none")
    return value


def _database(environ: Mapping[str, str], role: str) -> str:
    """One URL a role, so that a process can be given no more rights than its own; empty when it wasn't given."""
    name = f"GATEWAY_DATABASE_URL_{role}"
    value = environ.get(name, "").strip()
    if value and urlsplit(value).scheme not in ("postgresql+psycopg", "postgresql"):
        raise Wrong(f"{name} must begin with postgresql+psycopg://")
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


def _public_url(value: str, environment: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Wrong("GATEWAY_PUBLIC_URL must be an absolute URL, like https://pay.example.com")
    if environment == "production" and parts.scheme != "https":
        raise Wrong("GATEWAY_PUBLIC_URL must be https in production: providers and shoppers reach us there")
    found = [word for word in FORBIDDEN_IN_URL if word in value.lower()]
    if found:
        raise Wrong(f"GATEWAY_PUBLIC_URL holds {found[0]!r}, which Safaricom refuses in URLs; use another name")
    return value.rstrip("/")


def _master_keys(value: str) -> tuple[tuple[str, bytes], ...]:
    keys = tuple(_master_key(part.strip()) for part in value.split(","))
    if len({name for name, _ in keys}) != len(keys):
        raise Wrong("GATEWAY_MASTER_KEY holds two keys with one id")
    return keys


def _master_key(part: str) -> tuple[str, bytes]:
    name, colon, text = part.rpartition(":")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise Wrong("GATEWAY_MASTER_KEY must be 32 bytes in base 64, or id:key pairs joined by commas, newest first")
    # Named after itself, so that a key keeps its name wherever it stands.
    return (name if colon else "k" + sha256(key).hexdigest()[:8], key)


def _plugins(environ: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(n.strip() for n in environ.get("GATEWAY_PLUGINS", "mpesa").split(",") if n.strip())
    if not names:
        raise Wrong("GATEWAY_PLUGINS names no plugin; the ordinary value is mpesa")
    return names


def _choice(environ: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = environ.get(name, "").strip().lower() or default
    if value not in allowed:
        raise Wrong(f"{name} must be one of: {', '.join(allowed)}")
    return value


def _flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in ("", "1", "0", "true", "false", "yes", "no"):
        raise Wrong(f"{name} must be true or false")
    return default if not value else value in ("1", "true", "yes")


def _whole(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = environ.get(name, "").strip()
    if not value:
        return default
    if not value.isascii() or not value.isdecimal() or not least <= int(value[:9]) <= most:
        raise Wrong(f"{name} must be a whole number from {least} to {most}")
    return int(value)
