"""One connection's credentials: the published schema, and what is read from a checked configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plugins.kit.schema import checked
from ports.context import Environment
from ports.errors import Misconfigured

LIVE_URL = "https://api.acme-pay.example"
SANDBOX_URL = "https://sandbox.acme-pay.example"


def _text(title: str, pattern: str, *, secret: bool = False) -> dict[str, object]:
    """A field; a secret one is kept encrypted and never shown again."""
    rule: dict[str, object] = {"type": "string", "title": title, "pattern": pattern}
    return rule | {"secret": secret} if secret else rule


SCHEMA: Mapping[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Acme Pay",
    "type": "object",
    "additionalProperties": False,
    "required": ["api_key"],
    "properties": {
        "api_key": _text("API key", "^[!-~]{8,100}$", secret=True),
        "base_url": _text(
            "Another address of the sandbox (sandbox connections only)", r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?$"
        ),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Where Acme Pay is reached, and by which key."""

    base_url: str
    api_key: str = field(repr=False)


def config_of(values: Mapping[str, object], environment: Environment) -> Config:
    """Read one connection's configuration. Raises Misconfigured, naming the fields that are wrong."""
    known = checked(SCHEMA, values)
    if environment is Environment.LIVE:
        if "base_url" in known:
            raise Misconfigured("configuration: /base_url: a live connection has Acme Pay's own address")
        return Config(base_url=LIVE_URL, api_key=known["api_key"])
    base_url = known.get("base_url", SANDBOX_URL)
    if base_url == LIVE_URL:
        raise Misconfigured("configuration: /base_url: a sandbox connection may not reach the live address")
    return Config(base_url=base_url, api_key=known["api_key"])
