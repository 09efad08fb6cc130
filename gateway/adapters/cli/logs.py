"""`logs get`: what was asked and answered, by the request id that every answer and error bears."""

from __future__ import annotations

import json
from typing import Any

import click

from gateway.application.request_log import shown_request
from gateway.domain.errors import Invalid, NotFound
from gateway.domain.ids import Prefix, decode


@click.group("logs")
def logs_group() -> None:
    """Look up calls of the API."""


@logs_group.command("get")
@click.argument("request_id")
@click.pass_obj
def get(cli: Any, request_id: str) -> None:
    """Show one call: when, by which key, to which route, with what result."""
    try:
        wanted = decode(Prefix.REQUEST, request_id)
    except ValueError as error:
        raise Invalid(f"this is no request id like req_…: {error}", code="id_invalid") from None
    found = cli.gateway("operator").request_log.find(wanted)
    if found is None:
        raise NotFound("the log doesn't hold this request: too old, never made, or lost with a killed process")
    click.echo(json.dumps(shown_request(found), indent=2, ensure_ascii=False))
