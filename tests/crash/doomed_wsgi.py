"""The web process, doomed: `gunicorn tests.crash.doomed_wsgi:app`."""

from tests.crash import doomed

doomed.doom()

from wsgi import app  # noqa: E402

__all__ = ["app"]
