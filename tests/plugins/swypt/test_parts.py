"""Configuration, what may be kept of bodies, the escrow's bytes, the readers of shapes, and what the plugin offers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plugins.swypt
from gateway.adapters.plugin_checks import channel_faults, missing_protocols, rail_faults
from plugins.kit.http import Answer
from plugins.swypt import plugin, wire
from plugins.swypt.channel import SwyptOfframp
from plugins.swypt.config import channel_config, rail_config
from plugins.swypt.escrow import Withdrawal, call_data
from plugins.swypt.mapping import OFFRAMP_WORDS, ONRAMP_WORDS
from plugins.swypt.pinned import TOKENS
from plugins.swypt.rail import SwyptOnramp
from plugins.swypt.redact import redacted
from ports.abilities import Delivers, FindsLost, History, PlansFunding, Quotes, Tickets
from ports.context import Environment
from ports.errors import Misconfigured
from ports.payout_channel import DestinationKind, PaysFrom
from ports.registration import CallbackScope, LookUpBy, Repeat
from tests.fakes.context import FakeWorld
from tests.plugins.swypt import papers
from tests.plugins.swypt.papers import channel_values, rail_values

README = Path(plugins.swypt.__file__).with_name("README.md").read_text(encoding="utf-8")
URL = "http://127.0.0.1:9"


def live(**values: str) -> dict[str, str]:
    found = rail_values(URL) | values
    del found["base_url"]
    return found


class TestOffer:
    """What is offered."""

    def test_the_rail(self) -> None:
        (offer,) = plugin.register_payment_rails()
        assert (offer.code, offer.method) == ("swypt_onramp", "mpesa")
        said = offer.capabilities
        assert (said.repeat, said.callback, said.look_up_by) == (
            Repeat.DOUBLES,
            CallbackScope.NONE,
            LookUpBy.PROVIDER_REFERENCE,
        )
        assert said.amount_granularity == 100
        line = offer.build(rail_values(URL), FakeWorld().context)
        assert isinstance(line, SwyptOnramp)
        assert all(isinstance(line, ability) for ability in (Delivers, History, Quotes, FindsLost, Tickets))
        assert rail_faults(offer) == []
        assert missing_protocols(line, said) == []

    def test_the_channel(self) -> None:
        (offer,) = plugin.register_payout_channels()
        assert (offer.code, offer.method) == ("swypt_offramp", "mpesa_phone")
        line = offer.build(channel_values(URL), FakeWorld().context)
        assert isinstance(line, SwyptOfframp)
        assert all(isinstance(line, ability) for ability in (Quotes, PlansFunding, Tickets))
        assert channel_faults(offer) == []
        said = offer.capabilities
        assert said.repeat is Repeat.SAFE
        assert getattr(said, "pays_from", None) is PaysFrom.CHAIN
        assert getattr(said, "destinations", None) == (DestinationKind.MPESA_PHONE,)

    def test_the_schemas_are_json_schemas_and_mark_their_secrets(self) -> None:
        for offer, values in (
            (plugin.register_payment_rails()[0], rail_values(URL)),
            (plugin.register_payout_channels()[0], channel_values(URL)),
        ):
            jsonschema.Draft202012Validator.check_schema(offer.config_schema)
            jsonschema.validate(values, offer.config_schema)
            rules = offer.config_schema["properties"]
            assert isinstance(rules, dict)
            assert {name for name, rule in rules.items() if rule.get("secret")} == {"api_key", "api_secret"}
            assert all(f"`{name}`" in README for name in rules)

    def test_the_readme_tells_every_word(self) -> None:
        for heading, words in (("On-ramp", ONRAMP_WORDS), ("Off-ramp", OFFRAMP_WORDS)):
            section = README.split(f"### {heading} words\n", 1)[1].split("\n#", 1)[0]
            told = dict(re.findall(r"^\| `([^`]+)` \| (\w+) \|", section, re.MULTILINE))
            assert told == {word: status.value for word, status in words.items()}

    def test_no_library_of_the_chain_comes_with_the_plugin(self) -> None:
        code = "import sys, plugins.swypt.plugin as p; print([m for m in sys.modules if m[:4] in ('web3', 'eth_')])"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == "[]"


class TestConfig:
    """One connection's configuration."""

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"api_key": ""}, "/api_key"),
            ({"api_secret": "with space"}, "/api_secret"),
            ({"profile": "v0"}, "/profile"),
            ({"network": "lisk"}, "/network"),
            ({"asset": "USDT"}, "/asset"),
            ({"asset": "USDT.base"}, "/asset"),
            ({"token_address": "0x12"}, "/token_address"),
            ({"token_decimals": "19"}, "/token_decimals"),
            ({"wallet_address": papers.WALLET[:-1]}, "/wallet_address"),
            ({"amount_min": "9", "amount_max": "8"}, "/amount_min"),
            ({"amount_max": "0"}, "/amount_max"),
            ({"fee_on_top": "maybe"}, "/fee_on_top"),
            ({"base_url": "https://pool.swypt.io/api"}, "/base_url"),
            ({"base_url": "ftp://x"}, "/base_url"),
            ({"nonsense": "1"}, "/nonsense"),
        ],
    )
    def test_a_wrong_field_is_named_and_never_quoted(self, change: dict[str, str], field: str) -> None:
        with pytest.raises(Misconfigured, match=re.escape(field)) as wrong:
            rail_config(rail_values(URL) | change, Environment.SANDBOX)
        assert "c3c3" not in str(wrong.value)

    def test_a_test_connection_names_its_simulator(self) -> None:
        with pytest.raises(Misconfigured, match="/base_url"):
            rail_config(live(), Environment.SANDBOX)

    def test_a_live_connection_reaches_swypt_alone(self) -> None:
        assert rail_config(live(), Environment.LIVE).account.base_url == "https://pool.swypt.io/api"
        with pytest.raises(Misconfigured, match="/base_url"):
            rail_config(rail_values(URL), Environment.LIVE)

    @pytest.mark.parametrize(
        "change",
        [
            {"token_address": "0x" + "66" * 20},
            {"token_decimals": "18"},
            {"asset": "DAI.celo"},
            {"network": "base", "asset": "USDT.base"},
        ],
    )
    def test_real_money_moves_in_known_tokens_alone(self, change: dict[str, str]) -> None:
        with pytest.raises(Misconfigured):
            rail_config(live(**change), Environment.LIVE)

    def test_a_symbol_may_differ_from_our_code(self) -> None:
        pinned = TOKENS["celo", "CKES"]
        values = live(asset="KESm.celo", symbol="cKES", token_address=pinned.address, token_decimals="18")
        token = rail_config(values, Environment.LIVE).token
        assert (token.symbol, token.asset.code) == ("cKES", "KESm.celo")

    def test_no_secret_shows(self) -> None:
        config = channel_config(channel_values(URL), Environment.SANDBOX)
        line = SwyptOfframp.build(channel_values(URL), FakeWorld().context)
        assert "c3c3" not in repr(config)
        assert "5a5a" not in repr(config)
        assert "c3c3" not in repr(line)

    def test_an_unknown_escrow_is_a_warning_for_real_money(self) -> None:
        values = channel_values(URL) | {"escrow_address": "0x" + "66" * 20}
        del values["base_url"]
        world = FakeWorld(environment=Environment.LIVE)
        line = SwyptOfframp.build(values, world.context)
        from plugins.swypt.listed import check_escrow

        (finding,) = check_escrow("celo", line.config.escrow, is_live=True)
        assert finding.state.value == "warning"
        assert check_escrow("celo", papers.ESCROW.lower(), is_live=True)[0].state.value == "ok"


