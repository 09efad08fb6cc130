"""One connection's credentials and options: the published schemas, and what is read from a checked configuration.

Shortcodes have 5 to 7 digits (Daraja portal, December 2025). One Daraja app either collects or disburses, so the rail
and the channel are two connections with a key pair each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plugins.kit.schema import checked
from ports.context import Environment
from ports.errors import Misconfigured

SANDBOX_URL = "https://sandbox.safaricom.co.ke"
LIVE_URL = "https://api.safaricom.co.ke"


def _text(title: str, *, most: int = 200, pattern: str = "", secret: bool = False) -> dict[str, object]:
    rule: dict[str, object] = {"type": "string", "title": title, "minLength": 1, "maxLength": most}
    if pattern:
        rule["pattern"] = pattern
    if secret:
        rule["secret"] = secret
    return rule


def _schema(title: str, required: list[str], **properties: dict[str, object]) -> dict[str, object]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


_KEYS = {
    # A colon would end the name in Basic authentication.
    "consumer_key": _text("Consumer key of the Daraja app", pattern="^[!-9;-~]+$", secret=True),
    "consumer_secret": _text("Consumer secret of the Daraja app", pattern="^[!-~]+$", secret=True),
    "base_url": _text(
        "Another address of the sandbox (sandbox connections only)",
        pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*/?$",
    ),
}
_SHORTCODE_FORM = "^[1-9][0-9]{4,6}$"

RAIL_SCHEMA = _schema(
    "M-Pesa push to a paybill",
    ["consumer_key", "consumer_secret", "shortcode", "passkey"],
    **_KEYS,
    shortcode=_text("Paybill number", pattern=_SHORTCODE_FORM),
    passkey=_text("Passkey of the paybill", pattern="^[!-~]+$", secret=True),
)

CHANNEL_SCHEMA = _schema(
    "M-Pesa B2C payouts",
    ["consumer_key", "consumer_secret", "shortcode", "initiator_name", "initiator_password", "certificate_pem"],
    **_KEYS,
    shortcode=_text("B2C shortcode", pattern=_SHORTCODE_FORM),
    initiator_name=_text("Name of the API operator", most=100),
    initiator_password=_text("Password of the API operator (lives 90 days)", secret=True),
    certificate_pem=_text("M-Pesa's certificate for this environment, as PEM text", most=20_000),
    command_id={
        "type": "string",
        "title": "Kind of payment",
        "enum": ["BusinessPayment", "SalaryPayment", "PromotionPayment"],
        "default": "BusinessPayment",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A Daraja app: where it is reached, and its key pair."""

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RailConfig:
    """A paybill that collects."""

    account: Account
    shortcode: str
    passkey: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """A shortcode that disburses."""

    account: Account
    shortcode: str
    initiator_name: str
    initiator_password: str = field(repr=False)
    certificate_pem: str = field(repr=False)
    command_id: str


def rail_config(values: Mapping[str, object], environment: Environment) -> RailConfig:
    """Read a rail's configuration. Raises Misconfigured, naming the fields that are wrong."""
    known = checked(RAIL_SCHEMA, values)
    return RailConfig(account=_account(known, environment), shortcode=known["shortcode"], passkey=known["passkey"])


def channel_config(values: Mapping[str, object], environment: Environment) -> ChannelConfig:
    """Read a channel's configuration. Raises Misconfigured, naming the fields that are wrong."""
    known = checked(CHANNEL_SCHEMA, values)
    return ChannelConfig(
        account=_account(known, environment),
        shortcode=known["shortcode"],
        initiator_name=known["initiator_name"],
        initiator_password=known["initiator_password"],
        certificate_pem=known["certificate_pem"],
        command_id=known["command_id"],
    )


def _account(known: Mapping[str, str], environment: Environment) -> Account:
    return Account(
        base_url=_base_url(known.get("base_url"), environment),
        consumer_key=known["consumer_key"],
        consumer_secret=known["consumer_secret"],
    )


def _base_url(wanted: str | None, environment: Environment) -> str:
    """Real money goes to Safaricom's own address alone, and test money never there."""
    if environment is Environment.LIVE:
        if wanted not in (None, LIVE_URL):
            raise Misconfigured("configuration: /base_url: a live connection has Safaricom's own address")
        return LIVE_URL
    if wanted is None:
        return SANDBOX_URL
    try:
        host, _ = urlsplit(wanted).hostname, urlsplit(wanted).port
    except ValueError:
        raise Misconfigured("configuration: /base_url: not an address") from None
    if host == urlsplit(LIVE_URL).hostname:
        raise Misconfigured("configuration: /base_url: a sandbox connection may not reach the live address")
    return wanted.rstrip("/")
