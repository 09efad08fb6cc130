"""Serves the simulator over HTTP: Swypt's paths under /api, the control API, the phone, and cut connections."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from plugins.sandbox.swypt import control, gate, offramp, onramp, phone
from plugins.sandbox.swypt.config import World
from plugins.sandbox.swypt.daraja import CALLBACKS, Daraja, take_callback
from plugins.sandbox.swypt.gate import Call
from plugins.sandbox.swypt.simulator import Handler, Simulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HANDLERS: dict[str, Handler] = {
    "end": onramp.on_end,
    "prompt_over": onramp.on_prompt_over,
    "autopilot": onramp.on_autopilot,
    "deliver": onramp.on_deliver,
    "payout": offramp.on_payout,
}
BODY_LIMIT = 64 * 1024
# Closing with this option set throws away what is unsent and tells the peer "reset".
RESET = struct.pack("ii", 1, 0)


class Hangup(ConnectionError):
    """The connection is cut here; the server sees it as a peer that went away, and closes without a word."""


class Web:
    """The application of one simulator."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._mpesa: Daraja | None = None

    def listen_at(self, url: str) -> None:
        """Where M-Pesa reaches us, if there is a line to it."""
        if self._sim.world.mpesa is not None:
            self._mpesa = Daraja(self._sim.world.mpesa, url)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = BODY_LIMIT
        try:
            response = self._respond(request)
        except HTTPException as error:
            response = Response(error.description or "", status=error.code or 500)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        path = request.path
        if path.startswith(f"{gate.BASE}/"):
            return self._swypt(request)
        if path.startswith("/control/"):
            return self._control(request, path.removeprefix("/control/"))
        if path.startswith(f"{CALLBACKS}/") and request.method == "POST":
            body = request.get_json(silent=True)
            known = take_callback(self._sim, path.rpartition("/")[2], body if isinstance(body, dict) else {})
            return _json({"ResultCode": 0, "ResultDesc": "Accepted"}, 200 if known else 404)
        if path == "/healthz":
            return _json({"status": "ok"})
        return phone.respond(self._sim, request)

    def _swypt(self, request: Request) -> Response:
        found = gate.endpoint_of(self._sim.settings.profile, request.method, request.path)
        if found is None:
            page = f"<!DOCTYPE html><html><body><pre>Cannot {request.method} {request.path}</pre></body></html>"
            return Response(page, status=404, content_type="text/html; charset=utf-8")
        endpoint, is_v1, subject = found
        call = Call(
            endpoint=endpoint,
            is_v1=is_v1,
            subject=subject,
            headers={name.lower(): value for name, value in request.headers.items()},
            args=dict(request.args),
            raw=request.get_data(),
        )
        reply = gate.serve(self._sim, call, self._mpesa)
        if reply.delay_s:
            self._sim.stopping.wait(reply.delay_s)
        if reply.text is None:
            raise Hangup
        headers = {"Retry-After": "1"} if reply.status == 429 else {}
        return Response(reply.text, status=reply.status, content_type=reply.kind, headers=headers)

    def _control(self, request: Request, path: str) -> Response:
        try:
            if request.method == "GET":
                return _json(control.read(self._sim, path, dict(request.args)))
            try:
                body = json.loads(request.get_data() or b"{}")
            except ValueError as error:
                raise control.Wrong("the body is not JSON") from error
            return _json(control.change(self._sim, path, body))
        except control.Wrong as wrong:
            return _json({"error": str(wrong)}, wrong.status)


def _json(payload: Any, status: int = 200) -> Response:
    return Response(json.dumps(payload, ensure_ascii=False), status=status, content_type="application/json")


class QuietHandler(WSGIRequestHandler):
    """Says nothing of ordinary requests, and cuts the line where the application hangs up."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are in the journal."""

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:  # noqa: ARG002
        self.close_connection = True
        if isinstance(error, Hangup):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


class Server:
    """A simulator and its listening socket. `port` 0 takes a free one."""

    def __init__(
        self,
        *,
        world: World,
        state_dir: Path,
        seed: int = 1,
        host: str = "127.0.0.1",
        port: int = 0,
        frozen_at_ms: int | None = None,
    ) -> None:
        self.sim = Simulator(world=world, state_dir=state_dir, seed=seed, frozen_at_ms=frozen_at_ms, handlers=HANDLERS)
        web = Web(self.sim)
        self._http: BaseWSGIServer = make_server(host, port, web, threaded=True, request_handler=QuietHandler)
        self.host, self.port = host, self._http.port
        web.listen_at(f"http://{host}:{self.port}")

    @property
    def url(self) -> str:
        """The base URL of the API, as `https://pool.swypt.io/api` would be."""
        return f"http://{self.host}:{self.port}{gate.BASE}"

    def start(self, *, poll_s: float = 0.1) -> None:
        """Serve in a thread until `stop`, which may take as long as `poll_s`."""
        self.sim.start()
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": poll_s}, name="swypt-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the socket; what is due stays remembered."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self.sim.stop()
