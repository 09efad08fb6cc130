"""The ReplyTo of one call: its hash is kept before the call, its secret only in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from gateway.application.interfaces import Chance, ReplyAddress, UnitOfWork
from gateway.domain.connections import Connection
from ports.callback import ReplyTo

#: The purpose of an address to which the answer to a question of ours comes.
LOOK_UP = "look_up"

#: Makes the public URL of a ReplyTo from a connection's tag and a secret.
ReplyUrl = Callable[[str, str], str]


def secret_hash(secret: str) -> bytes:
    """How a callback's or a session's secret is kept."""
    return sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replying:
    """Makes the ReplyTo of one call: the hash is kept before the call, the secret only in memory."""

    chance: Chance
    url: ReplyUrl

    def open(
        self, work: UnitOfWork, connection: Connection, *, subject_kind: str, subject_id: UUID, purpose: str
    ) -> ReplyTo:
        """Insert the address within the unit, and give the URL for the call that follows the commit."""
        secret = self.chance.secret_hex()
        scope = work.scope
        work.replies.add(
            ReplyAddress(
                id=work.new_id(),
                secret_hash=secret_hash(secret),
                connection_id=connection.id,
                business_id=scope.business_id,
                livemode=scope.livemode,
                subject_kind=subject_kind,
                subject_id=subject_id,
                purpose=purpose,
                created=work.now,
            )
        )
        return ReplyTo(url=self.url(connection.tag, secret))
