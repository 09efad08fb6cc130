"""Draws `docs/images/checkout.png` from the gallery: `python -m tests.browser.picture`."""

from __future__ import annotations

import base64
import shutil
import threading
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from tests.browser.gallery import SECRETS, FakeVisits, gallery_app

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "checkout.png"
SHOWN = (("choose", "en", "light"), ("waiting", "en", "light"), ("paid", "sw", "dark"))
SCALE = 1
FRAME = """<style>
body { margin: 0; padding: 28px; display: inline-flex; gap: 28px; background: #d9e5dc; }
img { width: 360px; display: block; border-radius: 26px; box-shadow: 0 0 0 7px #1a211d; }
</style>"""


def shot(browser: Browser, url: str, scheme: str) -> str:
    """One page of a phone's size, as an image tag."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        device_scale_factor=SCALE,
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    data = base64.b64encode(page.screenshot()).decode()
    context.close()
    return f'<img src="data:image/png;base64,{data}">'


def draw(browser: Browser, base: str) -> None:
    """Three phones side by side."""
    images = [shot(browser, f"{base}/c/{SECRETS[name]}?lang={lang}", scheme) for name, lang, scheme in SHOWN]
    page = browser.new_context(viewport={"width": 1200, "height": 860}, device_scale_factor=SCALE).new_page()
    page.set_content(FRAME + "".join(images))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    page.locator("body").screenshot(path=PICTURE)


def main() -> None:
    """Serve, draw, and stop serving."""
    server = make_server("127.0.0.1", 0, gallery_app(FakeVisits()), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        draw(browser, f"http://127.0.0.1:{server.port}")
        browser.close()
    server.shutdown()
    thread.join()


if __name__ == "__main__":
    main()
