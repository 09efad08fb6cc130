"""What the plugin offers, and that its papers say what its tables say."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

import plugins.mpesa
from plugins.mpesa import plugin
from plugins.mpesa.codes import PAYOUT_CODES, PUSH_CODES, STATUS_WORDS, Row, Verdict
from plugins.mpesa.payout import MpesaB2c
from plugins.mpesa.rail import MpesaPush
from ports.registration import LookUp, LookUpBy, Repeat
from ports.report import TryAgain
from tests.fakes.context import FakeWorld
from tests.plugins.mpesa.papers import channel_values, rail_values

README = Path(plugins.mpesa.__file__).with_name("README.md").read_text(encoding="utf-8")


def test_the_rail() -> None:
    offer, *_ = plugin.register_payment_rails()
    assert (offer.code, offer.method) == ("mpesa_push", "mpesa")
    assert isinstance(offer.build(rail_values("http://127.0.0.1:9"), FakeWorld().context), MpesaPush)
    said = offer.capabilities
    assert (said.amount_min, said.amount_max, said.amount_granularity) == (100, 25_000_000, 100)
    assert (said.repeat, said.look_up, said.look_up_by) == (Repeat.DOUBLES, LookUp.ANSWERS, LookUpBy.PROVIDER_REFERENCE)


def test_the_channel() -> None:
    offer, *_ = plugin.register_payout_channels()
    assert (offer.code, offer.method) == ("mpesa_b2c", "mpesa_phone")
    assert isinstance(offer.build(channel_values("http://127.0.0.1:9"), FakeWorld().context), MpesaB2c)
    said = offer.capabilities
    assert (said.amount_min, said.amount_max, said.amount_granularity) == (1000, 25_000_000, 100)
    assert (said.repeat, said.look_up, said.look_up_by) == (Repeat.REFUSED, LookUp.REPLIES, LookUpBy.OUR_REFERENCE)


def test_the_schemas_are_json_schemas_and_mark_their_secrets() -> None:
    for offer, values in (
        (plugin.register_payment_rails()[0], rail_values("http://127.0.0.1:9")),
        (plugin.register_payout_channels()[0], channel_values("http://127.0.0.1:9")),
    ):
        jsonschema.Draft202012Validator.check_schema(offer.config_schema)
        jsonschema.validate(values, offer.config_schema)
        fields = offer.config_schema["properties"]
        assert isinstance(fields, dict)
        secret = {name for name, rule in fields.items() if rule.get("secret")}
        assert secret == {"consumer_key", "consumer_secret", "passkey", "initiator_password"} & set(fields)


@pytest.mark.parametrize(
    ("heading", "table"),
    [("Push", PUSH_CODES), ("B2C", PAYOUT_CODES), ("Transaction Status", STATUS_WORDS)],
)
def test_the_readme_tells_every_code_as_the_table_has_it(heading: str, table: dict[str, Row]) -> None:
    section = README.split(f"### {heading} codes\n", 1)[1].split("\n#", 1)[0]
    told = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    assert told == [(code, row.meaning, row.verdict.value, next_step(row)) for code, row in table.items()]


def next_step(row: Row) -> str:
    """The last column: the kind of failure, and what the person may do."""
    if row.verdict is not Verdict.FAILED:
        return "–"
    again = f"after {row.after_s} s" if row.try_again is TryAgain.LATER else row.try_again.value.replace("_", " ")
    return f"`{row.kind.value}`, {again}"
