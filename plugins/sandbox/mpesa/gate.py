"""The way of one call through Daraja: its script, its token, its fields, its handler, and how it is answered.

Everything a call changes happens in one turn; the answer, a delay or a cut connection come after that turn is durable.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plugins.sandbox.mpesa import scripts, throttle, wire
from plugins.sandbox.mpesa.behaviours import Behaviour
from plugins.sandbox.mpesa.config import App
from plugins.sandbox.mpesa.fields import BadField, plain
from plugins.sandbox.mpesa.journal import MASK, masked
from plugins.sandbox.mpesa.scripts import Plan
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.wire import Answer


class Refusal(Exception):
    """The call is turned away with this answer, and nothing happened."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(slots=True, kw_only=True)
class Call:
    """One call as it came, and what the gate finds out about it."""

    endpoint: str
    product: str
    method: str
    authorization: str
    content_type: str
    raw: bytes
    args: dict[str, str]
    fields: dict[str, Any] = field(default_factory=dict)
    readable: bool = True
    app: App | None = None
    plan: Plan = field(default_factory=Plan)

    @property
    def key(self) -> str:
        return self.app.consumer_key if self.app else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a call is about, for scripts and for the journal."""

    reference: str = ""
    phone: str = ""
    amount: int = 0
    shortcode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back: an answer, or None for a connection that is cut; after a real delay."""

    answer: Answer | None
    delay_s: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One API: its methods, what a call is about, what it does: `handle` gives the answer and the journal's word."""

    name: str
    method: str
    about: Callable[[Simulator, dict[str, Any]], Subject]
    handle: Callable[[Simulator, Call, Turn], tuple[Answer, str]]
    product: str = ""  # Where it isn't its name.


def serve(sim: Simulator, endpoint: Endpoint, call: Call) -> Reply:
    """Take one call. Durable before it returns."""
    _read(call)
    with sim.turn() as turn:
        subject = endpoint.about(sim, call.fields)
        call.plan = scripts.choose(sim, endpoint.name, subject.phone, subject.amount, subject.reference)
        reply, effect = _decide(sim, endpoint, call, turn)
        _write(sim, call, subject, effect, reply)
    if call.plan.behaviour.before_ack:
        turn.wait()
    return reply


def _read(call: Call) -> None:
    if not call.content_type.startswith("application/json"):
        return
    try:
        body = json.loads(call.raw)
    except ValueError:
        body = None
    call.readable = isinstance(body, dict)
    call.fields = body if isinstance(body, dict) else {}


def _decide(sim: Simulator, endpoint: Endpoint, call: Call, turn: Turn) -> tuple[Reply, str]:
    behaviour = call.plan.behaviour
    delay_s = sim.settings.slow_s if behaviour.delay_s < 0 else behaviour.delay_s
    if behaviour.answer != "normal" and not behaviour.effect:
        scripts.spend(sim, call.plan)
        if behaviour.answer == "expired_token":
            _kill_token(sim, call)
        return Reply(answer=_canned(sim, call, behaviour.answer), delay_s=delay_s), "none"
    try:
        answer, effect = _handle(sim, endpoint, call, turn)
    except Refusal as refusal:
        call.plan = Plan()  # A refused call spends no script, and is answered at once.
        return Reply(answer=refusal.answer), "refused"
    scripts.spend(sim, call.plan)
    if behaviour.answer != "normal":
        return Reply(answer=_canned(sim, call, behaviour.answer), delay_s=delay_s), effect
    return Reply(answer=answer, delay_s=delay_s), effect


def _handle(sim: Simulator, endpoint: Endpoint, call: Call, turn: Turn) -> tuple[Answer, str]:
    if endpoint.name == "oauth":
        return endpoint.handle(sim, call, turn)
    dialect = wire.DIALECTS[endpoint.name]
    if call.method not in endpoint.method.split():
        raise Refusal(error(sim, dialect.method_status, dialect.method_code, dialect.method_text))
    call.app = bearer(sim, call)
    if (turned_away := throttle.too_many(sim, call.key)) is not None:
        raise Refusal(turned_away)
    if not call.content_type.startswith("application/json"):
        raise Refusal(error(sim, 400, "400.002.02", f"Bad Request - Invalid {dialect.first_field}"))
    if not call.readable:
        raise Refusal(error(sim, 400, "400.002.05", "Invalid Request Payload"))
    try:
        return endpoint.handle(sim, call, turn)
    except BadField as bad:
        raise Refusal(error(sim, 400, "400.002.02", f"Bad Request - Invalid {bad.name}")) from bad


def bearer(sim: Simulator, call: Call) -> App:
    """The app whose living token the call bears. Raises Refusal in the endpoint's own dialect."""
    scheme, _, value = call.authorization.partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise Refusal(error(sim, 404, "404.001.04", "Invalid Authentication Header"))
    for key in (app.consumer_key for app in sim.world.apps):
        token = sim.tokens.get(key)
        if token and token.value == value.strip() and token.ends_ms > sim.now:
            app = sim.world.app(key)
            if app is not None and call.product in app.products:
                return app
            raise no_product(sim, call)
    raise Refusal(_invalid_token(sim, call.endpoint, ""))


