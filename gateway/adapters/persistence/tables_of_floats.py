"""The tables of the operator's day: providers' word on floats, charges, halts, own transfers, tallies."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Index, Numeric, PrimaryKeyConstraint, Table, Text, UniqueConstraint, text

from gateway.adapters.persistence.columns import (
    AT,
    BOOL,
    INT,
    JSON,
    UUID,
    id_,
    in_mode,
    may,
    metadata,
    must,
    noted,
    written,
)
from gateway.adapters.persistence.types import Units

float_balance = Table(
    "float_balance",
    metadata,
    must("connection_id", UUID),
    must("livemode", BOOL),
    must("pocket", Text),
    may("float_id", UUID),
    must("currency", Text),
    must("units", Units),
    must("is_owed", BOOL),
    must("at", AT),
    PrimaryKeyConstraint("connection_id", "pocket"),
    in_mode("float_balance_connection", "connection_id", "connection"),
    in_mode("float_balance_float", "float_id", "float"),
    Index("float_balance_of_float", "float_id", "at", postgresql_where=text("float_id IS NOT NULL")),
)

provider_charge = Table(
    "provider_charge",
    metadata,
    must("float_id", UUID),
    must("number", Text),
    must("livemode", BOOL),
    must("units", Units),
    must("at", AT),
    PrimaryKeyConstraint("float_id", "number"),
    in_mode("provider_charge_float", "float_id", "float"),
)

halt = Table(
    "halt",
    metadata,
    must("livemode", BOOL),
    must("what", Text),
    must("reason", Text),
    must("since", AT),
    PrimaryKeyConstraint("livemode", "what"),
)

own_transfer = Table(
    "own_transfer",
    metadata,
    id_(),
    *noted(),
    *written(),
    must("connection_id", UUID),
    must("source_id", UUID),
    must("target_id", UUID),
    must("source_pocket", Text),
    must("target_pocket", Text),
    must("currency", Text),
    must("amount_units", Units),
    must("reference", Text),
    may("provider_reference", Text),
    must("state", Text),
    must("sends", INT),
    must("look_ups", INT),
    may("receipt_number", Text),
    may("failure", JSON),
    UniqueConstraint("connection_id", "reference", name="own_transfer_reference"),
    in_mode("own_transfer_connection", "connection_id", "connection"),
    in_mode("own_transfer_source", "source_id", "float"),
    in_mode("own_transfer_target", "target_id", "float"),
)

call_tally = Table(
    "call_tally",
    metadata,
    must("connection_id", UUID),
    must("livemode", BOOL),
    must("operation", Text),
    must("outcome", Text),
    must("calls", BigInteger),
    must("seconds", Numeric),
    must("buckets", ARRAY(BigInteger)),
    must("last_at", AT),
    PrimaryKeyConstraint("connection_id", "operation", "outcome"),
)

request_tally = Table(
    "request_tally",
    metadata,
    must("method", Text),
    must("route", Text),
    must("status", INT),
    must("calls", BigInteger),
    must("seconds", Numeric),
    must("buckets", ARRAY(BigInteger)),
    PrimaryKeyConstraint("method", "route", "status"),
)

tally_mark = Table("tally_mark", metadata, must("what", Text, primary_key=True), must("last", UUID))
