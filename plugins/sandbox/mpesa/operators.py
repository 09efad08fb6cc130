"""The operators of a shortcode: who may ask, and how wrong credentials lock them out.

A wrong SecurityCredential gives 2001, and the third in a row locks the operator: 8006 from then on, also for the right
one, until an administrator unlocks it (Daraja portal, December 2025; the number of tries is ours).
"""

from plugins.sandbox.mpesa.simulator import Simulator

TRIES = 3


def judge(sim: Simulator, *, product: str, shortcode: str, name: str, credential: str) -> str | None:
    """The code with which the operator is refused, or None."""
    known = sim.world.shortcodes.get(shortcode)
    if known is None:
        return "21"
    if product not in known.products:
        return "2028"
    operator = known.initiator(name)
    if operator is None:
        return "2001"
    key = f"wrong:{shortcode}:{name}"
    wrong = (sim.facts.get(key) or {"times": 0})["times"]
    if wrong >= TRIES:
        return "8006"
    if sim.keys.password_in(credential) == operator.password:
        sim.facts.remove(key)
        return None
    sim.facts.put(key, {"times": wrong + 1})
    return "2001"


def unlock(sim: Simulator, shortcode: str, name: str) -> bool:
    """Forget the wrong tries of an operator; says whether there were any."""
    return sim.facts.remove(f"wrong:{shortcode}:{name}") is not None
