"""A proxy on loopback that is the host of Daraja's sandbox: libraries reach the simulator by the real name, over TLS.

A library opens a tunnel (CONNECT) and speaks TLS to the name it knows. Any other host is refused, so nothing leaves
this machine.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HOST = "sandbox.safaricom.co.ke"
PASSED_ON = ("Authorization", "Content-Type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call as it went by."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any


class Tunnel:
    """The proxy, started. `exchanges` are the calls in order, `refused` what was asked of other hosts."""

    def __init__(self, simulator: str, context: ssl.SSLContext) -> None:
        self.exchanges: list[Exchange] = []
        self.refused: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, urlsplit(simulator).netloc, context))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(tunnel: Tunnel, simulator: str, context: ssl.SSLContext) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_CONNECT(self) -> None:
            if self.path != f"{HOST}:443":
                self._refuse(self.path)
                return
            self.send_response_only(200)
            self.end_headers()
            self.rfile.close()
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            self.close_connection = False

        def do_GET(self) -> None:
            self._forward()

        def do_POST(self) -> None:
            self._forward()

        def _forward(self) -> None:
            if not isinstance(self.connection, ssl.SSLSocket):
                self._refuse(self.path)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            line = http.client.HTTPConnection(simulator, timeout=30)
            try:
                line.request(self.command, self.path, body or None, headers)
                reply = line.getresponse()
                text = reply.read()
            finally:
                line.close()
            tunnel.exchanges.append(
                Exchange(method=self.command, path=self.path, body=_read(body), status=reply.status, answer=_read(text))
            )
            self.send_response_only(reply.status)
            self.send_header("Content-Type", reply.headers["Content-Type"])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _refuse(self, asked: str) -> None:
            tunnel.refused.append(asked)
            self.send_error(403)

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def _read(text: bytes) -> Any:
    return json.loads(text) if text[:1] in (b"{", b"[") else text.decode()
