"""A web application over scripted use cases: what web does with an answer, a refusal or a fault, without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from itertools import count
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from gateway.adapters.web.app import create_app
from gateway.adapters.web.settings import WebSettings
from gateway.application.interfaces import (
    Begun,
    Call,
    IdempotentCall,
    InFlight,
    Json,
    KeyFound,
    Mismatch,
    Replay,
)
from gateway.domain.ids import Prefix, encode

BUSINESS = UUID(int=0x0B)
OTHER_BUSINESS = UUID(int=0x0C)
KEY = "sk_test_" + "A1b2" * 10
LIVE_KEY = "sk_live_" + "A1b2" * 10
PLATFORM_KEY = "sk_test_" + "P1p2" * 10
REVOKED_KEY = "sk_test_" + "R1r2" * 10
PAYMENT = encode(Prefix.PAYMENT, UUID(int=7))
IDEMPOTENT = {"Idempotency-Key": "order-1"}
GOOD_PAYMENT: Mapping[str, Any] = {"amount": 150000, "currency": "KES"}


def _found(business: UUID | None, livemode: bool, number: int) -> KeyFound:
    return KeyFound(key_id=UUID(int=number), platform_id=UUID(int=1), business_id=business, livemode=livemode)


KEYS = {
    sha256(KEY.encode()).digest(): _found(BUSINESS, False, 100),
    sha256(LIVE_KEY.encode()).digest(): _found(BUSINESS, True, 101),
    sha256(PLATFORM_KEY.encode()).digest(): _found(None, False, 102),
}


class ScriptedDoors:
    """Knows KEYS and no other."""

    def api_key(self, key_hash: bytes, business_id: UUID | None = None) -> KeyFound | None:
        return KEYS.get(key_hash)

    def note_key_use(self, key_ids: Any) -> None:
        """Nobody asks for it here."""


@dataclass
class ScriptedKeys:
    """An idempotency store that says what the test wants, and remembers what it was told."""

    outcome: Begun | Replay | InFlight | Mismatch | None = None
    begun: list[tuple[str, bytes, int]] = field(default_factory=list)
    refused: list[tuple[int, Json]] = field(default_factory=list)
    released: int = 0

    def begin(
        self, call: Call, key: str, fingerprint: bytes, *, object_id: UUID, keep_days: int
    ) -> Begun | Replay | InFlight | Mismatch:
        self.begun.append((key, fingerprint, keep_days))
        ours = IdempotentCall(record_id=UUID(int=50), object_id=object_id, key=key, fingerprint=fingerprint)
        return self.outcome or Begun(call=ours)

    def refuse(self, call: Call, idempotent: IdempotentCall, status: int, body: Json) -> None:
        self.refused.append((status, body))

    def release(self, call: Call, idempotent: IdempotentCall) -> None:
        self.released += 1


@dataclass
class World:
    """The scripted application: `say` decides what every use case does; `asked` holds what they were asked."""

    keys: ScriptedKeys = field(default_factory=ScriptedKeys)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    say: Callable[..., Json] = lambda *_, **__: {"id": PAYMENT, "object": "payment"}
    received: Callable[..., tuple[bytes, str]] = lambda *_, **__: (b'{"ResultCode":0}', "application/json")
    settings: WebSettings = field(
        default_factory=lambda: WebSettings(
            public_url="https://pay.example", new_id=_ids(count(1000)), key_limit=None, wrong_key_limit=None
        )
    )

    def shared_client(self) -> FlaskClient:
        """A client of one application for all worlds, since building one takes longer than most tests."""
        _CURRENT.update(world=self, use_cases=self._use_cases())
        return _shared_app().test_client()

    def client(self, *, limiter_url: str | None = None, **settings: Any) -> FlaskClient:
        """A client of a fresh application."""
        wanted = replace(self.settings, **settings)
        app = create_app(cast(Any, self._use_cases()), wanted, limiter_url=limiter_url)
        return app.test_client()

    def _use_cases(self) -> SimpleNamespace:
        noun = SimpleNamespace(
            create=self._use, confirm=self._use, cancel=self._use, refresh=self._use, retry=self._use, expire=self._use,
            read=SimpleNamespace(
                get=self._use, page=self._use, attempts=self._use, receipts=self._use, timeline=self._use
            ),
        )  # fmt: skip
        return SimpleNamespace(
            doors=ScriptedDoors(),
            idempotency=self.keys,
            payments=noun,
            payouts=noun,
            checkout=noun,
            customers=noun.read,
            save_customer=self._use,
            balances=SimpleNamespace(now=self._use, transactions=self._use, transaction=self._use, business=self._use),
            receive_callback=self._receive,
        )

    def _use(self, *args: Any, **kwargs: Any) -> Json:
        self.asked.append((*args, kwargs) if kwargs else args)
        return self.say(*args, **kwargs)

    def _receive(self, *args: Any, **kwargs: Any) -> tuple[bytes, str]:
        self.asked.append((*args, kwargs))
        return self.received(*args, **kwargs)


def _ids(numbers: Iterator[int]) -> Callable[[], UUID]:
    return lambda: UUID(int=next(numbers))


def raising(error: Exception) -> Callable[..., Json]:
    """A use case that refuses or breaks."""

    def fail(*_: Any, **__: Any) -> Json:
        raise error

    return fail


def auth(key: str = KEY, **more: str) -> dict[str, str]:
    """Headers of a caller."""
    return {"Authorization": f"Bearer {key}", **more}


_CURRENT: dict[str, Any] = {}


class _Latest:
    """The use cases of the world that asked last."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_CURRENT["use_cases"], name)


@cache
def _shared_app() -> Flask:
    settings = replace(World().settings, new_id=lambda: _CURRENT["world"].settings.new_id())
    return create_app(cast(Any, _Latest()), settings)
