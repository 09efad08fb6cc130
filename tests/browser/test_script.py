"""What the small script adds, and what goes on without it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Gallery, Shopper
from tests.browser.gallery import SECRETS, SESSION, VISITS
from tests.waiting import eventually

pytestmark = pytest.mark.browser

THANKS = f"https://shop.example/thanks?order=7&session_id={SESSION}"


def becomes(gallery: Gallery, page: str, state: str) -> None:
    """From now on that page is in this state."""
    gallery.visits.visits[SECRETS[page]] = VISITS[state]


def test_without_script_the_whole_way(plain_shopper: Shopper, gallery: Gallery) -> None:
    page = plain_shopper.page
    page.goto(gallery.at("choose"))
    page.fill("#phone", "0712 345 678")
    page.get_by_role("button", name="Pay KES 1,500").click()
    expect(page.locator("h1")).to_have_text("Check your phone")
    assert page.url == gallery.at("choose")
    becomes(gallery, "choose", "confirming")
    expect(page.locator("h1")).to_have_text("Asking M-Pesa", timeout=6_000)
    becomes(gallery, "choose", "paid")
    expect(page.locator("h1")).to_have_text("Paid", timeout=6_000)
    page.wait_for_url(THANKS, timeout=9_000)


def test_without_script_a_wrong_number_is_kept_and_the_tick_is_asked_for(
    plain_shopper: Shopper, gallery: Gallery
) -> None:
    page = plain_shopper.page
    page.goto(gallery.at("unknown", "?lang=sw"))
    page.click("text=Lipa tena…")
    expect(page.locator("h1")).to_have_text("Ulipe tena?")
    page.fill("#phone", "712")
    page.check("[name=acknowledge]")
    page.get_by_role("button", name="Lipa KES 1,500 tena").click()
    expect(page.locator("#phone")).to_have_value("712")
    expect(page.locator("#phone-note")).to_contain_text("Hiyo si nambari ya simu ya Kenya")
    page.fill("#phone", "712345678")
    page.check("[name=acknowledge]")
    page.get_by_role("button", name="Lipa KES 1,500 tena").click()
    expect(page.locator("h1")).to_have_text("Angalia simu yako")
    assert gallery.visits.paid == [(SECRETS["unknown"], "712345678", True)]


def test_a_change_is_swapped_in_and_spoken_without_a_reload(shopper: Shopper, gallery: Gallery) -> None:
    page = shopper.page
    page.goto(gallery.at("waiting"))
    page.evaluate("window.kept = document.getElementById('said')")
    becomes(gallery, "waiting", "wrong_pin")
    expect(page.locator("h1")).to_have_text("Wrong PIN", timeout=6_000)
    assert page.evaluate("window.kept === document.getElementById('said') && window.kept.isConnected")
    assert page.locator("#said").get_attribute("aria-live") == "polite"
    assert page.title() == "Wrong PIN · Mama Njeri Shop"
    page.fill("#phone", "0712345678")
    page.get_by_role("button", name="Pay KES 1,500").click()
    expect(page.locator("h1")).to_have_text("Check your phone")
    assert shopper.complaints == []


def test_paid_goes_to_the_shop_by_itself_with_the_session_id(shopper: Shopper, gallery: Gallery) -> None:
    page = shopper.page
    page.goto(gallery.at("waiting"))
    becomes(gallery, "waiting", "paid")
    page.click("text=Check again now")
    expect(page.locator("h1")).to_have_text("Paid")
    expect(page.locator("#acts .go")).to_have_attribute("href", THANKS)
    page.wait_for_url(THANKS, timeout=9_000)


def test_a_kept_receipt_stays(shopper: Shopper, gallery: Gallery) -> None:
    page = shopper.page
    page.goto(gallery.at("paid"))
    page.click("text=Stay here and keep the receipt")
    expect(page.locator("text=Save or print")).to_be_visible()
    expect(page.locator("#acts")).to_contain_text("UJ6AB12CD3")
    assert not page.locator("meta[http-equiv=refresh]").count()


def test_an_unchanged_state_is_asked_for_cheaply_and_left_alone(shopper: Shopper, gallery: Gallery) -> None:
    page, answers = shopper.page, []
    page.on("response", lambda response: answers.append(response.status) if "/state" in response.url else None)
    page.goto(gallery.at("waiting"))
    page.click("text=I didn’t get it")
    for count in (1, 2, 3):
        page.click("text=Check again now")
        eventually(lambda count=count: page.wait_for_timeout(20) or len(answers) >= count)  # type: ignore[misc]
        page.wait_for_timeout(50)
    assert answers[0] == 200
    assert set(answers[1:]) == {304}
    assert page.evaluate("document.querySelector('.help').open")


def test_what_is_typed_survives_while_the_page_keeps_asking(shopper: Shopper, gallery: Gallery) -> None:
    page, answers = shopper.page, []
    page.on("response", lambda response: answers.append(response.status) if "/state" in response.url else None)
    page.goto(gallery.at("unknown", "?again=1"))
    page.fill("#phone", "0712")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    eventually(lambda: page.wait_for_timeout(20) or answers)
    expect(page.locator("#phone")).to_have_value("0712")
    becomes(gallery, "unknown", "paid")
    page.wait_for_timeout(50)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("h1")).to_have_text("Paid")


@pytest.mark.parametrize("typed", ["0712 345 678", "+254712345678", "712345678", "254-712-345-678"])
def test_the_number_is_shown_back_before_it_is_asked(shopper: Shopper, gallery: Gallery, typed: str) -> None:
    shopper.page.goto(gallery.at("choose"))
    shopper.page.fill("#phone", typed)
    expect(shopper.page.locator(".echo")).to_have_text("M-Pesa will ask 0712 345 678.")
    shopper.page.fill("#phone", "0712 34")
    expect(shopper.page.locator(".echo")).to_be_hidden()


def test_two_presses_are_one(shopper: Shopper, gallery: Gallery) -> None:
    page = shopper.page
    page.goto(gallery.at("choose"))
    page.fill("#phone", "0712345678")
    page.evaluate("(() => { const b = document.querySelector('form .go'); b.click(); b.click(); b.click(); })()")
    expect(page.locator("h1")).to_have_text("Check your phone")
    assert len(gallery.visits.paid) == 1


def test_a_lost_network_is_told_as_such_and_nothing_more(shopper: Shopper, gallery: Gallery) -> None:
    page = shopper.page
    page.goto(gallery.at("sending"))
    shopper.context.set_offline(True)
    expect(page.locator("#offline")).to_contain_text("seems to be offline", timeout=9_000)
    expect(page.locator("h1")).to_have_text("Sending the request")
    becomes(gallery, "sending", "waiting")
    shopper.context.set_offline(False)
    expect(page.locator("h1")).to_have_text("Check your phone", timeout=9_000)
    expect(page.locator("#offline")).to_be_hidden()


def test_a_server_in_trouble_is_not_taken_for_news(shopper: Shopper, gallery: Gallery) -> None:
    page = shopper.page
    page.goto(gallery.at("sending"))
    gallery.visits.broken = RuntimeError("down")
    expect(page.locator("#offline")).to_contain_text("We can’t see the latest", timeout=9_000)
    gallery.visits.broken = None
    expect(page.locator("#offline")).to_be_hidden(timeout=12_000)


def test_the_language_can_be_switched_at_any_time(shopper: Shopper, gallery: Gallery) -> None:
    page = shopper.page
    page.goto(gallery.at("waiting"))
    page.click("text=Kiswahili")
    expect(page.locator("h1")).to_have_text("Angalia simu yako")
    becomes(gallery, "waiting", "no_money")
    page.click("text=Angalia tena sasa")
    expect(page.locator("h1")).to_have_text("Pesa hazitoshi")
    page.click("text=English")
    expect(page.locator("h1")).to_have_text("Not enough money")


def test_closing_the_tab_changes_nothing(shopper: Shopper, gallery: Gallery) -> None:
    shopper.page.goto(gallery.at("waiting"))
    shopper.page.close()
    becomes(gallery, "waiting", "paid_late")
    again = shopper.context.new_page()
    again.goto(gallery.at("waiting"))
    expect(again.locator("h1")).to_have_text("Paid late")


def test_a_hostile_name_runs_nothing(shopper: Shopper, gallery: Gallery) -> None:
    evil = "<img src=x onerror=alert(1)>{amount}"
    for name in ("waiting", "choose"):
        gallery.visits.visits[SECRETS[name]] = replace(VISITS[name], shop=evil, description=evil, support_contact=evil)
    shopper.page.goto(gallery.at("waiting"))
    assert shopper.page.locator(".bar .shop").inner_text() == evil
    gallery.visits.visits[SECRETS["waiting"]] = replace(VISITS["wrong_pin"], shop=evil)
    shopper.page.click("text=Check again now")
    expect(shopper.page.locator("h1")).to_have_text(re.compile("Wrong PIN"))
    assert not shopper.page.locator("img").count()
    assert shopper.complaints == []
