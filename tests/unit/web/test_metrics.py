"""Who may read /metrics, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gateway.adapters.web.metrics import exposition
from tests.unit.web.scripted import World

TOKEN = "a-token-of-the-scraper"


def samples() -> Sequence[tuple[str, Mapping[str, Any], float]]:
    return [
        ("gateway_webhooks_waiting", {}, 3.0),
        ("gateway_halted", {"what": "payments", "livemode": True}, 1.0),
        ("gateway_http_request_seconds_sum", {"route": 'a"b\\c\n'}, 0.25),
    ]


def test_it_is_written_as_prometheus_reads_it() -> None:
    assert exposition(samples()).splitlines() == [
        "# HELP gateway_halted 1 where the operator paused payments or payouts of a mode.",
        "# TYPE gateway_halted gauge",
        'gateway_halted{livemode="true",what="payments"} 1',
        "# HELP gateway_http_request_seconds How long calls of the API took.",
        "# TYPE gateway_http_request_seconds histogram",
        'gateway_http_request_seconds_sum{route="a\\"b\\\\c\\n"} 0.25',
        "# HELP gateway_webhooks_waiting Deliveries of webhooks that are due.",
        "# TYPE gateway_webhooks_waiting gauge",
        "gateway_webhooks_waiting 3",
    ]


@pytest.mark.parametrize(
    ("token", "peer", "headers", "status"),
    [
        (None, "127.0.0.1", {}, 200),
        (None, "::1", {}, 200),
        (None, "203.0.113.9", {}, 404),
        (None, "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        (TOKEN, "203.0.113.9", {"Authorization": f"Bearer {TOKEN}"}, 200),
        (TOKEN, "127.0.0.1", {}, 404),
        (TOKEN, "127.0.0.1", {"Authorization": "Bearer x"}, 404),
    ],
)
def test_only_this_machine_or_the_bearer_of_the_token_reads_it(
    token: str | None, peer: str, headers: dict[str, str], status: int
) -> None:
    client = World().client(samples=samples, metrics_token=token)
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert answer.status_code == status
    assert ("gateway_webhooks_waiting 3" in answer.text) is (status == 200)
    if status == 200:
        assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_without_samples_there_is_nothing() -> None:
    assert World().client().get("/metrics").status_code == 404
