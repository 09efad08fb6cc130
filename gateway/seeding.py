"""The sandbox's seed, joined to its database and its simulated M-Pesa."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from gateway.application.operators import KEY_ALPHABET
from gateway.application.sandbox_seed import FUNDING_UNITS, SeedSandbox, Wanted
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
    """One platform, one business, its key and both M-Pesa connections; the same again when they are there already."""
    gateway = Gateway(settings=settings, role="operator")
    shared = {"base_url": mpesa["base_url"], "consumer_key": mpesa["consumer_key"]}
    shared["consumer_secret"] = mpesa["consumer_secret"]
    rail = {**shared, "shortcode": str(mpesa["shortcode"]), "passkey": mpesa["passkey"]}
    channel = {
        **shared,
        "shortcode": str(mpesa["b2c_shortcode"]),
        "initiator_name": mpesa["initiator_name"],
        "initiator_password": mpesa["initiator_password"],
        "certificate_pem": mpesa["certificate_pem"],
    }
    try:
        business = SeedSandbox(desk=gateway.desk, directory=gateway.directory)(
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
            ),
        )
    finally:
        gateway.close()
    return Seeded(business=business.name, secret_key=sandbox_key(settings))


def mpesa_of(url: str) -> Mapping[str, Any]:
    """The sandbox's M-Pesa account, as the simulator tells it."""
    found: Mapping[str, Any] = requests.get(f"{url}/control/credentials", timeout=10).json()
    return found