class TestEscrow:
    """The call's bytes, by hand."""

    WITHDRAWAL = Withdrawal(token="0x" + "ab" * 20, amount=1_000_000, fee=7_725, rate=Decimal("129.45"))

    @pytest.mark.parametrize(
        ("variant", "selector", "numbers"),
        [
            ("A", "5727612d", (1_000_000, 129_450_000, 7_725)),
            ("B", "e198e9f8", (1_000_000,)),
            ("C", "68dbfe8e", (1_000_000, 7_725)),
        ],
    )
    def test_each_form(self, variant: str, selector: str, numbers: tuple[int, ...]) -> None:
        token = "00" * 12 + "ab" * 20
        assert call_data(variant, self.WITHDRAWAL).hex() == selector + token + "".join(f"{n:064x}" for n in numbers)

    @pytest.mark.parametrize(
        ("variant", "signature"),
        [
            ("A", "withdrawToEscrow(address,uint256,uint256,uint256)"),
            ("B", "withdrawToEscrow(address,uint256)"),
            ("C", "withdrawToEscrow(address,uint256,uint256)"),
        ],
    )
    def test_selectors_are_those_of_the_signatures(self, variant: str, signature: str) -> None:
        from eth_utils.crypto import keccak

        assert call_data(variant, self.WITHDRAWAL)[:4] == keccak(text=signature)[:4]


