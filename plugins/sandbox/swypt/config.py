"""The simulated Swypt's set-up: one account, prices, timings, the shapes of its answers, and the chains it sends on.

Key and secret are invented, in the form of issued ones. Token addresses are those of Swypt's documentation, July 2025,
until a chain of the sandbox's own is attached.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any


class BadConfig(ValueError):
    """The configuration names something unknown or gives a value of the wrong type."""


API_KEY = "5a" * 16
API_SECRET = "c3" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token contract by its symbol."""

    symbol: str
    decimals: int
    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network. With `rpc` and `key` (of a wallet with tokens and gas) tokens are really sent, and `escrow` is
    looked into for what was put there. Without them hashes are invented."""

    name: str
    tokens: tuple[Token, ...]
    rpc: str = ""
    key: str = field(default="", repr=False)
    escrow: str = ""

    @property
    def is_attached(self) -> bool:
        """Whether a real node stands behind it."""
        return bool(self.rpc)

    def token(self, address: str) -> Token | None:
        """The token at that address, in any case of letters."""
        return next((one for one in self.tokens if one.address.lower() == address.lower()), None)


def _token(symbol: str, decimals: int, address: str, name: str) -> Token:
    return Token(symbol=symbol, decimals=decimals, address=address, name=name)


NETWORKS = {
    "celo": Network(
        name="celo",
        tokens=(
            _token("USDT", 6, "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e", "Tether USD"),
            _token("USDC", 6, "0xcebA9300f2b948710d2653dD7B07f33A8B32118C", "USD Coin"),
            _token("cKES", 18, "0x456a3D042C0DbD3db53D5489e98dFb038553B0d0", "Celo Kenyan Shilling"),
        ),
    ),
    "polygon": Network(
        name="polygon",
        tokens=(
            _token("USDT", 6, "0xc2132D05D31c914a87C6611C10748AEb04B58e8F", "Tether USD"),
            _token("USDC", 6, "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174", "USD Coin"),
        ),
    ),
    "base": Network(name="base", tokens=(_token("USDC", 6, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USD Coin"),)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may be changed while it runs; names end in their unit. Prices are decimal texts, in shillings."""

    profile: str = "both"  # or "v2", "v1": which paths are served.
    # Prices
    rate_in: str = "129.22"
    rate_out: str = "129.45"
    rate_kes: str = "1"  # Of tokens of shillings, both ways.
    drift_bps: int = 0  # How much dearer a token is at the deposit than in the quote; below zero, cheaper.
    fee_in: str = "1"
    fee_from: str = "amount"  # or "beside": whether the off-ramp's fee comes out of what the escrow got.
    limit_in_min: int = 1
    limit_in_max: int = 250_000
    limit_out_min: int = 10
    limit_out_max: int = 250_000
    # Timings
    prompt_life_s: float = 60
    scripted_answer_s: float = 0.5
    settle_s: float = 0.3  # From the PIN to the money.
    payout_s: float = 0.5
    late_s: float = 300
    slow_s: float = 5  # A slow answer, in real seconds.
    autopilot_ms: int | None = None
    # Shapes
    numbers: str = "documented"  # or "texts", "numbers".
    phones: str = "text"  # or "number".
    times: str = "iso"  # or "epoch", "digits". East African hours with a Z, as ever.
    fee_shape: str = "current"  # or "april", "june" (2025).
    rate_shape: str = "current"  # or "inverse" (February 2025).
    words: str = "upper"  # or "lower", "padded".
    assets_wrapped: bool = False
    details_of_april: bool = False  # transactionHash and others in an on-ramp's status.
    cancelled: str = "CANCELLED"  # or "FAILED".
    # Codes and pages
    errors_as_200: bool = False
    duplicate_code: int = 400
    calls_per_s: int | None = None
    page_rows: int = 10
    pages: str = "asked"  # or "first" (always the first), "endless" (one more page for ever).
    magic_numbers: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MpesaLine:
    """Swypt's own account at the simulated M-Pesa, on whose phone page its prompts then appear."""

    url: str
    consumer_key: str = "sandbox-swypt-key"
    consumer_secret: str = field(default="sandbox-swypt-secret", repr=False)
    shortcode: str = "400222"
    passkey: str = field(default="bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a simulator begins with."""

    api_key: str = API_KEY
    api_secret: str = field(default=API_SECRET, repr=False)
    networks: dict[str, Network] = field(default_factory=lambda: dict(NETWORKS))
    mpesa: MpesaLine | None = None
    settings: Settings = field(default_factory=Settings)


_CHOICES = {
    "profile": ("both", "v2", "v1"),
    "fee_from": ("amount", "beside"),
    "numbers": ("documented", "texts", "numbers"),
    "phones": ("text", "number"),
    "times": ("iso", "epoch", "digits"),
    "fee_shape": ("current", "april", "june"),
    "rate_shape": ("current", "inverse"),
    "words": ("upper", "lower", "padded"),
    "cancelled": ("CANCELLED", "FAILED"),
    "pages": ("asked", "first", "endless"),
}


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """The settings with some of them changed. Raises BadConfig."""
    known = {one.name for one in fields(Settings)}
    for name, value in changes.items():
        if name not in known:
            raise BadConfig(f"no setting is called {name!r}")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise BadConfig(f"{name} is one of {', '.join(_CHOICES[name])}")
        _of_its_type(name, value, getattr(settings, name))
    return replace(settings, **changes)


def _of_its_type(name: str, value: object, before: object) -> None:
    if isinstance(before, bool):
        good = isinstance(value, bool)
    elif isinstance(before, str):
        good = isinstance(value, str)
        if good and name.startswith(("rate_", "fee_in")) and name not in _CHOICES:
            try:
                good = Decimal(str(value)) >= 0
            except InvalidOperation:
                good = False
    else:
        good = value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
    if not good:
        raise BadConfig(f"{name} has another type")


def read(given: dict[str, Any], base: World | None = None) -> World:
    """A world from JSON: `api_key`, `api_secret`, `networks` by name, `mpesa`, `settings`. Raises BadConfig."""
    world = base or World()
    if unknown := set(given) - {"api_key", "api_secret", "networks", "mpesa", "settings"}:
        raise BadConfig(f"unknown: {', '.join(sorted(unknown))}")
    networks = dict(world.networks)
    for name, document in given.get("networks", {}).items():
        networks[name] = network(name, document, networks.get(name))
    try:
        mpesa = MpesaLine(**given["mpesa"]) if "mpesa" in given else world.mpesa
    except TypeError as error:
        raise BadConfig(f"mpesa: {error}") from error
    return World(
        mpesa=mpesa,
        api_key=given.get("api_key", world.api_key),
        api_secret=given.get("api_secret", world.api_secret),
        networks=networks,
        settings=changed(world.settings, given.get("settings", {})),
    )


def network(name: str, given: dict[str, Any], before: Network | None = None) -> Network:
    """A network from JSON: `rpc`, `key`, `escrow`, `tokens` (symbol, decimals, address). Raises BadConfig."""
    if unknown := set(given) - {"rpc", "key", "escrow", "tokens"}:
        raise BadConfig(f"unknown in network {name}: {', '.join(sorted(unknown))}")
    known = before or Network(name=name, tokens=())
    try:
        tokens = tuple(Token(**one) for one in given["tokens"]) if "tokens" in given else known.tokens
    except TypeError as error:
        raise BadConfig(f"a token of {name}: {error}") from error
    return Network(
        name=name,
        tokens=tokens,
        rpc=str(given.get("rpc", known.rpc)),
        key=str(given.get("key", known.key)),
        escrow=str(given.get("escrow", known.escrow)),
    )


def load(path: Path) -> World:
    """A world from a JSON file. Raises BadConfig, OSError."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadConfig(f"{path} is not JSON") from error
    if not isinstance(given, dict):
        raise BadConfig(f"{path} is no JSON object")
    return read(given)
