"""The blueprints of the API: flask-smorest's, typed, with our parser, and behind a key."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import flask_smorest  # type: ignore[import-untyped]
from flask import current_app, request
from marshmallow import Schema

from gateway.adapters.web.auth import authenticate
from gateway.adapters.web.faults import UNKNOWN, invalid
from gateway.adapters.web.parsing import StrictParser
from gateway.adapters.web.schemas.base import Nothing
from gateway.adapters.web.shedding import shed

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """One noun of the API. Its views answer with ready responses, so the response schemas document and never dump."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, url_prefix: str, description: str) -> None:
        super().__init__(name, __name__, url_prefix=url_prefix, description=description)
        self.before_request(authenticate)
        self.before_request(_refuse_stray_query)
        self.before_request(shed)

    def path(self, rule: str) -> Callable[[C], C]:
        """Put a class of views at a path."""

        def decorate(views: C) -> C:
            self.add_url_rule(rule, f"{self.name}_{views.__name__}", views)
            return views

        return decorate

    def body(self, schema: Schema, *, required: bool = True, example: dict[str, Any] | None = None) -> Callable[[F], F]:
        """The view's body, checked, as its first argument."""
        found: Callable[[F], F] = self.arguments(schema, required=required, example=example)
        return found

    def no_body(self) -> Callable[[F], F]:
        """No field may be in the view's body; it may be left out."""
        checked: Callable[[F], F] = self.arguments(Nothing(), required=False)

        def decorate(view: F) -> F:
            @wraps(view)
            def without(self: object, _: object, *args: Any, **kwargs: Any) -> Any:
                return view(self, *args, **kwargs)

            return checked(cast(F, without))

        return decorate

    def query(self, schema: Schema) -> Callable[[F], F]:
        """The view's query string, checked, as its first argument. A view without this takes no query string."""
        checked: Callable[[F], F] = self.arguments(schema, location="query")

        def decorate(view: F) -> F:
            found = checked(view)
            found.takes_query = True  # type: ignore[attr-defined]
            return found

        return decorate

    def gives(self, status: int, schema: Schema | None = None, description: str | None = None) -> Callable[[F], F]:
        """What the view answers when all is well."""
        found: Callable[[F], F] = self.response(status, schema, description=description)
        return found

    def shows(self, status: int, content_type: str, description: str) -> Callable[[F], F]:
        """What a view answers that draws something."""
        found: Callable[[F], F] = self.response(
            status, {"type": "string", "format": "binary"}, content_type=content_type, description=description
        )
        return found


def _refuse_stray_query() -> None:
    """A view that declares no query takes none: a misspelt parameter is told, never ignored."""
    if not request.args or request.endpoint is None:
        return
    views = getattr(current_app.view_functions[request.endpoint], "view_class", None)
    method = "get" if request.method == "HEAD" else request.method.lower()
    if not getattr(getattr(views, method, None), "takes_query", False):
        raise invalid({name: [UNKNOWN] for name in request.args})
