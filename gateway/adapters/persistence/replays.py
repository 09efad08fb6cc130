"""Replays of webhooks as rows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from gateway.adapters.persistence.tables import webhook_replay as table
from gateway.adapters.persistence.transaction import Transaction
from gateway.application.interfaces import Replays
from gateway.domain.webhooks import Replay

_STATES = {False: "running", True: "done"}


class SqlReplays(Replays):
    """Replays of the unit's business and mode."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, replay: Replay) -> None:
        row = {
            "id": replay.id,
            "created": replay.created,
            "updated": replay.updated,
            "version": replay.version,
            "endpoint_id": replay.endpoint_id,
            "since": replay.since,
            "until": replay.until,
            "types": list(replay.types),
            "missed": replay.missed,
            "state": _STATES[replay.is_done],
        }
        self._tx.add(table, row)

    def get(self, replay_id: UUID, *, lock: bool = False) -> Replay:
        row = self._tx.get(table, replay_id, "replay", lock=lock)
        return Replay(
            id=row.id,
            business_id=row.business_id,
            livemode=row.livemode,
            created=row.created,
            updated=row.updated,
            version=row.version,
            endpoint_id=row.endpoint_id,
            since=row.since,
            until=row.until,
            types=tuple(row.types),
            missed=row.missed,
            cursor=row.cursor,
            resent=row.resent,
            is_done=row.state == "done",
        )

    def save(self, replay: Replay) -> Replay:
        values = {
            "updated": replay.updated,
            "cursor": replay.cursor,
            "resent": replay.resent,
            "state": _STATES[replay.is_done],
        }
        return self._tx.saved(table, replay, values)

    def is_running(self, endpoint_id: UUID) -> bool:
        mine = self._tx.own(table), table.c.endpoint_id == endpoint_id, table.c.state == "running"
        running = select(table.c.id).where(*mine, table.c.missed.is_(False)).limit(1)
        return self._tx.conn.execute(running).first() is not None
