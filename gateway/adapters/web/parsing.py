"""How bodies and query strings reach the schemas: strictly, and each refusal as one of our own errors."""

from __future__ import annotations

from typing import Any, NoReturn

from flask import Request
from marshmallow import ValidationError, missing
from webargs.flaskparser import FlaskParser

from gateway.adapters.web.bodies import card_refused, read_body, unkeepable
from gateway.adapters.web.faults import Said, invalid, pointer
from gateway.domain.card_numbers import holds_card_number


class StrictParser(FlaskParser):
    """Unknown fields are refused in query strings too; a parameter that isn't a list may come once."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {"json": None, "query": None}  # noqa: RUF012
    DEFAULT_VALIDATION_STATUS = 400

    def load_json(self, req: Request, *_: Any) -> Any:
        """The body; a missing one is the empty object."""
        body = read_body(req)
        return missing if body is None else body

    def load_querystring(self, req: Request, *_: Any) -> dict[str, Any]:
        """The query as one dict: names that end in `[]` are lists."""
        wanted: dict[str, Any] = {}
        for name, values in req.args.lists():
            if unkeepable(name) or any(map(unkeepable, values)):
                raise ValidationError({name: [Said("texts can't hold NUL", "invalid_characters")]})
            if any(map(holds_card_number, (name, *values))):
                raise card_refused(pointer(name) if not holds_card_number(name) else "")
            if name.endswith("[]"):
                wanted[name] = values
            elif len(values) > 1:
                raise ValidationError({name: [Said("send this parameter once", "parameter_repeated")]})
            else:
                wanted[name] = values[0]
        return wanted

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Raise our own Invalid; webargs has put the messages under the location's name."""
        (messages,) = error.messages.values() if isinstance(error.messages, dict) else (error.messages,)
        raise invalid(messages)
