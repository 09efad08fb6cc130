"""The secrets that the run is given, and its processes' environment, which names files and holds no secret."""

from __future__ import annotations

import base64
import secrets as chance
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.settings import SECRET_SETTINGS
from plugins.sandbox.mpesa.config import COLLECTING


def _made() -> str:
    """With characters that a URL, a form and JSON write in another way."""
    return f'{chance.token_hex(12)}+/!"{chance.token_urlsafe(9)}'


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Secrets of the installation and of its account with the provider; each run has its own."""

    master: bytes = field(default_factory=lambda: chance.token_bytes(32))
    look_up: bytes = field(default_factory=lambda: chance.token_bytes(32))
    metrics: str = field(default_factory=lambda: chance.token_hex(16))
    database: str = field(default_factory=lambda: chance.token_hex(16))
    redis: str = field(default_factory=lambda: chance.token_hex(16))
    signer: str = field(default_factory=lambda: chance.token_hex(16))
    consumer_key: str = field(default_factory=lambda: chance.token_hex(16))
    consumer_secret: str = field(default_factory=_made)
    passkey: str = field(default_factory=lambda: chance.token_hex(32))
    initiator: str = field(default_factory=_made)

    def world(self) -> dict[str, Any]:
        """The provider that knows these."""
        one = {"name": "testapi", "password": self.initiator}
        return {
            "apps": [{"consumer_key": self.consumer_key, "consumer_secret": self.consumer_secret}],
            "shortcodes": [
                {
                    "number": number, "name": "PLANTED", "passkey": self.passkey, "initiators": [one],
                    "products": products, "working": 1_000_000, "utility": 1_000_000,
                }
                for number, products in (("174379", COLLECTING), ("600992", ("b2c", "status", "balance", "b2b")))
            ],
        }  # fmt: skip

    def environment(self, folder: Path) -> Callable[[dict[str, str]], dict[str, str]]:
        """Puts every secret setting into a file in `folder` that belongs to us alone."""

        def changed(usual: dict[str, str]) -> dict[str, str]:
            given = {
                **usual,
                "GATEWAY_MASTER_KEY": f"k1:{base64.b64encode(self.master).decode()}",
                "GATEWAY_LOOK_UP_KEY": base64.b64encode(self.look_up).decode(),
                "GATEWAY_METRICS_TOKEN": self.metrics,
                "GATEWAY_SIGNER_SECRET": self.signer,
                "GATEWAY_REDIS_URL": usual["GATEWAY_REDIS_URL"].replace("://", f"://default:{self.redis}@"),
                "GATEWAY_LOG_LEVEL": "debug",
            }
            folder.mkdir(parents=True)
            for name in SECRET_SETTINGS:
                text = given.pop(name)
                if name.startswith("GATEWAY_DATABASE_URL_"):
                    text = text.replace("@", f":{self.database}@", 1)
                file = folder / name.lower()
                file.touch(mode=0o600)
                file.write_text(text + "\n")
                given[f"{name}_FILE"] = str(file)
            return given

        return changed

    def texts(self) -> dict[str, str]:
        """Each by its name. Keys are bytes, which are written in base 64."""
        return {
            "master key": base64.b64encode(self.master).decode(),
            "look-up key": base64.b64encode(self.look_up).decode(),
            "metrics token": self.metrics,
            "database password": self.database,
            "Redis password": self.redis,
            "signer's secret": self.signer,
            "consumer key": self.consumer_key,
            "consumer secret": self.consumer_secret,
            "passkey": self.passkey,
            "initiator password": self.initiator,
        }
