"""The operator's price list: what collecting and paying out costs, for whom, who bears it, and from when on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from gateway.adapters.cli.operator import act_of, read_id, reason
from gateway.application.interfaces import PriceListed
from gateway.domain.errors import Invalid
from gateway.domain.fees import BPS, Bearer, FeeSchedule, TaxRule
from gateway.domain.ids import Prefix, encode


@click.group("fee")
def fee() -> None:
    """Set prices and list them."""


@fee.command("set")
@click.argument("product", type=click.Choice(["collect", "payout"]))
@click.option("--business", "business_id", help="biz_…; everybody who has no price of their own when left out.")
@click.option("--method", help="A way to pay (mpesa) or a kind of destination (mpesa_phone); every one when left out.")
@click.option("--flat", default=0, show_default=True, help="Minor units.")
@click.option("--bps", default=0, show_default=True, help="Hundredths of a percent.")
@click.option("--min", "least", default=0, show_default=True, help="Minor units.")
@click.option("--cap", type=int, help="Minor units.")
@click.option(
    "--bearer", type=click.Choice([b.value for b in Bearer]), default="merchant", show_default=True, help="Who pays it."
)
@click.option("--customer-bps", default=0, show_default=True, help="With `split`: the customer's part of the charge.")
@click.option("--tax", "taxes", multiple=True, help="CODE:BPS, or CODE:BPS:on-top; inside the fee unless on top.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="With a zone; now when left out.")
@reason
@click.pass_obj
def set_(cli: Any, /, product: str, reason: str, **asked: Any) -> None:
    """Set a price; what froze an earlier one keeps it."""
    desk = cli.gateway("operator").desk
    business_id = read_id(Prefix.BUSINESS, asked["business_id"]) if asked["business_id"] else None
    bearer = Bearer(asked["bearer"])
    _check(product, bearer, asked)
    older = [
        one.schedule.version
        for one in desk.directory.fee_schedules()
        if (one.product, one.business_id, one.schedule.method) == (product, business_id, asked["method"])
    ]
    schedule = FeeSchedule(
        id=desk.new_id(),
        version=max(older, default=0) + 1,
        flat_units=asked["flat"],
        bps=asked["bps"],
        cap_units=asked["cap"],
        min_units=asked["least"],
        taxes=tuple(_tax(text) for text in asked["taxes"]),
        method=asked["method"],
        bearer=bearer,
        customer_bps=asked["customer_bps"],
    )
    since: datetime | None = asked["since"]
    desk.set_fee(schedule, product, business_id, act_of(reason), since=since)
    click.echo(f"{encode(Prefix.FEE_SCHEDULE, schedule.id)}@{schedule.version}")


def _check(product: str, bearer: Bearer, asked: dict[str, Any]) -> None:
    if product == "payout" and bearer is not Bearer.MERCHANT:
        raise Invalid("a payout's fee is the business's", code="bearer_invalid")
    if (bearer is Bearer.SPLIT) != (0 < asked["customer_bps"] < BPS):
        raise Invalid("--customer-bps goes with --bearer split: 1 to 9999", code="bearer_invalid")
    sums = (asked["flat"], asked["bps"], asked["least"], asked["cap"] or 0)
    if min(sums) < 0 or asked["bps"] > BPS or (asked["cap"] is not None and asked["cap"] < asked["least"]):
        raise Invalid("sums are not negative, bps at most 10000, and the cap at least the minimum", code="fee_invalid")


def _tax(text: str) -> TaxRule:
    code, _, rest = text.partition(":")
    rate, _, place = rest.partition(":")
    if not code.isidentifier() or not rate.isdecimal() or int(rate) > BPS or place not in ("", "on-top"):
        raise Invalid(f"{text!r} is no tax like VAT:1600 or VAT:1600:on-top", code="tax_invalid")
    return TaxRule(code=code, rate_bps=int(rate), inclusive=not place)


@fee.command("list")
@click.pass_obj
def list_(cli: Any) -> None:
    """List all prices, with those that are over or not yet in force."""
    for one in cli.gateway("operator").directory.fee_schedules():
        click.echo(_line(one))


def _line(one: PriceListed) -> str:
    price = one.schedule
    whose = encode(Prefix.BUSINESS, one.business_id) if one.business_id else "everybody"
    taxes = " ".join(f"{t.code}:{t.rate_bps}{'' if t.inclusive else ':on-top'}" for t in price.taxes)
    parts = [
        f"{encode(Prefix.FEE_SCHEDULE, price.id)}@{price.version}",
        one.product,
        price.method or "every method",
        whose,
        f"from {one.effective_from.isoformat()}",
        f"flat {price.flat_units} bps {price.bps} min {price.min_units}",
        "" if price.cap_units is None else f"cap {price.cap_units}",
        f"borne by {price.bearer.value}" + (f" {price.customer_bps}" if price.customer_bps else ""),
        f"tax {taxes}" if taxes else "",
    ]
    return "  ".join(part for part in parts if part)
