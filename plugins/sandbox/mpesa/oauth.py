"""`GET /oauth/v1/generate?grant_type=client_credentials`: Basic credentials in, a bearer token out.

`expires_in` is a text, 3599; a new token kills the one before (portal FAQ, December 2025); foreign keys get HTTP 400
with an empty body (seen 17 August 2026).
"""

import base64
import binascii
from typing import Any

from plugins.sandbox.mpesa import wire
from plugins.sandbox.mpesa.config import App
from plugins.sandbox.mpesa.gate import Call, Endpoint, Refusal, Subject
from plugins.sandbox.mpesa.records import Token
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer


def _about(_sim: Simulator, _body: dict[str, Any]) -> Subject:
    return Subject()


def _handle(sim: Simulator, call: Call, _turn: Turn) -> tuple[Answer, str]:
    scheme, _, credentials = call.authorization.partition(" ")
    if scheme.lower() != "basic":
        raise _refused(sim, "400.008.01", "Invalid Authentication passed")
    if call.args.get("grant_type") != "client_credentials":
        raise _refused(sim, "400.008.02", "Invalid grant type passed")
    if call.method != "GET":
        raise Refusal(
            wire.error(404, "404.001.04", "Invalid Authentication Header", sim.ids.request_id(sim.settings.identifiers))
        )
    app = _app_of(sim, credentials)
    if app is None:
        raise Refusal(wire.empty(400))
    call.app = app
    life_s = sim.settings.token_life_s
    token = Token(value=sim.ids.token(), ends_ms=sim.now + round(life_s * 1000))
    sim.tokens.put(app.consumer_key, token)
    return wire.answer({"access_token": token.value, "expires_in": f"{life_s:.0f}"}), "token issued"


def _app_of(sim: Simulator, credentials: str) -> App | None:
    try:
        key, _, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    app = sim.world.app(key)
    return app if app is not None and app.consumer_secret == secret else None


def _refused(sim: Simulator, code: str, text: str) -> Refusal:
    return Refusal(wire.error(400, code, text, sim.ids.request_id(sim.settings.identifiers)))


def expire(sim: Simulator, consumer_key: str) -> int:
    """Kill the token of one app, or of all when no key is given; returns how many."""
    killed = 0
    for app in sim.world.apps:
        if consumer_key in ("", app.consumer_key) and sim.tokens.remove(app.consumer_key) is not None:
            killed += 1
    return killed


OAUTH = Endpoint(name="oauth", method="GET", about=_about, handle=_handle)
