"""`python -m gateway serve`: the web process, under gunicorn, in this process's place."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

_COMMAND = ("-m", "gunicorn", "--config", "python:gateway.adapters.web.gunicorn_conf", "wsgi:app")


@click.command("serve")
@click.pass_obj
def serve(cli: Any) -> None:
    """Serve the API and the checkout page (GATEWAY_WEB_BIND, 127.0.0.1:8080 by default)."""
    _ = cli.settings.database_of("app")  # a wrong setting is told here, in one sentence, before gunicorn starts
    os.execv(sys.executable, [sys.executable, *_COMMAND])  # noqa: S606  # nosec B606
