"""The API reference in a real browser: it draws under its own content policy and asks nothing of any other host."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Gallery

pytestmark = pytest.mark.browser


def test_the_reference_draws_every_operation_and_stays_at_home(browser: Browser, gallery: Gallery) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{gallery.url}/docs")
    page.wait_for_selector(".opblock")
    document = page.request.get(f"{gallery.url}/openapi.json").json()
    wanted = sum(len(item.keys() & {"get", "post", "patch", "delete"}) for item in document["paths"].values())
    assert page.locator(".opblock").count() == wanted + len(document["webhooks"])
    page.locator("#operations-payments-post_payments .opblock-summary").first.click()
    page.wait_for_selector("#operations-payments-post_payments .opblock-body")
    assert [url for url in asked if not url.startswith((gallery.url, "data:"))] == []
    assert complaints == []
    page.close()
