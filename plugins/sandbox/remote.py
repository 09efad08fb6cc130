"""A small client of the simulator's control API, for tests, seeds and scripts."""

import time
from typing import Any

import requests

Body = dict[str, Any]


class ControlFailed(Exception):
    """The simulator did not obey; the message is its own."""


class Control:
    """Scripts, moves and reads one simulator over HTTP. Every method raises ControlFailed."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def _call(self, method: str, path: str, *, body: Body | None = None, args: Body | None = None) -> requests.Response:
        reply = self._session.request(method, f"{self.url}/control/{path}", json=body, params=args, timeout=120)
        if reply.status_code >= 400:
            raise ControlFailed(reply.text)
        return reply

    def get(self, path: str, **args: Any) -> Body:
        """`GET /control/{path}`."""
        found: Body = self._call("GET", path, args=args).json()
        return found

    def post(self, path: str, **body: Any) -> Body:
        """`POST /control/{path}`."""
        found: Body = self._call("POST", path, body=body).json()
        return found

    def script(self, behaviour: str = "normal", **conditions_and_fields: Any) -> Body:
        """Arm a behaviour: `phone`, `amount`, `reference`, `endpoint`, `times`, and fields to change in it."""
        return self.post("scripts", behaviour=behaviour, **conditions_and_fields)

    def fault(self, fault: str, **conditions_and_fields: Any) -> Body:
        """Arm a fault of the connection, at any endpoint unless one is named."""
        return self.post("faults", fault=fault, **conditions_and_fields)

    def disarm(self) -> Body:
        """Drop every armed script."""
        return self.post("scripts/drop")

    def decide(self, phone: str, action: str = "pin", *, pin: str = "1234", wait_s: float = 10) -> Body:
        """Answer the prompt on a phone, waiting for one to appear."""
        give_up = time.monotonic() + wait_s
        while True:
            try:
                return self.post("decide", phone=phone, action=action, pin=pin)
            except ControlFailed:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)

    def advance(self, seconds: float) -> Body:
        """Move the clock on; what became due has been posted when this returns."""
        return self.post("clock", advance=seconds)

    def freeze(self) -> Body:
        """Stop the clock."""
        return self.post("clock", freeze=True)

    def thaw(self) -> Body:
        """Let the clock run."""
        return self.post("clock", freeze=False)

    def settings(self, **changes: Any) -> Body:
        """Change settings."""
        return self.post("settings", **changes)

    def expire_token(self) -> Body:
        """Kill every token."""
        return self.post("token/expire")

    def reset(self, seed: int | None = None) -> Body:
        """Forget everything; with a seed, receipts start afresh too."""
        return self.post("reset", **({} if seed is None else {"seed": seed}))

    def journal(self, **filters: Any) -> list[Body]:
        """Journal entries; filters: `endpoint`, `kind`, `phone`, `reference`, `shortcode`, `since`, `after`."""
        found: list[Body] = self.get("journal", **filters)["entries"]
        return found

    def lines(self) -> bytes:
        """The whole event log as JSON lines."""
        return self._call("GET", "journal", args={"format": "jsonl"}).content

    def counts(self) -> Body:
        """`calls`, `prompts`, `receipts`, `money_in`, `payouts`, `money_out` by references, and `given_back`."""
        found: Body = self.get("journal", after=10**9)["counts"]
        return found

    def pushes(self, **filters: Any) -> list[Body]:
        """Pushes, newest first; by `phone`, `reference`, `checkout_request_id`."""
        found: list[Body] = self.get("pushes", **filters)["pushes"]
        return found

    def payouts(self, **filters: Any) -> list[Body]:
        """Payouts, newest first; by `phone`, `originator_conversation_id`."""
        found: list[Body] = self.get("payouts", **filters)["payouts"]
        return found

    def pay(self, phone: str, amount: int, **where: Any) -> Body:
        """A customer pays by himself: to `shortcode` with `account`, or to `till`."""
        return self.post("pay", phone=phone, amount=amount, **where)

    def payments(self, **filters: Any) -> list[Body]:
        """Customers' payments, newest first; by `phone`, `shortcode`, `account`, `receipt`."""
        found: list[Body] = self.get("payments", **filters)["payments"]
        return found

    def orders(self, **filters: Any) -> list[Body]:
        """B2B payments and reversals, newest first; by `kind`, `shortcode`, `subject`."""
        found: list[Body] = self.get("orders", **filters)["orders"]
        return found

    def statement(self, shortcode: str, **period: Any) -> bytes:
        """The organisation's statement as the portal's CSV; `account`, `since` and `until` narrow it."""
        return self._call("GET", "statement", args={"shortcode": shortcode, **period}).content

    def deliveries(self) -> list[Body]:
        """How callbacks were received."""
        found: list[Body] = self.get("deliveries")["deliveries"]
        return found

    def close(self) -> None:
        self._session.close()
