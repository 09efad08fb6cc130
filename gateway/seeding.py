"""The sandbox's seed, joined to its database and its simulated M-Pesa."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from gateway.application.operators import KEY_ALPHABET
from gateway.application.sandbox_seed import ACT, FUNDING_UNITS, SeedSandbox, Wanted
from gateway.bootstrap import Gateway
from gateway.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What the sandbox prints."""

    business: str
    secret_key: str


def sandbox_key(settings: Settings) -> str:
    """The sandbox's secret key: derived from its master key, so that it is the same at every start."""
    digest = hmac.digest(settings.master_keys[-1][1], b"sandbox key", "sha512")
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(40):
        number, place = divmod(number, len(KEY_ALPHABET))
        letters.append(KEY_ALPHABET[place])
    return "sk_test_" + "".join(letters)


def seed_sandbox(settings: Settings, mpesa: Mapping[str, Any]) -> Seeded:
    """One platform, one business, its key and its M-Pesa connections; the same again when they are there already.

    Prompts and customers who pay by themselves reach one paybill, as they do in life, so that both share its float.
    """
    gateway = Gateway(settings=settings, role="operator")
    shared = {"base_url": mpesa["base_url"], "consumer_key": mpesa["consumer_key"]}
    shared["consumer_secret"] = mpesa["consumer_secret"]
    shared |= {name: mpesa[name] for name in ("initiator_name", "initiator_password", "certificate_pem")}
    collects = {**shared, "shortcode": str(mpesa["shortcode"]), "nominated_number": mpesa["nominated_number"]}
    rail = {**collects, "passkey": mpesa["passkey"]}
    paybill = {**collects, "c2b_version": mpesa["c2b_version"]}
    channel = {**shared, "shortcode": str(mpesa["b2c_shortcode"])}
    try:
        business, connections = SeedSandbox(desk=gateway.desk, directory=gateway.directory)(
            sandbox_key(settings),
            (
                Wanted(code="mpesa_push", title="Sandbox paybill", float_title="Sandbox paybill, Working", config=rail),
                Wanted(
                    code="mpesa_b2c",
                    title="Sandbox payouts",
                    float_title="Sandbox B2C, Utility",
                    config=channel,
                    funding_units=FUNDING_UNITS,
                ),
                Wanted(
                    code="mpesa_paybill",
                    title="Sandbox paybill, paid by hand",
                    shares_float_with="mpesa_push",
                    config=paybill,
                ),
            ),
        )
        gateway.money_in.register(connections["mpesa_paybill"], ACT)
    finally:
        gateway.close()
    return Seeded(business=business.name, secret_key=sandbox_key(settings))


def mpesa_of(url: str) -> Mapping[str, Any]:
    """The sandbox's M-Pesa account, as the simulator tells it."""
    found: Mapping[str, Any] = requests.get(f"{url}/control/credentials", timeout=10).json()
    return found
