"""The tables of providers' statements: the files, and their lines with what became of them."""

from __future__ import annotations

from sqlalchemy import Index, Table, Text, UniqueConstraint, text

from gateway.adapters.persistence.columns import AT, BOOL, BYTES, INT, UUID, id_, in_mode, may, metadata, must, noted
from gateway.adapters.persistence.types import Units

statement = Table(
    "statement",
    metadata,
    id_(),
    *noted(),
    must("created", AT),
    must("updated", AT),
    must("connection_id", UUID),
    must("float_id", UUID),
    must("receipt_namespace", Text),
    must("name", Text),
    must("sha256", BYTES),
    must("account", Text),
    must("currency", Text),
    may("since", AT),
    may("until", AT),
    may("opening_units", Units),
    may("closing_units", Units),
    must("lines", INT),
    must("known", INT),
    must("state", Text),
    must("looks", INT),
    UniqueConstraint("connection_id", "sha256", name="statement_once"),
    UniqueConstraint("id", "livemode", name="statement_in_mode"),
    in_mode("statement_connection", "connection_id", "connection"),
    in_mode("statement_float", "float_id", "float"),
)

statement_line = Table(
    "statement_line",
    metadata,
    id_(),
    *noted(),
    must("statement_id", UUID),
    must("float_id", UUID),
    must("row", INT),
    must("kind", Text),
    must("receipt_number", Text),
    must("happened_at", AT),
    must("currency", Text),
    must("amount_units", Units),
    must("comes_in", BOOL),
    must("completed", BOOL),
    must("place", INT),
    may("reference", Text),
    may("original_receipt", Text),
    may("payer_hint", Text),
    may("balance_units", Units),
    must("detail", Text),
    may("outcome", Text),
    may("matched_kind", Text),
    may("matched_id", UUID),
    may("settled_at", AT),
    UniqueConstraint(
        "float_id",
        "receipt_number",
        "kind",
        "comes_in",
        "amount_units",
        "completed",
        "place",
        name="statement_line_once",
    ),
    in_mode("statement_line_statement", "statement_id", "statement"),
    in_mode("statement_line_float", "float_id", "float"),
    Index("statement_line_of", "statement_id", "row"),
    Index("statement_line_open", "statement_id", "kind", "row", postgresql_where=text("outcome IS NULL")),
    Index(
        "statement_line_waiting",
        "original_receipt",
        "statement_id",
        postgresql_where=text(
            "original_receipt IS NOT NULL AND kind IN ('reversal', 'return')"
            " AND COALESCE(outcome, 'unmatched') = 'unmatched'"
        ),
    ),
)
