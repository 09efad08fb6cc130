"""Checking one connection's configuration against the JSON Schema that its plugin publishes.

Only what our schemas use is understood: a flat object of strings with required, additionalProperties false, enum,
minLength, maxLength and pattern. A word outside that list is a mistake in the plugin, and said so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ports.errors import Misconfigured

_OBJECT_WORDS = {"$schema", "title", "description", "type", "properties", "required", "additionalProperties"}
_FIELD_WORDS = {"type", "title", "description", "secret", "enum", "minLength", "maxLength", "pattern", "default"}


def checked(schema: Mapping[str, object], values: Mapping[str, object]) -> dict[str, str]:
    """Give back `values` with the schema's defaults filled in.

    Raises Misconfigured with the JSON pointer of each field that is wrong; never with a value, which may be a secret.
    """
    properties = _properties(schema)
    wrong = [f"/{name}: unknown" for name in values if name not in properties]
    wrong += [f"/{name}: missing" for name in _required(schema) if name not in values]
    for name, rule in properties.items():
        if name in values and (fault := _fault(rule, values[name])):
            wrong.append(f"/{name}: {fault}")
    if wrong:
        raise Misconfigured("configuration: " + "; ".join(sorted(wrong)))
    defaults = {name: str(rule["default"]) for name, rule in properties.items() if "default" in rule}
    return defaults | {name: str(value) for name, value in values.items()}


def _properties(schema: Mapping[str, object]) -> dict[str, dict[str, object]]:
    properties = schema.get("properties")
    if (
        not isinstance(properties, dict)
        or set(schema) - _OBJECT_WORDS
        or schema.get("additionalProperties") is not False
    ):
        raise TypeError("a configuration schema is one closed, flat object")
    for name, rule in properties.items():
        if not isinstance(rule, dict) or rule.get("type") != "string" or set(rule) - _FIELD_WORDS:
            raise TypeError(f"the schema of {name} uses words that are not understood here")
    return properties


def _required(schema: Mapping[str, object]) -> list[str]:
    required = schema.get("required", [])
    if not isinstance(required, list):
        raise TypeError("`required` is a list of names")
    return required


def _fault(rule: Mapping[str, object], value: object) -> str | None:
    if not isinstance(value, str):
        return "must be text"
    if isinstance(least := rule.get("minLength"), int) and len(value) < least:
        return f"shorter than {least}"
    if isinstance(most := rule.get("maxLength"), int) and len(value) > most:
        return f"longer than {most}"
    if isinstance(choices := rule.get("enum"), (list, tuple)) and value not in choices:
        return "must be one of " + ", ".join(map(str, choices))
    # Python's `$` also matches before a last line break, JSON Schema's doesn't.
    if isinstance(pattern := rule.get("pattern"), str) and (re.search(pattern, value) is None or value[-1:] == "\n"):
        return f"must match {pattern}"
    return None
