"""Serves the simulator over HTTP: one thread a connection, quiet, with connections that can be cut."""

import socket
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from plugins.sandbox.mpesa.app import Hangup, build
from plugins.sandbox.mpesa.config import World

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Closing with this option set throws away what is unsent and tells the peer "reset".
RESET = struct.pack("ii", 1, 0)


class QuietHandler(WSGIRequestHandler):
    """Says nothing of ordinary requests, and cuts the line where the application hangs up."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are in the journal."""

    def connection_dropped(self, error: BaseException, environ: "WSGIEnvironment | None" = None) -> None:  # noqa: ARG002
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
        seed: int,
        host: str = "127.0.0.1",
        port: int = 0,
        frozen_at_ms: int | None = None,
    ) -> None:
        self.sim, web = build(world=world, state_dir=state_dir, seed=seed, frozen_at_ms=frozen_at_ms)
        self._http: BaseWSGIServer = make_server(host, port, web, threaded=True, request_handler=QuietHandler)
        self.host, self.port = host, self._http.port

    def start(self, *, poll_s: float = 0.1) -> None:
        """Serve in a thread until `stop`, which may take as long as `poll_s`."""
        self.sim.start()
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": poll_s}, name="mpesa-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the socket and stop the clock's work; what is due stays remembered."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self.sim.stop()
