"""Fields that take exactly one type: a text is no number, a number no text, and 1.0 is no whole number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate

from gateway.adapters.web.faults import MISSING, NULL, Said
from gateway.domain.ids import Prefix, decode

METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500


class Coded(fields.Field[Any]):
    """A field whose ordinary refusals bear public codes."""

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        """The refusal for one of marshmallow's keys."""
        if key == "required":
            return ValidationError(MISSING)
        if key == "null":
            return ValidationError(NULL)
        return super().make_error(key, **kwargs)


class Part(Coded, fields.Nested):
    """An object inside the body."""


class Several(Coded, fields.List[Any]):
    """A list inside the body or the query."""


class Text(Coded, fields.String):
    """A text of `shortest` to `longest` characters."""

    def __init__(self, longest: int, *, shortest: int = 1, **more: Any) -> None:
        super().__init__(validate=validate.Length(min=shortest, max=longest), **more)


class Choice(Coded, fields.String):
    """One word of a closed list."""

    def __init__(self, words: Sequence[str], **more: Any) -> None:
        refusal = Said(f"must be one of: {', '.join(words)}", "parameter_invalid")
        super().__init__(validate=validate.OneOf(words, error=refusal), **more)


class Word(Coded, fields.String):
    """A word that plugins give, such as a way to pay: 2 to 40 small letters, digits and _."""

    _FORM = "[a-z][a-z0-9_]{1,39}"

    def __init__(self, **more: Any) -> None:
        more["metadata"] = {"pattern": f"^{self._FORM}$", **more.get("metadata", {})}
        super().__init__(validate=self._check, **more)

    def _check(self, value: str) -> None:
        if not re.fullmatch(self._FORM, value):
            raise ValidationError(Said("must be 2 to 40 small letters, digits and _", "parameter_invalid"))


class Whole(Coded, fields.Integer):
    """A JSON integer within bounds; `code` is what a wrong one is called."""

    def __init__(self, least: int, most: int, *, code: str = "parameter_invalid", **more: Any) -> None:
        # The bounds stand in the documentation; the check below words its own refusal.
        more["metadata"] = {"minimum": least, "maximum": most, **more.get("metadata", {})}
        super().__init__(strict=True, **more)
        self._least, self._most = least, most
        self._refusal = Said(f"must be a whole number from {least} to {most}", code)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if type(value) is not int or not self._least <= value <= self._most:
            raise ValidationError(self._refusal)
        return value


class QueryWhole(Whole):
    """The same, written in a query string: digits alone."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise ValidationError(self._refusal)
        return super()._deserialize(int(value))


class Flag(Coded, fields.Boolean):
    """true or false, never "true" or 1."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if type(value) is not bool:
            raise ValidationError(Said("must be true or false", "parameter_invalid"))
        return value


class Id(Coded, fields.String):
    """An id of one kind; gives the UUID."""

    def __init__(self, prefix: Prefix, **more: Any) -> None:
        more["metadata"] = {"pattern": id_pattern(prefix), **more.get("metadata", {})}
        super().__init__(**more)
        self._prefix = prefix

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> UUID:  # type: ignore[override]
        try:
            return decode(self._prefix, value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValidationError(Said(str(error), "id_invalid")) from None


class Moment(Coded, fields.String):
    """A time by RFC 3339 with its offset; gives an aware datetime."""

    _FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

    def __init__(self, **more: Any) -> None:
        more["metadata"] = {"format": "date-time", **more.get("metadata", {})}
        super().__init__(**more)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:  # type: ignore[override]
        refusal = Said("must be a time like 2026-11-24T05:45:00Z", "parameter_invalid")
        if not isinstance(value, str) or not self._FORM.fullmatch(value):
            raise ValidationError(refusal)
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValidationError(refusal) from None


class Metadata(Coded, fields.Dict):
    """The caller's own notes: at most 50 texts under short keys."""

    def __init__(self, **more: Any) -> None:
        bounds = {
            "maxProperties": METADATA_KEYS_MAX,
            "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_MAX},
            "description": f"Up to {METADATA_KEYS_MAX} texts of your own; keys up to {METADATA_KEY_MAX} characters.",
        }
        super().__init__(metadata=bounds, **more)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ValidationError(Said("must be an object of texts", "metadata_invalid"))
        if len(value) > METADATA_KEYS_MAX:
            raise ValidationError(Said(f"at most {METADATA_KEYS_MAX} keys", "metadata_too_many_keys"))
        wrong = {key: [said] for key, one in value.items() if (said := _metadata_fault(key, one))}
        if wrong:
            raise ValidationError(wrong)
        return value


def _metadata_fault(key: str, value: object) -> Said | None:
    if not 1 <= len(key) <= METADATA_KEY_MAX:
        return Said(f"a key has 1 to {METADATA_KEY_MAX} characters", "metadata_invalid")
    if not isinstance(value, str) or len(value) > METADATA_VALUE_MAX:
        return Said(f"must be a text of at most {METADATA_VALUE_MAX} characters", "metadata_invalid")
    return None


def id_pattern(prefix: str) -> str:
    """How an id of the kind looks."""
    return f"^{prefix}_[0-7][0-9A-HJKMNP-TV-Z]{{25}}$"
