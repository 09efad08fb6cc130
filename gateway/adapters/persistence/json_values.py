"""Domain values that are kept as JSON: terms, charges, failures, destinations; each is written and read here alone."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.domain.fees import Bearer, Charge, FeeSchedule, Settlement, TaxRule, Terms
from gateway.domain.payments import PayToAction, PromptAction
from ports.money import ASSETS, Money
from ports.payout_channel import Destination, DestinationKind
from ports.report import Failure, FailureKind, TryAgain


def money(units: int, currency: str) -> Money:
    """A sum as its two columns hold it."""
    return Money(units=units, asset=ASSETS[currency])


def taxes_out(taxes: tuple[TaxRule, ...]) -> list[dict[str, Any]]:
    return [{"code": t.code, "rate_bps": t.rate_bps, "inclusive": t.inclusive} for t in taxes]


def taxes_in(kept: list[dict[str, Any]]) -> tuple[TaxRule, ...]:
    return tuple(TaxRule(code=t["code"], rate_bps=t["rate_bps"], inclusive=t["inclusive"]) for t in kept)


def terms_out(terms: Terms | None) -> dict[str, Any] | None:
    """What a payment froze. Units are written as text: JSON readers elsewhere may round large numbers."""
    if terms is None:
        return None
    full = None if terms.full is None else charge_out(terms.full)
    base = None if terms.base_units is None else str(terms.base_units)
    return {"fee": schedule_out(terms.fee), "settlement": str(terms.settlement), "full": full, "base": base} | (
        {"under": str(terms.under_units)} if terms.under_units else {}
    )


def terms_in(kept: dict[str, Any] | None) -> Terms | None:
    if kept is None:
        return None
    return Terms(
        fee=schedule_in(kept["fee"]),
        settlement=Settlement.parse(kept["settlement"]),
        full=None if kept["full"] is None else charge_in(kept["full"]),
        base_units=None if kept["base"] is None else int(kept["base"]),
        under_units=int(kept.get("under", 0)),
    )


def schedule_out(fee: FeeSchedule) -> dict[str, Any]:
    """A schedule as it was frozen."""
    return {
        "id": str(fee.id),
        "version": fee.version,
        "flat_units": str(fee.flat_units),
        "bps": fee.bps,
        "cap_units": None if fee.cap_units is None else str(fee.cap_units),
        "min_units": str(fee.min_units),
        "taxes": taxes_out(fee.taxes),
        "method": fee.method,
        "bearer": fee.bearer.value,
        "customer_bps": fee.customer_bps,
    }


def schedule_in(fee: dict[str, Any]) -> FeeSchedule:
    return FeeSchedule(
        id=UUID(fee["id"]),
        version=fee["version"],
        flat_units=int(fee["flat_units"]),
        bps=fee["bps"],
        cap_units=None if fee["cap_units"] is None else int(fee["cap_units"]),
        min_units=int(fee["min_units"]),
        taxes=taxes_in(fee["taxes"]),
        method=fee["method"],
        bearer=Bearer(fee["bearer"]),
        customer_bps=fee["customer_bps"],
    )


def charge_out(charge: Charge) -> dict[str, Any]:
    return {"revenue": str(charge.revenue_units), "taxes": [[code, str(units)] for code, units in charge.taxes]}


def charge_in(kept: dict[str, Any]) -> Charge:
    return Charge(revenue_units=int(kept["revenue"]), taxes=tuple((code, int(units)) for code, units in kept["taxes"]))


def failure_out(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "kind": failure.kind.value,
        "provider_code": failure.provider_code,
        "detail": failure.detail,
        "try_again": failure.try_again.value,
        "after_s": failure.after_s,
    }


def failure_in(kept: dict[str, Any] | None) -> Failure | None:
    if kept is None:
        return None
    return Failure(
        kind=FailureKind(kept["kind"]),
        provider_code=kept["provider_code"],
        detail=kept["detail"],
        try_again=TryAgain(kept["try_again"]),
        after_s=kept["after_s"],
    )


def action_out(action: PromptAction | PayToAction | None) -> dict[str, Any] | None:
    if action is None:
        return None
    if isinstance(action, PayToAction):
        return {"expires_at": action.expires_at.isoformat(), "pay_to": [list(pair) for pair in action.pay_to]}
    return {"expires_at": action.expires_at.isoformat(), "resend_after": action.resend_after.isoformat()}


def action_in(kept: dict[str, Any] | None) -> PromptAction | PayToAction | None:
    if kept is None:
        return None
    if "pay_to" in kept:
        pairs = tuple((name, value) for name, value in kept["pay_to"])
        return PayToAction(expires_at=datetime.fromisoformat(kept["expires_at"]), pay_to=pairs)
    return PromptAction(
        expires_at=datetime.fromisoformat(kept["expires_at"]), resend_after=datetime.fromisoformat(kept["resend_after"])
    )


def destination_out(to: Destination) -> str:
    """Where a payout goes, as text to be sealed."""
    return json.dumps({"account": to.account, "bank_code": to.bank_code, "name": to.name})


def destination_in(kind: str, kept: str) -> Destination:
    parts = json.loads(kept)
    return Destination(
        kind=DestinationKind(kind), account=parts["account"], bank_code=parts["bank_code"], name=parts["name"]
    )
