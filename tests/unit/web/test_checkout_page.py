"""The checkout page's routes, as a browser without script meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.adapters.web.wording import WORDINGS, Lang
from gateway.application.checkout import PageState
from gateway.domain.errors import Busy, Conflict, Denied, Invalid, TooMany, Unprocessable
from tests.browser.gallery import SECRETS, SESSION, VISITS, FakeVisits, gallery_app

PHONE = {"phone": "0712 345 678"}


@pytest.fixture(scope="module")
def house() -> tuple[FakeVisits, Flask]:
    """One application for the module, since making one costs more than a test."""
    visits = FakeVisits()
    return visits, gallery_app(visits, page_limit=None)


@pytest.fixture
def visits(house: tuple[FakeVisits, Flask]) -> FakeVisits:
    house[0].reset()
    return house[0]


@pytest.fixture
def client(house: tuple[FakeVisits, Flask], visits: FakeVisits) -> FlaskClient:
    return house[1].test_client()


def path(name: str, rest: str = "") -> str:
    return f"/c/{SECRETS[name]}{rest}"


class Tags(HTMLParser):
    """All tags of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", self.text)


def read(response: TestResponse) -> Tags:
    return Tags(response.get_data(as_text=True))


def file_of(client: FlaskClient, url: str) -> tuple[bytes, str]:
    """A file's bytes and for how long it may be kept."""
    with client.get(url) as response:
        assert response.status_code == 200
        return response.get_data(), response.headers.get("Cache-Control", "")


def plain(text: str) -> Iterator[str]:
    """The parts of a text between what is filled in."""
    return (part for part in re.split(r"\{\w+\}", text) if part.strip())


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("state", PageState)
def test_every_state_says_its_sentences(client: FlaskClient, state: PageState, lang: Lang) -> None:
    response = client.get(path(state.value, f"?lang={lang.value}"))
    page, say = read(response), WORDINGS[lang].states[state]
    assert response.status_code == 200
    assert response.headers["Content-Language"] == lang.value == page.of("html")[0]["lang"]
    for text in (say.headline, say.fact, say.todo):
        assert all(part in page.words for part in plain(text))
    assert "Mama Njeri Shop" in page.words
    assert "KES 1,500" in page.words
    assert WORDINGS[lang].labels.pin_promise in page.words


@pytest.mark.parametrize("rest", ["", "/state", "?again=1", "?receipt=1"])
def test_headers_of_caution(client: FlaskClient, rest: str) -> None:
    headers = client.get(path("unknown", rest)).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize("name", VISITS)
def test_nothing_inline_and_nothing_from_elsewhere(client: FlaskClient, name: str) -> None:
    page = read(client.get(path(name)))
    assert not page.of("style")
    assert all(script.get("src") for script in page.of("script"))
    for tag, attributes in page.tags:
        assert "style" not in attributes
        assert not [one for one in attributes if one.startswith("on")]
        for loaded in [attributes.get("src"), attributes.get("href") if tag == "link" else None]:
            assert loaded is None or loaded.startswith("/static/checkout/")


def test_all_of_it_is_small(client: FlaskClient) -> None:
    """60 KB with everything, uncompressed; the largest page in the wordier language."""
    sizes = {}
    for name in VISITS:
        html = client.get(path(name, "?lang=sw")).get_data()
        page = Tags(html.decode())
        assets = {one for tag in ("link", "script") for a in page.of(tag) if (one := a.get("href") or a.get("src"))}
        assert len(assets) == 3
        sizes[name] = len(html) + sum(len(file_of(client, asset)[0]) for asset in assets)
    assert max(sizes.values()) < 30_000, sizes


def test_a_phone_keeps_the_files_and_asks_for_them_once(client: FlaskClient) -> None:
    (sheet,) = [link["href"] for link in read(client.get(path("choose"))).of("link") if link["rel"] == "stylesheet"]
    assert sheet
    assert file_of(client, sheet)[1] == "public, max-age=31536000, immutable"
    assert "immutable" not in file_of(client, urlsplit(sheet).path)[1]