class TestRedact:
    """Nothing secret or personal is kept."""

    @pytest.mark.parametrize(
        "body", [value for value in vars(papers).values() if isinstance(value, dict) and "__name__" not in value]
    )
    def test_no_number_or_name_of_a_person_is_left(self, body: papers.Body) -> None:
        kept = redacted(json.dumps(body).encode()).decode()
        assert "700000001" not in kept
        assert "Full Name" not in kept
        json.loads(kept)

    def test_shape_and_words_are_left(self) -> None:
        kept = json.loads(redacted(json.dumps(papers.PENDING).encode()))
        assert kept["data"]["status"] == "PENDING"
        assert kept["data"]["orderID"] == "D-roug7-UT"
        assert kept["data"]["details"]["mpesaReceipt"] == "ws_CO_15022025083848183…"

    def test_hashes_and_addresses_are_left(self) -> None:
        kept = json.loads(redacted(json.dumps(papers.DEPOSITED | {"tokenAddress": papers.TOKEN}).encode()))
        assert (kept["hash"], kept["tokenAddress"]) == (papers.TX, papers.TOKEN)

    def test_what_is_no_object_is_a_length(self) -> None:
        assert redacted(b"254700000001") == b"<12 bytes that are no JSON object>"

    def test_keys_are_gone(self) -> None:
        assert b"c3c3" not in redacted(b'{"x-api-secret": "c3c3", "apiKey": "c3c3"}')


class TestWire:
    """Readers that take every shape and break at none."""

    @pytest.mark.parametrize(
        ("status", "body", "ok"),
        [
            (200, {"status": "success", "data": {}}, True),
            (200, {"status": " Success "}, True),
            (201, {"status": 200, "hash": "0x"}, True),
            (200, {"status": "200"}, True),
            (200, {"statusCode": 200, "data": {}}, True),
            (200, {"statusCode": "200", "data": {}}, True),
            (200, {"networks": []}, True),
            (200, {"status": "error", "message": "x"}, False),
            (200, {"status": "ERROR "}, False),
            (200, {"status": 500}, False),
            (200, {"statusCode": 400, "message": "x", "error": "y"}, False),
            (200, {"error": "Internal server error"}, False),
            (404, {"message": "x"}, False),
            (500, {"status": "error"}, False),
            (500, {"status": "success"}, None),
            (404, {"statusCode": 200}, None),
        ],
    )
    def test_envelopes(self, status: int, body: papers.Body, ok: bool | None) -> None:
        assert wire.opened(Answer(status=status, body=json.dumps(body).encode())).ok is ok

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"nul", b'"x"', b"{" * 100_000, b'{"a": 1e999999999}x'])
    def test_what_is_no_object_is_unclear(self, body: bytes) -> None:
        assert wire.opened(Answer(status=200, body=body)).ok is None

    def test_a_body_that_was_cut_is_unclear(self) -> None:
        assert wire.opened(Answer(status=200, body=b'{"status":"success"}', cut=True)).ok is None

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("0.7738740133106331", Decimal("0.7738740133106331")),
            (129, Decimal(129)),
            ("25.8900", Decimal("25.89")),
            (" 1 ", Decimal(1)),
            (True, None),
            (None, None),
            ("", None),
            ("1,5", None),
            ("NaN", None),
            ("Infinity", None),
            ("1e400000000", None),
            ("9" * 100, None),
            ("1e-400000000", None),
            ("0e-400000000", Decimal(0)),
        ],
    )
    def test_numbers(self, value: object, found: Decimal | None) -> None:
        assert wire.decimal(value) == found

    @pytest.mark.parametrize(
        ("value", "hour"),
        [
            ("2025-02-15T08:33:38.000Z", 8),
            (1739597355087, 5),
            ("1739597355087", 5),
            ("20250215083338", 8),
            (20250215083338, 8),
            ("yesterday", None),
            (None, None),
            (10**19, None),
            ("99999999999999", None),
        ],
    )
    def test_times(self, value: object, hour: int | None) -> None:
        found = wire.printed_time(value)
        assert (found.hour if found else None) == hour

    WORDS = st.text("aeTZ019.-+ x€", max_size=30)
    LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
    JSON = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(WORDS, LEAVES, max_size=3)
    NAMES = st.sampled_from(
        ["status", "statusCode", "data", "details", "orderID", "message", "error", "mpesaReceipt", "hash", "isSent"]
    )

    @given(st.dictionaries(NAMES, JSON, max_size=6), st.integers(200, 599))
    def test_no_shape_breaks_a_reader(self, body: papers.Body, status: int) -> None:
        from plugins.swypt.orders import read_order, read_row

        envelope = wire.opened(Answer(status=status, body=json.dumps(body).encode()))
        order, row = read_order(envelope.data), read_row(envelope.data)
        assert len(fields(order)) == 10
        assert row.is_sent in (True, False, None)
        assert redacted(json.dumps(body).encode())
