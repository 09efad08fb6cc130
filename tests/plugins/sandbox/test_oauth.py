"""Tokens: how they are given, how they die, and how each API says so."""

from __future__ import annotations

import pytest
import requests

from tests.plugins.sandbox.merchant import B2C, PUSH, QUERY, STATUS, Merchant


def test_a_token_lives_3599_seconds_said_as_text(merchant: Merchant) -> None:
    reply = merchant.oauth()
    assert reply.status_code == 200
    assert list(reply.json()) == ["access_token", "expires_in"]
    assert reply.json()["expires_in"] == "3599"
    assert len(reply.json()["access_token"]) == 28


def test_foreign_keys_get_400_with_an_empty_body(merchant: Merchant) -> None:
    for pair in ((merchant.keys["consumer_key"], "wrong"), ("nobody", merchant.keys["consumer_secret"])):
        reply = merchant.oauth(auth=pair)
        assert (reply.status_code, reply.content) == (400, b"")


def test_wrong_auth_type_and_grant_type_have_their_codes(merchant: Merchant) -> None:
    bearer = requests.get(
        merchant.sandbox.url + "/oauth/v1/generate?grant_type=client_credentials",
        headers={"Authorization": "Bearer x"},
        timeout=5,
    )
    grant = merchant.oauth(params={"grant_type": "password"})
    assert (bearer.status_code, bearer.json()["errorCode"]) == (400, "400.008.01")
    assert (grant.status_code, grant.json()["errorCode"]) == (400, "400.008.02")


def test_a_new_token_kills_the_old_one(merchant: Merchant) -> None:
    assert merchant.push().status_code == 200
    merchant.oauth()
    assert merchant.push().json()["errorCode"] == "404.001.03"


def test_a_token_dies_of_age_on_the_simulators_clock(merchant: Merchant) -> None:
    merchant.pushed()
    merchant.control.advance(3598)
    assert merchant.push().status_code == 200
    merchant.control.advance(1)
    assert merchant.push().json()["errorCode"] == "404.001.03"


@pytest.mark.parametrize(
    ("path", "status", "code", "text"),
    [
        (PUSH, 404, "404.001.03", "Invalid Access Token"),
        (QUERY, 400, "400.003.01", "Invalid Access Token"),
        (B2C, 401, "401.002.01", "Error Occurred - Invalid Access Token - "),
        (STATUS, 400, "400.003.01", "Invalid Access Token"),
    ],
)
def test_each_api_has_its_own_word_for_a_dead_token(
    merchant: Merchant, path: str, status: int, code: str, text: str
) -> None:
    merchant.token = "dead"
    reply = merchant.post(path, {})
    assert reply.status_code == status
    assert list(reply.json()) == ["requestId", "errorCode", "errorMessage"]
    assert reply.json()["errorCode"] == code
    assert reply.json()["errorMessage"].startswith(text)
    assert "dead" not in reply.text


def test_the_control_api_kills_tokens(merchant: Merchant) -> None:
    merchant.pushed()
    assert merchant.control.expire_token() == {"killed": 1}
    assert merchant.push().json()["errorCode"] == "404.001.03"


def test_no_header_wrong_method_and_unknown_path(merchant: Merchant) -> None:
    url = merchant.sandbox.url
    bare = requests.post(url + PUSH, json={}, timeout=5)
    assert (bare.status_code, bare.json()["errorCode"]) == (404, "404.001.04")
    got = requests.get(url + PUSH, timeout=5)
    assert (got.status_code, got.json()["errorCode"]) == (405, "405.001")
    got = requests.get(url + STATUS, timeout=5)
    assert (got.status_code, got.json()["errorCode"]) == (404, "404.001.04")
    lost = requests.post(url + "/mpesa/b2c/v9/paymentrequest", json={}, timeout=5)
    assert (lost.status_code, lost.json()["errorCode"]) == (404, "404.002.01")
