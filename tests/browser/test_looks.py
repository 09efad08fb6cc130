"""Every state in both languages, light and dark, on a small phone: legible, touchable, complete and small."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Gallery, Shopper, a_shopper
from tests.browser.gallery import VISITS

pytestmark = pytest.mark.browser

MEASURE = (Path(__file__).parent / "measure.js").read_text()
#: Variants of a page that a shopper reaches by a link on it.
FURTHER = (("unknown", "&again=1"), ("paid", "&receipt=1"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "sw"])
def test_every_state_can_be_read_and_touched(browser: Browser, gallery: Gallery, lang: str, scheme: str) -> None:
    shopper = a_shopper(browser, scheme=scheme)
    wrong: dict[str, list[str]] = {}
    addresses = [(name, "") for name in VISITS] + list(FURTHER)
    for name, more in addresses:
        shopper.page.goto(gallery.at(name, f"?lang={lang}{more}"))
        shopper.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        if found := shopper.page.evaluate(MEASURE):
            wrong[name + more] = found
    shopper.page.goto(f"{gallery.url}/c/nowhere?lang={lang}")
    if found := shopper.page.evaluate(MEASURE):
        wrong["nowhere"] = found
    shopper.context.close()
    assert wrong == {}
    # The browser reports the 404 that was asked for; anything else would be a broken policy or script.
    assert [said for said in shopper.complaints if "404" not in said] == []
    assert {urlsplit(url).netloc for url in shopper.asked} == {urlsplit(gallery.url).netloc}


@pytest.mark.parametrize(
    ("spoiled", "complaint"),
    [
        (".todo { color: #999 }", "contrast 2."),
        (".todo { font-size: 15px }", "15px: "),
        (".plain { min-height: 0; padding: 0 }", "target "),
        (".total { white-space: nowrap; font-size: 9rem }", "scrolls sideways"),
    ],
)
def test_the_measure_sees_bad_pages(shopper: Shopper, gallery: Gallery, spoiled: str, complaint: str) -> None:
    shopper.page.goto(gallery.at("wrong_pin"))
    assert shopper.page.evaluate(MEASURE) == []
    shopper.page.evaluate(
        "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet]; }",
        f".ticket {{ overflow: visible }} .ticket {spoiled}",
    )
    assert [one for one in shopper.page.evaluate(MEASURE) if one.startswith(complaint)]


@pytest.mark.parametrize("width", [320, 360, 412, 768, 1440])
def test_no_width_scrolls_sideways(shopper: Shopper, gallery: Gallery, width: int) -> None:
    shopper.page.set_viewport_size({"width": width, "height": 800})
    for name in ("choose_long", "waiting", "paid"):
        shopper.page.goto(gallery.at(name))
        assert shopper.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_errors_can_be_read_and_touched(shopper: Shopper, gallery: Gallery) -> None:
    for name, typed in (("choose", "12"), ("wrong_pin_in_doubt", "12")):
        shopper.page.goto(gallery.at(name))
        shopper.page.fill("#phone", typed)
        shopper.page.evaluate("document.querySelectorAll('[required]').forEach(one => { one.required = false; })")
        shopper.page.click("form .go")
        shopper.page.wait_for_selector("#phone[aria-invalid=true]")
        assert shopper.page.evaluate(MEASURE) == []
        assert shopper.page.input_value("#phone") == typed
        assert shopper.page.evaluate("document.activeElement.id") == "phone"


def test_all_that_a_phone_loads_is_small(shopper: Shopper, gallery: Gallery) -> None:
    sizes: dict[str, int] = {}
    shopper.page.on("response", lambda response: sizes.update({response.url: len(response.body())}))
    shopper.page.goto(gallery.at("choose_long", "?lang=sw"), wait_until="networkidle")
    assert len(sizes) >= 3
    assert sum(sizes.values()) < 60_000, sizes


def test_the_keyboard_finds_everything_and_shows_where_it_is(shopper: Shopper, gallery: Gallery) -> None:
    shopper.page.goto(gallery.at("choose"))
    seen = []
    for _ in range(6):
        shopper.page.keyboard.press("Tab")
        seen.append(
            shopper.page.evaluate(
                "(() => { const at = document.activeElement, ring = getComputedStyle(at); return "
                "[at.id || at.tagName + '.' + at.className, ring.outlineStyle, parseFloat(ring.outlineWidth)]; })()"
            )
        )
    assert [one[0] for one in seen] == ["A.tongue", "SUMMARY.", "phone", "BUTTON.go", "BUTTON.plain", "A.tap"]
    assert all(style == "solid" and width >= 3 for _, style, width in seen)
