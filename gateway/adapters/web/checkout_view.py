"""What the checkout page shows of a Visit: pure choices, no request and no HTML but the bold of filled-in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit, urlunsplit

from markupsafe import Markup, escape

from gateway.adapters.web.amount_words import in_words
from gateway.adapters.web.wording import WORDINGS, Labels, Lang, Say, Wording
from gateway.application.checkout import PageState, Visit
from gateway.domain.calendar import NAIROBI
from ports.money import ASSETS

_ASKS = frozenset(
    {
        PageState.CHOOSE,
        PageState.WRONG_PIN,
        PageState.NO_MONEY,
        PageState.CANCELED_ON_PHONE,
        PageState.UNREACHABLE,
        PageState.OVER_LIMIT,
        PageState.NOT_POSSIBLE,
        PageState.PART_PAID,
    }
)
_PAID = frozenset({PageState.PAID, PageState.PAID_NUMBER_TO_COME, PageState.PAID_LATE})
_OUT = frozenset({PageState.WAITING, PageState.PERHAPS_WAITING, PageState.CONFIRMING, PageState.UNKNOWN})
_PLACED = frozenset({PageState.PLACE_TO_COME, PageState.PAY_TO})
_OVER = frozenset({PageState.EXPIRED, PageState.SHOP_CANCELED})

#: Seconds until the page looks again by itself; states that aren't here wait for the shopper.
_REFRESH_S: Mapping[PageState, int] = {
    PageState.SENDING: 2,
    PageState.DELAYED: 5,
    PageState.WAITING: 3,
    PageState.PERHAPS_WAITING: 3,
    PageState.CONFIRMING: 3,
    PageState.UNKNOWN: 10,
    PageState.PLACE_TO_COME: 2,
    PageState.PAY_TO: 5,
    PageState.PAID_NUMBER_TO_COME: 10,
}
_GO_AFTER_S = 6
_NAME = Markup('<span class="whole">M-Pesa</span>')

#: The look of each state; what it means is always said in words too.
_TONES: Mapping[PageState, str] = {
    PageState.CHOOSE: "ask",
    PageState.SENDING: "wait",
    PageState.DELAYED: "slow",
    PageState.WAITING: "wait",
    PageState.PERHAPS_WAITING: "slow",
    PageState.CONFIRMING: "slow",
    PageState.UNKNOWN: "slow",
    PageState.PLACE_TO_COME: "wait",
    PageState.PAY_TO: "wait",
    PageState.PAID: "good",
    PageState.PAID_NUMBER_TO_COME: "good",
    PageState.PAID_LATE: "good",
    PageState.PART_PAID: "slow",
    PageState.EXPIRED: "over",
    PageState.SHOP_CANCELED: "over",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the shopper wants to see or has just sent: `typed` is kept in the field, the errors stand beside it.

    `prompt`: the phone's field, though a place to pay to was chosen before.
    """

    again: bool = False
    prompt: bool = False
    receipt: bool = False
    typed: str = ""
    phone_error: str | None = None
    consent_error: str | None = None
    notice: Markup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One page, ready for its template. `button` is None where no phone is asked for.

    `place` is where to pay by oneself, `ways` the methods (and their words) by which that can be chosen.
    """

    visit: Visit
    asked: Asked
    label: Labels
    lang: str
    initial: str
    state: str
    tone: str
    headline: str
    fact: Markup
    todo: Markup
    notes: tuple[Markup, ...]
    total: str
    words: str | None
    items: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str], ...]
    place: tuple[tuple[str, str], ...]
    ways: tuple[tuple[str, str], ...]
    can_prompt: bool
    can_return: bool
    payer: str | None
    payer_end: str | None
    button: str | None
    consent: bool
    can_cancel: bool
    can_pay_again: bool
    can_keep: bool
    can_print: bool
    ends_at: Markup | None
    open_until: Markup | None
    refresh_s: int | None
    go: str | None
    go_after_s: int
    back: str | None
    contact_line: Markup
    contact_link: str | None
    reference: str


def money(units: int, currency: str, *, bare: bool = False) -> str:
    """`KES 1,500`, and `KES 1,500.50` where there are cents; `bare` leaves the currency out."""
    scale = ASSETS[currency].scale
    whole, part = divmod(units, 10**scale)
    figure = f"{whole:,}" + (f".{part:0{scale}d}" if part else "")
    return figure if bare else f"{currency} {figure}"


def clock(at: datetime, *, late: bool = False) -> str:
    """A time of day in Nairobi, `10:42`; `late` rounds up, for what isn't possible before."""
    if late and (at.second or at.microsecond):
        at += timedelta(minutes=1)
    return at.astimezone(NAIROBI).strftime("%H:%M")


