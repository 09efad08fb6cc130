"""One object of each kind of the API, made and found by its own document, so that a new kind is never left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gateway.domain.ids import Prefix, encode
from tests.api.contract import Contract

if TYPE_CHECKING:
    from tests.api.world import Shop

#: What is made by a call on something that exists.
_MAKERS = (
    "/v1/webhook_endpoints/{endpoint_id}/test",
    "/v1/webhook_endpoints/{endpoint_id}/replay",
)
_ID = re.compile(r"([a-z]+)_[0-7][0-9A-HJKMNP-TV-Z]{25}")


def kinds_of(contract: Contract) -> Mapping[str, str]:
    """Path parameter → the prefix of its ids, by the document."""
    found: dict[str, str] = {}
    for item in contract.document["paths"].values():
        for parameter in item.get("parameters", ()):
            pattern = parameter["schema"].get("pattern", "")
            assert pattern.startswith("^"), f"{parameter['name']} has no kind of id"
            found[parameter["name"]] = pattern[1:].partition("_")[0]
    return found


def find_all(shop: Shop, known: dict[str, str]) -> dict[str, str]:
    """An id for every path parameter of the document: known, made by the examples, or found in answers."""
    contract = Contract(shop.get("/openapi.json"))
    prefixes = {prefix: name for name, prefix in kinds_of(contract).items()}
    found = {**known, "business_id": encode(Prefix.BUSINESS, shop.business.id)}
    refused: list[Any] = []
    for body in _made(shop, contract, found, refused):
        _note(body, prefixes, found)
    for _ in range(3):
        for path, method, _ in contract.operations():
            if method == "get" and set(re.findall(r"{(\w+)}", path)) <= set(found):
                answer = shop.call("GET", path.format(**found))
                if answer.is_json and answer.status_code == 200:
                    _note(answer.json, prefixes, found)
                found.setdefault("request_id", answer.headers["Request-Id"])
    missing = sorted(set(prefixes.values()) - set(found))
    assert not missing, f"no object was made for {missing}: add what makes it; {refused}"
    return found


def _made(shop: Shop, contract: Contract, found: dict[str, str], refused: list[Any]) -> Iterator[Any]:
    """Answers of each POST that makes something by itself, with the document's own example."""
    operations = [one for one in contract.operations() if one[1] == "post"]
    plain = [(path, operation) for path, _, operation in operations if "{" not in path and "test_helpers" not in path]
    for path, operation in plain:
        refund = {"payment": found["payment_id"], "amount": 10_000}
        body = refund if path == "/v1/refunds" else example_of(operation, found)
        answer = shop.call("POST", path, body)
        if answer.status_code == 201:
            yield answer.json
        elif answer.status_code >= 400:
            refused.append((path, answer.json["code"], answer.json.get("detail")))
    for path, _, operation in operations:
        if path in _MAKERS:
            answer = shop.call("POST", path.format(**found), example_of(operation, found))
            assert answer.status_code in (200, 201, 202), answer.json
            yield answer.json


def example_of(operation: Any, found: Mapping[str, str]) -> Any:
    """The document's example of a body, about objects that exist; None where none is documented."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = about(content.get("example") or {}, found)
    if "enabled_events" in example:
        example["enabled_events"] = ["*"]
    return example or None


def about(example: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, Any]:
    """An example of the document, about a payment that exists."""
    return {**example, **({"payment": found["payment_id"]} if "payment" in example else {})}


def _note(body: Any, prefixes: Mapping[str, str], found: dict[str, str]) -> None:
    """Remember the first id of each kind; nothing that only looks like one."""
    if isinstance(body, dict):
        for inner in body.values():
            _note(inner, prefixes, found)
    elif isinstance(body, list):
        for inner in body:
            _note(inner, prefixes, found)
    elif isinstance(body, str) and (match := _ID.fullmatch(body)) and match.group(1) in prefixes:
        found.setdefault(prefixes[match.group(1)], body)
