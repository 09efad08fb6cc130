"""One connection's configuration: what is refused, where it may reach, and what is never shown."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plugins.mpesa.config import LIVE_URL, SANDBOX_URL, channel_config, rail_config
from plugins.mpesa.credential import seal
from plugins.mpesa.payout import MpesaB2c
from plugins.mpesa.rail import MpesaPush
from ports.context import Environment
from ports.errors import Misconfigured
from tests.fakes.context import FakeWorld
from tests.plugins.mpesa.papers import certificate, channel_values, rail_values

LOCAL = "http://127.0.0.1:9/daraja"


def without(values: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in values.items() if name not in names}


def test_the_environment_chooses_the_address() -> None:
    values = without(rail_values(LOCAL), "base_url")
    assert rail_config(values, Environment.SANDBOX).account.base_url == SANDBOX_URL
    assert rail_config(values, Environment.LIVE).account.base_url == LIVE_URL
    assert rail_config(rail_values(LOCAL + "/"), Environment.SANDBOX).account.base_url == LOCAL


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        (LOCAL, Environment.LIVE),
        (SANDBOX_URL, Environment.LIVE),
        ("http://api.safaricom.co.ke", Environment.LIVE),
        ("https://api.safaricom.co.ke.evil.example", Environment.LIVE),
        (LIVE_URL, Environment.SANDBOX),
        ("https://API.safaricom.co.ke:443/x", Environment.SANDBOX),
        ("ftp://127.0.0.1", Environment.SANDBOX),
        ("http://user@127.0.0.1", Environment.SANDBOX),
        ("http://[::1", Environment.SANDBOX),
        ("http://127.0.0.1:99999999", Environment.SANDBOX),
        ("", Environment.SANDBOX),
    ],
)
def test_real_money_and_test_money_never_share_an_address(url: str, environment: Environment) -> None:
    with pytest.raises(Misconfigured, match="/base_url"):
        rail_config(rail_values(url), environment)


@pytest.mark.parametrize("name", ["consumer_key", "consumer_secret", "shortcode", "passkey"])
@pytest.mark.parametrize("value", [None, "", 7, "\u2028", "with\nbreak"])
def test_a_rail_says_which_field_is_wrong(name: str, value: object) -> None:
    with pytest.raises(Misconfigured, match=f"/{name}"):
        MpesaPush.build(rail_values(LOCAL) | {name: value}, FakeWorld().context)
    with pytest.raises(Misconfigured, match=f"/{name}: missing"):
        MpesaPush.build(without(rail_values(LOCAL), name), FakeWorld().context)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("consumer_key", "key:secret"),
        ("shortcode", "1234"),
        ("shortcode", "12345678"),
        ("command_id", "BusinessPayBill"),
        ("initiator_name", ""),
        ("initiator_password", "x" * 201),
        ("certificate_pem", "-----BEGIN CERTIFICATE-----"),
        ("colour", "blue"),
    ],
)
def test_a_channel_says_which_field_is_wrong(name: str, value: object) -> None:
    with pytest.raises(Misconfigured, match=f"/{name}"):
        MpesaB2c.build(channel_values(LOCAL) | {name: value}, FakeWorld().context)


def test_the_ordinary_kind_of_payment_is_the_default() -> None:
    assert channel_config(channel_values(LOCAL), Environment.SANDBOX).command_id == "BusinessPayment"
    chosen = channel_values(LOCAL) | {"command_id": "SalaryPayment"}
    assert channel_config(chosen, Environment.SANDBOX).command_id == "SalaryPayment"


def test_no_secret_is_shown() -> None:
    rail = MpesaPush.build(rail_values(LOCAL), FakeWorld().context)
    channel = MpesaB2c.build(channel_values(LOCAL), FakeWorld().context)
    shown = f"{rail!r}{rail.config!r}{rail.config.account!r}{channel!r}{channel.config!r}"
    secrets = ("consumer-key", "consumer-secret", "bfb279f9", "Safaricom999", channel.operator.credential)
    assert [secret for secret in secrets if secret in shown] == []


def test_the_credential_opens_under_the_key_though_the_certificate_is_long_past() -> None:
    sealed = {seal("Safaricom999!*!", certificate().pem) for _ in range(3)}
    assert len(sealed) == 3, "padding is random"
    assert {certificate().open(one) for one in sealed} == {"Safaricom999!*!"}
    assert {len(one) for one in sealed} == {344}


def test_a_password_too_long_for_the_key_is_said() -> None:
    with pytest.raises(Misconfigured, match="/initiator_password"):
        seal("x" * 250, certificate().pem)


def test_a_certificate_without_rsa_is_said() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "other")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = built.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    with pytest.raises(Misconfigured, match="not an RSA certificate"):
        seal("x", signed.public_bytes(serialization.Encoding.PEM).decode())
