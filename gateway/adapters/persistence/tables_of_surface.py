"""The tables of payment links, of their visitors' forms, and of the log of requests."""

from __future__ import annotations

from sqlalchemy import Index, Table, Text, UniqueConstraint, text

from gateway.adapters.persistence.columns import (
    AT,
    BOOL,
    BYTES,
    INT,
    JSON,
    OWN,
    UUID,
    id_,
    key,
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

payment_link = Table(
    "payment_link",
    metadata,
    id_(),
    *owned(),
    *written(),
    must("metadata", JSON),
    must("currency", Text),
    may("amount_units", Units),
    may("amount_min", Units),
    may("amount_max", Units),
    may("description", Text),
    may("max_uses", INT),
    must("uses", INT, server_default=text("0")),
    may("expires_at", AT),
    must("active", BOOL),
    may("success_url", Text),
    must("secret", BYTES),
    must("secret_hash", BYTES),
    *key(),
    list_("payment_link_list"),
    UniqueConstraint(*OWN, "idempotency_key", name="payment_link_idempotency"),
    UniqueConstraint("secret_hash", name="payment_link_secret"),
)

link_use = Table(
    "link_use",
    metadata,
    id_(),
    *noted(),
    must("created", AT),
    must("link_id", UUID),
    must("token_hash", BYTES),
    must("session_id", UUID),
    must("payment_id", UUID),
    must("session_secret", BYTES),
    UniqueConstraint(*OWN, "link_id", "token_hash", name="link_use_once"),
    to("link_use_link", "link_id", "payment_link"),
    Index("link_use_list", *OWN, "link_id", "id"),
)

request_log = Table(
    "request_log",
    metadata,
    id_(),
    *noted(),
    must("at", AT),
    may("key_id", UUID),
    must("method", Text),
    may("route", Text),
    must("status", INT),
    must("duration_ms", INT),
    may("code", Text),
    may("idempotency_key", BYTES),
    may("request", JSON),
    may("response", JSON),
    list_("request_log_list"),
)
