"""/metrics: what Prometheus reads. All of it comes from PostgreSQL, so whichever process answers says the same.

Names, labels and what each is for stand in docs/operators.md, alert rules in docs/alert-rules.yml.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, request

from gateway.adapters.web.desk import desk
from gateway.adapters.web.limits import address
from gateway.domain.errors import NotFound

blueprint = Blueprint("metrics", __name__)

#: Family → (type, help). A sample of a histogram bears the family's name and a suffix.
FAMILIES: Mapping[str, tuple[str, str]] = {
    "gateway_provider_calls_total": ("counter", "Calls to providers, by connection, operation and outcome."),
    "gateway_provider_call_seconds": ("histogram", "How long calls to providers took, their recording included."),
    "gateway_attempts_unknown": ("gauge", "Tries whose outcome is unknown, by age."),
    "gateway_float_books_units": ("gauge", "What a float holds by the books, in minor units."),
    "gateway_float_promised_units": ("gauge", "What of it is promised to what goes out."),
    "gateway_float_threshold_units": ("gauge", "The sum below which a person is told."),
    "gateway_float_provider_units": ("gauge", "What the provider said that the float holds."),
    "gateway_float_provider_age_seconds": ("gauge", "How long ago it said so."),
    "gateway_due_lag_seconds": ("gauge", "How long the oldest work that a queue could do has waited."),
    "gateway_due_held": ("gauge", "Due work of a connection that is paused, broken, halted or in maintenance."),
    "gateway_webhooks_waiting": ("gauge", "Deliveries of webhooks that are due."),
    "gateway_alerts_open": ("gauge", "Alerts that nobody closed, by kind."),
    "gateway_connection_paused": ("gauge", "1 for a connection over which nothing new goes."),
    "gateway_halted": ("gauge", "1 where the operator paused payments or payouts of a mode."),
    "gateway_http_requests_total": ("counter", "Calls of the API, by method, route and status."),
    "gateway_http_request_seconds": ("histogram", "How long calls of the API took."),
}
_SUFFIXES = ("_bucket", "_sum", "_count")
#: Headers by which a proxy shows itself: what it passes on doesn't come from this machine.
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Everything, as text. 404 for whoever may not ask, as if it weren't there."""
    samples = desk().settings.samples
    if samples is None or not _may_ask():
        raise NotFound("there is nothing here")
    return Response(exposition(samples()), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_ask() -> bool:
    """By the token where there is one; else this machine alone, and nobody whom a proxy brings."""
    token = desk().settings.metrics_token
    if token is not None:
        given = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(address()).is_loopback
    except ValueError:
        return False


def exposition(samples: Iterable[tuple[str, Mapping[str, Any], float]]) -> str:
    """Prometheus's text format, families together and in order. Raises KeyError for a family that has no help."""
    lines: list[str] = []
    ordered = sorted(samples, key=lambda sample: _family(sample[0]))
    for family, group in groupby(ordered, key=lambda sample: _family(sample[0])):
        kind, says = FAMILIES[family]
        lines += [f"# HELP {family} {says}", f"# TYPE {family} {kind}"]
        lines += [f"{name}{_labels(labels)} {_number(value)}" for name, labels, value in group]
    return "\n".join(lines) + "\n"


def _family(name: str) -> str:
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and name.removesuffix(suffix) in FAMILIES:
            return name.removesuffix(suffix)
    return name


def _labels(labels: Mapping[str, Any]) -> str:
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return f"{{{written}}}" if written else ""


def _escaped(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
