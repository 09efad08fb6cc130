"""A timeline, as shown."""

from __future__ import annotations

from marshmallow import fields

from gateway.adapters.web.schemas.base import Shown, list_of, shown_moment, shown_text, shown_word


class TimelineEntrySchema(Shown):
    """One thing that happened."""

    at = shown_moment()
    kind = shown_word(("call", "callback", "report", "event", "journal", "delivery"))
    object = shown_text("The id of the object that it happened to.")
    summary = shown_text("A sentence for people.")
    detail = fields.Dict(keys=fields.String(), required=True, metadata={"description": "More, by kind."})
    request_id = shown_text("The API call that caused it.", null=True)


TIMELINE = list_of(TimelineEntrySchema(), "Timeline")
