"""The tables beside state: evidence, due work, events and deliveries, guards and records."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, ForeignKeyConstraint, Index, Interval, Table, Text, UniqueConstraint, text

from gateway.adapters.persistence.columns import (
    AT,
    BOOL,
    BYTES,
    INT,
    JSON,
    OWN,
    UUID,
    id_,
    in_mode,
    list_,
    may,
    metadata,
    must,
    noted,
    owned,
    to,
    written,
)
from gateway.adapters.persistence.types import Units

reply_to = Table(
    "reply_to",
    metadata,
    id_(),
    *noted(),
    must("created", AT),
    must("secret_hash", BYTES),
    must("connection_id", UUID),
    must("subject_kind", Text),
    must("subject_id", UUID),
    must("purpose", Text),
    UniqueConstraint("secret_hash", name="reply_to_secret"),
    in_mode("reply_to_connection", "connection_id", "connection"),
)

provider_call = Table(
    "provider_call",
    metadata,
    id_(),
    *noted(),
    must("subject_kind", Text),
    must("subject_id", UUID),
    must("connection_id", UUID),
    must("operation", Text),
    must("started_at", AT),
    must("ended_at", AT),
    must("outcome", Text),
    may("detail", Text),
    Index("provider_call_of_subject", *OWN, "subject_id", "id"),
)

provider_callback = Table(
    "provider_callback",
    metadata,
    id_(),
    *noted(),
    must("reply_id", UUID),
    must("connection_id", UUID),
    must("subject_kind", Text),
    must("subject_id", UUID),
    must("received_at", AT),
    must("headers", JSON),
    must("body", BYTES),
    must("body_hmac", BYTES),
    must("peer", Text),
    may("weighed_at", AT),
    may("verdict", Text),
    ForeignKeyConstraint(["reply_id"], ["gateway.reply_to.id"]),
    UniqueConstraint("reply_id", "body_hmac", name="provider_callback_once"),
    Index("provider_callback_of_subject", *OWN, "subject_id", "id"),
)

report = Table(
    "report",
    metadata,
    id_(),
    *noted(),
    must("subject_kind", Text),
    must("subject_id", UUID),
    must("at", AT),
    must("grade", Text),
    must("status", Text),
    may("secret", UUID),
    may("receipt_namespace", Text),
    may("receipt_number", Text),
    may("currency", Text),
    may("amount_units", Units),
    may("happened_at", AT),
    may("failure", JSON),
    must("found_nothing", BOOL),
    must("asked", BOOL),
    may("unrecognised", Text),
    may("payer_hint", Text),
    Index("report_of_subject", *OWN, "subject_id", "id"),
    Index(
        "report_of_money_out",
        "receipt_number",
        postgresql_where=text(
            "receipt_number IS NOT NULL AND subject_kind IN ('payout_attempt', 'refund_payout', 'own_transfer')"
        ),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    id_(),
    *noted(),
    must("kind", Text),
    must("queue", Text),
    must("subject_id", UUID),
    must("due_at", AT),
    must("lease_s", INT),
    may("lease_until", AT),
    may("holder", INT),
    must("dispatches", INT, server_default=text("0")),
    must("generation", INT, server_default=text("1")),
    must("claimed", INT, server_default=text("0")),
    must("failures", INT, server_default=text("0")),
    may("done_at", AT),
    may("lane", UUID),
    Index("outbox_one_open", "kind", "subject_id", unique=True, postgresql_where=text("done_at IS NULL")),
    Index(
        "outbox_due",
        "queue",
        "due_at",
        postgresql_where=text("done_at IS NULL AND lease_until IS NULL AND lane IS NULL"),
    ),
    Index(
        "outbox_lane_due",
        "queue",
        "lane",
        "due_at",
        postgresql_where=text("done_at IS NULL AND lease_until IS NULL AND lane IS NOT NULL"),
    ),
    Index(
        "outbox_lane_busy",
        "lane",
        postgresql_where=text("done_at IS NULL AND lease_until IS NOT NULL AND lane IS NOT NULL"),
    ),
    Index(
        "outbox_leased", "queue", "lease_until", postgresql_where=text("done_at IS NULL AND lease_until IS NOT NULL")
    ),
    Index("outbox_done", "done_at", postgresql_where=text("done_at IS NOT NULL")),
)

event = Table(
    "event",
    metadata,
    id_(),
    *noted(),
    must("created", AT),
    must("type", Text),
    must("object_id", UUID),
    must("sequence", INT),
    must("payload", JSON),
    list_("event_list"),
    UniqueConstraint(*OWN, "object_id", "sequence", name="event_sequence"),
    Index("event_by_type", *OWN, "type", "id"),
)

webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    id_(),
    *owned(),
    *written(),
    must("metadata", JSON),
    must("url", Text),
    may("secret", BYTES),
    must("enabled_events", ARRAY(Text)),
    may("description", Text),
    must("state", Text),
    may("disabled_for", Text),
    may("deleted_at", AT),
    may("previous_secret", BYTES),
    may("previous_until", AT),
    must("payload", Text, server_default=text("'full'")),
    may("failing_since", AT),
    may("slow_until", AT),
    may("disabled_at", AT),
    list_("webhook_endpoint_list"),
)

delivery = Table(
    "delivery",
    metadata,
    id_(),
    *noted(),
    *written(),
    must("event_id", UUID),
    must("endpoint_id", UUID),
    must("state", Text),
    must("tries", INT),
    may("last_status", INT),
    may("last_error", Text),
    may("last_tried_at", AT),
    may("next_try_at", AT),
    must("earlier_tries", INT, server_default=text("0")),
    list_("delivery_list"),
    UniqueConstraint(*OWN, "event_id", "endpoint_id", name="delivery_once"),
    to("delivery_event", "event_id", "event"),
    to("delivery_endpoint", "endpoint_id", "webhook_endpoint"),
    Index("delivery_of_endpoint", *OWN, "endpoint_id", "id"),
)

delivery_try = Table(
    "delivery_try",
    metadata,
    id_(),
    *noted(),
    must("delivery_id", UUID),
    must("number", INT),
    must("at", AT),
    may("status", INT),
    may("error", Text),
    may("duration_ms", INT),
    UniqueConstraint(*OWN, "delivery_id", "number", name="delivery_try_number"),
    to("delivery_try_delivery", "delivery_id", "delivery"),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    id_(),
    must("owner_id", UUID),
    *noted(),
    must("key_hash", BYTES),
    must("fingerprint", BYTES),
    must("object_id", UUID),
    may("lease_until", AT),
    may("status", INT),
    may("answer", BYTES),
    must("keep_until", AT),
    UniqueConstraint(*OWN, "owner_id", "key_hash", name="idempotency_key_scope"),
    Index("idempotency_key_kept", "keep_until"),
)

taken_reference = Table(
    "taken_reference",
    metadata,
    Column("float_id", UUID, primary_key=True),
    Column("reference", Text, primary_key=True),
    ForeignKeyConstraint(["float_id"], ["gateway.float.id"]),
)

phone_prompt = Table(
    "phone_prompt",
    metadata,
    id_(),
    must("phone_hmac", BYTES),
    must("livemode", BOOL),
    must("at", AT),
    Index("phone_prompt_recent", "phone_hmac", "livemode", "at"),
)

test_clock = Table(
    "test_clock",
    metadata,
    Column("one", BOOL, primary_key=True, server_default=text("true")),
    must("shift", Interval, server_default=text("'0'")),
)

alert = Table(
    "alert",
    metadata,
    id_(),
    may("business_id", UUID),
    may("livemode", BOOL),
    must("kind", Text),
    may("subject_id", UUID),
    must("detail", Text),
    must("raised_at", AT),
    may("resolved_at", AT),
    Index(
        "alert_one_open",
        "kind",
        "subject_id",
        "livemode",
        unique=True,
        postgresql_where=text("resolved_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    ),
)

audit = Table(
    "audit",
    metadata,
    id_(),
    must("actor", Text),
    must("action", Text),
    may("subject_id", UUID),
    must("reason", Text),
    must("at", AT),
)
