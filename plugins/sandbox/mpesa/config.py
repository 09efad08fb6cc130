"""The simulated world: apps, shortcodes and timings, with the sandbox's public test data as defaults.

The credentials below are the ones printed on the Daraja portal for everyone (December 2025), or invented; none of them
opens anything outside this simulator.
"""

import json
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

PRODUCTS = ("push", "query", "b2c", "status", "balance")


class BadConfig(ValueError):
    """The configuration names something unknown or gives a value of the wrong type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A Daraja app: one key pair and the API products it may call."""

    consumer_key: str
    consumer_secret: str
    products: tuple[str, ...] = PRODUCTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Initiator:
    """An API operator of a shortcode."""

    name: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcode:
    """A paybill or disbursement account; money in cents, and `charges_cents` runs below zero."""

    number: str
    name: str
    passkey: str = ""
    tills: tuple[str, ...] = ()
    initiators: tuple[Initiator, ...] = ()
    products: tuple[str, ...] = PRODUCTS
    working_cents: int = 0
    utility_cents: int = 0
    charges_cents: int = 0

    def initiator(self, name: str) -> Initiator | None:
        return next((known for known in self.initiators if known.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a test may change while the simulator runs; names end in their unit."""

    prompt_life_s: float = 60  # How long a prompt stands before it ends unanswered.
    lock_s: float = 60  # How long an open prompt keeps a second one away.
    rule_17_s: float = 120  # The same payer, amount and shortcode again within this: code 17.
    scripted_answer_s: float = 1.0  # When a scripted payer answers.
    settle_s: float = 0.5  # From the PIN to the money and its callback.
    result_s: float = 0.5  # From a B2C or status request to its result.
    late_s: float = 300  # How late the late successes are.
    pending_s: float = 45  # How long the slow successes stay under processing.
    slow_s: float = 30  # How long a slow answer takes, in real seconds.
    status_blind_s: float = 120  # How long a hidden payout is "not found".
    token_life_s: float = 3599
    autopilot_ms: int | None = None  # Answer every unscripted prompt with success after this.
    identifiers: str = "new"  # or "old": the shapes of before 2024.
    callback_phone: str = "number"  # or "masked", or "absent".
    status_shape: str = "portal"  # or "live": CreditPartyName and numbers.
    failure_shape: str = "varied"  # or "absent", "object", "list".
    queue_timeout_body: str = "request"  # or "result".
    magic_numbers: bool = True
    magic_amounts: bool = True
    callback_timeout_s: float = 10  # Real seconds.


CHOICES = {
    "identifiers": ("new", "old"),
    "callback_phone": ("number", "masked", "absent"),
    "status_shape": ("portal", "live"),
    "failure_shape": ("varied", "absent", "object", "list"),
    "queue_timeout_body": ("request", "result"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that exists before the first call."""

    apps: tuple[App, ...]
    shortcodes: dict[str, Shortcode]
    settings: Settings = field(default_factory=Settings)

    def app(self, consumer_key: str) -> App | None:
        return next((app for app in self.apps if app.consumer_key == consumer_key), None)


PORTAL_PASSKEY = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
PORTAL_INITIATOR = Initiator(name="testapi", password="Safaricom999!*!")  # noqa: S106  # nosec B106

SANDBOX_APP = App(consumer_key="sandbox-consumer-key", consumer_secret="sandbox-consumer-secret")  # noqa: S106  # nosec B106

DEFAULT = World(
    apps=(SANDBOX_APP,),
    shortcodes={
        "174379": Shortcode(
            number="174379",
            name="DARAJA SANDBOX",
            passkey=PORTAL_PASSKEY,
            products=("push", "query", "status", "balance"),
            initiators=(PORTAL_INITIATOR,),
            working_cents=0,
            utility_cents=0,
        ),
        "600992": Shortcode(
            number="600992",
            name="DARAJA SANDBOX BULK",
            products=("b2c", "status", "balance"),
            initiators=(PORTAL_INITIATOR,),
            working_cents=1_199_371_00,
            utility_cents=8_959_269_60,
            charges_cents=-1_980_00,
        ),
    },
)


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """The settings with these changes. Raises BadConfig for a name or value that does not fit."""
    known = {f.name for f in fields(Settings)}
    for name, value in changes.items():
        if name not in known:
            raise BadConfig(f"no setting is called {name}")
        if name in CHOICES:
            fits = value in CHOICES[name]
        elif name.startswith("magic_"):
            fits = isinstance(value, bool)
        else:
            fits = (name == "autopilot_ms" and value is None) or (
                isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
            )
        if not fits:
            raise BadConfig(f"{name} cannot be {value!r}")
    return replace(settings, **changes)


def cents(shillings: Any) -> int:
    """Shillings, as a number or a decimal text, in cents. Raises BadConfig."""
    try:
        return int((Decimal(str(shillings)) * 100).to_integral_exact())
    except ArithmeticError as error:
        raise BadConfig(f"{shillings!r} is not an amount") from error


def _shortcode(given: dict[str, Any]) -> Shortcode:
    values: dict[str, Any] = dict(given)
    for pocket in ("working", "utility", "charges"):
        values[f"{pocket}_cents"] = cents(values.pop(pocket, 0))
    for name in ("tills", "products"):
        if name in values:
            values[name] = tuple(values[name])
    values["initiators"] = tuple(Initiator(**one) for one in values.get("initiators", ()))
    return Shortcode(**values)


def read(given: dict[str, Any], base: World = DEFAULT) -> World:
    """A world from parsed JSON; `apps` and `shortcodes` replace the defaults, `settings` change them.

    Raises BadConfig.
    """
    unknown = set(given) - {"apps", "shortcodes", "settings"}
    if unknown:
        raise BadConfig(f"unknown: {', '.join(sorted(unknown))}")
    try:
        apps = tuple(App(**{**app, "products": tuple(app.get("products", PRODUCTS))}) for app in given.get("apps", ()))
        codes = [_shortcode(one) for one in given.get("shortcodes", ())]
    except TypeError as error:
        raise BadConfig(str(error)) from error
    return World(
        apps=apps or base.apps,
        shortcodes={code.number: code for code in codes} or base.shortcodes,
        settings=changed(base.settings, given.get("settings", {})),
    )


def load(path: Path) -> World:
    """A world from a JSON file. Raises BadConfig or OSError."""
    try:
        given = json.loads(path.read_text())
    except ValueError as error:
        raise BadConfig(f"{path} is not JSON") from error
    if not isinstance(given, dict):
        raise BadConfig(f"{path} does not hold an object")
    return read(given)
