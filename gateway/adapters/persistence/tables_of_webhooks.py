"""The tables of webhooks beside endpoints and deliveries: replays, and where counts of swept events went on."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, Index, Table, Text, text

from gateway.adapters.persistence.columns import (
    AT,
    BOOL,
    INT,
    OWN,
    UUID,
    id_,
    list_,
    may,
    metadata,
    must,
    owned,
    to,
    written,
)

event_swept = Table(
    "event_swept",
    metadata,
    Column("business_id", UUID, primary_key=True),
    Column("livemode", BOOL, primary_key=True),
    Column("object_id", UUID, primary_key=True),
    must("last", INT),
)

webhook_replay = Table(
    "webhook_replay",
    metadata,
    id_(),
    *owned(),
    *written(),
    must("endpoint_id", UUID),
    must("since", AT),
    must("until", AT),
    must("types", ARRAY(Text)),
    must("missed", BOOL),
    may("cursor", UUID),
    must("resent", INT, server_default=text("0")),
    must("state", Text),
    list_("webhook_replay_list"),
    to("webhook_replay_endpoint", "endpoint_id", "webhook_endpoint"),
    Index("webhook_replay_running", *OWN, "endpoint_id", postgresql_where=text("state = 'running'")),
)