@pytest.mark.parametrize(
    ("accepted", "query", "expected"),
    [
        ("sw-KE,sw;q=0.9,en;q=0.5", "", "sw"),
        ("en-GB,en;q=0.9,sw;q=0.2", "", "en"),
        ("fr-FR", "", "en"),
        ("sw", "?lang=en", "en"),
        ("en", "?lang=sw", "sw"),
        ("sw", "?lang=klingon", "sw"),
    ],
)
def test_the_language_is_the_link_s_else_the_browser_s(
    client: FlaskClient, accepted: str, query: str, expected: str
) -> None:
    response = client.get(path("choose", query), headers={"Accept-Language": accepted})
    assert response.headers["Content-Language"] == expected
    assert "Accept-Language" in response.headers["Vary"]


def test_a_chosen_language_stays_chosen(client: FlaskClient) -> None:
    page = read(client.get(path("wrong_pin", "?lang=sw")))
    assert {urlsplit(form["action"] or "").query for form in page.of("form")} == {"lang=sw"}
    sent = client.post(path("choose", "/pay?lang=sw"), data=PHONE)
    assert sent.headers["Location"] == path("choose", "?lang=sw")
    (switch,) = [link for link in page.of("a") if link.get("hreflang")]
    assert (switch["hreflang"], switch["href"]) == ("en", path("wrong_pin", "?lang=en"))


def test_the_form_is_one_field_with_its_label(client: FlaskClient) -> None:
    page = read(client.get(path("choose")))
    (field,) = page.of("input")
    assert {name: field[name] for name in ("name", "type", "inputmode", "autocomplete")} == {
        "name": "phone", "type": "tel", "inputmode": "tel", "autocomplete": "tel",
    }  # fmt: skip
    assert {label.get("for") for label in page.of("label")} == {field["id"]}
    assert "Pay KES 1,500" in page.words
    (said,) = [tag for tag in page.of("div") if tag.get("id") == "said"]
    assert said["aria-live"] == "polite"


def test_paying_leads_back_to_the_page(client: FlaskClient, visits: FakeVisits) -> None:
    response = client.post(path("choose", "/pay"), data=PHONE)
    assert (response.status_code, response.headers["Location"]) == (303, path("choose"))
    assert visits.paid == [(SECRETS["choose"], "0712 345 678", False)]
    assert "Check your phone" in read(client.get(path("choose"))).words


def test_a_wrong_number_is_told_beside_the_field_and_kept(client: FlaskClient, visits: FakeVisits) -> None:
    response = client.post(path("choose", "/pay"), data={"phone": '0712 <b>"34'})
    page = read(response)
    (field,) = page.of("input")
    assert response.status_code == 422
    assert (field["value"], field["aria-invalid"], field["aria-describedby"]) == ('0712 <b>"34', "true", "phone-note")
    assert "That is no Kenyan mobile number" in page.words
    assert "0712 <b>" not in response.get_data(as_text=True)
    assert visits.paid == []


@pytest.mark.parametrize("typed", ["", "   ", "x" * 5000])
def test_whatever_is_typed_gets_an_answer(client: FlaskClient, typed: str) -> None:
    response = client.post(path("choose", "/pay"), data={"phone": typed})
    assert response.status_code == 422
    assert len(read(response).of("input")[0]["value"] or "") <= 40


def test_a_form_without_its_field_or_as_json_is_a_wrong_number(client: FlaskClient) -> None:
    assert client.post(path("choose", "/pay")).status_code == 422
    assert client.post(path("choose", "/pay"), json=PHONE).status_code == 422


