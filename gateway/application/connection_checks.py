"""What a connection is checked for: by its adapter, by our own set-up, and before real money goes over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from gateway.application.float_balances import abilities_of, line_of
from gateway.application.interfaces import Call, OpenUnit, Providers, UnitOfWork
from gateway.application.money_in import house
from gateway.domain.connections import Connection, ConnectionState
from gateway.domain.errors import NotFound
from gateway.domain.maintenance import Listed
from ports.abilities import Ability, ChecksItself, FindingState, SelfFinding
from ports.errors import Misconfigured

EVERY = timedelta(days=1)
#: Seconds by which our clock may differ from the database's before somebody should look, and before it is wrong.
CLOCK_WARNING_S, CLOCK_WRONG_S = 2, 30
#: Outcomes of calls after which nothing was learnt, or nothing was sent.
_FAILED = frozenset({"NotSent", "OutcomeUnknown", "Misconfigured", "fault"})


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the installation says of itself: its public URL, whether real money runs here, the proxies it believes."""

    public_url: str
    is_production: bool
    trusted_proxies: int
    forbidden_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A connection and what was found, worst first within its order."""

    connection: Connection
    findings: tuple[SelfFinding, ...]

    @property
    def is_wrong(self) -> bool:
        """Whether anything must be repaired."""
        return any(f.state is FindingState.WRONG for f in self.findings)


def ok(name: str, words: str) -> SelfFinding:
    """All is well."""
    return SelfFinding(name=name, state=FindingState.OK, words=words)


def warning(name: str, words: str) -> SelfFinding:
    """Somebody should look."""
    return SelfFinding(name=name, state=FindingState.WARNING, words=words)


def wrong(name: str, words: str) -> SelfFinding:
    """It doesn't work so."""
    return SelfFinding(name=name, state=FindingState.WRONG, words=words)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConnection:
    """Look at one connection from all sides. Nobody is called: what the provider thinks is told by the last calls."""

    unit: OpenUnit
    providers: Providers
    house: House
    system: Callable[[], datetime]

    def __call__(self, connection_id: UUID, *, livemode: bool, go_live: bool = False) -> Checked:
        """What was found; with `go_live` also what must be done before real money. Raises NotFound."""
        with self.unit(house(livemode), read_only=True) as work:
            connection = work.connections.get(connection_id)
            facts = work.floats.facts(connection_id, work.now)
            now = work.now
        found = [*self._adapter(connection, now), *self._ours(connection, facts, now)]
        if go_live:
            found += self._before_money(connection, facts)
        return Checked(connection=connection, findings=tuple(found))

    def _adapter(self, connection: Connection, now: datetime) -> Iterator[SelfFinding]:
        """What the adapter knows of itself; that it can be built is the first thing."""
        try:
            abilities = abilities_of(self.providers, connection.code)
            line = line_of(self.providers, connection)
        except NotFound as missing:
            yield wrong("plugin", missing.detail)
            return
        except Misconfigured as bad:
            yield wrong("configuration", str(bad))
            return
        yield ok("configuration", "complete; the adapter can be built")
        if Ability.SELF_CHECK in abilities and isinstance(line, ChecksItself):
            yield from line.self_check(now)

    def _ours(self, connection: Connection, facts: Mapping[str, Any], now: datetime) -> Iterator[SelfFinding]:
        yield from self._url()
        yield from self._state(connection, facts, now)
        yield from self._addresses(connection, facts)
        yield from self._money(connection, facts, now)
        yield _clock(self.system(), datetime.fromisoformat(facts["clock"]))
        yield from _calls(facts["calls"], now)

    def _url(self) -> Iterator[SelfFinding]:
        url = self.house.public_url
        bad = [word for word in self.house.forbidden_words if word in url.lower()]
        if bad:
            yield wrong("public URL", f"holds {bad[0]!r}, which a provider refuses in callback URLs")
        elif urlsplit(url).scheme != "https":
            yield warning("public URL", f"{url} is not https: providers call back over https alone in production")
        else:
            yield ok("public URL", url)

    def _state(self, connection: Connection, facts: Mapping[str, Any], now: datetime) -> Iterator[SelfFinding]:
        if connection.state is ConnectionState.PAUSED:
            yield wrong("state", f"paused: {connection.paused_for}")
        elif (until := connection.operation.closed_until(now)) is not None:
            yield warning("state", f"in maintenance until {until:%Y-%m-%d %H:%M} UTC")
        else:
            yield ok("state", "active")
        if facts["halted"]:
            yield warning("halted", f"{', '.join(sorted(facts['halted']))} of this mode are paused by the operator")

    def _addresses(self, connection: Connection, facts: Mapping[str, Any]) -> Iterator[SelfFinding]:
        if connection.code in self.providers.rail_codes():
            abilities = self.providers.rail_capabilities(connection.code).abilities
            if Ability.REGISTER in abilities and facts["registered_at"] is None:
                yield wrong("addresses", "not registered: `connection register` makes them and tells the provider")
            elif Ability.REGISTER in abilities:
                yield ok("addresses", f"made on {facts['registered_at'][:10]}")
        listed = connection.operation.listed
        words = f"{listed.value}; {len(connection.operation.networks)} networks"
        yield ok("callback list", words) if listed is not Listed.OFF else warning("callback list", "off")

    def _money(self, connection: Connection, facts: Mapping[str, Any], now: datetime) -> Iterator[SelfFinding]:
        pays = connection.code not in self.providers.rail_codes()
        held = int(facts["held"])
        words = f"{facts['float']}: {held} minor units by the books"
        yield warning("float", f"{words}; payouts wait for money") if pays and held <= 0 else ok("float", words)
        product = "payout" if pays else "collect"
        if product in facts["priced"]:
            yield ok("price", f"a price for {product} is set")
        else:
            yield warning("price", f"no price for {product}: everybody pays nothing (`fee set`)")
        yield from _balance(connection, self._tells_balance(connection), facts, now)

    def _tells_balance(self, connection: Connection) -> bool:
        try:
            return Ability.BALANCE in abilities_of(self.providers, connection.code)
        except NotFound:
            return False

    def _before_money(self, connection: Connection, facts: Mapping[str, Any]) -> Iterator[SelfFinding]:
        """The whole list of what must be done; what only a person can know says so."""
        pays = connection.code not in self.providers.rail_codes()
        yield _done("live mode", connection.livemode, "it is a live connection", "it is a test connection")
        production = self.house.is_production
        yield _done("environment", production, "production", "GATEWAY_ENVIRONMENT isn't production")
        proxies = self.house.trusted_proxies > 0
        yield _done(
            "proxy",
            proxies,
            "addresses are told by trusted proxies",
            "GATEWAY_TRUSTED_PROXIES is 0",
        )
        businesses = facts["open_businesses"]
        yield _done(
            "businesses", businesses > 0, f"{businesses} opened for live money", "none is open: `business open`"
        )
        low = facts["low_units"] is not None
        yield _done("threshold", low or not pays, "set, or not needed", "none: `float threshold` tells you in time")
        proof, told = ("paid", "a payout was paid") if pays else ("received", "a payment was received")
        yield _done("trial", facts[proof], told, "send one small real sum over it and see it on the statement")
        yield warning("rehearsal", "only you know: a restore was tried (`drill restore`) within the last month")
        yield warning("watch", "only you know: alerts and metrics reach somebody who is awake")


