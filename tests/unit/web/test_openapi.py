"""The OpenAPI document: valid, complete, and the same for every operation where it must be."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient

from gateway.adapters.web.openapi import operations
from gateway.domain.webhooks import EVENT_TYPES

Json = dict[str, Any]


@pytest.fixture
def document(client: FlaskClient) -> Json:
    found: Json = client.get("/openapi.json").json
    return found


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere(document: Json) -> None:
    assert document["openapi"] == "3.1.0"

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                found: Any = document
                for step in node["$ref"].removeprefix("#/").split("/"):
                    found = found[step]
                assert found
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(document)
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema), name


def test_every_operation_has_a_key_a_name_a_summary_and_problems(document: Json) -> None:
    assert document["security"] == [{"key": []}]
    names = set()
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        names.add(operation["operationId"])
        assert operation["summary"], where
        assert any(code.startswith("2") for code in operation["responses"]), where
        assert {"400", "401", "404", "429", "500", "503"} <= set(operation["responses"]), where
        for code, response in operation["responses"].items():
            if not code.startswith("2"):
                assert response["$ref"].startswith("#/components/responses/Problem"), where
    assert len(names) == len(list(operations(document)))


def test_errors_are_documented_as_problem_json(document: Json) -> None:
    for name, response in document["components"]["responses"].items():
        assert list(response["content"]) == ["application/problem+json"], name


def test_every_post_documents_the_idempotency_key(document: Json) -> None:
    required = set()
    for path, method, operation in operations(document):
        refs = [p.get("$ref", "").rpartition("/")[2] for p in operation["parameters"]]
        if method == "post" and not path.startswith("/v1/test_helpers"):
            assert {"idempotency", "idempotency_required"} & set(refs), path
        if "idempotency_required" in refs:
            required.add(path)
    assert required == {
        "/v1/payments",
        "/v1/payments/{payment_id}/accept_overpayment",
        "/v1/payments/{payment_id}/confirm",
        "/v1/payouts",
        "/v1/receipts/{receipt_id}/assign",
        "/v1/refunds",
    }


def test_bodies_refuse_unknown_fields_and_say_so(document: Json) -> None:
    for path, _, operation in operations(document):
        if "requestBody" in operation:
            ref = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][ref]["additionalProperties"] is False, path


def test_every_body_with_fields_has_an_example_that_fits(document: Json) -> None:
    for path, _, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None or content["schema"]["$ref"].endswith("/Nothing"):
            continue
        schema = {**content["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(content["example"]), path


def test_every_event_is_a_webhook(document: Json) -> None:
    assert tuple(document["webhooks"]) == EVENT_TYPES
    for type_, item in document["webhooks"].items():
        ref = item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert document["components"]["schemas"][ref]["allOf"][1]["properties"]["type"] == {"const": type_}
