"""Callbacks as web keeps them before it answers: sealed, once, and due to be weighed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.types.json import Jsonb
from sqlalchemy import Engine

from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.engines import one
from gateway.adapters.persistence.evidence import CALLBACK_BODY
from gateway.adapters.persistence.failures import in_our_words
from gateway.adapters.persistence.vault import Vault
from gateway.application.interfaces import CallbackStore, NewId, ReplyFound
from gateway.domain.due import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlCallbackStore(CallbackStore):
    """One statement, one transaction: the callback and its due work."""

    engine: Engine
    vault: Vault
    new_id: NewId
    clock: UnitClock

    def store(self, found: ReplyFound, *, body: bytes, headers: Mapping[str, str], peer: str) -> bool:
        queue, lease_s = KINDS["callback.weigh"]
        sql = (
            "SELECT gateway.keep_callback(%(id)s, %(business)s, %(livemode)s, %(reply)s, %(connection)s, %(kind)s,"
            f" %(subject)s, {self.clock.sql}, %(headers)s, %(body)s, %(hmac)s, %(peer)s, %(queue)s, %(lease)s)"
        )
        values = {
            "id": self.new_id(),
            "business": found.business_id,
            "livemode": found.livemode,
            "reply": found.reply_id,
            "connection": found.connection_id,
            "kind": found.subject_kind,
            "subject": found.subject_id,
            "now": self.clock.system(),
            "headers": Jsonb(dict(headers)),
            "body": self.vault.seal(body, column=CALLBACK_BODY, business_id=found.business_id),
            "hmac": self.vault.blind(body, CALLBACK_BODY),
            "peer": peer,
            "queue": queue,
            "lease": lease_s,
        }
        with in_our_words():
            return bool(one(self.engine, sql, values)[0])
