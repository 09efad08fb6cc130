"""A real throttle: more than so many calls of one app within a second are turned away before they do anything.

The true rates are a contract's and not published; how it words its no is a setting, for three ways are seen.
"""

from plugins.sandbox.mpesa import wire
from plugins.sandbox.mpesa.simulator import Simulator
from plugins.sandbox.mpesa.wire import Answer

SECOND_MS = 1000


def too_many(sim: Simulator, app: str) -> Answer | None:
    """Count a call; the answer that turns it away, if it is one too many. A call turned away doesn't count."""
    limit = sim.settings.calls_per_s
    if limit is None:
        return None
    recent = [at_ms for at_ms in sim.recent_calls.get(app, []) if at_ms > sim.now - SECOND_MS]
    sim.recent_calls[app] = recent
    if len(recent) < limit:
        recent.append(sim.now)
        return None
    match sim.settings.throttled:
        case "apigee":
            return wire.apigee_fault()
        case "html_403":
            return wire.blocked(403, sim.ids.incident())
    request_id = sim.ids.request_id(sim.settings.identifiers)
    return wire.error(500, "500.003.02", "Error Occurred: Spike Arrest Violation", request_id)
