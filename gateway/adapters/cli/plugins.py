"""`python -m gateway plugins`: what is installed and enabled, and what it offers."""

from __future__ import annotations

import json
from typing import Any

import click

from ports.payment_rail import RailCapabilities
from ports.payout_channel import ChannelCapabilities
from ports.registration import Capabilities, Registration


@click.group("plugins", invoke_without_command=True)
@click.pass_context
def plugins(context: click.Context) -> None:
    """What is installed and enabled, and what it offers."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.pass_obj
def list_(cli: Any, as_json: bool = False) -> None:
    """List the installed plugins, and the enabled ones' offers with what they declare."""
    found = cli.gateway("worker").plugins
    offers = [("rail", o) for o in found.rails.values()] + [("channel", o) for o in found.channels.values()]
    if as_json:
        installed = [
            {"name": p.name, "package": p.package, "version": p.version, "enabled": p.enabled} for p in found.found
        ]
        click.echo(
            json.dumps({"plugins": installed, "offers": [_told(port, offer) for port, offer in offers]}, indent=2)
        )
        return
    for plugin in found.found:
        click.echo(
            f"{plugin.name:12} {plugin.package} {plugin.version} {'enabled' if plugin.enabled else 'not enabled'}"
        )
    for port, offer in offers:
        click.echo("")
        for name, value in _told(port, offer).items():
            click.echo(f"  {name:20} {_shown(value)}")


def _told(port: str, offer: Registration[Any]) -> dict[str, Any]:
    """An offer as the operator reads it: the same facts that a business finds at /v1/rails, and the limits of calls."""
    said = offer.capabilities
    return {
        "port": port,
        "code": offer.code,
        "method": offer.method,
        "contract": offer.contract,
        "currencies": [asset.code for asset in said.assets],
        "amount_min": said.amount_min,
        "amount_max": said.amount_max,
        "amount_granularity": said.amount_granularity,
        "callbacks": said.callback.value,
        "look_up": said.look_up.value,
        "repeat": said.repeat.value,
        "abilities": list(said.abilities),
        "calls_in_flight": said.concurrency,
        "calls_per_s": said.calls_per_s,
        **_of_port(said),
    }


def _of_port(said: Capabilities) -> dict[str, Any]:
    if isinstance(said, RailCapabilities):
        return {
            "starts_by": said.starts_by.value,
            "partial_refunds": said.partial_refunds,
            "refund_destination": said.refund_destination.value,
        }
    if isinstance(said, ChannelCapabilities):
        return {"destinations": [kind.value for kind in said.destinations], "max_items": said.max_items}
    return {}


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
