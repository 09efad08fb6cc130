"""A tiny Acme Pay on loopback, written from its (invented) papers, and what a test does on its side."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
class Refund:
    """One refund."""

    id: str
    order: dict[str, object]
    code: str = "WAITING"

    def shown(self) -> dict[str, object]:
        """As answers and callbacks show it."""
        found = {"id": self.id, "refund_id": self.order["refund_id"], "code": self.code}
        if self.code == "DONE":
            found |= {"units": self.order["units"], "receipt": f"AR{self.id[3:]:0>8}"}
        return found


#: Whole answers that nobody understands.
NONSENSE = ((200, b"<html>"), (503, b"<html>"), (200, b""), (200, b"[]"), (200, b"{}"), (400, b""), (302, b"{}"))


@dataclass(kw_only=True)
class SimulatedAcme:
    """The provider: charges by order id, refunds by refund id. It keeps the RailSimulator of PaymentRailContract, the
    RefundProvider of RefundContract and the CalledProvider of CallContract."""

    server: ThreadingHTTPServer
    key: str = KEY
    charges: dict[str, Charge] = field(default_factory=dict)
    requests: int = 0
    cut_next: bool = False
    refunds: dict[str, Refund] = field(default_factory=dict)
    answer_next: tuple[int, bytes] | None = None
    dawdles: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)
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

    def refund(self, order: dict[str, object]) -> tuple[int, dict[str, object]]:
        """Take a refund; an id that is known gives the refund that it has, or 409 if it asks for another."""
        known = self.refunds.get(str(order["refund_id"]))
        if known is not None:
            same = known.order == order
            return (200, known.shown()) if same else (409, {"error": "another refund has this id"})
        new = Refund(id=f"rf_{len(self.refunds) + 1}", order=order)
        self.refunds[str(order["refund_id"])] = new
        return 201, new.shown()

    def told_refund(self, refund_id: str) -> tuple[int, dict[str, object]]:
        """Tell of a refund by its id."""
        known = self.refunds.get(refund_id)
        return (404, {"error": "no such refund"}) if known is None else (200, known.shown())

    def order(self, order_id: str) -> tuple[int, dict[str, object]]:
        """Tell of a charge by its order id."""
        known = self.charges.get(order_id)
        return (404, {"error": "no such order"}) if known is None else (200, known.shown())

    # What a test does

    def reply_to(self, reference: str) -> ReplyTo:
        return ReplyTo(url=self.url + _path(reference))

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        self.ends[reference] = (code, claims)

    def finish(self, *, well: bool = True) -> None:
        """End every charge whose end was told, and every refund, well or badly; post their callbacks."""
        for refund in self.refunds.values():
            if refund.code == "WAITING":
                refund.code = "DONE" if well else "NO_FLOAT"
                self._post(str(refund.order["notify_url"]), json.dumps(refund.shown()).encode())
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

    lose_the_answer = hang_up_after_accepting

    def receive(self, number: int, amount: Money) -> str:  # noqa: ARG002
        """A payment that can be given back: Acme Pay knows it by its receipt alone."""
        return f"AP{number:08d}"

    def orders_of(self, receipt_number: str) -> int:
        return sum(refund.order["receipt"] == receipt_number for refund in self.refunds.values())

    def asked(self) -> int:
        return self.requests

    def done(self) -> int:
        return len(self.refunds)

    def turn_away(self) -> None:
        self.answer_next = (429, b"{}")

    def refuse(self) -> None:
        self.answer_next = (422, b'{"error": "text"}')

    def talk_nonsense(self) -> Iterator[None]:
        for answer in NONSENSE:
            self.answer_next = answer
            yield

    def dawdle(self) -> None:
        self.dawdles = True

    def stop_listening(self) -> None:
        self.stopped.set()
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
                take = acme[0].refund if self.path == "/v1/refunds" else acme[0].charge
                self._serve(lambda: take(json.loads(body)))

        def do_GET(self) -> None:
            kind, _, name = self.path.removeprefix("/v1/").partition("/")
            tell = acme[0].told_refund if kind == "refunds" else acme[0].order
            self._serve(lambda: tell(name))

        def _serve(self, act: Callable[[], tuple[int, dict[str, object]]]) -> None:
            acme[0].requests += 1
            if self.headers["X-Acme-Key"] != acme[0].key:
                self._answer(401, {"error": "no such key"})
                return
            if acme[0].answer_next is not None:
                (status, content), acme[0].answer_next = acme[0].answer_next, None
                self._send(status, content)
                return
            if acme[0].dawdles:
                self._dawdle()
                return
            status, body = act()
            if acme[0].cut_next:
                acme[0].cut_next = False
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._answer(status, body)

        def _dawdle(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            with suppress(OSError):
                while not acme[0].stopped.wait(0.02):
                    self.wfile.write(b" ")

        def _answer(self, status: int, body: dict[str, object]) -> None:
            self._send(status, json.dumps(body).encode())

        def _send(self, status: int, content: bytes) -> None:
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
