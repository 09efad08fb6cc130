"""The pieces that the tables are made of: whose a row is, what it must hold, and keys that stay inside a business."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "gateway"
metadata = MetaData(schema=SCHEMA)

UUID, AT, BYTES, INT, BOOL = Uuid(), DateTime(timezone=True), LargeBinary(), Integer(), Boolean()
JSON = JSONB(none_as_null=True)
OWN = ("business_id", "livemode")


def must(name: str, type_: Any, **options: Any) -> Column[Any]:
    """A column that always holds something."""
    return Column(name, type_, nullable=False, **options)


def may(name: str, type_: Any) -> Column[Any]:
    """A column that may be empty."""
    return Column(name, type_, nullable=True)


def id_() -> Column[Any]:
    """The UUIDv7 of the row."""
    return Column("id", UUID, primary_key=True)


def written() -> tuple[Column[Any], ...]:
    """What every row that changes bears."""
    return (must("created", AT), must("updated", AT), must("version", INT))


def owned() -> tuple[Column[Any], ...]:
    """Whose a row is and in which mode."""
    return (Column("business_id", UUID, ForeignKey(f"{SCHEMA}.business.id"), nullable=False), must("livemode", BOOL))


def noted() -> tuple[Column[Any], ...]:
    """The same for rows that are written in great number about something that is checked already."""
    return (must("business_id", UUID), must("livemode", BOOL))


def key() -> tuple[Column[Any], ...]:
    """The idempotency key that made a row: its hash, and the fingerprint of the request."""
    return (may("idempotency_key", BYTES), may("fingerprint", BYTES))


def to(name: str, column: str, target: str, *, onupdate: str | None = None) -> ForeignKeyConstraint:
    """A foreign key that can't leave the business and mode."""
    wanted = [f"{SCHEMA}.{target}.{part}" for part in (*OWN, "id")]
    return ForeignKeyConstraint([*OWN, column], wanted, name=name, onupdate=onupdate)


def in_mode(name: str, column: str, target: str) -> ForeignKeyConstraint:
    """A foreign key to something pooled that can't leave the mode."""
    return ForeignKeyConstraint(
        [column, "livemode"], [f"{SCHEMA}.{target}.{part}" for part in ("id", "livemode")], name=name
    )


def list_(name: str) -> UniqueConstraint:
    """What lists walk along and what `to` points at."""
    return UniqueConstraint(*OWN, "id", name=name)
