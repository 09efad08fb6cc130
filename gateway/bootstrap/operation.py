"""The operator's day, joined: checks of connections, balances, windows, halts, own transfers, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from uuid import UUID

from sqlalchemy import Engine

from gateway.adapters.lines import Lines
from gateway.adapters.persistence.clock import UnitClock
from gateway.adapters.persistence.floats import SqlFloatsDirectory
from gateway.adapters.persistence.tending import SqlTending
from gateway.adapters.system import SystemChance, SystemClock
from gateway.application.connection_checks import CheckConnection, House, WatchConnection
from gateway.application.connection_settings import ConfigureConnection
from gateway.application.float_balances import AskBalance, abilities_of
from gateway.application.interfaces import Call, Insist, OpenUnit
from gateway.application.jobs import Chore
from gateway.application.operators import OperatorDesk
from gateway.application.own_transfers import MoveOwn, ResolveOwn
from gateway.application.own_transfers_reports import RecordOwnReport
from gateway.application.own_transfers_sending import LookUpOwn, SubmitOwn
from gateway.application.replies import Replying
from gateway.application.windows import OperateWindows
from gateway.domain.connections import Connection
from gateway.domain.errors import Invalid, NotFound
from gateway.settings import FORBIDDEN_IN_URL, Settings
from ports.abilities import Ability
from ports.context import Context
from ports.errors import Misconfigured


@dataclass(frozen=True, kw_only=True)
class Operating:
    """One process's share of it, built as it is asked for."""

    settings: Settings
    engine: Engine
    unit: OpenUnit
    lines: Lines
    replying: Replying
    desk: OperatorDesk
    lend: Callable[[Connection], Context]
    clock: UnitClock
    insist: Insist

    @cached_property
    def floats(self) -> SqlFloatsDirectory:
        """The operator's door to floats."""
        return SqlFloatsDirectory(engine=self.engine)

    @cached_property
    def tending(self) -> SqlTending:
        """Chores and metrics, past the policies."""
        return SqlTending(engine=self.engine, clock=self.clock)

    @cached_property
    def check(self) -> CheckConnection:
        """Looks at a connection from all sides."""
        house = House(
            public_url=self.settings.public_url,
            is_production=self.settings.is_production,
            trusted_proxies=self.settings.trusted_proxies,
            forbidden_words=FORBIDDEN_IN_URL,
        )
        return CheckConnection(unit=self.unit, providers=self.lines, house=house, system=SystemClock())

    @cached_property
    def windows(self) -> OperateWindows:
        """Windows, lists of callers, pockets, halts."""
        return OperateWindows(unit=self.unit, floats=self.floats, desk=self.desk, chance=SystemChance())

    @cached_property
    def configure(self) -> ConfigureConnection:
        """Shows and changes configurations."""
        return ConfigureConnection(
            unit=self.unit, desk=self.desk, schema_of=self._schema_of, trial=self._trial, now=SystemClock()
        )

    @cached_property
    def move_own(self) -> MoveOwn:
        """Orders moves of our own money."""
        return MoveOwn(unit=self.unit, providers=self.lines, floats=self.floats, desk=self.desk)

    @cached_property
    def resolve_own(self) -> ResolveOwn:
        """A person's word on them."""
        return ResolveOwn(unit=self.unit, floats=self.floats, desk=self.desk)

    @cached_property
    def handlers(self) -> Mapping[str, Callable[[UUID, Call], datetime | None]]:
        """Its due work by kind."""
        unit, lines, replying = self.unit, self.lines, self.replying
        record = RecordOwnReport(providers=lines)
        return {
            "connection.balance": AskBalance(unit=unit, providers=lines, replying=replying),
            "connection.check": WatchConnection(unit=unit, check=self.check),
            "own.submit": SubmitOwn(unit=unit, providers=lines, replying=replying, record=record, insist=self.insist),
            "own.look_up": LookUpOwn(unit=unit, providers=lines, replying=replying, record=record),
        }

    @cached_property
    def chores(self) -> tuple[Chore, ...]:
        """What the relay does of it."""
        codes = self._codes()
        telling = [code for code in codes if Ability.BALANCE in abilities_of(self.lines, code)]
        promise = self.tending.promise
        return (
            Chore(name="balances", every_s=60.0, do=partial(promise, "connection.balance", telling)),
            Chore(name="checks", every_s=60.0, do=partial(promise, "connection.check", codes)),
            Chore(name="floats", every_s=60.0, do=self.tending.watch_floats),
            Chore(name="tally", every_s=15.0, do=self.tending.tally),
        )

    def _codes(self) -> Sequence[str]:
        return [*self.lines.rails, *self.lines.channels]

    def _schema_of(self, code: str) -> Mapping[str, object]:
        offer = self.lines.rails.get(code) or self.lines.channels.get(code)
        if offer is None:
            raise NotFound(f"no enabled plugin offers {code!r}")
        return offer.config_schema

    def _trial(self, connection: Connection, config: Mapping[str, object]) -> None:
        offer = self.lines.rails.get(connection.code) or self.lines.channels.get(connection.code)
        if offer is None:
            raise NotFound(f"no enabled plugin offers {connection.code!r}")
        try:
            offer.build(config, self.lend(connection))
        except Misconfigured as wrong:
            raise Invalid(str(wrong), code="configuration_invalid", param="/config") from wrong
