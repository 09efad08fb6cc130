"""Generated calls against every operation: no 5xx, no answer that isn't documented, every error a problem document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.transport import Response

from gateway.adapters.servers import RunningValkey
from gateway.adapters.web.openapi import operations
from tests.api.kinds import example_of
from tests.api.world import World, a_world
from tests.servers import Database
from tests.unit.web.scripted import World as Scripted

_KEYS = count(1)
#: What is done only for objects in a state, or keys, that chance doesn't bring about; `test_journey` does each of them.
_BY_STATE = {
    ("post", "/v1/businesses"),
    ("post", "/v1/payments/{payment_id}/confirm"),
    ("post", "/v1/payments/{payment_id}/cancel"),
    ("post", "/v1/payments/{payment_id}/accept_overpayment"),
    ("post", "/v1/payouts"),
    ("post", "/v1/payouts/{payout_id}/retry"),
    ("get", "/v1/webhook_endpoints/{endpoint_id}/deliveries"),
    ("post", "/v1/webhook_endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliver"),
    ("post", "/v1/webhook_endpoints/{endpoint_id}/rotate_secret"),
    ("post", "/v1/webhook_endpoints/{endpoint_id}/test"),
    ("post", "/v1/webhook_endpoints/{endpoint_id}/replay"),
    ("post", "/v1/receipts/{receipt_id}/assign"),
    ("post", "/v1/refunds"),
}


@pytest.fixture(scope="module")
def fuzzed(module_database: Database, valkey: RunningValkey) -> Iterator[World]:
    """An application of its own: generated calls move the clock as well."""
    with a_world(module_database, valkey.url_for(3)) as made:
        yield made


@pytest.fixture(scope="module")
def ids(fuzzed: World) -> Mapping[str, str]:
    """Real ids, so that half of the calls get past the look-up."""
    return fuzzed.furnish(fuzzed.a)


@pytest.fixture(scope="module")
def document(fuzzed: World) -> Any:
    """The served document."""
    return schemathesis.openapi.from_wsgi("/openapi.json", fuzzed.app)


def _operations() -> list[tuple[str, str]]:
    """Known before any database is: the document is made from the code."""
    clock: Any = object()
    document = Scripted().client(test_clock=clock).get("/openapi.json").json
    return [(method, path) for path, method, _ in operations(document)]


@schemathesis.check
def every_error_is_a_problem(ctx: Any, response: Response, case: Any) -> None:
    """RFC 9457 on every error, with a sentence and a request id."""
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        body = response.json()
        assert body["status"] == response.status_code
        assert body["detail"]
        # A replayed refusal bears the id of the call that was refused first.
        if "idempotent-replayed" not in response.headers:
            assert [body["request_id"]] == response.headers["request-id"]


@pytest.mark.parametrize(("method", "path"), _operations())
def test_generated_calls_get_documented_answers(
    document: Any, fuzzed: World, ids: Mapping[str, str], method: str, path: str
) -> None:
    operation = document[path][method]
    # What is acceptable by its schema may still be refused by the state of the object or the limits of the rail.
    beyond = [CHECKS.get_one("positive_data_acceptance")]
    repaired = [CHECKS.get_one(name) for name in ("negative_data_rejection", "ignored_auth", "unsupported_method")]
    headers = {"Authorization": f"Bearer {fuzzed.a.key}"}
    statuses: set[int] = set()
    wanted = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @given(case=wanted)
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def run(case: Any) -> None:
        # An empty list or object isn't written into a query, so what was wrong with it is never sent.
        vanished = [repaired[0]] if any(value in ([], {}, None) for value in (case.query or {}).values()) else []
        first = case.call_and_validate(headers=headers, excluded_checks=[*beyond, *vanished])
        # Once more past authentication and look-up; what made the call wrong may be repaired by that.
        case.path_parameters = {name: ids.get(name, value) for name, value in case.path_parameters.items()}
        case.headers.pop("Gateway-Business", None)
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"fuzz-{next(_KEYS)}"
        second = case.call_and_validate(headers=headers, excluded_checks=[*beyond, *repaired])
        statuses.update((first.status_code, second.status_code))

    run()
    # What chance seldom finds, a body that makes something, the document's own example is.
    described = fuzzed.a.get("/openapi.json")["paths"][path][method]
    body = example_of(described, ids) if "requestBody" in described else None
    statuses.add(fuzzed.a.call(method.upper(), path.format(**ids), body).status_code)
    assert (method, path) in _BY_STATE or any(200 <= status < 300 for status in statuses), statuses
