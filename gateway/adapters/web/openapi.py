"""The OpenAPI 3.1 document: what the blueprints declare, and what holds for every operation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import flask_smorest  # type: ignore[import-untyped]
from flask import Flask

from gateway.adapters.web.openapi_access import KEY_DESCRIPTION, describe, nouns_of
from gateway.adapters.web.schemas.events import EventSchema, snapshot_schema
from gateway.adapters.web.schemas.fields import id_pattern
from gateway.adapters.web.schemas.problems import ProblemSchema
from gateway.adapters.web.settings import WebSettings
from gateway.application.interfaces import Json
from gateway.domain.ids import Prefix
from gateway.domain.webhooks import EVENT_TYPES

_API = "gateway-api"
_PROBLEM = "application/problem+json"

_DESCRIPTION = """Take payments in shillings, see the balance, pay out.

Amounts are whole minor units (150000 is KES 1,500.00). Unknown fields are refused. Errors are
`application/problem+json`; [/docs/errors](/docs/errors) explains each code. Every answer bears a `Request-Id`.
Send an `Idempotency-Key` with every POST: a repeat gives the first answer, marked `Idempotent-Replayed: true`.
"""

_SIGNATURE = ("webhook-id", "webhook-timestamp", "webhook-signature")

#: Path parameters and the kind of id they hold.
_PARAMETERS = {
    "payment_id": Prefix.PAYMENT,
    "key_id": Prefix.API_KEY,
    "business_id": Prefix.BUSINESS,
    "session_id": Prefix.CHECKOUT_SESSION,
    "payout_id": Prefix.PAYOUT,
    "customer_id": Prefix.CUSTOMER,
    "transaction_id": Prefix.BALANCE_TRANSACTION,
    "event_id": Prefix.EVENT,
    "endpoint_id": Prefix.WEBHOOK_ENDPOINT,
    "delivery_id": Prefix.DELIVERY,
    "replay_id": Prefix.WEBHOOK_REPLAY,
    "link_id": Prefix.PAYMENT_LINK,
    "request_id": Prefix.REQUEST,
    "receipt_id": Prefix.RECEIPT,
    "refund_id": Prefix.REFUND,
}


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's registry, without its error format and its pages."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Ours are attached in `errors`."""


def install(app: Flask, settings: WebSettings) -> Api:
    """Make the registry that blueprints are registered with."""
    app.config.update(API_TITLE="African payment gateway", API_VERSION=settings.version, OPENAPI_VERSION="3.1.0")
    api = Api(app, spec_kwargs={"servers": [{"url": settings.public_url}], "info": {"description": _DESCRIPTION}})
    app.extensions[_API] = api
    return api


def document_of(app: Flask) -> Json:
    """The whole document."""
    spec = app.extensions[_API].spec
    _declare_shared(spec)
    webhooks = _webhooks(spec)
    document: Json = spec.to_dict()
    document["security"] = [{"key": []}]
    document["webhooks"] = webhooks
    nouns = nouns_of(app)
    for path, method, operation in operations(document):
        _complete(path, method, operation)
        describe(path, method, operation, nouns)
    # flask-smorest declares these for uses that we don't have.
    document["components"]["responses"].pop("BAD_REQUEST", None)
    document["components"]["schemas"].pop("PaginationMetadata", None)
    return document


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Every (path, method, operation) of a document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "patch", "delete", "put"):
                yield path, method, operation
        for parameter in item.get("parameters", ()):
            prefix = _PARAMETERS.get(parameter["name"])
            if prefix is not None:
                parameter["schema"] = {"type": "string", "pattern": id_pattern(prefix)}


def _declare_shared(spec: Any) -> None:
    """Components that operations refer to; harmless when they are there already."""
    components = spec.components
    if "key" in components.security_schemes:
        return
    components.security_scheme("key", {"type": "http", "scheme": "bearer", "description": KEY_DESCRIPTION})
    components.parameter(
        "business",
        "header",
        {
            "name": "Gateway-Business",
            "required": False,
            "schema": {"type": "string", "pattern": id_pattern(Prefix.BUSINESS)},
            "description": "The business that the key acts for; may be left out with a business's own key.",
        },
    )
    for name, required in (("idempotency", False), ("idempotency_required", True)):
        components.parameter(
            name,
            "header",
            {
                "name": "Idempotency-Key",
                "required": required,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
                "description": "A new random text for each new order, the same one for a repeat.",
            },
        )
    for status in (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503):
        components.response(_name(status), _problem(status))


def _name(status: int) -> str:
    return f"Problem{status}"


def _problem(status: int) -> Json:
    headers: Json = {"Request-Id": {"schema": {"type": "string"}}}
    if status in (409, 429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds."}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    return {
        "description": HTTPStatus(status).phrase,
        "headers": headers,
        "content": {_PROBLEM: {"schema": ProblemSchema}},
    }


def _complete(path: str, method: str, operation: Json) -> None:
    """What every operation shares: its name, headers, and the errors it may answer with."""
    operation["operationId"] = method + "_" + re.sub(r"[^a-z0-9]+", "_", path.lower().removeprefix("/v1")).strip("_")
    parameters = operation.setdefault("parameters", [])
    parameters.append({"$ref": "#/components/parameters/business"})
    kind = operation.pop("x-idempotency", None)
    if kind:
        name = "idempotency_required" if kind == "required" else "idempotency"
        parameters.append({"$ref": f"#/components/parameters/{name}"})
    statuses = {400, 401, 403, 404, 429, 500, 503}
    if method != "get":
        statuses |= {409, 422}
    if "requestBody" in operation:
        statuses |= {413, 415}
    good = {code: answer for code, answer in operation["responses"].items() if code.startswith("2")}
    for answer in good.values():
        answer["headers"] = _good_headers(bool(kind))
    problems = {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted(statuses)}
    operation["responses"] = {**good, **problems}


def _good_headers(replayable: bool) -> Json:
    headers: Json = {"Request-Id": {"schema": {"type": "string"}}}
    if replayable:
        headers["Idempotent-Replayed"] = {
            "schema": {"const": "true"},
            "description": "Present when this is the stored answer of an earlier call.",
        }
    return headers


def _webhooks(spec: Any) -> Json:
    """One entry per event type: the envelope, with the object as it was at the change."""
    found: Json = {}
    for type_ in EVENT_TYPES:
        name = "".join(part.capitalize() for part in re.split(r"[._]", type_)) + "Event"
        if name not in spec.components.schemas:
            spec.components.schema(name, _event_schema(spec, type_))
        found[type_] = {
            "post": {
                "summary": f"{type_} happened",
                "tags": ["webhooks"],
                "security": [],
                "parameters": [
                    _signature(header) for header in ("webhook-id", "webhook-timestamp", "webhook-signature")
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
                },
                "responses": {"2XX": {"description": "Any 2xx ends the delivery; all else is tried again."}},
            }
        }
    return found


def _event_schema(spec: Any, type_: str) -> Json:
    converter = next(p for p in spec.plugins if hasattr(p, "converter")).converter
    whole = converter.resolve_nested_schema(EventSchema())
    shown = converter.resolve_nested_schema(snapshot_schema(type_))
    return {
        "allOf": [
            whole,
            {
                "type": "object",
                "properties": {
                    "type": {"const": type_},
                    "data": {"type": "object", "properties": {"object": shown}},
                },
            },
        ]
    }


def _signature(header: str) -> Json:
    return {"name": header, "in": "header", "required": True, "schema": {"type": "string"}}
