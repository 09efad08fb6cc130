"""Headers of caution on every answer. A view that needs others sets them itself; these only fill the gaps."""

from __future__ import annotations

from flask import Flask, Response, g, request

from gateway.adapters.web.settings import WebSettings

#: Answers of the API are data: nothing in them may run, load or be framed.
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_YEAR_S = 31_536_000

CAUTION = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": _DATA_POLICY,
}


def named(settings: WebSettings) -> dict[str, str]:
    """The headers; transport security is asked for when the public URL is https."""
    found = dict(CAUTION)
    if settings.public_url.startswith("https://"):
        found["Strict-Transport-Security"] = f"max-age={_YEAR_S}; includeSubDomains"
    return found


def install(app: Flask, settings: WebSettings) -> None:
    """Attach the headers."""
    fixed = [(name, name.lower(), value) for name, value in named(settings).items()]
    uncached = [*fixed, ("Cache-Control", "cache-control", "no-store")]

    def fill(response: Response) -> Response:
        headers = response.headers
        set_already = {name.lower() for name, _ in headers}
        wanted = uncached if request.path.startswith(("/v1/", "/in/", "/c/")) else fixed
        # Appending costs a tenth of setting, and what is set already is known.
        for name, lower, value in wanted:
            if lower not in set_already:
                headers.add(name, value)
        if rate := g.get("rate"):
            headers.add("RateLimit-Policy", rate[0])
            headers.add("RateLimit", rate[1])
        return response

    app.after_request(fill)
