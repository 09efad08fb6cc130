"""One connection's credentials and options: the published schemas, and what is read from a checked configuration.

Shortcodes have 5 to 7 digits (Daraja portal, December 2025). One Daraja app either collects or disburses, so the rail
and the channel are two connections with a key pair each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
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
_DAY_FORM = "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"

#: The API operator. Payouts can't do without; a collecting connection needs it to ask about receipts and to reverse.
_OPERATOR = {
    "initiator_name": _text("Name of the API operator", most=100),
    "initiator_password": _text("Password of the API operator (lives 90 days)", secret=True),
    "initiator_password_set_on": _text("Day on which that password was set, as 2026-11-24", pattern=_DAY_FORM),
    "certificate_pem": _text("M-Pesa's certificate for this environment, as PEM text", most=20_000),
}
_TILL_FIELD = _text("Till number (a till's head office or store is its shortcode)", pattern=_SHORTCODE_FORM)
_NOMINATED = _text("Number on the organisation's account, to register Pull with", pattern="^254[17][0-9]{8}$")


def _choice(title: str, *words: str) -> dict[str, object]:
    return {"type": "string", "title": title, "enum": list(words), "default": words[0]}


RAIL_SCHEMA = _schema(
    "M-Pesa push to a paybill or till",
    ["consumer_key", "consumer_secret", "shortcode", "passkey"],
    **_KEYS,
    kind=_choice("What the shortcode is", "paybill", "till"),
    shortcode=_text("Paybill number, or the till's head office or store number", pattern=_SHORTCODE_FORM),
    till=_TILL_FIELD,
    passkey=_text("Passkey of the shortcode", pattern="^[!-~]+$", secret=True),
    nominated_number=_NOMINATED,
    **_OPERATOR,
)

_COLLECTING = {
    **_KEYS,
    "shortcode": _text("Paybill number, or the till's head office or store number", pattern=_SHORTCODE_FORM),
    "c2b_version": _choice("Version of the C2B interface that Safaricom opened", "v2", "v1"),
    "response_type": _choice("What M-Pesa does when our validation can't be reached", "Completed", "Cancelled"),
    "nominated_number": _NOMINATED,
    **_OPERATOR,
}
PAYBILL_SCHEMA = _schema(
    "M-Pesa payments to a paybill, made by the payer", ["consumer_key", "consumer_secret", "shortcode"], **_COLLECTING
)
TILL_SCHEMA = _schema(
    "M-Pesa payments to a till, made by the payer",
    ["consumer_key", "consumer_secret", "shortcode", "till"],
    **_COLLECTING,
    till=_TILL_FIELD,
)

CHANNEL_SCHEMA = _schema(
    "M-Pesa B2C payouts",
    ["consumer_key", "consumer_secret", "shortcode", "initiator_name", "initiator_password", "certificate_pem"],
    **_KEYS,
    shortcode=_text("B2C shortcode", pattern=_SHORTCODE_FORM),
    **_OPERATOR,
    command_id=_choice("Kind of payment", "BusinessPayment", "SalaryPayment", "PromotionPayment"),
)

B2B_SCHEMA = _schema(
    "M-Pesa payments to paybills and tills",
    ["consumer_key", "consumer_secret", "shortcode", "initiator_name", "initiator_password", "certificate_pem"],
    **_KEYS,
    shortcode=_text("Paying shortcode", pattern=_SHORTCODE_FORM),
    **_OPERATOR,
    till_receiver_type=_choice(
        "Identifier type of a till that is paid: 2 works in production, the papers say 4", "2", "4"
    ),
    utility_shortcode=_text(
        "Shortcode whose utility account pays out, for moving money there", pattern=_SHORTCODE_FORM
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A Daraja app: where it is reached, and its key pair."""

    base_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorConfig:
    """The API operator of a shortcode."""

    name: str
    password: str = field(repr=False)
    certificate_pem: str = field(repr=False)
    set_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RailConfig:
    """A paybill or till that prompts. `party` is who is paid: the paybill itself, or the till."""

    account: Account
    shortcode: str
    party: str
    is_till: bool
    passkey: str = field(repr=False)
    nominated_number: str | None = field(repr=False)
    operator: OperatorConfig | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """A paybill or till that the payer pays by himself."""

    account: Account
    shortcode: str
    till: str | None
    c2b_version: str
    response_type: str
    nominated_number: str | None = field(repr=False)
    operator: OperatorConfig | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """A shortcode that disburses."""

    account: Account
    shortcode: str
    operator: OperatorConfig
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class B2bConfig:
    """A shortcode that pays organisations."""

    account: Account
    shortcode: str
    operator: OperatorConfig
    till_receiver_type: str
    utility_shortcode: str | None