@pytest.mark.parametrize(
    ("refusal", "status", "words"),
    [
        (TooMany("", code="phone_rate_limited", retry_after_s=20), 429, "to this number. Try again at 10:42."),
        (Busy("", code="rail_unavailable", retry_after_s=60), 503, "M-Pesa payments are paused at the moment."),
        (Busy("", code="busy"), 503, "Too much is going on for this shop."),
        (Unprocessable("", code="method_not_available"), 422, "This payment can’t be made here"),
        (Denied("", code="capability_closed"), 422, "This payment can’t be made here"),
        (Invalid("", code="amount_too_large", param="/amount"), 422, "This payment can’t be made here"),
    ],
)  # fmt: skip
def test_a_refusal_is_an_honest_sentence_and_keeps_what_was_typed(
    client: FlaskClient, visits: FakeVisits, refusal: Exception, status: int, words: str
) -> None:
    visits.refusal = refusal
    response = client.post(path("choose", "/pay"), data=PHONE)
    page = read(response)
    assert response.status_code == status
    assert words in page.words
    assert page.of("input")[0]["value"] == "0712 345 678"
    assert [tag for tag in page.of("p") if tag.get("role") == "alert"]


def test_a_number_asked_too_often_is_told_when_in_the_header_too(client: FlaskClient, visits: FakeVisits) -> None:
    visits.refusal = TooMany("", code="phone_rate_limited", retry_after_s=20)
    assert client.post(path("choose", "/pay"), data=PHONE).headers["Retry-After"] == "20"


def test_a_second_press_is_answered_by_the_state(client: FlaskClient, visits: FakeVisits) -> None:
    visits.refusal = Conflict("", code="attempt_outcome_unknown", retry_after_s=60)
    response = client.post(path("waiting", "/pay"), data=PHONE)
    assert (response.status_code, response.headers["Location"]) == (303, path("waiting"))


def test_paying_again_asks_for_the_tick(client: FlaskClient, visits: FakeVisits) -> None:
    warned = read(client.get(path("unknown", "?again=1")))
    assert "If your first payment also goes through, the extra KES 1,500 will be offered back to you." in warned.words
    assert [box["name"] for box in warned.of("input") if box.get("type") == "checkbox"] == ["acknowledge"]
    refused = client.post(path("unknown", "/pay"), data=PHONE)
    page = read(refused)
    assert refused.status_code == 422
    assert "Tick this to pay again." in page.words
    assert page.of("input")[0]["value"] == "0712 345 678"
    assert visits.paid == []
    assert client.post(path("unknown", "/pay"), data={**PHONE, "acknowledge": "1"}).status_code == 303
    assert visits.paid == [(SECRETS["unknown"], "0712 345 678", True)]


def test_canceling_leads_back_to_the_page(client: FlaskClient, visits: FakeVisits) -> None:
    assert client.post(path("choose", "/cancel")).status_code == 303
    assert visits.left == [SECRETS["choose"]]
    assert "nothing was paid here" in read(client.get(path("choose"))).words


def test_canceling_too_late_shows_what_is(client: FlaskClient, visits: FakeVisits) -> None:
    visits.refusal = Conflict("", code="attempt_outcome_unknown")
    response = client.post(path("waiting", "/cancel"))
    assert (response.status_code, response.headers["Location"]) == (303, path("waiting"))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("action", ["/pay", "/cancel"])
def test_other_sites_may_not_post(client: FlaskClient, visits: FakeVisits, site: str, action: str) -> None:
    response = client.post(path("choose", action), data=PHONE, headers={"Sec-Fetch-Site": site})
    assert response.status_code == 403
    assert "Another site asked for this" in read(response).words
    assert (visits.paid, visits.left) == ([], [])


