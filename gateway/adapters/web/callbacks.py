"""/in/{tag}/{secret}: where providers call back. Kept as evidence, answered at once, weighed later by a worker."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from gateway.adapters.web.bodies import read_bytes
from gateway.adapters.web.desk import desk, use_cases
from gateway.adapters.web.limits import address
from gateway.domain.errors import NotFound

blueprint = Blueprint("callbacks", __name__)

#: Lower-case hex alone: two spellings of one secret would be one too many.
_TAG = re.compile(r"[0-9a-f]{8}")
_SECRET = re.compile(r"[0-9a-f]{32}")

#: Headers that say something about a callback; the rest is noise, or an intermediary's.
_KEPT = ("content-type", "user-agent", "x-forwarded-for", "date")


@blueprint.post("/in/<tag>/<secret>")
def receive(tag: str, secret: str) -> Response:
    """Store and acknowledge; any content type. Unknown address: 404. Not stored: 5xx, so that the provider repeats."""
    body = read_bytes(request)
    try:
        if not _TAG.fullmatch(tag) or not _SECRET.fullmatch(secret):
            raise NotFound("nothing is expected at this address")
        headers = {name: value[:500] for name in _KEPT if (value := request.headers.get(name))}
        reply, content_type = use_cases().receive_callback(tag, secret, body=body, headers=headers, peer=address())
    except NotFound:
        desk().guards.unknown_callback()
        raise
    return Response(reply, 200, content_type=content_type)
