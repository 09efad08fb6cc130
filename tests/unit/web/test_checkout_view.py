"""What the checkout page chooses to show of a visit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.adapters.web.checkout_view import (
    Asked,
    View,
    clock,
    contact_link,
    filled,
    local_number,
    money,
    success_link,
    view_of,
)
from gateway.adapters.web.wording import Lang
from gateway.application.checkout import PageState, Visit
from gateway.domain.phones import mask
from tests.browser.gallery import NOW, SESSION, VISIT, VISITS

ASKING = {"choose", "wrong_pin", "no_money", "canceled", "unreachable", "over_limit", "not_possible", "part_paid"}


def _view(visit: Visit, **asked: object) -> View:
    return view_of(visit, Lang.EN, Asked(**asked))  # type: ignore[arg-type]


def test_money_shows_cents_only_where_there_are_some() -> None:
    assert [money(units, "KES") for units in (150_000, 5_050, 7, 24_999_900)] == [
        "KES 1,500", "KES 50.50", "KES 0.07", "KES 249,999",
    ]  # fmt: skip
    assert money(150_000, "KES", bare=True) == "1,500"


def test_times_are_nairobi_s_and_never_too_early() -> None:
    moment = datetime(2026, 11, 24, 7, 41, 10, tzinfo=UTC)
    assert (clock(moment), clock(moment, late=True)) == ("10:41", "10:42")
    assert clock(datetime(2026, 11, 24, 21, 0, tzinfo=UTC), late=True) == "00:00"


def test_a_masked_number_is_shown_as_kenyans_write_it() -> None:
    assert local_number(mask("+254712345126")) == "07•• ••• 126"
    assert local_number("something else") == "something else"


def test_what_is_filled_in_is_escaped() -> None:
    assert filled("Pay {amount} to {shop}.", {"amount": "KES 5", "shop": "<i>Njeri & Co</i>"}) == (
        'Pay <b class="whole">KES 5</b> to <b class="shop">&lt;i&gt;Njeri &amp; Co&lt;/i&gt;</b>.'
    )


def test_what_is_filled_in_is_not_filled_again() -> None:
    assert "{amount}" in filled("Ask {shop}.", {"shop": "{amount}"})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/thanks", f"https://shop.example/thanks?session_id={SESSION}"),
        (
            "https://shop.example/t?order=7&a=%20b#top",
            f"https://shop.example/t?order=7&a=%20b&session_id={SESSION}#top",
        ),
        ("javascript:alert(1)", None),
        (None, None),
    ],
)
def test_the_shop_gets_the_session_id_and_nothing_else(url: str | None, expected: str | None) -> None:
    assert success_link(replace(VISIT, success_url=url)) == expected


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("0722 000 111", "tel:0722000111"),
        ("+254 722-000-111", "tel:+254722000111"),
        ("help@shop.example", "mailto:help@shop.example"),
        ("https://shop.example/help", "https://shop.example/help"),
        ("Ask at the counter", None),
        ("javascript:alert(1)", None),
        ("x@y.example?bcc=all@z.example", None),
        (None, None),
    ],
)
def test_contacts_become_links_only_when_they_are_plain(contact: str | None, expected: str | None) -> None:
    assert contact_link(contact) == expected


@pytest.mark.parametrize("name", VISITS)
def test_one_thing_at_a_time(name: str) -> None:
    """Never a button to pay where paying would be refused, and never beside a page that reloads itself."""
    view = _view(VISITS[name])
    visit = view.visit
    assert (view.button is not None) == (visit.state.value in ASKING and visit.may_pay and not view.place)
    assert not (view.button and view.refresh_s)
    assert not (view.button and view.back)
    assert not (view.go and view.refresh_s)


@pytest.mark.parametrize("name", VISITS)
def test_every_page_has_a_fact_what_to_do_and_a_reference(name: str) -> None:
    view = _view(VISITS[name])
    assert view.headline
    assert view.fact
    assert view.todo
    assert view.reference == (view.visit.account or SESSION)


def test_the_button_says_how_much() -> None:
    assert _view(VISIT).button == "Pay KES 1,500"
    assert _view(VISITS["part_paid"]).button == "Pay KES 600"
    assert _view(VISITS["unknown"], again=True).button == "Pay KES 1,500 again"


def test_paying_again_needs_a_word_and_is_offered_only_where_it_is_possible() -> None:
    assert _view(VISITS["unknown"]).can_pay_again
    assert not _view(VISITS["unknown_at_the_end"]).can_pay_again
    again = _view(VISITS["unknown"], again=True)
    assert again.consent
    assert again.state == "again"
    assert _view(VISITS["unknown_at_the_end"], again=True).button is None
    assert _view(VISITS["waiting"], again=True).button is None


def test_a_failed_try_with_an_earlier_one_in_doubt_warns_and_asks() -> None:
    view = _view(VISITS["wrong_pin_in_doubt"])
    assert view.consent
    assert not view.can_cancel
    assert "offered back" in view.notes[0]


def test_how_soon_it_looks_again() -> None:
    waits = {name: _view(VISITS[name]).refresh_s for name in ("sending", "waiting", "confirming", "unknown", "choose")}
    assert waits == {"sending": 2, "waiting": 3, "confirming": 3, "unknown": 10, "choose": None}


def test_a_paid_page_goes_back_to_the_shop_unless_the_receipt_is_read() -> None:
    link = f"https://shop.example/thanks?order=7&session_id={SESSION}"
    assert (_view(VISITS["paid"]).go, _view(VISITS["paid"]).back) == (link, link)
    kept = _view(VISITS["paid"], receipt=True)
    assert (kept.go, kept.back, kept.can_print) == (None, link, True)
    assert _view(VISITS["paid_late"]).go is None
    assert _view(VISITS["paid_no_shop_url"]).go is None


def test_a_receipt_number_to_come_is_waited_for_only_where_the_shopper_stays() -> None:
    assert _view(VISITS["paid_number_to_come"]).refresh_s is None
    assert _view(VISITS["paid_number_to_come"], receipt=True).refresh_s == 10


def test_nobody_is_sent_to_the_cancel_url_while_an_outcome_is_open() -> None:
    for name in ("unknown_at_the_end", "confirming", "waiting", "choose", "part_paid"):
        assert _view(VISITS[name]).back is None, name
    for name in ("expired", "shop_canceled", "part_paid_closed"):
        assert _view(VISITS[name]).back == "https://shop.example/cart", name


def test_too_much_money_is_said() -> None:
    (note,) = _view(VISITS["paid_twice"]).notes
    assert "KES 1,500" in note
    assert dict(_view(VISITS["paid_twice"]).rows)["Amount"] == "KES 3,000"


def test_patience_that_m_pesa_asks_for_is_passed_on() -> None:
    visit = replace(VISITS["not_possible"], again_at=NOW + timedelta(seconds=60))
    assert "10:43" in _view(visit).notes[0]


@pytest.mark.parametrize("state", PageState)
def test_no_page_names_a_payer_in_full(state: PageState) -> None:
    view = _view(replace(VISITS[state.value], payer="+2547•••••678"))
    assert view.payer in (None, "07•• ••• 678")


def test_a_place_is_shown_in_the_order_in_which_m_pesa_asks_and_reloads_itself() -> None:
    view = _view(VISITS["pay_to"])
    assert view.place == (("Paybill", "600996"), ("Account", "NJERI-7K2P9M"), ("Amount", "KES 1,500"))
    assert (view.button, view.refresh_s, view.can_prompt, view.ways, view.payer) == (None, 5, True, (), None)
    assert "NJERI-7K2P9M" in view.fact


def test_a_till_has_no_account_to_write() -> None:
    view = _view(VISITS["pay_to_till"])
    assert view.place == (("Till", "600997"), ("Amount", "KES 1,500"))
    assert "Buy Goods" in view.fact
    assert "account" not in view.fact


def test_the_rest_is_paid_at_the_same_place() -> None:
    view = _view(VISITS["part_paid_to_paybill"])
    assert (view.state, view.place[-1], view.refresh_s) == ("part_paid", ("Amount", "KES 600"), 5)


def test_who_left_a_place_for_the_phone_can_go_back() -> None:
    view = _view(VISITS["pay_to"], prompt=True)
    assert (view.state, view.button, view.place, view.refresh_s) == ("choose", "Pay KES 1,500", (), None)
    assert (view.can_return, view.can_prompt, view.ways) == (True, False, ())


@pytest.mark.parametrize("name", ["choose", "choose_paybill"])
def test_a_place_is_offered_only_where_there_is_one(name: str) -> None:
    view = _view(VISITS[name])
    assert [way for way, _ in view.ways] == (["mpesa_paybill"] if name == "choose_paybill" else [])
