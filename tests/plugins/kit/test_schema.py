"""The kit's schema check agrees with JSON Schema on everything our schemas say, and never quotes a value."""

from __future__ import annotations

from collections.abc import Mapping

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.schema import checked
from ports.errors import Misconfigured

SCHEMA: dict[str, object] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["key"],
    "properties": {
        "key": {"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^[a-c]+$", "secret": True},
        "kind": {"type": "string", "enum": ["one", "two"], "default": "one"},
    },
}


def test_defaults_are_filled_in() -> None:
    assert checked(SCHEMA, {"key": "abc"}) == {"key": "abc", "kind": "one"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "/key: missing"),
        ({"key": "abc", "extra": "1"}, "/extra: unknown"),
        ({"key": 12}, "/key: must be text"),
        ({"key": "a"}, "/key: shorter than 2"),
        ({"key": "aaaaa"}, "/key: longer than 4"),
        ({"key": "xyz"}, r"/key: must match \^\[a-c\]\+\$"),
        ({"key": "abc\n"}, "/key: must match"),
        ({"key": "abc", "kind": "three"}, "/kind: must be one of one, two"),
        ({"kind": None}, "/key: missing; /kind: must be text"),
    ],
)
def test_what_is_wrong_is_named_by_its_pointer(values: Mapping[str, object], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        checked(SCHEMA, values)


def test_a_value_is_never_quoted() -> None:
    with pytest.raises(Misconfigured) as caught:
        checked(SCHEMA, {"key": "hunter2-hunter2"})
    assert "hunter2" not in str(caught.value)


anything = st.one_of(st.text("abcx\n", max_size=6), st.sampled_from(["one", "two"]), st.none(), st.integers())


@given(st.dictionaries(st.sampled_from(["key", "kind", "other"]), anything))
def test_it_agrees_with_json_schema(values: dict[str, object]) -> None:
    agreed = jsonschema.Draft202012Validator(SCHEMA).is_valid(values)
    # The reference validator uses Python's `$`, which lets a last line break pass; ours follows the standard.
    agreed = agreed and not str(values["key"]).endswith("\n")
    try:
        checked(SCHEMA, values)
    except Misconfigured:
        assert not agreed
    else:
        assert agreed


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "integer"}}},
        {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string", "format": "uri"}}},
        {"type": "object", "additionalProperties": False, "properties": {}, "oneOf": []},
        {"type": "object", "additionalProperties": False, "properties": {}, "required": "a"},
    ],
)
def test_a_schema_with_other_words_is_the_plugins_mistake(schema: Mapping[str, object]) -> None:
    with pytest.raises(TypeError):
        checked(schema, {})
