"""A real Chromium, the gallery served over HTTP, and the whole gateway for the tests that pay for real."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from gateway.adapters.servers import RunningValkey
from tests.browser.gallery import SECRETS, FakeVisits, gallery_app
from tests.servers import Database, Databases
from tests.stack import Stack, a_stack

PHONE_SIZE = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Where there is none the tests are skipped, and never in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("there is no chromium, and in CI the browser tests may not be skipped")
        pytest.skip("there is no chromium here; install it to run the browser tests")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


class Quiet(WSGIRequestHandler):
    """Tells nothing of each request."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """The served gallery and the visits behind it."""

    url: str
    visits: FakeVisits

    def at(self, name: str, rest: str = "") -> str:
        """The address of one state's page."""
        return f"{self.url}/c/{SECRETS[name]}{rest}"


@pytest.fixture(scope="package")
def served() -> Iterator[Gallery]:
    visits = FakeVisits()
    server = make_server("127.0.0.1", 0, gallery_app(visits, page_limit=None), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Gallery(url=f"http://127.0.0.1:{server.port}", visits=visits)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def gallery(served: Gallery) -> Gallery:
    """The gallery as if nobody had ever come."""
    served.visits.reset()
    return served


@dataclass(slots=True, kw_only=True)
class Shopper:
    """One person's phone; `complaints` is what the browser's console said, a broken content policy among it."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def a_shopper(browser: Browser, *, script: bool = True, scheme: str = "light", tongue: str = "en-KE") -> Shopper:
    """A phone of 360 px. Shops live outside, so what goes to `shop.example` is answered here."""
    context = browser.new_context(
        viewport=PHONE_SIZE,  # type: ignore[arg-type]
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=tongue,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    context.route("https://shop.example/**", lambda route: route.fulfill(body="Thank you", content_type="text/plain"))
    shopper = Shopper(context=context, page=context.new_page())
    shopper.page.set_default_timeout(10_000)
    shopper.page.on("console", lambda said: shopper.complaints.append(said.text) if said.type == "error" else None)
    shopper.page.on("pageerror", lambda error: shopper.complaints.append(str(error)))
    shopper.page.on("request", lambda request: shopper.asked.append(request.url))
    return shopper


@pytest.fixture
def shopper(browser: Browser) -> Iterator[Shopper]:
    """A phone with script."""
    made = a_shopper(browser)
    yield made
    made.context.close()


@pytest.fixture
def plain_shopper(browser: Browser) -> Iterator[Shopper]:
    """A phone without script."""
    made = a_shopper(browser, script=False)
    yield made
    made.context.close()


@pytest.fixture(scope="package")
def package_database(databases: Databases, migrated: Database) -> Iterator[Database]:
    """A database for the room."""
    with databases.fresh(migrated.name) as fresh:
        yield fresh


@pytest.fixture(scope="package")
def stack(package_database: Database, valkey: RunningValkey, scratch: Path) -> Iterator[Stack]:
    """The running gateway with its simulated M-Pesa."""
    with a_stack(package_database, valkey.url_for(3), scratch / "browser") as running:
        yield running
        running.check_books()
