"""Daraja as the ability suites drive it without a simulator: a scripted server that takes orders and tells of them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ports.callback import ReplyTo
from tests.fakes.context import FakeWorld
from tests.plugins.mpesa.asking import OAUTH
from tests.plugins.mpesa.papers import INCAPSULA, SOAP, error, parameters, result
from tests.plugins.scripted import Act, ScriptedServer, drip, hang_up, reply

Body = dict[str, object]
#: What is answered to a request.
Answer = Callable[[Body], object]

#: Whole answers of every shape that Daraja's gateways have been seen to give, and some that nobody has seen.
NONSENSE = (
    reply(200, INCAPSULA),
    reply(403, INCAPSULA),
    reply(503, INCAPSULA),
    reply(500, SOAP),
    reply(400, b""),
    reply(200, b""),
    reply(200, b"[]"),
    reply(200, {}),
    reply(200, {"ResponseDescription": "Success"}),
    reply(502, error("500.003.1001", "Internal Server Error")),
)


@dataclass(kw_only=True)
class ScriptedDaraja:
    """One connection's Daraja: what it answers at each path, the orders that it took, and how they ended.

    It keeps the CalledProvider of the suites.
    """

    server: ScriptedServer
    world: FakeWorld = field(default_factory=FakeWorld)
    answers: dict[str, Answer] = field(default_factory=dict)
    orders: list[Body] = field(default_factory=list)
    ended: dict[int, bool] = field(default_factory=dict)
    questions: list[tuple[Body, Callable[[], object]]] = field(default_factory=list)
    news: dict[str, list[bytes]] = field(default_factory=dict)
    _next: list[Act] = field(default_factory=list)
    _always: Act | None = None

    def on(self, path: str, answer: Answer) -> None:
        """What a path answers."""
        self.answers[path] = answer
        self.server.on(path, self._act)

    def _act(self, peer: socket.socket, stopped: threading.Event) -> None:
        seen = self.server.seen[-1]
        canned = self._next.pop(0) if self._next else self._always
        if canned is None or canned is hang_up:
            answer = self.answers[seen.path.partition("?")[0]](seen.json)
        (canned or reply(200, answer))(peer, stopped)

    def take(self, body: Body) -> Body:
        """Take an order, as money calls do."""
        self.orders.append(body)
        return accepted(len(self.orders))

    def ask(self, body: Body, answer: Callable[[], object]) -> Body:
        """Take a question; its answer is made and posted when time has passed."""
        self.questions.append((body, answer))
        return accepted(900 + len(self.questions))

    # What the suites do

    def calls(self) -> int:
        return len(self.server.seen)

    def asked(self) -> int:
        return len([seen for seen in self.server.seen if not seen.path.startswith(OAUTH)])

    def done(self) -> int:
        return len(self.orders)

    def lose_the_answer(self) -> None:
        self._next.append(hang_up)

    def turn_away(self) -> None:
        self._next.append(reply(500, error("500.003.02", "Error Occurred: Spike Arrest Violation")))

    def refuse(self) -> None:
        self._next.append(reply(400, error("400.002.02", "Bad Request - Invalid Remarks")))

    def talk_nonsense(self) -> Iterator[None]:
        for act in NONSENSE:
            self._next.append(act)
            yield

    def dawdle(self) -> None:
        self._always = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")

    def refuse_credentials(self) -> None:
        self.world.shared.kept.clear()
        self.server.on(OAUTH, reply(400))

    def stop_listening(self) -> None:
        self.server.stop_listening()

    def reply_to(self, name: str) -> ReplyTo:
        return ReplyTo(url=f"https://gw.example/cb/{name.encode().hex()}")

    def finish(self, *, well: bool = True) -> None:
        """Every order that is open ends, and every question is answered."""
        for number, order in enumerate(self.orders, start=1):
            if number not in self.ended and "ResultURL" in order:
                self.ended[number] = well
                self.post(order["ResultURL"], outcome(order, number, well=well))
        for body, answer in self.questions:
            self.post(body["ResultURL"], answer())
        self.questions.clear()

    def post(self, url: object, body: object) -> None:
        """Post a body."""
        self.news.setdefault(str(url), []).append(json.dumps(body).encode())

    def posted(self, name: str) -> list[bytes]:
        return list(self.news.get(self.reply_to(name).url, []))


def accepted(number: int) -> Body:
    """An order or a question was taken."""
    return {
        "OriginatorConversationID": f"71840-27539181-{number}",
        "ConversationID": f"AG_20240706_{number:020d}",
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }


def outcome(order: Body, number: int, *, well: bool) -> object:
    """The result of an order as the portal's samples have it; a failure bears the filler for a receipt."""
    named = {name: accepted(number)[name] for name in ("OriginatorConversationID", "ConversationID")}
    if not well:
        text = "The balance is insufficient for the transaction."
        return result(1, **named, ResultDesc=text, TransactionID="SKE0000000")
    told = parameters(
        DebitAccountBalance="Utility Account|KES|7722179.62|7722179.62|0.00|0.00",
        Amount=order["Amount"],
        TransCompletedTime=20211114132030,
        OriginalTransactionID=order.get("TransactionID"),
        Charge=0,
        CreditPartyPublicName="254712300001 - JOHN DOE",
    )
    return result(0, **named, TransactionID=f"SKE52PA{number:03d}", ResultParameters=told)
