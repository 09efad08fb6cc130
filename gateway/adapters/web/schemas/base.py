"""What all schemas share: strict bodies and queries, the members of every object, lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, fields

from gateway.adapters.web.faults import UNKNOWN
from gateway.adapters.web.schemas.fields import Choice, Id, Moment, QueryWhole, Several
from gateway.application.commands import ListQuery
from gateway.domain.ids import Prefix


class Body(Schema):
    """A request's body: unknown fields are refused, since a misspelt one could decide money."""

    class Meta:
        """Refuse what isn't declared."""

        unknown = RAISE

    error_messages = {"unknown": UNKNOWN, "type": "must be an object"}  # noqa: RUF012


class Query(Body):
    """A request's query string, as strict as a body."""


class Nothing(Body):
    """No fields: the request says all by its path."""


class Listing(Query):
    """A page of a list: `limit`, one cursor, bounds on `created`. Nouns add cursors of their kind and filters."""

    limit = QueryWhole(1, 100, load_default=20, metadata={"description": "How many objects, newest first."})
    created_gte = Moment(data_key="created[gte]")
    created_gt = Moment(data_key="created[gt]")
    created_lte = Moment(data_key="created[lte]")
    created_lt = Moment(data_key="created[lt]")


def listing(name: str, prefix: Prefix, *, expand: tuple[str, ...] = (), **filters: fields.Field[Any]) -> Listing:
    """The query schema of one noun's list."""
    members: dict[str, Any] = dict(filters)
    members["starting_after"] = Id(prefix, metadata={"description": "The page after this object."})
    members["ending_before"] = Id(prefix, metadata={"description": "The page before this object."})
    if expand:
        members["expand"] = Several(Choice(expand), data_key="expand[]")
    made: type[Listing] = type(f"{name}Listing", (Listing,), members)
    return made()


def expanding(name: str, *words: str) -> Query:
    """The query schema of one object that can show more of itself."""
    made: type[Query] = type(f"{name}Query", (Query,), {"expand": Several(Choice(words), data_key="expand[]")})
    return made()


_PAGE = frozenset(
    ("limit", "starting_after", "ending_before", "created_gte", "created_gt", "created_lte", "created_lt", "expand")
)


def list_query(asked: Mapping[str, Any], **named: str) -> ListQuery:
    """The checked query as a ListQuery; `named` says which filter a parameter is (`status="state"`)."""
    filters = {named.get(name, name): value for name, value in asked.items() if name not in _PAGE}
    page = {name: value for name, value in asked.items() if name in _PAGE}
    page["expand"] = tuple(page.get("expand", ()))
    return ListQuery(filters=filters, **page)


class Shown(Schema):
    """Part of an answer. Answers are made by the use cases; these schemas document them."""

    class Meta:
        """Readers must live with members that come later, so the documented objects are open."""

        unknown = EXCLUDE


def shown_id(prefix: Prefix, **more: Any) -> fields.String:
    """An id in an answer."""
    return fields.String(required=True, metadata={"examples": [f"{prefix}_06AZXQ7K3D9V41N2C8RMTW5HJE"]}, **more)


def shown_text(about: str | None = None, *, null: bool = False) -> fields.String:
    """A text in an answer."""
    return fields.String(required=True, allow_none=null, metadata={"description": about} if about else {})


def shown_whole(about: str | None = None, *, null: bool = False) -> fields.Integer:
    """A whole number in an answer."""
    return fields.Integer(required=True, allow_none=null, metadata={"description": about} if about else {})


def shown_flag(about: str | None = None) -> fields.Boolean:
    """True or false in an answer."""
    return fields.Boolean(required=True, metadata={"description": about} if about else {})


def shown_moment(about: str | None = None, *, null: bool = False) -> fields.DateTime:
    """A time in an answer: RFC 3339, UTC."""
    return fields.DateTime(required=True, allow_none=null, metadata={"description": about} if about else {})


def shown_word(words: tuple[str, ...], about: str | None = None, *, null: bool = False) -> fields.String:
    """One word of a closed list in an answer."""
    # OneOf would leave null out of the enumeration; written by hand it is exact.
    allowed: list[str | None] = [*words, *([None] if null else [])]
    return fields.String(
        required=True, allow_none=null, metadata={"enum": allowed, **({"description": about} if about else {})}
    )


class Owned(Shown):
    """The members of every object of a business."""

    livemode = shown_flag("True in live mode, false in test mode.")
    business = shown_id(Prefix.BUSINESS)
    created = shown_moment()
    updated = shown_moment()
    version = shown_whole("Counts the changes of the object.")
    metadata = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, metadata={"description": "Your own notes."}
    )


def list_of(schema: Schema, name: str) -> Schema:
    """A page of that object."""
    members: dict[str, Any] = {
        "object": shown_word(("list",)),
        "data": fields.List(fields.Nested(schema), required=True),
        "has_more": shown_flag(),
        "next_cursor": shown_text("Send it as `starting_after` for the next page.", null=True),
    }
    made: type[Shown] = type(name, (Shown,), members)
    return made()
