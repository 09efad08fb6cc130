"""The forms that every language fills in. Curly words are filled in later and set in bold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gateway.application.checkout import PageState


class Lang(Enum):
    """A language of the pages; the value is its BCP 47 tag."""

    EN = "en"
    SW = "sw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """One state: a few words, one sentence of fact, and what to do."""

    headline: str
    fact: str
    todo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Everything on the page beside the state's own sentences; a language that lacks one can't be made."""

    switch: str
    test_mode: str
    items: str
    phone: str
    phone_hint: str
    phone_echo: str
    pay: str
    pay_again: str
    busy_button: str
    consent: str
    open_until: str
    cancel: str
    back: str
    going_back: str
    save_receipt: str
    print_receipt: str
    close_receipt: str
    check_now: str
    again: str
    keep_waiting: str
    not_received: str
    not_received_tips: tuple[str, ...]
    ends_at: str
    row_amount: str
    row_account: str
    row_phone: str
    row_paybill: str
    row_till: str
    by_paybill: str
    by_till: str
    by_phone: str
    to_place: str
    pay_to_till: str
    row_receipt: str
    row_shop: str
    ending_in: str
    in_doubt: str
    extra: str
    later: str
    closed_part: str
    pin_promise: str
    contact: str
    reference: str
    offline: str
    slow: str
    phone_invalid: str
    consent_missing: str
    too_many: str
    paused: str
    busy: str
    refused: str
    open_page: str


class Trouble(Enum):
    """Pages that tell of no payment; the value is their HTTP status."""

    CROSS_SITE = 403
    NO_SUCH_PAGE = 404
    UNREADABLE = 400
    TOO_OFTEN = 429
    BROKEN = 500
    BUSY = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One language: `pay_again` is said before a second prompt while the first is in doubt."""

    states: Mapping[PageState, Say]
    pay_again: Say
    troubles: Mapping[Trouble, Say]
    labels: Labels
