"""What may be a webhook endpoint: its URL, its events, its secret."""

from __future__ import annotations

import base64

import pytest
from standardwebhooks import Webhook

from gateway.adapters.system import SystemChance
from gateway.application.webhooks import URL_LENGTH_MAX, check_url, checked_events, new_secret
from gateway.domain.errors import Invalid
from gateway.domain.webhooks import EVENT_TYPES

GOOD = (
    "https://shop.example/hooks",
    "https://shop.example:8443/hooks?shop=1&x=%20",
    "https://xn--maduka-9ya.example/",
    "https://8.8.8.8/hooks",
    "https://[2606:4700::1111]/hooks",
    "HTTPS://SHOP.EXAMPLE/Hooks",
)
BAD = (
    "",
    "shop.example/hooks",
    "/hooks",
    "https:///hooks",
    "https://",
    "http://shop.example/hooks",
    "ftp://shop.example/hooks",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://user:secret@shop.example/",
    "https://user@shop.example/",
    "https://shop.example:99999/",
    "https://shop.example:0/",
    "https://shop.example:port/",
    "https://shop.example/#fragment",
    "https://shop.example/a b",
    "https://shop.example/\r\nX: 1",
    "https://shop.example\\@evil.example/",
    "https://duka-čaj.example/",
    "https://[::1/",
    "https://10.0.0.1/hooks",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:8.8.8.8]/",
    "https://[64:ff9b::808:808]/",
    "https://127.0.0.1/hooks",
    "https://localhost/hooks",
    "https://localhost./hooks",
    "https://shop.localhost/hooks",
    "https://shop.example/" + "x" * URL_LENGTH_MAX,
)


@pytest.mark.parametrize("url", GOOD)
def test_public_https_urls_are_taken(url: str) -> None:
    check_url(url, allow_loopback=False)
    check_url(url, allow_loopback=True)


@pytest.mark.parametrize("url", BAD)
def test_all_else_is_refused_and_the_field_is_named(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_url(url, allow_loopback=False)
    assert (refused.value.code, refused.value.param) == ("url_invalid", "/url")
    assert "secret" not in refused.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/hooks",
        "http://localhost:8080/hooks",
        "https://localhost/",
        "http://[::1]:9/",
        "http://a.localhost/",
    ],
)
def test_a_development_setting_takes_this_machine_also_by_plain_http(url: str) -> None:
    check_url(url, allow_loopback=True)
    with pytest.raises(Invalid):
        check_url(url, allow_loopback=False)


@pytest.mark.parametrize("url", ["http://shop.example/", "http://10.0.0.1/", "https://10.0.0.1/", "http://8.8.8.8/"])
def test_a_development_setting_opens_nothing_else(url: str) -> None:
    with pytest.raises(Invalid):
        check_url(url, allow_loopback=True)


def test_events_are_types_families_or_all_each_once() -> None:
    assert checked_events(EVENT_TYPES) == EVENT_TYPES
    assert checked_events(("*",)) == ("*",)
    assert checked_events(("payout.*", "payment.succeeded", "payout.*")) == ("payout.*", "payment.succeeded")
    assert checked_events(("checkout.*", "checkout.session.*")) == ("checkout.*", "checkout.session.*")


@pytest.mark.parametrize(
    "word",
    [
        "",
        "payment",
        "payment.",
        "payment.*.x",
        "pay.*",
        ".*",
        "**",
        "payment.succeeded ",
        "PAYMENT.SUCCEEDED",
        "nothing.*",
    ],
)
def test_an_unknown_event_is_refused_by_its_place(word: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_events(("payment.succeeded", word))
    assert (refused.value.code, refused.value.param) == ("event_type_unknown", "/enabled_events/1")
    assert refused.value.extra["known"] == list(EVENT_TYPES)


def test_no_event_at_all_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        checked_events(())
    assert refused.value.param == "/enabled_events"


def test_a_secret_is_32_bytes_as_standard_webhooks_wants_it_and_never_the_same() -> None:
    secrets = {new_secret(SystemChance()) for _ in range(50)}
    assert len(secrets) == 50
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
        Webhook(secret)
