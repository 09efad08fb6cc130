"""Headers of caution on every answer. A view that needs others sets them itself; these only fill the gaps."""

from __future__ import annotations

from flask import Flask, Response, g, request

from gateway.adapters.web.settings import WebSettings

#: Answers of the API are data: nothing in them may run, load or be framed.
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_YEAR_S = 31_536_000


def install(app: Flask, settings: WebSettings) -> None:
    """Attach the headers; transport security is asked for when the public URL is https."""
    fixed = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": _DATA_POLICY,
    }
    if settings.public_url.startswith("https://"):
        fixed["Strict-Transport-Security"] = f"max-age={_YEAR_S}; includeSubDomains"

    def fill(response: Response) -> Response:
        for name, value in fixed.items():
            response.headers.setdefault(name, value)
        if request.path.startswith(("/v1/", "/in/", "/c/")):
            response.headers.setdefault("Cache-Control", "no-store")
        if rate := g.get("rate"):
            response.headers["RateLimit-Policy"], response.headers["RateLimit"] = rate
        return response

    app.after_request(fill)