def test_the_page_itself_may_post(client: FlaskClient, visits: FakeVisits) -> None:
    response = client.post(path("choose", "/pay"), data=PHONE, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 303
    assert len(visits.paid) == 1


@pytest.mark.parametrize("rest", ["/pay", "/cancel"])
def test_a_reloaded_form_address_shows_the_page(client: FlaskClient, rest: str) -> None:
    response = client.get(path("choose", f"{rest}?lang=sw"))
    assert (response.status_code, response.headers["Location"]) == (303, path("choose", "?lang=sw"))


@pytest.mark.parametrize("where", ["f" * 32, "F" * 32, "f" * 31, "cs_01J", "", "a/b/c", f"{'f' * 32}/state"])
def test_a_wrong_link_gets_a_friendly_page(client: FlaskClient, where: str) -> None:
    response = client.get(f"/c/{where}")
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "There is no such page" in read(response).words
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("action", ["pay", "cancel"])
def test_a_wrong_link_can_not_be_posted_to(client: FlaskClient, action: str) -> None:
    assert client.post(f"/c/{'f' * 32}/{action}", data=PHONE).status_code == 404


def test_without_script_a_waiting_page_reloads_itself(client: FlaskClient) -> None:
    html = client.get(path("waiting")).get_data(as_text=True)
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in html
    assert "refresh" not in client.get(path("choose")).get_data(as_text=True).replace("data-refresh", "")
    assert 'http-equiv="refresh"' not in client.get(path("unknown", "?again=1")).get_data(as_text=True)


def test_a_paid_page_moves_on_to_the_shop_without_script(client: FlaskClient) -> None:
    page = read(client.get(path("paid")))
    (refresh,) = [meta for meta in page.of("meta") if meta.get("http-equiv") == "refresh"]
    link = f"https://shop.example/thanks?order=7&session_id={SESSION}"
    assert refresh["content"] == f"6; url={link}"
    assert link in [anchor["href"] for anchor in page.of("a")]
    kept = read(client.get(path("paid", "?receipt=1")))
    assert not [meta for meta in kept.of("meta") if meta.get("http-equiv")]


def test_the_fragment_is_sent_again_only_when_it_changed(client: FlaskClient, visits: FakeVisits) -> None:
    first = client.get(path("waiting", "/state"))
    assert first.get_data(as_text=True).lstrip().startswith('<div id="state"')
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(path("waiting", "/state"), headers=known)
    assert (again.status_code, again.get_data()) == (304, b"")
    visits.visits[SECRETS["waiting"]] = VISITS["paid"]
    changed = client.get(path("waiting", "/state"), headers=known)
    assert (changed.status_code, 'data-state="paid"' in changed.get_data(as_text=True)) == (200, True)


def test_a_shop_s_name_is_text_wherever_it_stands(client: FlaskClient, visits: FakeVisits) -> None:
    evil = '"><script>alert(1)</script>'
    for name in ("choose", "paid", "unknown"):
        visit = replace(VISITS[name], shop=evil, description=evil, support_contact=evil, line_items=((evil, 1),))
        visits.visits[SECRETS[name]] = visit
        for rest in ("", "/state", "?again=1", "?receipt=1"):
            page = read(client.get(path(name, rest)))
            assert not [script for script in page.of("script") if not script.get("src")]


def test_test_mode_is_said(client: FlaskClient) -> None:
    assert "Test mode: no real money moves." in read(client.get(path("choose_long"))).words
    assert "Test mode" not in read(client.get(path("choose"))).words


def test_a_fault_of_ours_is_a_page_that_says_no_more_than_it_knows(client: FlaskClient, visits: FakeVisits) -> None:
    visits.broken = RuntimeError("boom")
    response = client.get(path("waiting"))
    page = read(response)
    assert response.status_code == 500
    assert "If you entered your PIN, don’t pay again." in page.words
    assert "boom" not in page.text
    assert path("waiting") in [anchor["href"] for anchor in page.of("a")]


def test_a_busy_database_is_a_page_too(client: FlaskClient, visits: FakeVisits) -> None:
    visits.broken = Busy("locked")
    assert client.get(path("waiting")).status_code == 503


def test_too_many_visits_get_a_page_and_the_seconds(visits: FakeVisits) -> None:
    client = gallery_app(visits, page_limit="2/minute").test_client()
    answers = [client.get(path("waiting")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Too many visits" in read(answers[-1]).words
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_form_that_is_too_large_gets_a_page(client: FlaskClient) -> None:
    response = client.post(path("choose", "/pay"), data={"phone": "0" * 300_000})
    assert response.status_code == 413
    assert response.mimetype == "text/html"
