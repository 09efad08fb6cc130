"""The control API: how tests and judges script, move, fund and read the simulated Swypt.

JSON in, JSON out, no credentials: the simulator listens on loopback. Errors are `{"error": "…"}` with 400 or 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from plugins.sandbox.mpesa import clock as times
from plugins.sandbox.mpesa.store import Shelf
from plugins.sandbox.swypt import behaviours, config, gate, offramp, onramp, records
from plugins.sandbox.swypt.behaviours import BadBehaviour
from plugins.sandbox.swypt.records import Armed, Escrowed
from plugins.sandbox.swypt.simulator import Simulator

Body = dict[str, Any]


class Wrong(Exception):
    """The control call can't be obeyed."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def arm(sim: Simulator, body: Body) -> Body:
    """Arm a script: `behaviour` (a name), fields to change in it, and `endpoint`, `phone`, `amount`, `times`."""
    given = dict(body)
    name, endpoint, phone = (
        str(given.pop(key, d)) for key, d in (("behaviour", "normal"), ("endpoint", ""), ("phone", ""))
    )
    amount, times_ = given.pop("amount", 0), given.pop("times", 1)
    if endpoint and endpoint not in (*gate.PATHS, "any"):
        raise Wrong(f"no endpoint is called {endpoint!r}")
    if type(amount) is not int or type(times_) is not int or amount < 0 or times_ < 0:
        raise Wrong("amount and times are whole numbers")
    behaviour = behaviours.with_fields(behaviours.named(name), given)
    no = (sim.facts.get("armed") or {"no": 0})["no"] + 1
    sim.facts.put("armed", {"no": no})
    armed = Armed(no=no, name=name, behaviour=behaviour, endpoint=endpoint, phone=phone, amount=amount, times=times_)
    sim.armed.put(str(no), armed)
    return records.document(armed)


def fault(sim: Simulator, body: Body) -> Body:
    """Arm a fault of the connection: `fault` is an answer (`cut`, `html_502`, …); `effect`: whether the call counts."""
    given = {"effect": False, **body}
    answer = given.pop("fault", "cut")
    return arm(sim, {"endpoint": "any", **given, "answer": answer})


def drop(sim: Simulator, body: Body) -> Body:
    """Disarm one script by its `no`, or all."""
    numbers = [str(body["no"])] if "no" in body else [str(one.no) for one in sim.armed.values()]
    return {"dropped": sum(sim.armed.remove(no) is not None for no in numbers)}


def decide(sim: Simulator, body: Body) -> Body:
    """The payer's answer: `phone` or `order`; `action` pin (default), cancel or ignore; `pin` 1234 by default."""
    action, pin = str(body.get("action", "pin")), str(body.get("pin", "1234"))
    if action not in ("pin", "cancel", "ignore"):
        raise Wrong("action is pin, cancel or ignore")
    order = sim.orders.get(str(body.get("order"))) or onramp.open_on(sim, str(body.get("phone")))
    if order is None or order.state != "PENDING" or order.is_answered:
        raise Wrong("no prompt is open there", 404)
    return records.document(onramp.decide(sim, order, action, pin))


def settings(sim: Simulator, body: Body) -> Body:
    """Change settings; kept over restarts."""
    sim.change_settings(body)
    return asdict(sim.settings)


def escrow(sim: Simulator, body: Body) -> Body:
    """Tell what a transaction put into the escrow, where no chain is attached: `network`, `token` (address), `wallet`,
    `units`, and `hash` (one is invented without it)."""
    network = sim.networks.get(str(body.get("network")))
    token = network.token(str(body.get("token"))) if network else None
    if network is None or token is None or type(body.get("units")) is not int:
        raise Wrong("network, token and units (a whole number) are those of a known token")
    tx = str(body.get("hash") or sim.hash()).lower()
    wallet = str(body.get("wallet", ""))
    found = Escrowed(tx=tx, network=network.name, token=token.address, wallet=wallet, units=body["units"])
    sim.escrowed.put(tx, found)
    return {"hash": tx, **asdict(found)}