def rail_config(values: Mapping[str, object], environment: Environment) -> RailConfig:
    """Read a push rail's configuration. Raises Misconfigured, naming the fields that are wrong."""
    known = checked(RAIL_SCHEMA, values)
    is_till = known["kind"] == "till"
    if is_till != ("till" in known):
        raise Misconfigured("configuration: /till: needed for the kind till, and only for it")
    return RailConfig(
        account=_account(known, environment),
        shortcode=known["shortcode"],
        party=known["till"] if is_till else known["shortcode"],
        is_till=is_till,
        passkey=known["passkey"],
        nominated_number=known.get("nominated_number"),
        operator=_operator(known),
    )


def collect_config(
    schema: Mapping[str, object], values: Mapping[str, object], environment: Environment
) -> CollectConfig:
    """Read a collecting rail's configuration, by PAYBILL_SCHEMA or TILL_SCHEMA. Raises Misconfigured."""
    known = checked(schema, values)
    return CollectConfig(
        account=_account(known, environment),
        shortcode=known["shortcode"],
        till=known.get("till"),
        c2b_version=known["c2b_version"],
        response_type=known["response_type"],
        nominated_number=known.get("nominated_number"),
        operator=_operator(known),
    )


def channel_config(values: Mapping[str, object], environment: Environment) -> ChannelConfig:
    """Read the B2C channel's configuration. Raises Misconfigured, naming the fields that are wrong."""
    known = checked(CHANNEL_SCHEMA, values)
    return ChannelConfig(
        account=_account(known, environment),
        shortcode=known["shortcode"],
        operator=_needed_operator(known),
        command_id=known["command_id"],
    )


def b2b_config(values: Mapping[str, object], environment: Environment) -> B2bConfig:
    """Read the B2B channel's configuration. Raises Misconfigured, naming the fields that are wrong."""
    known = checked(B2B_SCHEMA, values)
    return B2bConfig(
        account=_account(known, environment),
        shortcode=known["shortcode"],
        operator=_needed_operator(known),
        till_receiver_type=known["till_receiver_type"],
        utility_shortcode=known.get("utility_shortcode"),
    )


def _operator(known: Mapping[str, str]) -> OperatorConfig | None:
    """All three or none: half an operator can do nothing."""
    names = ("initiator_name", "initiator_password", "certificate_pem")
    missing = [name for name in names if name not in known]
    if len(missing) == len(names):
        return None
    if missing:
        raise Misconfigured("configuration: " + "; ".join(f"/{name}: missing" for name in missing))
    return OperatorConfig(
        name=known["initiator_name"],
        password=known["initiator_password"],
        certificate_pem=known["certificate_pem"],
        set_on=_day(known.get("initiator_password_set_on")),
    )


def _needed_operator(known: Mapping[str, str]) -> OperatorConfig:
    operator = _operator(known)
    if operator is None:
        raise Misconfigured("configuration: /initiator_name: missing")
    return operator


def _day(written: str | None) -> date | None:
    if written is None:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Misconfigured("configuration: /initiator_password_set_on: no such day") from None


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
