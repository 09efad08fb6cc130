"""Reading what M-Pesa writes, whatever its type or shape; and writing what M-Pesa takes."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.mpesa import wire
from ports.money import KES, Money


def kes(units: int) -> Money:
    return Money(units=units, asset=KES)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "0"),
        ("0", "0"),
        (" 0 ", "0"),
        (Decimal("0.0"), "0"),
        (1037, "1037"),
        ("SFC_IC0003", "SFC_IC0003"),
        (100000000, "100000000"),
        ("", None),
        (None, None),
        (True, None),
        ([0], None),
        (Decimal("0.5"), None),
        (Decimal("1E+999999"), None),
        ("9" * 65, None),
    ],
)
def test_codes_are_numbers_or_text(value: object, code: str | None) -> None:
    assert wire.code(value) == code


@pytest.mark.parametrize(("code", "yes"), [("0", True), ("00", True), ("00000000", True), ("1", False), (None, False)])
def test_acceptance_has_three_spellings(code: str | None, yes: bool) -> None:
    assert wire.is_accepted(code) is yes


@pytest.mark.parametrize(
    ("value", "money"),
    [
        (1, kes(100)),
        (Decimal("10.00"), kes(1000)),
        (Decimal("0.01"), kes(1)),
        (Decimal("8959269.60"), kes(895926960)),
        ("5.00", kes(500)),
        ("250000", kes(25_000_000)),
        (Decimal("1E+2"), kes(10_000)),
        (0, kes(0)),
        (Decimal("0.001"), None),
        (-1, None),
        ("-1", None),
        ("1,000.00", None),
        ("ten", None),
        ("", None),
        (None, None),
        (True, None),
        (Decimal("1E+99999999"), None),
        (Decimal("1E-99999999"), None),
        (10**4000, None),
    ],
)
def test_amounts_are_read_exactly_or_not_at_all(value: object, money: Money | None) -> None:
    assert wire.shillings(value) == money


@given(st.integers(min_value=0, max_value=10**11))
def test_every_amount_of_cents_survives_each_spelling(units: int) -> None:
    text = f"{units // 100}.{units % 100:02d}"
    body = wire.parsed(f'{{"number": {text}, "text": "{text}"}}'.encode())
    assert wire.shillings(body["number"]) == wire.shillings(body["text"]) == kes(units)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (20191219102115, datetime(2019, 12, 19, 7, 21, 15, tzinfo=UTC)),
        ("20191219102115", datetime(2019, 12, 19, 7, 21, 15, tzinfo=UTC)),
        ("06.07.2024 22:48:52", datetime(2024, 7, 6, 19, 48, 52, tzinfo=UTC)),
        ("2019-07-31 20:35:21", datetime(2019, 7, 31, 17, 35, 21, tzinfo=UTC)),
        ("2020-08-05T10:13:00Z", datetime(2020, 8, 5, 7, 13, tzinfo=UTC)),
        ("20191319102115", None),
        ("00010101000000", None),
        ("yesterday", None),
        (0, None),
        (None, None),
        (True, None),
    ],
)
def test_times_are_east_african(value: object, moment: datetime | None) -> None:
    assert wire.moment(value) == moment


def test_the_timestamp_is_east_african() -> None:
    assert wire.stamp(datetime(2021, 6, 28, 22, 24, 8, tzinfo=UTC)) == "20210629012408"


@pytest.mark.parametrize(
    ("value", "receipt"),
    [
        ("NLJ7RT61SV", "NLJ7RT61SV"),
        (" NLJ7RT61SV ", "NLJ7RT61SV"),
        ("OAK0000000", None),
        ("nlj7rt61sv", None),
        ("NLJ7RT61S", None),
        ("NLJ7RT61SVX", None),
        (1234567890, None),
        (None, None),
    ],
)
def test_receipts_are_ten_of_their_letters_and_no_filler(value: object, receipt: str | None) -> None:
    assert wire.receipt_number(value) == receipt


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (254708374149, "+2547•••••149"),
        ("254708374149", "+2547•••••149"),
        ("+254110000222", "+2541•••••222"),
        ("2547 ***** 126", "+2547•••••126"),
        ("2547*****126", "+2547•••••126"),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", None),
        ("", None),
        (None, None),
    ],
)
def test_a_payer_is_a_masked_hint(value: object, hint: str | None) -> None:
    assert wire.payer_hint(value) == hint


@pytest.mark.parametrize(
    ("number", "wire_number"),
    [
        ("+254708374149", 254708374149),
        ("254110374149", 254110374149),
        ("+254208374149", None),
        ("0708374149", None),
        ("+25470837414", None),
        ("+2547083741499", None),
        ("+255708374149", None),
        (None, None),
    ],
)
def test_numbers_are_kenyan_mobiles(number: str | None, wire_number: int | None) -> None:
    assert wire.phone_number(number) == wire_number


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Order 2041", "Order 2041"),
        ("Mama's & Co #1", "Mama s Co 1"),
        ("a very long description", "a very long d"),
        ("twelve chars !", "twelve chars"),
        ("@#&", "Payment"),
        ("", "Payment"),
        ("Ω\x00\n", "Payment"),
    ],
)
def test_text_has_their_letters_and_their_length(text: str, cleaned: str) -> None:
    assert wire.clean(text, least=1, most=13, otherwise="Payment") == cleaned


@given(st.text())
def test_any_text_is_made_fit(text: str) -> None:
    for least, most in ((1, 13), (2, 100)):
        cleaned = wire.clean(text, least=least, most=most, otherwise="Payout")
        assert least <= len(cleaned) <= most
        assert set(cleaned) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -_.")


def test_the_push_body_is_the_portals_sample() -> None:
    body = wire.push_body(
        shortcode="174379",
        party="174379",
        is_till=False,
        passkey="secret",
        timestamp="20210628092408",
        amount=10,
        payer=254708374149,
        reply_url="https://gw.example/cb/k/1",
        reference="INV-2041",
        text="Order",
    )
    assert b64decode(str(body.pop("Password"))) == b"174379secret20210628092408"
    assert body == {
        "BusinessShortCode": 174379,
        "Timestamp": "20210628092408",
        "TransactionType": "CustomerPayBillOnline",
        "Amount": 10,
        "PartyA": 254708374149,
        "PartyB": 174379,
        "PhoneNumber": 254708374149,
        "CallBackURL": "https://gw.example/cb/k/1",
        "AccountReference": "INV-2041",
        "TransactionDesc": "Order",
    }


@pytest.mark.parametrize(
    ("holder", "found"),
    [
        ({"Item": [{"Name": "A", "Value": 1}, {"Name": "B"}]}, (("A", 1), ("B", None))),
        ({"Item": {"Name": "A", "Value": 1}}, (("A", 1),)),
        ([{"Name": "A", "Value": 1}], (("A", 1),)),
        ({"Item": [{"Name": "A", "Value": 1}, {"Name": "A", "Value": 2}]}, (("A", 1), ("A", 2))),
        ({"Item": ["odd", None, {"Value": 1}, {"Name": 5}]}, ()),
        ({"Item": None}, ()),
        ({}, ()),
        ("odd", ()),
        (None, ()),
    ],
)
def test_pairs_come_as_a_list_or_alone_or_not_at_all(holder: object, found: object) -> None:
    assert wire.pairs(holder, "Item", "Name") == found


def test_values_that_differ_under_one_name_are_none() -> None:
    assert wire.the_one((("A", 1), ("B", 2), ("A", None)), "A") == 1
    assert wire.the_one((("A", 1), ("A", 2)), "A") is None
    assert wire.the_one((), "A") is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"half": ',
        b"\xff\xfe\xfd",
        b"<html>",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1e99999999999999999999}',
        b'{"a": "' + b"x" * 70_000 + b'"}',
    ],
)
def test_what_is_no_object_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own errors are of this kind too
        wire.parsed(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_value_error(body: bytes) -> None:
    try:
        assert isinstance(wire.parsed(body), dict)
    except ValueError:
        return