def chain(sim: Simulator, body: Body) -> Body:
    """Put a node behind a `network`: `rpc`, `key` of a wallet with tokens and gas, `escrow`, `tokens`."""
    given = dict(body)
    name = str(given.pop("network", ""))
    if not name:
        raise Wrong("which network?")
    sim.attach(name, given)
    return {"network": name, "attached": sim.networks[name].is_attached}


def refund(sim: Simulator, body: Body) -> Body:
    """Swypt's desk: give a failed payout's tokens back from the escrow, by `order`."""
    made = sim.withdrawals.get(str(body.get("order")))
    if made is None:
        raise Wrong("no such order", 404)
    return records.document(sim.withdrawals.put(made.order_id, offramp.refund(sim, made)))


def reset(sim: Simulator, _: Body) -> Body:
    """Forget orders, scripts and the journal; ids go on, chains stay attached."""
    sim.forget()
    return {}


CHANGE: dict[str, Callable[[Simulator, Body], Body]] = {
    "scripts": arm,
    "scripts/drop": drop,
    "faults": fault,
    "decide": decide,
    "settings": settings,
    "escrow": escrow,
    "chain": chain,
    "refund": refund,
    "reset": reset,
}


def change(sim: Simulator, path: str, body: Any) -> Body:
    """Obey one control call. Raises Wrong."""
    if not isinstance(body, dict):
        raise Wrong("the body is a JSON object")
    try:
        if path == "clock":
            return _clock(sim, body)
        if path not in CHANGE:
            raise Wrong("no such control", 404)
        with sim.turn():
            return CHANGE[path](sim, body)
    except (BadBehaviour, config.BadConfig) as error:
        raise Wrong(str(error)) from error


def _clock(sim: Simulator, body: Body) -> Body:
    """`advance` seconds, or `set` an instant (ISO 8601), or `freeze` true or false."""
    advance = body.get("advance", 0)
    if isinstance(advance, bool) or not isinstance(advance, (int, float)) or advance < 0:
        raise Wrong("advance is seconds, from 0")
    try:
        if "freeze" in body:
            with sim.turn():
                (sim.clock.freeze if body["freeze"] else sim.clock.thaw)()
                sim.keep_clock()
        sim.move_clock(to_ms=times.parse(str(body["set"])) if "set" in body else None, by_ms=round(advance * 1000))
    except ValueError as error:
        raise Wrong(str(error)) from error
    return {"time": times.iso(sim.clock.now()), "frozen": sim.clock.frozen_ms is not None}


def read(sim: Simulator, path: str, args: dict[str, str]) -> Body:
    """Answer one question. Raises Wrong."""
    with sim.turn():
        if path == "journal":
            after = int(args.get("after", "0") or 0)
            found = [one for one in sim.entries if one["no"] > after and _fits(one, args)]
            return {"entries": found, "counts": {name: dict(counted) for name, counted in sim.counts.items()}}
        shelves: dict[str, Shelf[Any]] = {"orders": sim.orders, "withdrawals": sim.withdrawals, "tickets": sim.tickets}
        if path in shelves:
            return {path: [one for one in map(records.document, shelves[path].newest_first()) if _fits(one, args)]}
        if path == "scripts":
            catalogue = [
                {"name": name, "number": f"254700{ending:0>6}", **behaviours.as_document(behaviour)}
                for name, (ending, behaviour) in behaviours.CATALOGUE.items()
            ]
            return {"armed": [records.document(one) for one in sim.armed.values()], "catalogue": catalogue}
        if path == "credentials":
            return credentials(sim)
        if path == "state":
            return {
                "time": times.iso(sim.now),
                "settings": asdict(sim.settings),
                "chains": {name: one.is_attached for name, one in sim.networks.items()},
                "due": len(sim.due),
            }
    raise Wrong("no such control", 404)


def credentials(sim: Simulator) -> Body:
    """What a connection to this simulator needs: keys, and by network the escrow and the tokens."""
    return {
        "api_key": sim.world.api_key,
        "api_secret": sim.world.api_secret,
        "networks": {
            name: {"escrow": one.escrow, "tokens": [asdict(token) for token in one.tokens]}
            for name, one in sim.networks.items()
        },
    }


def _fits(entry: Body, args: dict[str, str]) -> bool:
    return all(str(entry.get(name)) == value for name, value in args.items() if name not in ("after", "since"))
