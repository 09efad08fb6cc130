"""One connection's credentials and options: the published schemas, and what is read from a checked configuration.

A connection is one token of one network, and one pooled wallet: the one that the on-ramp credits, or that pays for the
off-ramp. Issued keys are 32, secrets 64 letters of hex; other lengths are taken too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plugins.kit.schema import checked
from plugins.swypt.paths import LIVE_URL, PROFILES, Paths
from plugins.swypt.pinned import TOKENS
from ports.context import Environment
from ports.errors import Misconfigured
from ports.money import KES, Asset, Money

_ADDRESS = "^0x[0-9a-fA-F]{40}$"
_SHILLINGS = "^[1-9][0-9]{0,6}$"


def _text(title: str, *, most: int = 200, pattern: str = "", secret: bool = False) -> dict[str, object]:
    rule: dict[str, object] = {"type": "string", "title": title, "minLength": 1, "maxLength": most}
    if pattern:
        rule["pattern"] = pattern
    if secret:
        rule["secret"] = secret
    return rule


def _choice(title: str, *words: str) -> dict[str, object]:
    return {"type": "string", "title": title, "enum": list(words), "default": words[0]}


def _schema(title: str, required: list[str], **properties: dict[str, object]) -> dict[str, object]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


_REQUIRED = [
    "api_key",
    "api_secret",
    "project",
    "network",
    "asset",
    "token_address",
    "token_decimals",
    "wallet_address",
]
_SHARED: dict[str, dict[str, object]] = {
    "api_key": _text("API key", pattern="^[!-~]+$", secret=True),
    "api_secret": _text("API secret", pattern="^[!-~]+$", secret=True),
    "base_url": _text(
        "Another address (sandbox connections only)",
        pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*/?$",
    ),
    "profile": _choice("Generation of paths", *PROFILES),
    "project": _text("Our project's name at Swypt", most=60, pattern="^[A-Za-z0-9 ._-]+$"),
    "network": {"type": "string", "title": "Network", "enum": ["celo", "polygon", "base"]},
    "asset": _text("The token's code here, as USDT.celo", most=40, pattern=r"^[A-Za-z][A-Za-z0-9]{0,11}\.[a-z]+$"),
    "symbol": _text(
        "Swypt's name of the token, where it isn't the code's first part", most=12, pattern="^[A-Za-z0-9]+$"
    ),
    "token_address": _text("The token's contract", pattern=_ADDRESS),
    "token_decimals": _text("The token's decimals", most=2, pattern="^([0-9]|1[0-8])$"),
    "wallet_address": _text("Our pooled wallet", pattern=_ADDRESS),
    "amount_min": _text("Least amount, in shillings", pattern=_SHILLINGS),
    "amount_max": _text("Largest amount, in shillings", pattern=_SHILLINGS),
}

RAIL_SCHEMA = _schema(
    "Swypt on-ramp: M-Pesa prompts into a pooled wallet",
    _REQUIRED,
    **_SHARED,
    fee_on_top=_choice("Whether the payer is asked for Swypt's fee on top", "no", "yes"),
)

CHANNEL_SCHEMA = _schema(
    "Swypt off-ramp: from a pooled wallet to M-Pesa phones",
    [*_REQUIRED, "escrow_address", "escrow_abi"],
    **_SHARED,
    escrow_address=_text("Swypt's escrow on that network", pattern=_ADDRESS),
    escrow_abi={
        "type": "string",
        "title": "Form of withdrawToEscrow: A (token, amount, rate, fee), B (token, amount), C (token, amount, fee)",
        "enum": ["A", "B", "C"],
    },
    amount_convention=_choice(
        "What the escrow's amount is: what the recipient gets and the fee, or what he gets alone",
        "amount_plus_fee",
        "amount",
    ),
)

#: In shillings: what Swypt's samples of July 2025 allow. Its quote tells the present limits, which narrow these.
ONRAMP_LIMITS, OFFRAMP_LIMITS = (1, 10_000), (10, 30_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account at Swypt: where it is reached, and its key pair."""

    base_url: str
    paths: Paths
    project: str
    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The pinned token and wallet of a connection. Addresses are as configured: Swypt gets them so."""

    network: str
    symbol: str
    asset: Asset
    address: str
    wallet: str

    @property
    def contract(self) -> str:
        """The token's address in small letters, for comparing and for the chain."""
        return self.address.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Least and largest amount in shillings that a connection takes."""

    least: Money
    most: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RailConfig:
    """An on-ramp."""

    account: Account
    token: Token
    bounds: Bounds
    fee_on_top: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """An off-ramp."""

    account: Account
    token: Token
    bounds: Bounds
    escrow: str
    escrow_abi: str
    is_fee_in_amount: bool


def rail_config(values: Mapping[str, object], environment: Environment) -> RailConfig:
    """Read an on-ramp's configuration. Raises Misconfigured, naming the fields that are wrong."""
    known = checked(RAIL_SCHEMA, values)
    return RailConfig(
        account=_account(known, environment),
        token=_token(known, environment),
        bounds=_bounds(known, ONRAMP_LIMITS),
        fee_on_top=known["fee_on_top"] == "yes",
    )


