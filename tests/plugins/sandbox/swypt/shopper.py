"""A client of the simulated Swypt written for these tests alone: plain requests, as the papers describe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from plugins.sandbox.swypt.world import SandboxSwypt

NOON = "2026-11-24T12:00:00+03:00"
WALLET = "0x" + "aB" * 20
USDT = "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e"
PHONE = "254712345678"

V2 = {
    "quote": "/fx-quotes",
    "assets": "/listed-assets",
    "onramp": "/onramp-orders",
    "onramp_status": "/onramp-order-status",
    "deposit": "/deposit",
    "offramp": "/offramp-orders",
    "offramp_status": "/offramp-order-status",
    "onramp_ticket": "/onramp-ticket",
    "offramp_ticket": "/offramp-ticket",
    "deposits": "/deposit-transactions",
    "withdrawals": "/withdrawal-transactions",
}
V1 = {
    "quote": "/swypt-quotes",
    "assets": "/swypt-supported-assets",
    "onramp": "/swypt-onramp",
    "onramp_status": "/order-onramp-status",
    "deposit": "/swypt-deposit",
    "offramp": "/swypt-order-offramp",
    "offramp_status": "/order-offramp-status",
    "onramp_ticket": "/user-onramp-ticket",
    "offramp_ticket": "/create-offramp-ticket",
}


@dataclass(kw_only=True)
class Shopper:
    """A business of one simulator. Every method gives (HTTP status, body)."""

    sandbox: SandboxSwypt
    paths: dict[str, str]

    def call(self, name: str, *more: str, body: Any = None, keys: bool = True, **args: str) -> tuple[int, Any]:
        known = self.sandbox.credentials
        headers = {"x-api-key": known["api_key"], "x-api-secret": known["api_secret"]} if keys else {}
        url = "/".join([self.sandbox.url + self.paths[name], *more])
        method = "GET" if body is None else "POST"
        reply = requests.request(method, url, json=body, params=args, headers=headers, timeout=10)
        return reply.status_code, reply.json()

    def start(self, phone: str = PHONE, amount: str = "100", **changes: Any) -> str:
        """Prompt, and give the order."""
        body = {"partyA": phone, "amount": amount, "side": "onramp", "userAddress": WALLET, "tokenAddress": USDT}
        status, found = self.call("onramp", body=body | changes)
        assert status == 200, found
        return str(found["data"]["orderID"])

    def paid(self, phone: str = PHONE, amount: str = "100") -> str:
        """A paid order."""
        order = self.start(phone, amount)
        if phone == PHONE:
            self.sandbox.control.decide(phone)
        self.sandbox.control.advance(5)
        return order

    def told(self, order: str) -> Any:
        """What an on-ramp order's status says inside."""
        return self.call("onramp_status", order)[1]["data"]

    def deposit(self, order: str, **changes: Any) -> tuple[int, Any]:
        body = {"chain": "celo", "address": WALLET, "orderID": order, "project": "shop"}
        return self.call("deposit", body=body | changes)

    def escrow(self, units: int = 200_000) -> str:
        """Tokens in the escrow, and the transaction's hash."""
        found = self.sandbox.control.post("escrow", network="celo", token=USDT, wallet=WALLET, units=units)
        return str(found["hash"])

    def order(self, tx: str, phone: str = PHONE, **changes: Any) -> tuple[int, Any]:
        body = {
            "chain": "celo",
            "hash": tx,
            "partyB": phone,
            "tokenAddress": USDT,
            "project": "shop",
            "userAddress": WALLET,
        }
        return self.call("offramp", body=body | changes)
