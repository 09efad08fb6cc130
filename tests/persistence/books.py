"""The ledger's tests: the books as each role opens them, and journals in few words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from sqlalchemy import Engine, text
from uuid_utils.compat import uuid7

from gateway.adapters.persistence.engines import open_engine
from gateway.adapters.persistence.ledger import SqlLedger
from gateway.application.ledger import Finding, Verdict
from gateway.domain.ledger import Account, Journal, Kind, Leg, float_
from gateway.domain.ledger import bucket as bucket_of
from ports.money import KES, Asset
from tests.servers import Database

NOON = datetime(2026, 11, 24, 9, tzinfo=UTC)
ASSETS = (Asset(code="JPY", scale=0), KES, Asset(code="USDC.celo", scale=6), Asset(code="CELO", scale=18))
new_id: Callable[[], UUID] = uuid7
T = TypeVar("T")

#: (debit, credit, units)
Line = tuple[Account, Account, int]


@dataclass
class Books:
    """One database's ledger; `engine(role)` and `of(role)` open it as a role."""

    database: Database
    engines: dict[str, Engine] = field(default_factory=dict)

    def engine(self, role: str) -> Engine:
        if role not in self.engines:
            self.engines[role] = open_engine(self.database.url(role), threads=32, lock_timeout_ms=20_000)
        return self.engines[role]

    def of(self, role: str = "app") -> SqlLedger:
        return SqlLedger(engine=self.engine(role), new_id=new_id)

    def close(self) -> None:
        for engine in self.engines.values():
            engine.dispose()

    def owner(self) -> psycopg.Connection[Any]:
        """A session of the superuser, each statement for itself."""
        return psycopg.connect(self.database.plain_url("owner"), autocommit=True)

    def role(self, role: str) -> psycopg.Connection[Any]:
        """A bare session of a role, each statement for itself."""
        return psycopg.connect(self.database.plain_url(role), autocommit=True)

    def know_assets(self) -> None:
        with self.owner() as conn:
            for asset in ASSETS:
                conn.execute(
                    "INSERT INTO ledger.asset VALUES (%s, %s) ON CONFLICT DO NOTHING", (asset.code, asset.scale)
                )

    def holds(self, account: Account, *, livemode: bool = True) -> int:
        """Credits less debits; 0 for an account that nobody has opened."""
        sql = text(
            "SELECT balance FROM ledger.trial_balance WHERE path = :path AND asset = :asset AND livemode = :mode"
        )
        with self.engine("operator").connect() as conn:
            values = {"path": account.path, "asset": account.asset.code, "mode": livemode}
            return int(conn.execute(sql, values).scalar_one_or_none() or 0)

    def count(self, table: str) -> int:
        with self.engine("operator").connect() as conn:
            return int(conn.execute(text(f"SELECT count(*) FROM ledger.{table}")).scalar_one())

    def findings(self) -> dict[str, Finding]:
        return {finding.name: finding for finding in self.of("operator").check()}

    def proved(self, *, but: str = "") -> bool:
        """Every invariant holds; the failures are shown otherwise. `but`: one that the test breaks on purpose."""
        found = [finding for finding in self.of("operator").check() if finding.name != but]
        broken = [finding for finding in found if finding.verdict is Verdict.FAIL]
        assert not broken, "\n".join(f"{finding.name}: {finding.evidence}" for finding in broken)
        return True


@dataclass(frozen=True)
class Trader:
    """A business with money in and out of one float."""

    business_id: UUID = field(default_factory=new_id)
    float_id: UUID = field(default_factory=new_id)

    def bucket(self, name: str, asset: Asset = KES) -> Account:
        return bucket_of(self.business_id, name, asset)

    @property
    def float(self) -> Account:
        return float_(self.float_id)

    def journal(self, *lines: Line, key: str | None = None, livemode: bool = True, **changes: Any) -> Journal:
        """A journal of these lines under a key of its own."""
        values: dict[str, Any] = {"kind": Kind.RECEIPT_BOOKED, "business_id": self.business_id, "effective_at": NOON}
        return Journal(
            key=key or f"test:{new_id()}",
            livemode=livemode,
            legs=tuple(Leg(debit=debit, credit=credit, units=units) for debit, credit, units in lines),
            **{**values, **changes},
        )

    def pay_in(self, units: int, **changes: Any) -> Journal:
        return self.journal((self.float, self.bucket("available"), units), **changes)

    def reserve(self, units: int, **changes: Any) -> Journal:
        wanted = {"kind": Kind.PAYOUT_ACCEPTED, "key": f"payout:{new_id()}:accept", **changes}
        return self.journal((self.bucket("available"), self.bucket("reserved"), units), **wanted)

    def outcome(self, accepted: Journal, *, paid: bool) -> Journal:
        """How a payout ended: one key for both ways."""
        target = self.float if paid else self.bucket("available")
        key = accepted.key.removesuffix("accept") + "outcome"
        line = (self.bucket("reserved"), target, accepted.legs[0].units)
        return self.journal(line, key=key, kind=Kind.PAYOUT_OUTCOME, livemode=accepted.livemode)


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run all of them at the same time; what each gave or raised, in their order."""

    def caught(act: Callable[[], T]) -> T | Exception:
        try:
            return act()
        except Exception as error:
            return error

    with ThreadPoolExecutor(max_workers=len(acts)) as pool:
        return list(pool.map(caught, acts))
