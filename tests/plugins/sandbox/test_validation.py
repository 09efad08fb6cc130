"""Validation: M-Pesa asks before the money moves, waits so long, and then does what was registered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from plugins.sandbox.mpesa import payments
from plugins.sandbox.world import SandboxMpesa
from tests.plugins.sandbox.customers import PAYBILL, balances, confirmed, register
from tests.plugins.sandbox.merchant import PHONE, Merchant


class Answering(ThreadingHTTPServer):
    """Gives one answer to every validation, or none before it is let go."""

    answer: bytes | None = b""
    status = 200
    asked: list[dict[str, Any]]
    go_on: threading.Event


@contextmanager
def answering(answer: Any, status: int = 200) -> Iterator[Answering]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert isinstance(self.server, Answering)
            self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if self.server.answer is None:
                self.server.go_on.wait(10)
                return
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(self.server.answer)))
            self.end_headers()
            self.wfile.write(self.server.answer)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = Answering(("127.0.0.1", 0), Handler)
    server.asked, server.go_on, server.status = [], threading.Event(), status
    server.answer = answer if isinstance(answer, bytes | None) else json.dumps(answer).encode()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


def paid(merchant: Merchant, server: Answering, response_type: str = "Completed") -> dict[str, Any]:
    url = f"http://127.0.0.1:{server.server_port}/ask"
    register(merchant, ValidationURL=url, ResponseType=response_type)
    merchant.control.post("validation", shortcode=PAYBILL)
    return merchant.control.pay(PHONE, 500, shortcode=PAYBILL, account="inv 9")


def test_nobody_is_asked_until_validation_is_switched_on(merchant: Merchant) -> None:
    with answering({"ResultCode": "C2B00012", "ResultDesc": "Rejected"}) as server:
        register(merchant, ValidationURL=f"http://127.0.0.1:{server.server_port}/ask")
        assert merchant.control.pay(PHONE, 500, shortcode=PAYBILL, account="x")["state"] == "paid"
        assert server.asked == []


def test_what_is_accepted_is_paid_and_the_given_id_comes_back(merchant: Merchant) -> None:
    answer = {"ResultCode": "0", "ResultDesc": "Accepted", "ThirdPartyTransID": "ours-7"}
    with answering(answer) as server:
        told = paid(merchant, server)
    assert told["state"] == "paid"
    (asked,) = server.asked
    assert (asked["TransID"], asked["OrgAccountBalance"], asked["BillRefNumber"]) == (told["receipt"], "", "inv 9")
    (confirmation,) = confirmed(merchant)
    assert (confirmation["TransID"], confirmation["ThirdPartyTransID"]) == (told["receipt"], "ours-7")
    assert balances(merchant)["working"] == 500


@pytest.mark.parametrize("code", ["C2B00011", "C2B00012", "C2B00013", "C2B00016", 1])
def test_what_is_rejected_moves_nothing(merchant: Merchant, code: Any) -> None:
    with answering({"ResultCode": code, "ResultDesc": "Rejected"}) as server:
        told = paid(merchant, server)
    assert (told["state"], told["result_code"]) == ("rejected", str(code))
    assert confirmed(merchant) == []
    assert balances(merchant)["working"] == 0
    (word,) = merchant.control.journal(kind="validation")
    assert (word["word"], word["receipt"]) == (str(code), told["receipt"])


@pytest.mark.parametrize(("response_type", "state"), [("Completed", "paid"), ("Cancelled", "rejected")])
@pytest.mark.parametrize("broken", ["silence", "503", "no JSON"])
def test_without_a_word_in_time_the_registered_type_decides(
    merchant: Merchant, response_type: str, state: str, broken: str
) -> None:
    merchant.control.settings(validation_limit_s=0.3)
    answer: Any = {"silence": None, "503": {"ResultCode": "C2B00012"}, "no JSON": b"<p>sorry</p>"}[broken]
    with answering(answer, 503 if broken == "503" else 200) as server:
        told = paid(merchant, server, response_type)
        assert len(server.asked) == 1
    assert told["state"] == state
    assert len(confirmed(merchant)) == (state == "paid")
    assert balances(merchant)["working"] == (500 if state == "paid" else 0)


def test_a_restart_while_the_business_thinks_asks_again(sandbox: SandboxMpesa, merchant: Merchant) -> None:
    with answering(None) as server:
        url = f"http://127.0.0.1:{server.server_port}/ask"
        register(merchant, ValidationURL=url)
        merchant.control.post("validation", shortcode=PAYBILL)
        with sandbox.simulator.turn() as turn:
            payment = payments.pay(sandbox.simulator, turn, phone=PHONE, number=PAYBILL, amount=500, account="inv 9")
            turn.parcels.clear()  # Killed before it could ask.
        sandbox.restart()
        assert sandbox.control.payments(receipt=payment.receipt)[0]["state"] == "asked"
        server.answer = b'{"ResultCode": "0"}'
        sandbox.control.advance(1)
        assert [one["TransID"] for one in server.asked] == [payment.receipt]
    assert sandbox.control.payments(receipt=payment.receipt)[0]["state"] == "paid"
    assert [one["TransID"] for one in confirmed(merchant)] == [payment.receipt]
