"""/openapi.json, /docs and /docs/errors: the API's own description, readable without any other network."""

from __future__ import annotations

import json

from flask import Blueprint, Response, current_app, render_template

from gateway.adapters.web.error_codes import CODES
from gateway.adapters.web.openapi import document_of

blueprint = Blueprint("docs", __name__)

#: Swagger UI draws its icons from data: URLs in its style sheet; all else comes from here.
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@blueprint.get("/openapi.json")
def openapi_json() -> Response:
    """OpenAPI 3.1, made from the code once per process."""
    made: str | None = current_app.extensions.get("gateway-openapi")
    if made is None:
        made = json.dumps(document_of(current_app), indent=1, ensure_ascii=False)
        current_app.extensions["gateway-openapi"] = made
    return Response(made, 200, {"Cache-Control": "no-cache"}, "application/json")


@blueprint.get("/docs")
def reference() -> Response:
    """The reference page."""
    return Response(render_template("docs/reference.html"), 200, {"Content-Security-Policy": _PAGE_POLICY}, "text/html")


@blueprint.get("/docs/errors")
def errors() -> Response:
    """Every error code and what to do about it."""
    page = render_template("docs/errors.html", codes=CODES)
    return Response(page, 200, {"Content-Security-Policy": _PAGE_POLICY}, "text/html")
