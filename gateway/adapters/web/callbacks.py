"""/in/{tag}/{secret}: where providers call back. Kept as evidence, answered at once, weighed later by a worker.

`callback_door` answers most of them before the framework; what it can't answer in a few words comes here.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from gateway.adapters.web.bodies import read_bytes
from gateway.adapters.web.callback_door import KEPT, PLACE, count_unknown, trouble_of
from gateway.adapters.web.desk import desk, use_cases
from gateway.adapters.web.limits import address
from gateway.domain.errors import NotFound

blueprint = Blueprint("callbacks", __name__)


@blueprint.post("/in/<tag>/<secret>")
def receive(tag: str, secret: str) -> Response:
    """Store and acknowledge; any content type. Unknown address: 404. Not stored: 5xx, so that the provider repeats."""
    if met := trouble_of(request.environ):
        raise met
    body = read_bytes(request)
    try:
        if not PLACE.fullmatch(f"/in/{tag}/{secret}"):
            raise NotFound("nothing is expected at this address")
        headers = {name: value[:500] for name in KEPT if (value := request.headers.get(name))}
        reply, content_type = use_cases().receive_callback(tag, secret, body=body, headers=headers, peer=address())
    except NotFound:
        count_unknown(desk().guards.unknown_callback, address())
        raise
    return Response(reply, 200, content_type=content_type)