def channel_config(values: Mapping[str, object], environment: Environment) -> ChannelConfig:
    """Read an off-ramp's configuration. Raises Misconfigured, naming the fields that are wrong."""
    known = checked(CHANNEL_SCHEMA, values)
    return ChannelConfig(
        account=_account(known, environment),
        token=_token(known, environment),
        bounds=_bounds(known, OFFRAMP_LIMITS),
        escrow=known["escrow_address"].lower(),
        escrow_abi=known["escrow_abi"],
        is_fee_in_amount=known["amount_convention"] == "amount_plus_fee",
    )


def _account(known: Mapping[str, str], environment: Environment) -> Account:
    return Account(
        base_url=_base_url(known.get("base_url"), environment),
        paths=PROFILES[known["profile"]],
        project=known["project"],
        api_key=known["api_key"],
        api_secret=known["api_secret"],
    )


def _base_url(wanted: str | None, environment: Environment) -> str:
    """Real money goes to Swypt's own address alone. Swypt has no sandbox: a test connection names a simulator's."""
    if environment is Environment.LIVE:
        if wanted not in (None, LIVE_URL):
            raise Misconfigured("configuration: /base_url: a live connection has Swypt's own address")
        return LIVE_URL
    if wanted is None:
        raise Misconfigured("configuration: /base_url: missing; Swypt has no sandbox, so a test needs a simulator")
    try:
        host, _ = urlsplit(wanted).hostname or "", urlsplit(wanted).port
    except ValueError:
        raise Misconfigured("configuration: /base_url: not an address") from None
    if host == "swypt.io" or host.endswith(".swypt.io"):
        raise Misconfigured("configuration: /base_url: a sandbox connection may not reach the live address")
    return wanted.rstrip("/")


def _token(known: Mapping[str, str], environment: Environment) -> Token:
    network, code = known["network"], known["asset"]
    first, _, last = code.partition(".")
    if last != network:
        raise Misconfigured("configuration: /asset: of another network")
    symbol, decimals = known.get("symbol", first), int(known["token_decimals"])
    if environment is Environment.LIVE:
        pinned = TOKENS.get((network, symbol.upper()))
        if pinned is None:
            raise Misconfigured("configuration: /asset: Swypt doesn't deal in this token on this network")
        if pinned.address != known["token_address"].lower():
            raise Misconfigured("configuration: /token_address: not the known contract of this token")
        if pinned.decimals != decimals:
            raise Misconfigured("configuration: /token_decimals: not those of this token")
    return Token(
        network=network,
        symbol=symbol,
        asset=Asset(code=code, scale=decimals),
        address=known["token_address"],
        wallet=known["wallet_address"],
    )


def _bounds(known: Mapping[str, str], otherwise: tuple[int, int]) -> Bounds:
    least = int(known.get("amount_min", otherwise[0]))
    most = int(known.get("amount_max", otherwise[1]))
    if least > most:
        raise Misconfigured("configuration: /amount_min: above /amount_max")
    return Bounds(least=Money(units=least * 100, asset=KES), most=Money(units=most * 100, asset=KES))
