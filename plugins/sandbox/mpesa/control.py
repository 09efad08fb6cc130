"""The control API: how tests and judges script, move and reset the simulated M-Pesa; what it shows is in `views`.

JSON in, JSON out, no credentials: the simulator listens on loopback. Errors are `{"error": "…"}` with 400 or 404.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from plugins.sandbox.mpesa import (
    b2c,
    callbacks,
    clock,
    config,
    control_money,
    fields,
    oauth,
    operators,
    prompts,
    push,
    scripts,
)
from plugins.sandbox.mpesa.behaviours import BadBehaviour
from plugins.sandbox.mpesa.records import Push
from plugins.sandbox.mpesa.simulator import Simulator, Turn
from plugins.sandbox.mpesa.views import Body, Wrong, armed, read_clock


def add_script(sim: Simulator, body: Body) -> Body:
    """Arm a script for later calls; see `scripts.arm`."""
    with sim.turn():
        return armed(scripts.arm(sim, body))


def add_fault(sim: Simulator, body: Body) -> Body:
    """Arm a fault of the connection: `fault` names a behaviour, `endpoint` defaults to any."""
    given = {name: value for name, value in body.items() if name != "fault"}
    with sim.turn():
        return armed(scripts.arm(sim, {"behaviour": body.get("fault", "normal"), **given}, endpoint="any"))


def drop_scripts(sim: Simulator, body: Body) -> Body:
    """Disarm one script by its `no`, or all."""
    with sim.turn():
        numbers = [str(body["no"])] if "no" in body else [str(one.no) for one in sim.armed.values()]
        return {"dropped": sum(sim.armed.remove(no) is not None for no in numbers)}


def decide(sim: Simulator, body: Body) -> Body:
    """The payer's answer: `action` pin (default; `pin` 1234), cancel or ignore, by `phone` or `checkout_request_id`."""
    action, pin = body.get("action", "pin"), str(body.get("pin", "1234"))
    if action not in ("pin", "cancel", "ignore"):
        raise Wrong("action is pin, cancel or ignore")
    if action == "pin" and not (len(pin) == 4 and pin.isdigit()):
        raise Wrong("a PIN is four digits")
    with sim.turn():
        found = _open_prompt(sim, body)
        return push.shown(sim, prompts.decide(sim, found, action, pin))


def _open_prompt(sim: Simulator, body: Body) -> Push:
    checkout_id = body.get("checkout_request_id") or next(iter(sim.finder.open_on(str(body.get("phone")))), "")
    found = sim.pushes.get(str(checkout_id))
    if found is None or found.state != "open":
        raise Wrong("no prompt is open there", 404)
    return found


def move_clock(sim: Simulator, body: Body) -> Body:
    """`advance` seconds, or `set` an instant (ISO 8601), or `freeze` true or false; fires what became due."""
    freeze, advance = body.get("freeze"), body.get("advance", 0)
    if isinstance(advance, bool) or not isinstance(advance, int | float) or advance < 0:
        raise Wrong("advance is seconds, from 0")
    try:
        to_ms = clock.parse(body["set"]) if "set" in body else None
        if freeze is not None:
            with sim.turn():
                (sim.clock.freeze if freeze else sim.clock.thaw)()
                sim.keep_clock()
        if to_ms is not None or "advance" in body:
            sim.move_clock(to_ms=to_ms, by_ms=round(advance * 1000))
    except (ValueError, TypeError) as error:
        raise Wrong(str(error)) from error
    return read_clock(sim, {})


def change_settings(sim: Simulator, body: Body) -> Body:
    """Change timings and shapes; kept over restarts."""
    try:
        with sim.turn():
            sim.change_settings(body)
    except config.BadConfig as error:
        raise Wrong(str(error)) from error
    return asdict(sim.settings)