def local_number(masked: str) -> str:
    """`+2547•••••126` as Kenyans write it: `07•• ••• 126`."""
    found = re.fullmatch(r"\+254([17•])([\d•]{2})([\d•]{3})([\d•]{3})", masked)
    return "0{}{} {} {}".format(*found.groups()) if found else masked


def filled(text: str, values: Mapping[str, str]) -> Markup:
    """The sentence with its words filled in, escaped, in bold; what is no sentence doesn't break over lines."""
    bold = {
        name: Markup('<b class="{}">{}</b>').format("shop" if name == "shop" else "whole", value)
        for name, value in values.items()
    }
    return escape(text).replace("M-Pesa", _NAME).format(**bold)


def words_of(visit: Visit) -> dict[str, str]:
    """What the sentences' curly words say for this visit."""
    currency = visit.currency
    return {
        "amount": money(visit.left_units or visit.amount_units, currency),
        "whole": money(visit.amount_units, currency, bare=True),
        "received": money(visit.received_units, currency),
        "extra": money(max(visit.received_units - visit.amount_units, 0), currency),
        "shop": visit.shop,
        "account": visit.account or visit.session_id,
        "payer": local_number(visit.payer) if visit.payer else visit.shop,
        "receipt": visit.receipt_number or "",
        "until": clock(visit.prompt_until or visit.expires_at),
    }


def success_link(visit: Visit) -> str | None:
    """The shop's success_url with the session's id added and nothing else."""
    if visit.success_url is None or not _is_web(visit.success_url):
        return None
    parts = urlsplit(visit.success_url)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{query}session_id={quote(visit.session_id, safe='')}"))


def _is_web(url: str) -> bool:
    """Whether a browser may be sent there; it was checked when the session was made, and is again before it is used."""
    return urlsplit(url).scheme in ("http", "https")


def contact_link(contact: str | None) -> str | None:
    """A link that calls or writes to the shop, when that is plain from the contact."""
    if contact is None:
        return None
    text = contact.strip()
    if re.fullmatch(r"[^\s@/?&:]+@[^\s@/?&:]+\.[a-z]{2,}", text, re.IGNORECASE):
        return f"mailto:{text}"
    if re.fullmatch(r"\+?[\d\s()-]{7,20}", text):
        return "tel:" + re.sub(r"[^\d+]", "", text)
    return text if text.startswith("https://") else None


def view_of(visit: Visit, lang: Lang, asked: Asked) -> View:
    """Everything the page shows."""
    wording, state = WORDINGS[lang], visit.state
    again = asked.again and visit.may_pay_again and state is PageState.UNKNOWN
    label, placed = wording.labels, _is_placed(visit) and not asked.prompt
    asks = again or (state in _ASKS | _PLACED and visit.may_pay and not placed)
    values = words_of(visit)
    say = _said(visit, wording, again=again, asks=asks)
    consent = asks and visit.may_pay_again
    going = success_link(visit) if state in (PageState.PAID, PageState.PAID_NUMBER_TO_COME) else None
    return View(
        visit=visit,
        asked=asked,
        label=label,
        lang=lang.value,
        initial=next((letter.upper() for letter in visit.shop if letter.isalnum()), "•"),
        state="again" if again else _shown(visit, asks=asks).value,
        tone=_TONES.get(_shown(visit, asks=asks), "bad"),
        headline=say.headline,
        fact=filled(say.fact, values),
        todo=_todo(visit, say, label, values),
        notes=_notes(visit, label, values, in_doubt=consent and not again),
        total=money(visit.amount_units, visit.currency),
        words=in_words(visit.amount_units, visit.currency, lang) if state is PageState.CHOOSE else None,
        items=tuple((name, money(units, visit.currency)) for name, units in visit.line_items),
        rows=() if again else _rows(visit, label, values),
        place=_place(visit, label, values) if placed else (),
        ways=_ways(visit, label) if asks and not consent else (),
        can_prompt=placed and visit.may_pay,
        can_return=asked.prompt and _is_placed(visit),
        payer=local_number(visit.payer) if visit.payer and state in _OUT and not again else None,
        payer_end=visit.payer[-3:] if visit.payer else None,
        button=(label.pay_again if again else label.pay).format(amount=values["amount"]) if asks else None,
        consent=consent,
        can_cancel=visit.may_pay
        and not (visit.received_units or consent)
        and (state in _ASKS | {PageState.DELAYED} or (asks and state in _PLACED)),
        can_pay_again=visit.may_pay_again and state is PageState.UNKNOWN and not again,
        can_keep=going is not None and not asked.receipt,
        can_print=state in _PAID and (going is None or asked.receipt),
        ends_at=filled(label.ends_at, values) if state is PageState.WAITING and visit.prompt_until else None,
        open_until=filled(label.open_until, {"until": clock(visit.expires_at)}) if state is PageState.CHOOSE else None,
        refresh_s=None if (going and not asked.receipt) or asked.prompt else _refresh_s(visit),
        go=None if asked.receipt else going,
        go_after_s=_GO_AFTER_S,
        back=_back(visit),
        contact_line=filled(label.contact, values),
        contact_link=contact_link(visit.support_contact),
        reference=visit.account or visit.session_id,
    )


