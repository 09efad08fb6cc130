"""The checkout page on the real application and database, from the session to the shop's success_url."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from tests.api.world import World, a_phone

ORDER = {
    "amount": 150_000,
    "currency": "KES",
    "description": "Two kitenge and a leso",
    "line_items": [{"name": "Kitenge", "amount": 120_000}, {"name": "Leso", "amount": 30_000}],
    "success_url": "https://shop.example/thanks?order=7",
    "cancel_url": "https://shop.example/cart",
}


def _session(world: World) -> tuple[Any, str]:
    """A session and the path of its page."""
    session = world.a.post("/v1/checkout/sessions", ORDER)
    return session, urlsplit(session["url"]).path


def _said(answer: TestResponse) -> str:
    assert answer.mimetype == "text/html"
    return answer.get_data(as_text=True)


def test_from_the_link_to_the_shop_without_script(world: World) -> None:
    session, page = _session(world)
    shopper = world.app.test_client()
    first = shopper.get(page)
    assert first.status_code == 200
    for words in ("Pay KES 1,500", "Duka A", "Two kitenge and a leso", "Kitenge", "Test mode"):
        assert words in _said(first)
    assert session["id"] in _said(first), "the reference to quote before there is another"

    phone = a_phone()
    sent = shopper.post(f"{page}/pay", data={"phone": phone})
    assert (sent.status_code, sent.headers["Location"]) == (303, page)
    waiting = _said(shopper.get(page))
    assert "Sending the request" in waiting
    assert 'http-equiv="refresh" content="2"' in waiting
    assert phone not in waiting
    assert f"07•• ••• {phone[-3:]}" in waiting

    world.pay(world.a, session["payment"])
    paid = _said(shopper.get(page))
    receipt = world.a.get(f"/v1/payments/{session['payment']}/receipts")["data"][0]["receipt_number"]
    assert receipt
    assert receipt in paid
    assert f'content="6; url=https://shop.example/thanks?order=7&amp;session_id={session["id"]}"' in paid
    assert world.a.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "complete"


def test_a_second_press_makes_no_second_attempt(world: World) -> None:
    session, page = _session(world)
    shopper = world.app.test_client()
    for _ in range(3):
        assert shopper.post(f"{page}/pay", data={"phone": a_phone()}).status_code == 303
    assert len(world.a.get(f"/v1/payments/{session['payment']}/attempts")["data"]) == 1


def test_a_wrong_number_makes_no_attempt(world: World) -> None:
    session, page = _session(world)
    answer = world.app.test_client().post(f"{page}/pay", data={"phone": "0812 345 678"})
    assert answer.status_code == 422
    assert 'value="0812 345 678"' in _said(answer)
    assert world.a.get(f"/v1/payments/{session['payment']}/attempts")["data"] == []


def test_the_sixth_prompt_to_a_number_is_told_when(world: World) -> None:
    shopper, phone = world.app.test_client(), a_phone()
    pages = [_session(world)[1] for _ in range(6)]
    answers = [shopper.post(f"{page}/pay", data={"phone": phone}) for page in pages]
    assert [answer.status_code for answer in answers] == [303] * 5 + [429]
    assert "Too many requests to this number. Try again at" in _said(answers[-1])
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 600
    assert "Enter the " in _said(shopper.get(pages[-1])), "the page is as it was"


def test_canceling_ends_the_payment_and_points_to_the_cart(world: World) -> None:
    session, page = _session(world)
    shopper = world.app.test_client()
    assert shopper.post(f"{page}/cancel").status_code == 303
    after = _said(shopper.get(page))
    assert "nothing was paid here" in after
    assert 'href="https://shop.example/cart"' in after
    assert world.a.get(f"/v1/payments/{session['payment']}")["status"] == "canceled"
    late = shopper.post(f"{page}/pay", data={"phone": a_phone()})
    assert (late.status_code, late.headers["Location"]) == (303, page)


def test_another_session_s_secret_opens_nothing_else(world: World) -> None:
    _, page = _session(world)
    last = "0" if page[-1] != "0" else "1"
    answer = world.app.test_client().get(page[:-1] + last)
    assert answer.status_code == 404
    assert "There is no such page" in _said(answer)


def test_in_live_mode_the_page_says_nothing_of_tests(world: World) -> None:
    session = world.a_live.post("/v1/checkout/sessions", ORDER)
    page = _said(world.app.test_client().get(urlsplit(session["url"]).path))
    assert "Test mode" not in page
