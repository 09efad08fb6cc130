"""Errors by RFC 9457, as documented."""

from __future__ import annotations

from marshmallow import fields

from gateway.adapters.web.schemas.base import Shown, shown_flag, shown_text, shown_whole


class FaultSchema(Shown):
    """One field that is wrong."""

    param = shown_text("A JSON pointer.")
    code = shown_text()
    detail = shown_text()


class ProblemSchema(Shown):
    """Why a call was refused, and what to do next."""

    type = shown_text("A URL that explains the code.")
    title = shown_text()
    status = shown_whole()
    detail = shown_text("A sentence for people.")
    instance = shown_text()
    code = shown_text("A word that never changes its meaning; /docs/errors lists all.")
    param = shown_text("The field that is wrong, as a JSON pointer.", null=True)
    request_id = shown_text()
    retryable = shown_flag("The same call may succeed later.")
    doc_url = shown_text()
    errors = fields.List(fields.Nested(FaultSchema), required=True)