def _is_placed(visit: Visit) -> bool:
    """Whether the shopper chose to pay by himself, and may do so now."""
    return visit.may_pay and (visit.state in _PLACED or (visit.state is PageState.PART_PAID and bool(visit.place)))


def _shown(visit: Visit, *, asks: bool) -> PageState:
    """The state that the page speaks of: who left a place for the phone's field sees what he saw at first."""
    return PageState.CHOOSE if asks and visit.state in _PLACED else visit.state


def _said(visit: Visit, wording: Wording, *, again: bool, asks: bool) -> Say:
    if again:
        return wording.pay_again
    said = wording.states[_shown(visit, asks=asks)]
    if said is wording.states[PageState.PAY_TO] and "account" not in dict(visit.place):
        return replace(said, fact=wording.labels.pay_to_till)
    return said


def _refresh_s(visit: Visit) -> int | None:
    return _REFRESH_S[PageState.PAY_TO] if visit.place and _is_placed(visit) else _REFRESH_S.get(visit.state)


def _place(visit: Visit, label: Labels, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What is typed into M-Pesa's own menu, in its order; how much comes last there too."""
    names = {"paybill": label.row_paybill, "till": label.row_till, "account": label.row_account}
    rows = tuple((names.get(name, name), value) for name, value in visit.place)
    return (*rows, (label.row_amount, values["amount"])) if rows else ()


def _ways(visit: Visit, label: Labels) -> tuple[tuple[str, str], ...]:
    words = {"mpesa_paybill": label.by_paybill, "mpesa_till": label.by_till}
    return () if _is_placed(visit) else tuple((way, words[way]) for way in visit.places if way in words)


def _todo(visit: Visit, say: Say, label: Labels, values: Mapping[str, str]) -> Markup:
    if visit.state is PageState.PART_PAID and not visit.may_pay:
        return filled(label.closed_part, values)
    return filled(say.todo, values)


def _notes(visit: Visit, label: Labels, values: Mapping[str, str], *, in_doubt: bool) -> tuple[Markup, ...]:
    """What else is true: an earlier request in doubt, too much money, a provider that asks for patience."""
    notes = []
    if in_doubt:
        notes.append(filled(label.in_doubt, values))
    if visit.received_units > visit.amount_units:
        notes.append(filled(label.extra, values))
    if visit.again_at is not None and visit.state in _ASKS:
        notes.append(filled(label.later, {"until": clock(visit.again_at, late=True)}))
    return tuple(notes)


def _rows(visit: Visit, label: Labels, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What the message on the phone should say, or what a receipt says."""
    rows: tuple[tuple[str, str | None], ...] = ()
    if visit.state in _OUT:
        rows = ((label.row_amount, values["amount"]), (label.row_account, visit.account))
    elif visit.state in _PAID:
        rows = (
            (label.row_receipt, visit.receipt_number),
            (label.row_amount, values["received"]),
            (label.row_shop, visit.shop),
            (label.row_account, visit.account),
        )
    return tuple((name, value) for name, value in rows if value)


def _back(visit: Visit) -> str | None:
    """Where the shop wants its shopper after this; nowhere while paying is possible or an outcome is open."""
    if visit.state in _PAID:
        return success_link(visit)
    if visit.state in _OVER or (visit.state is PageState.PART_PAID and not visit.may_pay):
        return visit.cancel_url if visit.cancel_url and _is_web(visit.cancel_url) else None
    return None
