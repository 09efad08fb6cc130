"""The simulated world: apps, shortcodes and timings, with the sandbox's public test data as defaults.

The credentials below are the ones printed on the Daraja portal for everyone (December 2025), or invented; none of them
opens anything outside this simulator.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

PRODUCTS = ("push", "query", "b2c", "status", "balance", "c2b", "pull", "reversal", "b2b", "hakikisha")


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
    """An organisation: a paybill, a disbursement account, a store, or a till of a store (`till_of`).

    Money in cents; `charges_cents` runs below zero. `validated` says that M-Pesa asks before a customer may pay.
    """

    number: str
    name: str
    passkey: str = ""
    tills: tuple[str, ...] = ()
    initiators: tuple[Initiator, ...] = ()
    products: tuple[str, ...] = PRODUCTS
    working_cents: int = 0
    utility_cents: int = 0
    charges_cents: int = 0
    merchant_cents: int = 0
    till_of: str = ""
    validated: bool = False

    @property
    def main_pocket(self) -> str:
        """Where customers' money lands."""
        return "merchant" if self.till_of else "working"

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
    c2b_once: bool = False  # Whether URLs may be registered once only, as in production.
    c2b_code: str = "0"  # or "00000000": what a registration answers.
    c2b_versions: str = "both"  # or "v1", "v2": what the app has.
    c2b_names: str = "first"  # or "full", "empty", "null": the payer's names in a confirmation.
    till_shortcode: str = "till"  # or "store": BusinessShortCode of a till's confirmation.
    validation_limit_s: float = 8  # Real seconds that M-Pesa waits for the word on a payment.
    pull_empty: str = "live"  # or "nested", "text": how Pull says that it found nothing.
    pull_spelling: str = "joined"  # or "spaced": `ResponseStatus` or `Response Status`.
    pull_page: float = 100  # Rows of one answer.
    pull_lag_s: float = 0  # How long a payment takes to be seen by Pull.
    partial_reversals: bool = False
    b2b_till_type: str = "2"  # or "4", "any": the identifier type under which a till can be paid.
    hakikisha_code: str = "4000"  # or "0": the code of a name found.
    charges_from: str = "charges"  # or "account": the pocket that charges are taken from.
    calls_per_s: float | None = None  # More calls of one app within a second are turned away.
    throttled: str = "spike_arrest"  # or "apigee", "html_403": how.
    callback_dress: str = "plain"  # or "texts" (numbers as texts), "numbers" (texts of digits as numbers).
    text_prefix: bool = False  # `[STK_CB - ]` before the push callback's ResultDesc, as in old messages.
    magic_numbers: bool = True
    magic_amounts: bool = True
    callback_timeout_s: float = 10  # Real seconds.


CHOICES = {
    "identifiers": ("new", "old"),
    "callback_phone": ("number", "masked", "absent"),
    "status_shape": ("portal", "live"),
    "failure_shape": ("varied", "absent", "object", "list"),
    "queue_timeout_body": ("request", "result"),
    "c2b_code": ("0", "00000000"),
    "c2b_versions": ("both", "v1", "v2"),
    "c2b_names": ("first", "full", "empty", "null"),
    "till_shortcode": ("till", "store"),
    "pull_empty": ("live", "nested", "text"),
    "pull_spelling": ("joined", "spaced"),
    "b2b_till_type": ("2", "4", "any"),
    "hakikisha_code": ("4000", "0"),
    "charges_from": ("charges", "account"),
    "throttled": ("spike_arrest", "apigee", "html_403"),
    "callback_dress": ("plain", "texts", "numbers"),
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

COLLECTING = ("push", "query", "status", "balance", "c2b", "pull", "reversal")
SANDBOX_APP = App(consumer_key="sandbox-consumer-key", consumer_secret="sandbox-consumer-secret")  # noqa: S106  # nosec B106
#: The simulated Swypt is a customer of M-Pesa's like any other.
SWYPT_APP = App(
    consumer_key="sandbox-swypt-key",
    consumer_secret="sandbox-swypt-secret",  # noqa: S106  # nosec B106
    products=("push", "query"),
)


def with_tills(codes: Iterable[Shortcode]) -> dict[str, Shortcode]:
    """Organisations by number; a till that only its store names becomes one too, with its store's name."""
    known = {code.number: code for code in codes}
    for code in list(known.values()):
        for till in code.tills:
            given = known.get(till) or Shortcode(number=till, name=code.name)
            known[till] = replace(
                given, till_of=code.number, initiators=given.initiators or code.initiators, products=code.products
            )
    return known


DEFAULT = World(
    apps=(SANDBOX_APP, SWYPT_APP),
    shortcodes=with_tills(
        (
            Shortcode(
                number="174379",
                name="DARAJA SANDBOX",
                passkey=PORTAL_PASSKEY,
                products=COLLECTING,
                initiators=(PORTAL_INITIATOR,),
            ),
            Shortcode(
                number="600992",
                name="DARAJA SANDBOX BULK",
                products=("b2c", "status", "balance", "b2b"),
                initiators=(PORTAL_INITIATOR,),
                working_cents=1_199_371_00,
                utility_cents=8_959_269_60,
                charges_cents=-1_980_00,
            ),
            Shortcode(
                number="600996",
                name="DARAJA SANDBOX STORE",
                passkey=PORTAL_PASSKEY,
                tills=("600997",),
                products=COLLECTING,
                initiators=(PORTAL_INITIATOR,),
            ),
            Shortcode(number="600000", name="DARAJA COUNTERPARTY", products=()),
            Shortcode(number="400222", name="SWYPT", passkey=PORTAL_PASSKEY, products=("push", "query")),
        )
    ),
)


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """The settings with these changes. Raises BadConfig for a name or value that does not fit."""
    known = {f.name: f.default for f in fields(Settings)}
    for name, value in changes.items():
        if name not in known:
            raise BadConfig(f"no setting is called {name}")
        plain = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        if name in CHOICES:
            fits = value in CHOICES[name]
        elif isinstance(known[name], bool):
            fits = isinstance(value, bool)
        else:
            fits = plain or (value is None and known[name] is None)
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
    for pocket in ("working", "utility", "charges", "merchant"):
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
        shortcodes=with_tills(codes) or base.shortcodes,
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
