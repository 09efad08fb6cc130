"""Logs: secrets, phone numbers and capability URLs are planted in every place, and none comes out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from gateway.adapters.logs import GONE, scrub, set_up

KEY = "sk_live_" + "Q7x9" * 10
HOOK = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=="
HEX = "0123456789abcdef" * 2
CHECKOUT_ID = "ws_CO_24112026054500712345678"
PLANTED = (
    (KEY, KEY),
    (f"Authorization: Bearer {KEY}", KEY),
    ("authorization=Bearer eyJhbGciOi.tok-en", "eyJhbGciOi.tok-en"),
    ("Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA=="),
    (f"signing with {HOOK}", HOOK),
    (f"GET /c/{HEX}?lang=sw", HEX),
    ("GET /c/short-Secret_1 HTTP/1.1", "short-Secret_1"),
    (f"POST /in/0a1b2c3d/{HEX}", HEX),
    (f"POST https://pay.example/in/0A1B2C3D/{HEX.upper()}", HEX.upper()),
    (f"secret {HEX} was wrong", HEX),
    (f"query of {CHECKOUT_ID} failed", "712345678"),
    ("postgresql+psycopg://gateway_app:s3cr3t@127.0.0.1:5432/gateway", "s3cr3t"),
    ("redis://:s3cr3t@127.0.0.1:6379/0", "s3cr3t"),
    *[
        (f"prompt to {phone} sent", phone)
        for phone in (
            "+254712345678",
            "254712345678",
            "0712345678",
            "0712 345 678",
            "0712-345-678",
            "+254 712 345 678",
            "+254-712-345678",
            "712345678",
            "0112345678",
            "(0712) 345678",
        )
    ],
    ('{"PhoneNumber":254712345678}', "254712345678"),
    ("phone=0712345678,amount=100", "0712345678"),
)


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """The stream that a set-up process logs to; what was before comes back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up("debug", stream=stream)
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(("text", "secret"), PLANTED)
def test_no_planted_secret_comes_out(out: io.StringIO, text: str, secret: str) -> None:
    log = structlog.get_logger()
    log.info(text, note=text, nested={"deep": [text, {"deeper": (text,)}]}, raw=text.encode(), **{"odd name": text})
    log.bind(bound=text).warning("bound")
    structlog.contextvars.bind_contextvars(context=text)
    log.info("in context")
    logging.getLogger("sqlalchemy").warning("from elsewhere: %s", text)
    try:
        raise ValueError(text)
    except ValueError as error:
        log.error("broke", exc_info=error)
        logging.getLogger("rq").exception("broke elsewhere")
    lines = out.getvalue().splitlines()
    assert len(lines) == 6
    for line in lines:
        assert secret not in line
        assert isinstance(json.loads(line), dict)
    assert GONE in out.getvalue()


def test_loggers_with_handlers_of_their_own_pass_the_redaction_too() -> None:
    stream, logger = io.StringIO(), logging.getLogger("gunicorn.error.tests")
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.propagate = False
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    set_up("info", stream=io.StringIO())
    logger.warning("Invalid HTTP request line: 'GET /c/%s'", HEX)
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
    logger.removeHandler(handler)
    line = json.loads(stream.getvalue())
    assert line["event"] == f"Invalid HTTP request line: 'GET /c/{GONE}'"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "authorization", "api_key", "apikey", "password", "passkey", "consumer_secret", "secret",
        "SecurityCredential", "access_token", "token", "Cookie", "phone", "PhoneNumber", "phone_number", "msisdn",
        "PartyA", "PartyB", "CheckoutRequestID", "checkout_request_id", "MerchantRequestID", "master_key", "pin",
        "webhook-signature",
    ],
)  # fmt: skip
def test_values_under_telling_names_never_come_out(out: io.StringIO, name: str) -> None:
    structlog.get_logger().info("x", **{name: "harmless-looking"}, inner={name: ["harmless-looking"], "n": {name: 712}})
    line = json.loads(out.getvalue())
    assert (line[name], line["inner"]) == (GONE, {name: GONE, "n": {name: GONE}})


def test_numbers_of_phones_are_found_as_numbers(out: io.StringIO) -> None:
    structlog.get_logger().info("x", value=254712345678, amount=150000, big=10**30)
    line = json.loads(out.getvalue())
    assert (line["value"], line["amount"], line["big"]) == (GONE, 150000, 10**30)


@pytest.mark.parametrize(
    "text",
    [
        "payment pay_01M863VBVJEERSD5SKCD31YN3S is succeeded",
        "018f3f2e-1111-7222-8333-444455556666",
        "2026-11-24T05:45:00.123456Z",
        "/v1/payments/<payment_id>/confirm",
        "KES 1,500.00 of 150000",
        "+2547•••••126",
        "gateway.web",
        "127.0.0.1:54321",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrub(text) == text


def test_a_line_is_one_json_object_with_time_and_level(out: io.StringIO) -> None:
    structlog.get_logger().info("hello\nworld", n=1)
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["n"]) == ("hello\nworld", "info", 1)
    assert line["at"].endswith("Z")
    assert out.getvalue().count("\n") == 1


def test_the_level_is_kept() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    set_up("warning", stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()
