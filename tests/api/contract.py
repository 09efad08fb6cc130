"""The OpenAPI document as a judge of real answers."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
from werkzeug.test import TestResponse

from gateway.adapters.web.openapi import operations

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contract:
    """Answers are held against it strictly: a member that isn't documented is a fault too."""

    document: Json

    def operations(self) -> Iterator[tuple[str, str, Json]]:
        """Every (path, method, operation)."""
        return operations(self.document)

    def operation_of(self, method: str, path: str) -> tuple[str, Json]:
        """The template and operation that a real path belongs to."""
        for template, its_method, operation in self.operations():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if its_method == method.lower() and re.fullmatch(pattern, path.partition("?")[0]):
                return template, operation
        raise AssertionError(f"{method} {path} is not documented")

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """Fail when the answer isn't as documented: its status, content type, and every member."""
        _, operation = self.operation_of(method, path)
        documented = operation["responses"].get(str(answer.status_code))
        assert documented, f"{method} {path}: {answer.status_code} is not documented"
        if "$ref" in documented:
            documented = self.document["components"]["responses"][documented["$ref"].rpartition("/")[2]]
        if "content" not in documented:
            assert answer.get_data() == b""
            return
        ((content_type, content),) = documented["content"].items()
        assert answer.content_type.partition(";")[0] == content_type
        if content_type.startswith("image/"):
            assert answer.get_data()
            return
        jsonschema.Draft202012Validator(
            self.strict(content["schema"]), format_checker=jsonschema.FormatChecker()
        ).validate(answer.json)

    def strict(self, schema: Json) -> Json:
        """The schema with every object closed, so that undocumented members show."""
        return {**schema, "components": _closed(self.document["components"])}


def strict_contract(document: Json) -> Contract:
    """A contract from the served document."""
    return Contract(document)


def _closed(node: Any) -> Any:
    node = copy.deepcopy(node)
    for name, schema in node["schemas"].items():
        if schema.get("type") == "object" and "properties" in schema and name != "Problem":
            schema.setdefault("additionalProperties", False)
    return node
