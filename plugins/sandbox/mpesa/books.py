"""The organisations' books: every shilling that moves in a pocket leaves a row of the statement behind.

Pockets are `working`, `utility`, `merchant` (a till's) and `charges`, which runs below zero.
"""

from dataclasses import replace

from plugins.sandbox.mpesa.records import Pockets, Row
from plugins.sandbox.mpesa.simulator import Simulator

ACCOUNTS = {
    "working": "Working Account",
    "utility": "Utility Account",
    "merchant": "Merchant Account",
    "charges": "Charges Paid Account",
}


def held(sim: Simulator, number: str, pocket: str) -> int:
    """What a pocket holds, in cents."""
    cents: int = getattr(sim.pockets_of(number), pocket)
    return cents


def pockets_in(sim: Simulator, number: str) -> tuple[str, ...]:
    """The pockets an organisation has: a till has a merchant account in place of the utility account."""
    return (
        ("working", "merchant", "charges")
        if sim.world.shortcodes[number].till_of
        else ("working", "utility", "charges")
    )


def enter(
    sim: Simulator,
    number: str,
    pocket: str,
    cents: int,
    *,
    receipt: str,
    details: str,
    reason: str,
    other: str,
    started_ms: int | None = None,
    linked: str = "",
    account: str = "",
    status: str = "Completed",
) -> Row:
    """Move cents in (or, below zero, out of) a pocket and write the row; what isn't Completed moves nothing."""
    before: Pockets = sim.pockets_of(number)
    balance = getattr(before, pocket) + (cents if status == "Completed" else 0)
    sim.pockets.put(number, replace(before, **{pocket: balance}))
    row = Row(
        organisation=number,
        pocket=pocket,
        receipt=receipt,
        started_ms=sim.now if started_ms is None else started_ms,
        done_ms=sim.now,
        details=details,
        status=status,
        cents=cents,
        balance=balance,
        reason=reason,
        other=other,
        linked=linked,
        account=account,
    )
    return sim.rows.put(str(len(sim.rows)), row)


def charge(sim: Simulator, number: str, pocket: str, cents: int, *, receipt: str, reason: str, other: str) -> None:
    """Take a charge for a receipt: from the Charges Paid account, or, where a setting says so, from the pocket."""
    if cents:
        taken_from = "charges" if sim.settings.charges_from == "charges" else pocket
        enter(sim, number, taken_from, -cents, receipt=receipt, details=reason, reason=reason, other=other)
