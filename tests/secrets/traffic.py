"""Payments, payouts and refunds with every fault that the simulator knows and that costs no waiting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

import psycopg
import requests

from gateway.application.operators import Act
from gateway.bootstrap import Gateway
from gateway.domain.connections import ConnectionState
from plugins.sandbox.mpesa.behaviours import CATALOGUE, Scripted
from tests.stack import Answer, Receiver, Stack
from tests.waiting import eventually

#: The answer of this one comes after half a minute that no clock can shorten.
WAITING = {"slow"}
#: A full-cycle step through the last eight digits: no number is like another, and none is round.
_PHONES = ((47_718_281 + 61_803_399 * n) % 10**8 for n in count())
_NOUNS = ("events", "payments", "payouts", "refunds", "receipts", "checkout/sessions", "webhook_endpoints", "api_keys")
_ACT = Act(actor="tests", reason="the fault is over")


@dataclass
class Traffic:
    """What was done, and everything that must not be found again."""

    stack: Stack
    receiver: Receiver
    operator: Gateway
    phones: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    payouts: list[str] = field(default_factory=list)

    def phone(self, name: str) -> str:
        """A number that stands for one thing."""
        number = f"2547{next(_PHONES):08}"
        assert self.phones.setdefault(name, number) == number
        return number

    def refused(self, answer: Answer) -> Answer:
        """An error, kept as it was sent."""
        assert answer.status >= 400, answer.body
        self.errors.append(f"{answer.headers}\n{answer.body!r}")
        return answer

    def everything(self) -> None:
        """All of it, in an order in which the provider's bad days come last."""
        self._keys_and_endpoints()
        rich = [self._pay(f"rich {n}", 70_000_00) for n in range(2)]
        for payment in rich:
            self.stack.shop.becomes(f"/v1/payments/{payment}", "succeeded", within_s=20)
        for payment in rich:
            self.stack.shop.post("/v1/refunds", {"payment": payment, "amount": 1_000_00})
        self._on_pages()
        self._customer()
        self._wrong_calls()
        self.stack.control.pay(self.phone("unprompted"), 310, shortcode="174379", account="NOBODYS")
        for script in _words("Results", "Callbacks", "Look-ups", "The call itself"):
            self._word(script)
        self._database_goes_away()

    def _keys_and_endpoints(self) -> None:
        shop = self.stack.shop
        self.secrets["the shop's key"] = shop.key
        made = shop.post("/v1/webhook_endpoints", {"url": self.receiver.url, "enabled_events": ["*"]})
        self.secrets["webhook secret"] = made["secret"]
        rotated = shop.post(f"/v1/webhook_endpoints/{made['id']}/rotate_secret", {"overlap_s": 600})
        self.secrets["webhook secret after rotation"] = rotated["secret"]
        key = shop.post("/v1/api_keys", {"kind": "secret", "name": "planted"})
        self.secrets["another key"] = key["secret"]
        self.secrets["rolled key"] = shop.post(f"/v1/api_keys/{key['id']}/roll", {"expires_in": 60})["secret"]

    def _pay(self, name: str, amount: int, behaviour: str = "success") -> str:
        number = self.phone(name)
        self.stack.control.script(behaviour, phone=number)
        payment = str(self.stack.shop.payment(amount)["id"])
        self._insist(lambda: self.stack.shop.confirm(payment, number), 200)
        self.payments.append(payment)
        return payment

    def _word(self, script: Scripted) -> None:
        """One word of the catalogue, for a payment and for a payout, each until the provider was called."""
        if "push" in script.where:
            self._pay(f"{script.name}, payment", 1_000_00, script.name)
            self._await_call(f"{script.name}, payment")
        if "b2c" in script.where:
            name = f"{script.name}, payout"
            number = self.phone(name)
            self.stack.control.script(script.name, phone=number)
            self.payouts.append(self._insist(lambda: self.stack.shop.payout(100_00, number), 201)["id"])
            self._await_call(name)

    def _insist(self, call: Callable[[], Answer], status: int) -> Answer:
        """The call's answer; while nothing new is begun over an ailing connection, time passes."""
        for _ in range(20):
            answer = call()
            if answer.status == status:
                return answer
            assert self.refused(answer)["code"] in ("rail_unavailable", "unavailable"), answer.body
            self._go_on()
        raise AssertionError(answer.body)

    def _await_call(self, name: str) -> None:
        number, seconds = self.phones[name], count()

        def called() -> bool:
            if next(seconds) % 20 == 19:
                self._go_on()
            return bool(self.stack.control.journal(kind="request", phone=number))

        eventually(called, within_s=15, every_s=0.05)

    def _go_on(self) -> None:
        """Time passes for what is ailing, and the operator resumes what the provider's word has paused."""
        for connection in self.operator.directory.connections():
            if connection.state is ConnectionState.PAUSED:
                self.operator.desk.resume_connection(connection.id, _ACT)
        self.stack.advance(60)

    def _on_pages(self) -> None:
        """A shopper types a number, well and badly, on a session's page and on a link's."""
        shop, form = self.stack.shop, {"type": "mpesa"}
        session = shop.post("/v1/checkout/sessions", {"amount": 300_00, "currency": "KES"})
        self.secrets["checkout secret"] = urlsplit(session["url"]).path.rpartition("/")[2]
        number = self.phone("checkout")
        self.stack.control.script("cancel", phone=number)
        for typed, status in ((f"0{number[3:]}9", 422), (f"0{number[3:]}", 200)):
            page = requests.post(session["url"] + "/pay", data={**form, "phone": typed}, timeout=20)
            assert page.status_code == status, page.text
        link = shop.post("/v1/payment_links", {"amount": 300_00, "currency": "KES"})
        self.secrets["link secret"] = urlsplit(link["url"]).path.rpartition("/")[2]
        number = self.phone("link")
        self.stack.control.script("wrong_pin", phone=number)
        page = requests.get(link["url"], timeout=20)
        token = re.search(r'name="token" value="([0-9a-f]{32})"', page.text)
        assert token
        sent = requests.post(
            link["url"] + "/pay", data={"token": token.group(1), "phone": f"0{number[3:]}"}, timeout=20
        )
        assert sent.status_code == 200, sent.text
        self.secrets["the link's session"] = urlsplit(sent.url).path.rpartition("/")[2]

    def _customer(self) -> None:
        number = self.phone("customer")
        self.secrets |= {
            "customer's name": "Wanjiru Nyambura-Kiprotich",
            "customer's e-mail": "w.kiprotich@planted.example",
        }
        names = {"name": self.secrets["customer's name"], "email": self.secrets["customer's e-mail"]}
        made = self.stack.shop.post("/v1/customers", {"phone": f"+{number}", **names})
        assert self.stack.shop.get(f"/v1/customers/{made['id']}")["name"] == names["name"]

    def _wrong_calls(self) -> None:
        """Numbers and secrets where they don't belong."""
        shop, number = self.stack.shop, self.phone("misplaced")
        local, key = f"0{number[3:]}", shop.key
        payment = shop.payment()["id"]
        for method, path, body in (
            ("POST", f"/v1/payments/{payment}/confirm", {"payment_method": {"type": "mpesa", "phone": local + "1"}}),
            ("POST", f"/v1/payments/{payment}/confirm", {"payment_method": {"type": local, "phone": local}}),
            ("POST", "/v1/payments", {"amount": number, "currency": "KES"}),
            ("POST", "/v1/payments", {"amount": 150, "currency": local, "description": number}),
            ("POST", "/v1/payouts", {"amount": 10_000, "currency": "KES", "destination": {"type": number, "phone": 7}}),
            ("POST", "/v1/customers", {"phone": f"+{number}0", "name": self.secrets["webhook secret"]}),
            ("GET", f"/v1/payments?status={local}", None),
            ("GET", f"/v1/customers/{number}", None),
            ("GET", f"/v1/payments?starting_after={key}", None),
            ("GET", f"/v1/balance?key={key}", None),
            ("POST", "/v1/webhook_endpoints", {"url": f"ftp://{number}:{key}@shop.example/"}),
        ):
            self.refused(shop.call(method, path, body))
        for header in (f"Basic {key}", f"Bearer {key[:-1]}", f"{key}", f"Bearer {key} {key}"):
            self.refused(shop.call("GET", "/v1/balance", Authorization=header))
        self.refused(shop.call("GET", "/v1/balance", Gateway_Business=key))
        self.refused(shop.call("POST", "/v1/payments", {"amount": 1}, idem=key))
        callback = requests.post(f"{shop.url}/in/0a1b2c3d/{'0' * 32}", data=number, timeout=20)
        assert callback.status_code == 404
        self.errors.append(callback.text)

    def _database_goes_away(self) -> None:
        """Sessions are cut while numbers are on their way: what is said of that must not quote them."""
        number = self.phone("cut off")
        self.stack.control.script("success", phone=number)
        with psycopg.connect(self.stack.database.plain_url("owner"), autocommit=True) as conn:
            for _ in range(5):
                payment = self.stack.shop.call("POST", "/v1/payments", {"amount": 500_00, "currency": "KES"})
                conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                if payment.status == 201:
                    answer = self.stack.shop.confirm(payment["id"], number)
                    if answer.status >= 400:
                        self.refused(answer)

    def settled(self) -> None:
        """Everything is told, asked and given up: what waits waits for the simulator's clock, which is moved."""
        for _ in range(4):
            self.stack.advance(120)
            eventually(self._all_weighed, within_s=30, every_s=0.2)
        self._gather()

    def _all_weighed(self) -> bool:
        with psycopg.connect(self.stack.database.plain_url("owner")) as conn:
            waiting = conn.execute(
                "SELECT kind, count(*) FROM gateway.outbox WHERE done_at IS NULL AND due_at <= now()"
                " AND kind IN ('callback.weigh', 'webhook.deliver') GROUP BY kind"
            ).fetchall()
        assert not waiting, waiting
        return True

    def _gather(self) -> None:
        """Secrets that the gateway made on the way: those in its callback addresses, and the provider's token."""
        sim = self.stack.mpesa.simulator
        addresses = [push.callback_url for push in sim.pushes.values()]
        addresses += [payout.result_url for payout in sim.payouts.values()]
        assert len(addresses) > 40
        for no, url in enumerate(addresses):
            self.secrets[f"callback secret {no}"] = urlsplit(url).path.rpartition("/")[2]
        for no, token in enumerate(sim.tokens.values()):
            self.secrets[f"access token {no}"] = token.value

    def answers(self) -> str:
        """What the API tells of all this; of customers it tells the shop their names."""
        shop = self.stack.shop
        texts = [repr(shop.get(f"/v1/{noun}?limit=100").body) for noun in _NOUNS]
        for payment in self.payments:
            texts += [repr(shop.get(f"/v1/payments/{payment}/{part}").body) for part in ("attempts", "timeline")]
        for payout in self.payouts:
            texts += [repr(shop.get(f"/v1/payouts/{payout}/{part}").body) for part in ("attempts", "timeline")]
        return "\n".join(texts)


def _words(*groups: str) -> Iterator[Scripted]:
    known = [script for script in CATALOGUE if script.name not in WAITING]
    assert {script.group for script in known} == set(groups)
    for group in groups:
        yield from (script for script in known if script.group == group)
