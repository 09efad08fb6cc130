"""The API guide and the operators' page, followed word by word: what they say is what happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.servers import free_port
from plugins.sandbox.world import running_sandbox
from tests.docs.papers import DOCS
from tests.docs.reader import Reader
from tests.servers import Database, Databases
from tests.stack import Stack, a_stack, environment_of

GUIDE, OPERATORS = DOCS / "api-guide.md", DOCS / "operators.md"


@pytest.fixture(scope="module")
def stack(databases: Databases, migrated: Database, valkey: Any, scratch: Path) -> Iterator[Stack]:
    """A gateway of its own: the guide moves the clock, and tells what a fresh sandbox holds."""
    with databases.fresh(migrated.name) as fresh, a_stack(fresh, valkey.url_for(2), scratch / "guide") as running:
        yield running
        running.check_books()


def test_i4_the_guide_leads_a_newcomer_to_a_paid_payment_a_verified_webhook_and_a_payout(
    stack: Stack, tmp_path: Path
) -> None:
    given = {
        "API": stack.url,
        "KEY": stack.shop.key,
        "PHONES": stack.mpesa.url,
        "HOOKS": f"http://127.0.0.1:{free_port(0)}/hooks",
    }
    began = time.monotonic()
    assert Reader(tmp_path, given=given).follow(GUIDE) > 20
    assert time.monotonic() - began < 300, "five minutes were promised"


def test_the_operators_page_leads_from_an_empty_database_to_a_live_business(
    empty_database: Database, redis_url: str, tmp_path: Path
) -> None:
    certificate = tmp_path / "certificate.pem"
    with running_sandbox(seed=1) as mpesa:
        certificate.write_text(mpesa.credentials["certificate_pem"])
    everything = environment_of(empty_database, redis_url, "https://pay.example.com")
    settings = {name: value for name, value in everything.items() if name.startswith("GATEWAY_")}
    settings["GATEWAY_ENVIRONMENT"] = "production"
    reader = Reader(tmp_path, given={"CERTIFICATE": str(certificate)}, settings=settings, database=empty_database)
    assert reader.follow(OPERATORS) > 8
