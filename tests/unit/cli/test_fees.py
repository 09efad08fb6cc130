"""Prices on the command line: set, versioned, listed; what can't be is refused with a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from gateway.adapters.cli.fees import fee
from gateway.application.interfaces import PriceListed
from gateway.domain.errors import Invalid
from gateway.domain.fees import Bearer, FeeSchedule, TaxRule

_NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class Desk:
    """Keeps what was set."""

    listed: list[PriceListed] = field(default_factory=list)

    @property
    def directory(self) -> Desk:
        return self

    def fee_schedules(self) -> list[PriceListed]:
        return self.listed

    def new_id(self) -> UUID:
        return UUID(int=len(self.listed) + 1)

    def set_fee(
        self, schedule: FeeSchedule, product: str, business_id: UUID | None, _: Any, *, since: datetime | None
    ) -> None:
        self.listed.append(
            PriceListed(schedule=schedule, product=product, business_id=business_id, effective_from=since or _NOW)
        )


def run(desk: Desk, *words: str) -> Result:
    cli = SimpleNamespace(gateway=lambda _: SimpleNamespace(desk=desk, directory=desk))
    return CliRunner().invoke(fee, words, obj=cli)


def set_(desk: Desk, *words: str) -> Result:
    return run(desk, "set", "collect", *words, "--reason", "a test")


def test_a_price_is_set_whole_and_counts_up() -> None:
    desk = Desk()
    words = ["--method", "mpesa", "--bps", "150", "--min", "500", "--cap", "9000", "--bearer", "split"]
    words += ["--customer-bps", "5000", "--tax", "VAT:1600", "--tax", "LEVY:150:on-top"]
    for version in (1, 2):
        done = set_(desk, *words, "--from", "2026-12-01T00:00:00+0300")
        assert done.exit_code == 0, done.output
        assert done.output.strip().endswith(f"@{version}")
    price = desk.listed[0]
    assert price.effective_from == datetime(2026, 11, 30, 21, tzinfo=UTC)
    assert (price.schedule.min_units, price.schedule.cap_units, price.schedule.bearer) == (500, 9_000, Bearer.SPLIT)
    assert price.schedule.taxes == (
        TaxRule(code="VAT", rate_bps=1_600),
        TaxRule(code="LEVY", rate_bps=150, inclusive=False),
    )
    shown = run(desk, "list").output.splitlines()
    assert len(shown) == 2
    assert "borne by split 5000" in shown[0]
    assert "VAT:1600 LEVY:150:on-top" in shown[0]
    assert set_(desk, "--bps", "100").output.strip().endswith("@1")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--bearer", "split"], "bearer_invalid"),
        (["--customer-bps", "100"], "bearer_invalid"),
        (["--flat", "-1"], "fee_invalid"),
        (["--bps", "10001"], "fee_invalid"),
        (["--min", "100", "--cap", "50"], "fee_invalid"),
        (["--tax", "VAT"], "tax_invalid"),
        (["--tax", "VAT:16%"], "tax_invalid"),
        (["--tax", "VAT:1600:above"], "tax_invalid"),
    ],
)
def test_what_can_not_be_a_price_is_refused(words: list[str], code: str) -> None:
    desk = Desk()
    refused = set_(desk, *words).exception
    assert isinstance(refused, Invalid)
    assert refused.code == code
    assert desk.listed == []
