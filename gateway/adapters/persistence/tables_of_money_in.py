"""The tables of money that nobody asked for: what providers named, and how far their histories were read."""

from __future__ import annotations

from sqlalchemy import Index, Table, Text, UniqueConstraint

from gateway.adapters.persistence.columns import AT, BOOL, INT, UUID, id_, in_mode, may, metadata, must, noted, written
from gateway.adapters.persistence.types import Units

external_record = Table(
    "external_record",
    metadata,
    id_(),
    *noted(),
    *written(),
    must("connection_id", UUID),
    must("float_id", UUID),
    must("receipt_namespace", Text),
    must("receipt_number", Text),
    may("reference", Text),
    must("state", Text),
    may("owner_id", UUID),
    may("attempt_id", UUID),
    must("trusted", BOOL),
    must("look_ups", INT),
    may("decided_units", Units),
    may("decided_at", AT),
    UniqueConstraint("receipt_namespace", "livemode", "receipt_number", name="external_record_once"),
    in_mode("external_record_connection", "connection_id", "connection"),
    in_mode("external_record_float", "float_id", "float"),
    Index("external_record_by_state", "livemode", "state", "id"),
)

history_cursor = Table(
    "history_cursor",
    metadata,
    must("connection_id", UUID, primary_key=True),
    *noted(),
    must("read_until", AT),
    may("page", Text),
    may("page_since", AT),
    may("page_until", AT),
    must("updated", AT),
    in_mode("history_cursor_connection", "connection_id", "connection"),
)
