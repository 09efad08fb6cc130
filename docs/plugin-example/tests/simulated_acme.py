"""A tiny Acme Pay on loopback, written from its (invented) papers, and what a test does on its side."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

from ports.callback import ReplyTo
from ports.money import Money

KEY = "acme-key-1234567890"


@dataclass(kw_only=True)
class Charge:
    """One charge; `told_units` is what the callback says of the sum."""

    id: str
    order: dict[str, object]
    code: str = "WAITING"
    told_units: int | None = None

    def shown(self) -> dict[str, object]:
        """As answers and callbacks show it."""
        found = {"id": self.id, "order_id": self.order["order_id"], "code": self.code, "phone": self.order["phone"]}
        if self.code == "PAID":
            units = self.order["units"] if self.told_units is None else self.told_units
            found |= {"units": units, "receipt": f"AP{self.id[3:]:0>8}", "paid_at": "2026-11-24T10:30:00+03:00"}
        return found


@dataclass(kw_only=True)
class SimulatedAcme:
    """The provider: charges by order id. It keeps PaymentRailContract's RailSimulator."""

    server: ThreadingHTTPServer
    key: str = KEY
    charges: dict[str, Charge] = field(default_factory=dict)
    requests: int = 0
    cut_next: bool = False
    ends: dict[str, tuple[str, Money | None]] = field(default_factory=dict)
    received: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    # The provider

    def charge(self, order: dict[str, object]) -> tuple[int, dict[str, object]]:
        """Take a charge; an order id that is known gives the charge that it has, or 409 if it asks for another."""
        known = self.charges.get(str(order["order_id"]))
        if known is not None:
            return (
                (200, known.shown()) if known.order == order else (409, {"error": "another charge has this order id"})
            )
        new = Charge(id=f"ch_{len(self.charges) + 1}", order=order)
        self.charges[str(order["order_id"])] = new
        return 201, new.shown()

    def order(self, order_id: str) -> tuple[int, dict[str, object]]:
        """Tell of a charge by its order id."""
        known = self.charges.get(order_id)
        return (404, {"error": "no such order"}) if known is None else (200, known.shown())

    # What a test does

    def reply_to(self, reference: str) -> ReplyTo:
        return ReplyTo(url=self.url + _path(reference))

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        self.ends[reference] = (code, claims)

    def finish(self) -> None:
        """End every charge whose end was told, and post its callback."""
        for reference, (code, claims) in list(self.ends.items()):
            charge = self.charges.get(reference)
            if charge is None:
                continue
            del self.ends[reference]
            charge.code = code
            charge.told_units = None if claims is None else claims.units
            self._post(str(charge.order["notify_url"]), json.dumps(charge.shown()).encode())
            charge.told_units = None

    def _post(self, url: str, body: bytes) -> None:
        request = Request(url, data=body, headers={"Content-Type": "application/json"}, method="POST")  # noqa: S310
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            answer.read()

    def posted(self, reference: str) -> list[bytes]:
        return list(self.received.get(_path(reference), []))

    def collections_of(self, reference: str) -> int:
        return int(reference in self.charges)

    def collections(self) -> int:
        return len(self.charges)

    def calls(self) -> int:
        return self.requests

    def hang_up_after_accepting(self) -> None:
        self.cut_next = True

    def stop_listening(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def refuse_credentials(self) -> None:
        self.key = "another key"


def _path(reference: str) -> str:
    return f"/hooks/{hashlib.sha256(reference.encode()).hexdigest()[:32]}"


def _handler(acme: list[SimulatedAcme]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.startswith("/hooks/"):
                acme[0].received.setdefault(self.path, []).append(body)
                self._answer(200, {})
            else:
                self._serve(lambda: acme[0].charge(json.loads(body)))

        def do_GET(self) -> None:
            self._serve(lambda: acme[0].order(self.path.removeprefix("/v1/orders/")))

        def _serve(self, act: Callable[[], tuple[int, dict[str, object]]]) -> None:
            acme[0].requests += 1
            if self.headers["X-Acme-Key"] != acme[0].key:
                self._answer(401, {"error": "no such key"})
                return
            status, body = act()
            if acme[0].cut_next:
                acme[0].cut_next = False
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._answer(status, body)

        def _answer(self, status: int, body: dict[str, object]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    return Handler


@contextmanager
def simulated_acme() -> Iterator[SimulatedAcme]:
    """One that runs for the length of the block."""
    place: list[SimulatedAcme] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(place))
    acme = SimulatedAcme(server=server)
    place.append(acme)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield acme
    finally:
        acme.stop_listening()
        thread.join()