def no_product(sim: Simulator, call: Call) -> Refusal:
    """What an app gets that lacks the product."""
    return Refusal(_invalid_token(sim, call.endpoint, "Invalid API call as no apiproduct match found"))


def _invalid_token(sim: Simulator, endpoint: str, more: str) -> Answer:
    dialect = wire.DIALECTS[endpoint]
    text = dialect.dead_text
    if text.endswith("- "):  # B2C shows the token it was given; we show none.
        text += more or "XXXX"
    elif more:
        text = f"{text} - {more}"
    if more and dialect.strange_status:
        return error(sim, dialect.strange_status, dialect.strange_code, text)
    return error(sim, dialect.dead_status, dialect.dead_code, text)


def _kill_token(sim: Simulator, call: Call) -> None:
    value = call.authorization.partition(" ")[2].strip()
    for app in sim.world.apps:
        token = sim.tokens.get(app.consumer_key)
        if token and token.value == value:
            sim.tokens.remove(app.consumer_key)


def error(sim: Simulator, status: int, code: str, message: str) -> Answer:
    """Daraja's usual error body, with a fresh request id."""
    return wire.error(status, code, message, sim.ids.request_id(sim.settings.identifiers))


def _canned(sim: Simulator, call: Call, name: str) -> Answer | None:
    """The answer that a script puts in place of the true one; None is a cut connection."""
    match name:
        case "cut":
            return None
        case "html_403" | "html_503":
            return wire.blocked(int(name[-3:]), sim.ids.incident())
        case "empty_400":
            return wire.empty(400)
        case "spike_arrest":
            return error(sim, 500, "500.003.02", "Error Occurred: Spike Arrest Violation")
        case "quota":
            return error(sim, 500, "500.003.03", "Error Occurred: Quota Violation")
        case "busy":
            return error(sim, 500, "500.003.02", "System is busy. Please try again in few minutes.")
        case "maintenance":
            text = "Service is currently under maintenance. Please try again later"
            return error(sim, 500, "00.002.1001", text)
        case "soap":
            return wire.soap_fault()
        case "apigee":
            return wire.apigee_fault()
        case "refused":
            return wire.answer({"ResponseCode": "1", "ResponseDescription": "The service request has been rejected."})
        case "locked":
            return subscriber_locked(sim)
        case "duplicate_id":
            return duplicate_id(sim)
        case "not_authorised":
            return error(sim, 403, "403.002.1001", "The request is not authorized.")
    return _invalid_token(sim, call.endpoint if call.endpoint in wire.DIALECTS else "push", "")


def subscriber_locked(sim: Simulator) -> Answer:
    """What a second push to a phone with an open prompt gets."""
    text = "Unable to lock subscriber, a transaction is already in process for the current subscriber"
    return error(sim, 500, "500.001.1001", text)


def duplicate_id(sim: Simulator) -> Answer:
    """What a repeated B2C id gets: M-Pesa has it already."""
    return error(sim, 500, "500.002.1001", "Duplicate OriginatorConversationID.")


def merchant_error(sim: Simulator, text: str) -> Refusal:
    """`Merchant does not exist` and `Wrong credentials` of the push and its query."""
    return Refusal(error(sim, 500, "500.001.1001", text))


def _write(sim: Simulator, call: Call, subject: Subject, effect: str, reply: Reply) -> None:
    answer: dict[str, Any] = {"connection": "cut"}
    if reply.answer is not None:
        answer = {"http": reply.answer.status, "body": _tame(reply.answer.payload)}
    facts: dict[str, Any] = {"reference": subject.reference, "phone": subject.phone, "amount": subject.amount}
    if subject.shortcode:
        facts["shortcode"] = subject.shortcode
    if call.endpoint == "oauth":
        facts = {"reference": call.key}
    sim.journal.add(
        sim.now,
        "request",
        call.endpoint,
        **facts,
        request=masked(call.fields) if call.fields else dict(call.args),
        effect=effect,
        script=call.plan.name,
        answer=answer,
    )


def _tame(payload: Any) -> Any:
    """An answer without its bearer token."""
    if isinstance(payload, dict) and "access_token" in payload:
        return {name: MASK if name == "access_token" else value for name, value in payload.items()}
    return payload


def behaviour_of(call: Call) -> Behaviour:
    """The behaviour that a handler keeps with what it makes."""
    return call.plan.behaviour


def amount_in(body: dict[str, Any]) -> int:
    """The amount a body seems to name, for scripts; 0 if it names none."""
    found = plain(body, "Amount")
    return int(found) if found.isdigit() and len(found) < 13 else 0