def _done(name: str, is_done: bool, done: str, left: str) -> SelfFinding:
    return ok(f"before money: {name}", done) if is_done else wrong(f"before money: {name}", left)


def _clock(ours: datetime, theirs: datetime) -> SelfFinding:
    apart = abs((ours - theirs).total_seconds())
    words = f"{apart:.1f} s apart from the database's"
    if apart > CLOCK_WRONG_S:
        return wrong("clock", words)
    return warning("clock", words) if apart > CLOCK_WARNING_S else ok("clock", words)


def _balance(connection: Connection, tells: bool, facts: Mapping[str, Any], now: datetime) -> Iterator[SelfFinding]:
    if not tells:
        return
    pockets = ", ".join(facts["pockets"]) or "none told yet"
    if connection.operation.pocket is None:
        yield warning("pocket", f"not set, so the float isn't compared (`connection pocket`); pockets: {pockets}")
    elif facts["pockets"] and connection.operation.pocket not in facts["pockets"]:
        yield wrong("pocket", f"{connection.operation.pocket!r} isn't among the provider's: {pockets}")
    else:
        yield ok("pocket", connection.operation.pocket)
    if facts["balance_at"] is None:
        yield warning("balance", "never told")
    else:
        age = now - datetime.fromisoformat(facts["balance_at"])
        words = f"told {_long(age)} ago"
        yield ok("balance", words) if age < timedelta(hours=3) else warning("balance", words)


def _calls(calls: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[SelfFinding]:
    """The last call that was answered, and the last that wasn't."""
    good = next((c for c in calls if c["outcome"] not in _FAILED), None)
    bad = next((c for c in calls if c["outcome"] in _FAILED), None)
    if good is None:
        yield warning("last success", "no call was answered yet")
    else:
        yield ok("last success", f"{good['operation']}, {_long(now - datetime.fromisoformat(good['at']))} ago")
    if bad is None:
        yield ok("last failure", "none")
        return
    words = f"{bad['operation']}: {bad['outcome']}, {_long(now - datetime.fromisoformat(bad['at']))} ago"
    newer = good is None or bad["at"] > good["at"]
    yield warning("last failure", f"{words}; nothing was answered since") if newer else ok("last failure", words)


def _long(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConnection:
    """The daily check: a credential that ages is a person's, in time; one that was renewed ends the alert."""

    unit: OpenUnit
    check: CheckConnection

    def __call__(self, connection_id: UUID, call: Call) -> datetime | None:
        """When to look again."""
        checked = self.check(connection_id, livemode=call.livemode)
        ageing = [f for f in checked.findings if f.due is not None and f.state is not FindingState.OK]
        with self.unit(call.scope, call=call) as work:
            self._tell(work, connection_id, ageing)
            return work.now + EVERY

    def _tell(self, work: UnitOfWork, connection_id: UUID, ageing: Sequence[SelfFinding]) -> None:
        if not ageing:
            work.floats.settle("credential_ageing", connection_id)
            return
        words = "; ".join(f"{f.name}: {f.words}, due {f.due:%Y-%m-%d}" for f in ageing)
        work.alerts.raise_("credential_ageing", connection_id, words)
