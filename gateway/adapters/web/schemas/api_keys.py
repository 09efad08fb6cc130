"""Keys, as sent and as shown."""

from __future__ import annotations

from marshmallow import fields

from gateway.adapters.web.schemas.base import (
    Body,
    Shown,
    list_of,
    shown_flag,
    shown_id,
    shown_moment,
    shown_text,
    shown_word,
)
from gateway.adapters.web.schemas.fields import Choice, Moment, Several, Text, Whole
from gateway.domain.api_keys import OVERLAP_MAX_S, KeyKind
from gateway.domain.ids import Prefix

_KINDS = tuple(kind.value for kind in KeyKind)
_NAME_MAX = 100
_DAY_S = 86_400


class NewApiKeySchema(Body):
    """A new key."""

    kind = Choice(_KINDS, load_default=KeyKind.SECRET.value)
    name = Text(_NAME_MAX, required=True)
    scopes = Several(Text(64), load_default=(), metadata={"description": "A restricted key's, and only its."})
    addresses = Several(
        Text(64), load_default=(), metadata={"description": "Networks in CIDR from which it may be used; none: any."}
    )
    expires_at = Moment(allow_none=True)


class RollSchema(Body):
    """How long the old key works beside the new one."""

    expires_in = Whole(0, OVERLAP_MAX_S, load_default=_DAY_S, metadata={"description": "Seconds."})


class ApiKeySchema(Shown):
    """A key. Its text is shown once, where it is made; we keep a hash."""

    id = shown_id(Prefix.API_KEY)
    object = shown_word(("api_key",))
    livemode = shown_flag()
    business = shown_id(Prefix.BUSINESS)
    created = shown_moment()
    kind = shown_word(_KINDS)
    name = shown_text()
    masked = shown_text("Its head and its last four characters.")
    scopes = fields.List(fields.String(), required=True)
    addresses = fields.List(fields.String(), required=True)
    expires_at = shown_moment(null=True)
    revoked_at = shown_moment(null=True)
    last_used = shown_moment("To the minute.", null=True)
    rolled_to = fields.String(required=True, allow_none=True)
    secret = fields.String(metadata={"description": "The key itself: in the answer that made it, and never again."})


API_KEYS = list_of(ApiKeySchema(), "ApiKeyList")
