"""The way of one call: its path, its script, its keys, its handler, and how it is answered.

Everything that a call changes happens in one turn; an answer, a delay or a cut connection come after it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from plugins.sandbox.swypt import behaviours, history, offramp, onramp, quotes, shapes, tickets
from plugins.sandbox.swypt.behaviours import PLAIN, Behaviour
from plugins.sandbox.swypt.daraja import Daraja, NoPrompt
from plugins.sandbox.swypt.records import Armed, Order
from plugins.sandbox.swypt.shapes import Refusal, Reply
from plugins.sandbox.swypt.simulator import Simulator

#: (v2, v1) path of each endpoint; `*` is followed by what is asked about. v1 has no histories.
PATHS: dict[str, tuple[str, str, str | None]] = {
    "quote": ("POST", "/fx-quotes", "/swypt-quotes"),
    "assets": ("GET", "/listed-assets", "/swypt-supported-assets"),
    "onramp": ("POST", "/onramp-orders", "/swypt-onramp"),
    "onramp_status": ("GET", "/onramp-order-status/*", "/order-onramp-status/*"),
    "deposit": ("POST", "/deposit", "/swypt-deposit"),
    "offramp": ("POST", "/offramp-orders", "/swypt-order-offramp"),
    "offramp_status": ("GET", "/offramp-order-status/*", "/order-offramp-status/*"),
    "onramp_ticket": ("POST", "/onramp-ticket", "/user-onramp-ticket"),
    "offramp_ticket": ("POST", "/offramp-ticket", "/create-offramp-ticket"),
    "deposits": ("GET", "/deposit-transactions/*", None),
    "withdrawals": ("GET", "/withdrawal-transactions/*", None),
}
#: Where a script without an endpoint holds.
MONEY = ("onramp", "offramp")
BASE = "/api"


@dataclass(slots=True, kw_only=True)
class Call:
    """One call as it came, and what the gate finds out about it."""

    endpoint: str
    is_v1: bool
    subject: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    body: dict[str, Any] = field(default_factory=dict)
    prompts: Order | None = None


def endpoint_of(profile: str, method: str, path: str) -> tuple[str, bool, str] | None:
    """(endpoint, whether by v1's path, what is asked about) of a path; None for a path that isn't served."""
    for name, (wanted, *versions) in PATHS.items():
        for is_v1, pattern in enumerate(versions):
            if pattern is None or method != wanted or profile == ("v2", "v1")[not is_v1]:
                continue
            head = BASE + pattern.removesuffix("/*")
            if path == head or (pattern.endswith("*") and path.startswith(f"{head}/")):
                return name, bool(is_v1), path[len(head) + 1 :]
    return None


def serve(sim: Simulator, call: Call, mpesa: Daraja | None = None) -> Reply:
    """Take one call. Durable before it returns. With a line to M-Pesa a prompt goes out over it, after the turn."""
    if call.raw:
        try:
            found = json.loads(call.raw)
        except ValueError:
            found = None
        call.body = found if isinstance(found, dict) else {}
    with sim.turn():
        phone, amount = _about(sim, call)
        script, behaviour, armed = choose(sim, call.endpoint, phone, amount)
        reply, effect = _decide(sim, call, script, behaviour, armed)
        _write(sim, call, phone, effect, script, reply)
    if mpesa is not None and call.prompts is not None:
        return _prompted(sim, call.prompts, mpesa, reply)
    return reply


def _prompted(sim: Simulator, order: Order, mpesa: Daraja, reply: Reply) -> Reply:
    try:
        checkout_id = mpesa.prompt(order, sim.now)
    except NoPrompt as why:
        with sim.turn():
            sim.note("effect", "onramp", effect="no prompt", order=order.order_id, why=str(why))
            sim.orders.put(
                order.order_id, replace(order, state="FAILED", message="Failed to initiate STK Push payment")
            )
        return reply if reply.text is None else Refusal(*TEXTS["not_initiated"]).reply(sim.settings)
    with sim.turn():
        known = sim.orders.get(order.order_id) or order
        sim.orders.put(order.order_id, replace(known, checkout_id=checkout_id))
    return reply


def _about(sim: Simulator, call: Call) -> tuple[str, int]:
    """The phone and the amount that a call is about, for scripts and the journal."""
    phone = str(call.body.get("partyA") or call.body.get("partyB") or call.body.get("phone") or "")
    amount = str(call.body.get("amount") or "")
    order_id = call.subject or str(call.body.get("orderID") or "")
    if (order := sim.orders.get(order_id)) is not None:
        phone, amount = order.phone, str(order.amount)
    elif (made := sim.withdrawals.get(order_id)) is not None:
        phone = made.phone
    return phone, int(amount) if amount.isdecimal() and len(amount) < 12 else 0


def choose(sim: Simulator, endpoint: str, phone: str, amount: int) -> tuple[str, Behaviour, Armed | None]:
    """The behaviour for a call: an armed script, oldest first, else the magic number; nothing is spent yet."""
    for one in sim.armed.values():
        where = one.endpoint in (endpoint, "any") or (not one.endpoint and endpoint in MONEY)
        if where and one.phone in ("", phone) and one.amount in (0, amount):
            return one.name, one.behaviour, one
    if endpoint in MONEY and sim.settings.magic_numbers and (found := behaviours.of_number(phone)):
        return found[0], found[1], None
    return "", PLAIN, None


def spend(sim: Simulator, armed: Armed | None) -> None:
    """Count one use of an armed script."""
    if armed is None or armed.times == 0:
        return
    if armed.times > 1:
        sim.armed.put(str(armed.no), replace(armed, times=armed.times - 1))
    else:
        sim.armed.remove(str(armed.no))


TEXTS = {
    "bad_keys": (401, "Invalid API credentials"),
    "not_recorded": (400, "Failed to record the onramp transaction order"),
    "not_initiated": (500, "Failed to initiate STK Push payment"),
    "went_wrong": (500, "An error occurred during the STK Push transaction"),
    "exchange_rate": (500, "Failed to process celo transaction: could not fetch the exchange rate"),
}


def _decide(sim: Simulator, call: Call, script: str, behaviour: Behaviour, armed: Armed | None) -> tuple[Reply, str]:
    if (turned_away := _too_many(sim)) is not None:
        return turned_away, "none"
    answer = behaviour.answer if armed is not None or call.endpoint in MONEY else "normal"
    if call.endpoint == "deposit" and answer == "normal":
        answer, behaviour = _deposit_answer(sim, call, behaviour)
    if answer != "normal" and not behaviour.effect:
        spend(sim, armed)
        return _canned(sim, answer, None), "none"
    try:
        _check_keys(sim, call)
        reply, effect = _handle(sim, call, script, behaviour)
    except Refusal as refusal:
        return refusal.reply(sim.settings), "refused"
    spend(sim, armed)
    if answer != "normal":
        reply = _canned(sim, answer, reply)
    return (replace(reply, delay_s=behaviour.delay_s) if behaviour.delay_s else reply), effect


def _deposit_answer(sim: Simulator, call: Call, behaviour: Behaviour) -> tuple[str, Behaviour]:
    """What the order's own behaviour says of its first deposit."""
    order = sim.orders.get(str(call.body.get("orderID")))
    if order is None or order.deposit_calls or order.state != behaviours.PAYS:
        return "normal", behaviour
    sim.orders.put(order.order_id, replace(order, deposit_calls=1))
    answer = order.behaviour.deposit_answer
    return answer, replace(behaviour, effect=answer != "exchange_rate")


def _canned(sim: Simulator, name: str, true: Reply | None) -> Reply:
    if name == "slow":
        return replace(true or shapes.canned("error_500"), delay_s=sim.settings.slow_s)
    if name in TEXTS:
        return Refusal(*TEXTS[name]).reply(sim.settings)
    return shapes.canned(name)


def _too_many(sim: Simulator) -> Reply | None:
    most = sim.settings.calls_per_s
    sim.recent_calls = [at for at in sim.recent_calls if at > sim.now - 1000]
    if most is not None and len(sim.recent_calls) >= most:
        return shapes.canned("too_many")
    sim.recent_calls.append(sim.now)
    return None


def _check_keys(sim: Simulator, call: Call) -> None:
    key, secret = call.headers.get("x-api-key", ""), call.headers.get("x-api-secret", "")
    if not key or not secret:
        raise Refusal(401, "API key and secret are required")
    right = hmac.compare_digest(key.encode(), sim.world.api_key.encode())
    if not right or not hmac.compare_digest(secret.encode(), sim.world.api_secret.encode()):
        raise Refusal(401, "Invalid API credentials")


_ACTS: dict[str, Callable[[Simulator, dict[str, Any]], tuple[Reply, str]]] = {
    "deposit": onramp.deposit,
    "onramp_ticket": tickets.onramp,
    "offramp_ticket": tickets.offramp,
}
_READS: dict[str, Callable[[Simulator, Call], Reply]] = {
    "quote": lambda sim, call: quotes.quote(sim, call.body),
    "assets": lambda sim, call: quotes.assets(sim, call.body),
    "onramp_status": lambda sim, call: onramp.status(sim, call.subject),
    "offramp_status": lambda sim, call: offramp.status(sim, call.subject),
    "deposits": lambda sim, call: history.deposits(sim, call.subject, call.args),
    "withdrawals": lambda sim, call: history.withdrawals(sim, call.subject, call.args),
}


def _handle(sim: Simulator, call: Call, script: str, behaviour: Behaviour) -> tuple[Reply, str]:
    if call.endpoint == "onramp":
        reply, effect = onramp.start(sim, call.body, script, behaviour)
        if behaviour.end is None:
            call.prompts = next(sim.orders.newest_first())
        return reply, effect
    if call.endpoint == "offramp":
        return offramp.order(sim, call.body, wants_wallet=not call.is_v1, script=script, behaviour=behaviour)
    if call.endpoint in _ACTS:
        return _ACTS[call.endpoint](sim, call.body)
    return _READS[call.endpoint](sim, call), "read"


def _write(sim: Simulator, call: Call, phone: str, effect: str, script: str, reply: Reply) -> None:
    told = {"connection": "cut"} if reply.text is None else {"http": reply.status, "body": reply.text[:2000]}
    sim.note(
        "request",
        call.endpoint,
        phone=phone,
        profile="v1" if call.is_v1 else "v2",
        request=call.body or {**call.args, "subject": call.subject},
        effect=effect,
        script=script,
        answer=told,
    )