def set_subscriber(sim: Simulator, body: Body) -> Body:
    """Give a `phone` a `balance` in shillings (which it then keeps to), a `name`, or `registered` true or false."""
    phone = str(body.get("phone"))
    if not fields.MSISDN.fullmatch(phone):
        raise Wrong("phone is 2547… or 2541…")
    with sim.turn():
        known = sim.subscriber(phone)
        if "balance" in body:
            try:
                known = replace(known, balance=config.cents(body["balance"]), pinned=True)
            except config.BadConfig as error:
                raise Wrong(str(error)) from error
        known = replace(
            known,
            name=str(body.get("name", known.name)),
            registered=bool(body.get("registered", known.registered)),
        )
        sim.subscribers.put(phone, known)
    return {**asdict(known), "balance": known.balance / 100}


def expire_token(sim: Simulator, body: Body) -> Body:
    """Kill the token of one app (`consumer_key`) or of all."""
    with sim.turn():
        killed = oauth.expire(sim, str(body.get("consumer_key", "")))
        sim.journal.add(sim.now, "control", "token", killed=killed)
    return {"killed": killed}


def unlock_operator(sim: Simulator, body: Body) -> Body:
    """Unlock an initiator: `shortcode` and `name`."""
    with sim.turn():
        return {"unlocked": operators.unlock(sim, str(body.get("shortcode")), str(body.get("name")))}


def resend(sim: Simulator, body: Body) -> Body:
    """Post a settled push's or payout's news again, truly or forged.

    By `checkout_request_id` or `originator_conversation_id`; `copies`; for a push also `code` and `amount` to claim.
    """
    copies = body.get("copies", 1)
    if not isinstance(copies, int) or not 1 <= copies <= 50:
        raise Wrong("copies is a number from 1 to 50")
    with sim.turn() as turn:
        if "checkout_request_id" in body:
            _resend_push(sim, turn, body, copies)
        else:
            payout = sim.payouts.get(str(body.get("originator_conversation_id")))
            if payout is None or payout.state != "done":
                raise Wrong("no such settled payout", 404)
            news = b2c.result_body(sim, payout)
            callbacks.post(sim, turn, "result", payout.originator_id, payout.result_url, news, sim.now, copies)
    turn.wait()
    return {"posted": copies}


def _resend_push(sim: Simulator, turn: Turn, body: Body, copies: int) -> None:
    found = sim.pushes.get(str(body["checkout_request_id"]))
    if found is None:
        raise Wrong("no such push", 404)
    code = str(body.get("code", found.code or "1037"))
    told = found
    if code == "0" and found.receipt is None:  # A forger invents a receipt.
        told = replace(found, receipt=sim.ids.receipt(sim.now), done_ms=sim.now)
    amount = body.get("amount", found.amount)
    if not isinstance(amount, int):
        raise Wrong("amount is whole shillings")
    news = callbacks.push_result(told, code=code, amount=amount, phone_style=sim.settings.callback_phone)
    callbacks.post(sim, turn, "callback", found.account, found.callback_url, news, sim.now, copies)


def reset(sim: Simulator, body: Body) -> Body:
    """Forget everything; receipts go on where they were, unless a `seed` is given for a world that is all new."""
    seed = body.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise Wrong("seed is a whole number")
    with sim.turn():
        sim.forget(seed)
        return {"seed": sim.ids.seed}


CHANGE: dict[str, Callable[[Simulator, Body], Body]] = {
    "scripts": add_script,
    "scripts/drop": drop_scripts,
    "faults": add_fault,
    "decide": decide,
    "clock": move_clock,
    "settings": change_settings,
    "subscribers": set_subscriber,
    "token/expire": expire_token,
    "operators/unlock": unlock_operator,
    "callbacks": resend,
    "reset": reset,
    **control_money.CHANGE,
}


def change(sim: Simulator, path: str, body: Any) -> Body:
    """Obey one control call. Raises Wrong."""
    if path not in CHANGE:
        raise Wrong("no such control", 404)
    if not isinstance(body, dict):
        raise Wrong("the body is a JSON object")
    try:
        return CHANGE[path](sim, body)
    except BadBehaviour as error:
        raise Wrong(str(error)) from error
