"""Quotes, rates and fees. A quote is a price of its moment; nothing is kept of it.

Fees of the off-ramp go by bands of shillings, as in Swypt's checkout SDK, with `<=` at their upper ends.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from plugins.sandbox.swypt.config import Settings, Token
from plugins.sandbox.swypt.shapes import Refusal, Reply, answer, floored, number, quotient, rounded
from plugins.sandbox.swypt.simulator import Simulator

BANDS = ((100, 1), (1_500, 6), (5_000, 11), (20_000, 13))
ABOVE = 16
LISTED = "Unsupported network. Supported networks: Lisk, celo, Base, Polygon"


def out_fee(shillings: Decimal) -> Decimal:
    """The off-ramp's fee for so many shillings."""
    return Decimal(next((fee for up_to, fee in BANDS if shillings <= up_to), ABOVE))


def rate(settings: Settings, token: Token, *, inwards: bool, is_drifted: bool = False) -> Decimal:
    """Shillings for one token; drifted as it is when money moves, not when it is quoted."""
    if "KES" in token.symbol.upper():
        found = Decimal(settings.rate_kes)
    else:
        found = Decimal(settings.rate_in if inwards else settings.rate_out)
    return found * (10_000 + (settings.drift_bps if is_drifted else 0)) / 10_000


def quote(sim: Simulator, body: dict[str, Any]) -> Reply:
    """POST /fx-quotes."""
    side = body.get("type")
    if side not in ("onramp", "offramp"):
        raise Refusal(400, "Invalid type", error="type must be onramp or offramp")
    network = sim.networks.get(str(body.get("network", "")).lower())
    if network is None:
        raise Refusal(400, "Invalid network", error=LISTED)
    wanted = str(body.get("cryptoCurrency", "")).upper()
    token = next((one for one in network.tokens if one.symbol.upper() == wanted), None)
    if token is None or body.get("fiatCurrency") != "KES":
        raise Refusal(400, "Invalid currency", error=f"Unsupported currency on {network.name}")
    amount = _amount(body.get("amount"))
    data = _in(sim.settings, token, amount) if side == "onramp" else _out(sim.settings, token, amount)
    data |= {"type": side, "network": network.name}
    return answer({"statusCode": 200, "message": "Quote retrieved successfully", "data": data})


def _amount(value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal(0)
    if isinstance(value, bool) or not found.is_finite() or found <= 0 or found > 10**12:
        raise Refusal(400, "Invalid amount", error="amount must be above zero")
    return found


def _rate_told(settings: Settings, found: Decimal) -> Any:
    told = rounded(1 / found, 6) if settings.rate_shape == "inverse" else found
    return number(settings, told.normalize(), as_text=False)


def _in(settings: Settings, token: Token, shillings: Decimal) -> dict[str, Any]:
    price, fee = rate(settings, token, inwards=True), Decimal(settings.fee_in)
    charged = number(settings, shillings + fee, as_text=False)
    feet: dict[str, Any] = {"feeInKES": number(settings, fee, as_text=False), "estimatedOutputKES": charged}
    if settings.fee_shape == "april":
        feet = {"amount": float(rounded(fee / price, 6)), "currency": token.symbol, "details": feet}
    elif settings.fee_shape == "june":
        feet = {"amount": f"{rounded(fee / price, 6):f}", "currency": token.symbol, "estimatedOutputKES": charged}
    return {
        "inputAmount": number(settings, shillings, as_text=True),
        "outputAmount": number(settings, quotient(shillings, price), as_text=False),
        "inputCurrency": "KES",
        "outputCurrency": token.symbol,
        "exchangeRate": _rate_told(settings, price),
        "fee": feet,
        "limits": {"min": settings.limit_in_min, "max": settings.limit_in_max, "currency": "KES"},
    }


def _out(settings: Settings, token: Token, tokens: Decimal) -> dict[str, Any]:
    price = rate(settings, token, inwards=False)
    got = tokens * price
    fee = out_fee(got)
    net = float(rounded(got - fee, 2))
    in_tokens = f"{rounded(fee / price, 6):f}"
    feet: dict[str, Any] = {
        "feeInInputCurrency": in_tokens,
        "currency": token.symbol,
        "feeInOutputCurrency": number(settings, fee, as_text=False),
        "estimatedOutputKES": net,
        "decimals": token.decimals,
    }
    if settings.fee_shape == "april":
        feet = {
            "amount": float(in_tokens),
            "currency": token.symbol,
            "details": {"feeInKES": int(fee), "estimatedOutputKES": net},
        }
    elif settings.fee_shape == "june":
        feet = {"amount": in_tokens, "currency": token.symbol, "estimatedOutputKES": net, "decimals": token.decimals}
    return {
        "inputAmount": number(settings, tokens, as_text=True),
        "outputAmount": number(settings, floored(got, 4), as_text=True, digits=4),
        "inputCurrency": token.symbol,
        "outputCurrency": "KES",
        "exchangeRate": _rate_told(settings, price),
        "fee": feet,
        "limits": {"min": settings.limit_out_min, "max": settings.limit_out_max, "currency": "KES"},
    }


def assets(sim: Simulator, _: dict[str, Any]) -> Reply:
    """GET /listed-assets: bare, or wrapped as it once was."""
    names = {"celo": "celo", "polygon": "Polygon", "base": "Base"}
    listed = {
        "networks": [names.get(name, name) for name in sim.networks],
        "fiat": ["KES", "USD"],
        "crypto": {
            name: [
                {"symbol": one.symbol, "name": one.name, "decimals": one.decimals, "address": one.address}
                for one in network.tokens
            ]
            for name, network in sim.networks.items()
        },
    }
    if sim.settings.assets_wrapped:
        return answer({"statusCode": 200, "message": "Supported assets retrieved successfully", "data": listed})
    return answer(listed)
