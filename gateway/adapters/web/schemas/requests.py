"""Logged calls: what is shown."""

from __future__ import annotations

from marshmallow import fields

from gateway.adapters.web.schemas.base import (
    Shown,
    shown_flag,
    shown_id,
    shown_moment,
    shown_text,
    shown_whole,
    shown_word,
)
from gateway.domain.ids import Prefix


class LoggedRequestSchema(Shown):
    """One call of the API as the log keeps it: no body of a call that went well, and nothing personal."""

    id = shown_id(Prefix.REQUEST)
    object = shown_word(("request",))
    livemode = shown_flag()
    business = shown_id(Prefix.BUSINESS)
    at = shown_moment()
    api_key = shown_text("Which key called.", null=True)
    method = shown_text()
    route = shown_text("The path's pattern.", null=True)
    status = shown_whole()
    duration_ms = shown_whole()
    code = shown_text("The error's code.", null=True)
    idempotency_key_hash = shown_text("SHA-256 of the Idempotency-Key, in hex.", null=True)
    request = fields.Dict(
        keys=fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "The shape of a refused body: names, kinds and sums, no text of yours."},
    )
    response = fields.Dict(keys=fields.String(), required=True, allow_none=True)
