"""Which behaviour a call gets: an armed script first, then the magic number, then the magic amount."""

from dataclasses import dataclass, replace
from typing import Any

from plugins.sandbox.mpesa import behaviours
from plugins.sandbox.mpesa.behaviours import PLAIN, BadBehaviour, Behaviour
from plugins.sandbox.mpesa.records import Armed
from plugins.sandbox.mpesa.simulator import Simulator

ENDPOINTS = (
    "push", "query", "b2c", "status", "balance", "oauth", "c2b", "register", "simulate", "pull", "pull_register",
    "reversal", "b2b", "hakikisha",
)  # fmt: skip
MONEY = ("push", "b2c")
# Calls and payments for which magic numbers and amounts hold, and whose scripts they take.
MAGIC = {"push": "push", "b2c": "b2c", "c2b": "c2b", "b2b": "b2c"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The behaviour chosen for one call, and the armed script to spend if the call comes to anything."""

    behaviour: Behaviour = PLAIN
    name: str | None = None
    armed: Armed | None = None


def choose(sim: Simulator, endpoint: str, phone: str, amount: int, reference: str) -> Plan:
    """The plan for a call; nothing is spent yet. The oldest script that fits wins."""
    for armed in sim.armed.values():
        if _fits(armed, endpoint, phone, amount, reference):
            return Plan(behaviour=armed.behaviour, name=armed.name, armed=armed)
    if (kind := MAGIC.get(endpoint)) is not None:
        found = behaviours.of_number(phone, kind) if sim.settings.magic_numbers else None
        if found is None and sim.settings.magic_amounts:
            found = behaviours.of_amount(amount, kind)
        if found is not None:
            again = found.name == "expired_token" and _second_time(sim, phone)
            return Plan(behaviour=behaviours.named("success") if again else found.does, name=found.name)
    return Plan()


def _fits(armed: Armed, endpoint: str, phone: str, amount: int, reference: str) -> bool:
    where = armed.endpoint == endpoint or armed.endpoint == "any" or (not armed.endpoint and endpoint in MONEY)
    if endpoint == "c2b" and not armed.endpoint and armed.phone:  # This very customer's day, however he pays.
        where = armed.name in behaviours.BY_NAME and "c2b" in behaviours.BY_NAME[armed.name].where
    return where and armed.phone in ("", phone) and armed.amount in (0, amount) and armed.reference in ("", reference)


def _second_time(sim: Simulator, phone: str) -> bool:
    """A magic number kills every other token only, so that one refresh is enough."""
    fact = f"token-killed:{phone}"
    if sim.facts.remove(fact) is not None:
        return True
    sim.facts.put(fact, {})
    return False


def spend(sim: Simulator, plan: Plan) -> None:
    """Count one use of an armed script."""
    if plan.armed is None or plan.armed.times == 0:
        return
    left = plan.armed.times - 1
    if left:
        sim.armed.put(str(plan.armed.no), replace(plan.armed, times=left))
    else:
        sim.armed.remove(str(plan.armed.no))


def arm(sim: Simulator, given: dict[str, Any], *, endpoint: str = "") -> Armed:
    """Keep a script for later calls.

    `given` has `behaviour` (a name; default `normal`), any of the fields of a behaviour to change in it, and the
    conditions `endpoint`, `phone`, `amount`, `reference`, `times` (default 1; 0 without end). Raises BadBehaviour.
    """
    given = dict(given)
    name = given.pop("behaviour", "normal")
    where = given.pop("endpoint", endpoint)
    if where and where not in (*ENDPOINTS, "any"):
        raise BadBehaviour(f"no endpoint is called {where!r}")
    conditions = {key: given.pop(key) for key in ("phone", "reference") if key in given}
    numbers = {key: given.pop(key) for key in ("amount", "times") if key in given}
    if not all(isinstance(value, str) for value in (name, *conditions.values())) or not all(
        isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in numbers.values()
    ):
        raise BadBehaviour("behaviour, phone and reference are texts; amount and times are whole numbers")
    behaviour = behaviours.changed(behaviours.named(name), given)
    no = (sim.facts.get("armed") or {"no": 0})["no"] + 1
    sim.facts.put("armed", {"no": no})
    return sim.armed.put(str(no), Armed(no=no, name=name, behaviour=behaviour, endpoint=where, **conditions, **numbers))
