"""A second prompt rail with accounts of its own: M-Pesa's once more under other names, as a stranger's would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from plugins.mpesa import plugin
from ports.hookspecs import hookimpl
from ports.payment_rail import PaymentRail
from ports.registration import Registration

NAME, CODE, METHOD = "second", "second_push", "second"


@hookimpl
def register_payment_rails() -> Sequence[Registration[PaymentRail]]:
    """Offer the push under this rail's code."""
    offers = plugin.register_payment_rails()
    return [replace(o, code=CODE, method=METHOD, title="Second") for o in offers if o.code == "mpesa_push"]


def installed_in(folder: Path) -> dict[str, str]:
    """Make the plugin known to processes that start with these settings, as pip would make it known to all."""
    known = folder / f"{NAME}_rail-1.0.dist-info"
    known.mkdir(parents=True)
    (known / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}-rail\nVersion: 1.0\n")
    (known / "entry_points.txt").write_text(f"[gateway.plugins]\n{NAME} = {__name__}\n")
    return {"PYTHONPATH": str(folder), "GATEWAY_PLUGINS": f"mpesa,{NAME}"}
