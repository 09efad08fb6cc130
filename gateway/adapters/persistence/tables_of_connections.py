"""The table of connections' health: breakers, calls that may be made, tries that may be repeated."""

from __future__ import annotations

from sqlalchemy import Numeric, Table, Text, text

from gateway.adapters.persistence.columns import AT, BOOL, INT, UUID, in_mode, may, metadata, must

connection_health = Table(
    "connection_health",
    metadata,
    must("connection_id", UUID, primary_key=True),
    must("livemode", BOOL),
    must("state", Text, server_default=text("'closed'")),
    must("recent", Text, server_default=text("''")),
    must("opens", INT, server_default=text("0")),
    may("opened_at", AT),
    may("probe_at", AT),
    may("probe_id", UUID),
    may("reason", Text),
    may("hold_until", AT),
    must("calls", Numeric, server_default=text("1")),
    must("calls_at", AT, server_default=text("clock_timestamp()")),
    must("retries", Numeric, server_default=text("10")),
    in_mode("connection_health_connection", "connection_id", "connection"),
)
