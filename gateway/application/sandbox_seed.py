"""What a newcomer finds in the sandbox: one platform, one business with a key, and M-Pesa connected both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from gateway.application.interfaces import Directory
from gateway.application.operators import Act, OperatorDesk
from gateway.domain.businesses import ApiKey, Business
from gateway.domain.connections import Connection
from gateway.domain.fees import FeeSchedule

PLATFORM = "Sandbox"
BUSINESS = "Duka Sandbox"
SHOP_TAG = "DUKA"
#: What the owners put into the payout float, so that a first withdrawal works: KES 1,000,000.
FUNDING_UNITS = 100_000_000
ACT = Act(actor="sandbox", reason="seed of the sandbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One connection of the sandbox: its configuration is refreshed at every start.

    `shares_float_with` names the code of an earlier one that collects into the same account.
    """

    code: str
    title: str
    float_title: str = ""
    shares_float_with: str | None = None
    config: Mapping[str, object]
    funding_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSandbox:
    """Makes what is missing and leaves the rest; the key is derived by the caller, so it is the same at every start."""

    desk: OperatorDesk
    directory: Directory

    def __call__(self, secret_key: str, wanted: tuple[Wanted, ...]) -> tuple[Business, Mapping[str, UUID]]:
        """The business that the key belongs to, and its connections' ids by code."""
        business = self._business()
        self._key(business, secret_key)
        there = {c.code: c for c in self.directory.connections() if not c.livemode}
        for one in wanted:
            there[one.code] = self._connection(one, there)
        return business, {code: found.id for code, found in there.items()}

    def _business(self) -> Business:
        found = [b for b in self.directory.businesses() if b.name == BUSINESS]
        if found:
            return found[0]
        platform = self.desk.add_platform(PLATFORM, ACT)
        collect = FeeSchedule(id=self.desk.new_id(), version=1, bps=150, cap_units=100_000)
        payout = FeeSchedule(id=self.desk.new_id(), version=1, flat_units=3_000)
        self.desk.set_fee(collect, "collect", None, ACT)
        self.desk.set_fee(payout, "payout", None, ACT)
        return self.desk.add_business(platform.id, BUSINESS, SHOP_TAG, ACT, support_contact="0700 000 000")

    def _key(self, business: Business, secret_key: str) -> None:
        self.directory.add_key_once(
            ApiKey(
                id=self.desk.new_id(),
                platform_id=business.platform_id,
                business_id=business.id,
                livemode=False,
                created=self.desk.now(),
                name="sandbox",
                key_hash=sha256(secret_key.encode()).digest(),
                last4=secret_key[-4:],
            )
        )

    def _connection(self, wanted: Wanted, there: Mapping[str, Connection]) -> Connection:
        if found := there.get(wanted.code):
            self.directory.set_connection_config(found.id, wanted.config, now=self.desk.now())
            return found
        float_id = self._float(wanted, there)
        return self.desk.add_connection(wanted.code, wanted.title, float_id, wanted.config, livemode=False, act=ACT)

    def _float(self, wanted: Wanted, there: Mapping[str, Connection]) -> UUID:
        if wanted.shares_float_with is not None:
            return there[wanted.shares_float_with].float_id
        pocket = self.desk.add_float(wanted.float_title, livemode=False, act=ACT)
        if wanted.funding_units:
            self.desk.record_move(
                None, pocket.id, wanted.funding_units, livemode=False, act=ACT, ticket=f"funding-{pocket.id}"
            )
        return pocket.id
