"""An endpoint in front of a local node that fails as it is told: by hand in a test, or over `/control/faults`.

`GET /control/faults` lists, `POST` arms (`{"fault": "lose_answer", "method": …, "times": 1, …}`), `DELETE` drops all;
`GET /control/calls` counts what was asked. Everything else is JSON-RPC.
"""

import json
import socket
import struct
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from plugins.sandbox.chains.faults import LINE, Call, Fault, NoSuchFault, answered_instead, asked_instead

#: Closing with this option set throws away what is unsent and tells the peer "reset".
_RESET = struct.pack("ii", 1, 0)
_NODE_S = 60
#: Deeper than any reader of JSON goes.
_DEEP = 100_000


class FaultProxy:
    """One endpoint. `port` 0 takes a free one."""

    def __init__(self, upstream: str, *, port: int = 0) -> None:
        self.upstream = upstream
        self.calls: Counter[str] = Counter()
        self.exchanges = 0
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._local = threading.local()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve in threads until `stop`."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def arm(self, fault: str, *, method: str | None = None, times: int | None = None, **fields: Any) -> Fault:
        """Fail so from now on. `frozen_final` freezes at today's final block unless it names a `number`."""
        if fault == "frozen_final" and "number" not in fields:
            block = self.forward({"method": "eth_getBlockByNumber", "params": ["finalized", False]})
            fields["number"] = int(block["result"]["number"], 16)
        made = Fault(kind=fault, method=method, times=times, fields=fields)
        with self._lock:
            self._faults.append(made)
        return made

    def disarm(self) -> None:
        """Fail no more."""
        with self._lock:
            self._faults.clear()

    @property
    def armed(self) -> list[Fault]:
        """The faults, in the order in which they were armed."""
        with self._lock:
            return list(self._faults)

    def struck_by(self, calls: list[Call]) -> list[tuple[Fault, Call]]:
        """The faults that befall these calls, counted."""
        with self._lock:
            for call in calls:
                self.calls[str(call.get("method"))] += 1
            self.exchanges += 1
            return [(fault, call) for fault in self._faults for call in calls if fault.strikes(str(call.get("method")))]

    def forward(self, body: Any) -> Any:
        """Ask the node itself."""
        one = isinstance(body, dict)
        asked = {"jsonrpc": "2.0", "id": 1, **body} if one else body
        return self._session().post(self.upstream, json=asked, timeout=_NODE_S).json()

    def _session(self) -> requests.Session:
        # A session belongs to one thread.
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session

    def head(self) -> int:
        """The node's true height."""
        return int(self.forward({"method": "eth_blockNumber", "params": []})["result"], 16)

    def answer(self, body: Any, struck: list[tuple[Fault, Call]]) -> Any:
        """What is answered to a body of JSON-RPC, with the node's faults in it."""
        calls = body if isinstance(body, list) else [body]
        answers = [self._one(call, [fault for fault, hit in struck if hit is call]) for call in calls] if struck else []
        if not struck:
            return self.forward(body)
        return answers if isinstance(body, list) else answers[0]

    def _one(self, call: Call, faults: list[Fault]) -> Any:
        faults = [fault for fault in faults if fault.kind not in LINE]
        asked = call
        for fault in faults:
            asked, instead = asked_instead(fault, asked, self.head)
            if instead is not None:
                return {"jsonrpc": "2.0", "id": call.get("id"), **instead}
        answer = self.forward(asked)
        for fault in faults:
            if "result" in answer:
                answer = {**answer, "result": answered_instead(fault, answer["result"], self.head)}
        return {**answer, "id": call.get("id")}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: FaultProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that has gone is no news here; everything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: calls are counted."""

    def do_GET(self) -> None:
        """The control API's lists."""
        proxy = self.server.proxy
        if self.path == "/control/faults":
            return self._reply(200, {"faults": [fault.as_document() for fault in proxy.armed]})
        if self.path == "/control/calls":
            return self._reply(200, {"calls": dict(proxy.calls), "exchanges": proxy.exchanges})
        return self._reply(404, {"error": "no such page"})

    def do_DELETE(self) -> None:
        """Drop the faults."""
        self.server.proxy.disarm()
        self._reply(200, {"faults": []})

    def do_POST(self) -> None:
        """JSON-RPC, or one more fault."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        if self.path == "/control/faults":
            return self._armed(body)
        proxy = self.server.proxy
        struck = proxy.struck_by(body if isinstance(body, list) else [body])
        line = {fault.kind: fault for fault, _ in struck if fault.kind in LINE}
        if "delay" in line:
            time.sleep(float(line["delay"].fields.get("seconds", 1)))
        if "hang_up" in line:
            return self._cut()
        if "status" in line:
            return self._status(line["status"])
        if "html" in line:
            return self._raw(502, b"<html><body>Bad gateway</body></html>", "text/html")
        if "deep_json" in line:
            return self._raw(200, b"[" * _DEEP, "application/json")
        answer = json.dumps(proxy.answer(body, struck)).encode()
        if "lose_answer" in line:
            return self._cut()
        return self._raw(200, answer[: len(answer) // 2] if "cut_json" in line else answer, "application/json")

    def _armed(self, body: dict[str, Any]) -> None:
        try:
            made = self.server.proxy.arm(body.pop("fault"), **body)
        except (NoSuchFault, KeyError, TypeError) as wrong:
            return self._reply(400, {"error": str(wrong)})
        return self._reply(201, made.as_document())

    def _status(self, fault: Fault) -> None:
        extra = {"Retry-After": str(fault.fields["retry_after"])} if "retry_after" in fault.fields else {}
        body = str(fault.fields.get("body", "")).encode()
        self._raw(int(fault.fields.get("code", 503)), body, "text/plain", extra)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.connection.close()

    def _reply(self, status: int, document: Any) -> None:
        self._raw(status, json.dumps(document).encode(), "application/json")

    def _raw(self, status: int, body: bytes, kind: str, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
