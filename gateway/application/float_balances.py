"""What providers say our floats hold: asked hourly and after payouts, kept, and compared with the books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from gateway.application.addresses_of_connections import CONNECTION_SUBJECT
from gateway.application.interfaces import Call, FloatStanding, OpenUnit, ProviderExchange, Providers, UnitOfWork
from gateway.application.replies import Replying
from gateway.domain.connections import Connection, ConnectionState
from ports.abilities import Ability, ReadsBalance
from ports.callback import Reading, ReplyTo
from ports.errors import Misconfigured, PortError
from ports.report import FailureKind, Pocket

#: The purpose of an address at which a balance is told.
BALANCE = "balance"
EVERY = timedelta(hours=1)
#: Never asked more often, however many payouts leave.
FLOOR = timedelta(minutes=5)
TROUBLE = timedelta(minutes=10)
#: Refused for our set-up: asking on would lock the operator's account at the provider.
REFUSED = timedelta(days=1)


def line_of(providers: Providers, connection: Connection) -> object:
    """The connection's adapter, whichever port it keeps. Raises Misconfigured or NotFound."""
    if connection.code in providers.rail_codes():
        return providers.rail(connection)
    return providers.channel(connection)


def abilities_of(providers: Providers, code: str) -> Sequence[str]:
    """The abilities that its plugin declares. Raises NotFound for a code that isn't installed."""
    if code in providers.rail_codes():
        return providers.rail_capabilities(code).abilities
    return providers.channel_capabilities(code).abilities


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBalance:
    """Ask one connection what its pockets hold; the answer comes at once or to a ReplyTo."""

    unit: OpenUnit
    providers: Providers
    replying: Replying

    def __call__(self, connection_id: UUID, call: Call) -> datetime | None:
        """When to ask again; None for a connection that can't tell."""
        with self.unit(call.scope, call=call) as work:
            started = work.now
            connection = work.connections.get(connection_id)
            if Ability.BALANCE not in abilities_of(self.providers, connection.code):
                return None
            if connection.state is ConnectionState.PAUSED:
                # With credentials that were refused, another question could lock the account.
                return started + EVERY
            asked = work.floats.balance_asked(connection_id)
            if asked is not None and started < asked + FLOOR:
                return asked + FLOOR
            reply_to = self.replying.open(
                work, connection, subject_kind=CONNECTION_SUBJECT, subject_id=connection.id, purpose=BALANCE
            )
        pockets, word, trouble = self._ask(connection, reply_to)
        with self.unit(call.scope, call=call) as work:
            self._note(work, connection, started, word)
            if trouble is not None:
                work.alerts.raise_("balance_unread", connection_id, trouble)
                return work.now + REFUSED
            if pockets is not None:
                record_pockets(work, connection, pockets)
            return work.now + (EVERY if word in ("asked", "answered") else TROUBLE)

    def _ask(self, connection: Connection, reply_to: ReplyTo) -> tuple[Sequence[Pocket] | None, str, str | None]:
        """The pockets (None: later, or never), a word for the evidence, and what a person must repair."""
        try:
            line = line_of(self.providers, connection)
            if not isinstance(line, ReadsBalance):
                raise Misconfigured("the adapter declares balances and has none")
            pockets = line.balance(reply_to)
        except Misconfigured as wrong:
            return None, "Misconfigured", str(wrong)
        except PortError as trouble:
            return None, type(trouble).__name__, None
        except Exception as fault:
            # An adapter's own fault must not stop the queue: nothing is known, and nothing changes.
            return None, f"fault {type(fault).__name__}", None
        return pockets, "asked" if pockets is None else "answered", None

    def _note(self, work: UnitOfWork, connection: Connection, started: datetime, word: str) -> None:
        work.evidence.add_exchange(
            ProviderExchange(
                id=work.new_id(),
                subject_kind=CONNECTION_SUBJECT,
                subject_id=connection.id,
                connection_id=connection.id,
                operation=BALANCE,
                started_at=started,
                ended_at=work.now,
                outcome=word,
            )
        )


def record_told(work: UnitOfWork, connection: Connection, reading: Reading) -> str:
    """What came to the address of a question about balances; gives a word for the callback's verdict."""
    if reading.pockets:
        record_pockets(work, connection, reading.pockets)
        return "balance"
    for report in reading.reports:
        if report.failure is not None and report.failure.kind is FailureKind.SET_UP:
            detail = f"the provider refused to tell the balance: {report.failure.provider_code}"
            work.alerts.raise_("balance_unread", connection.id, detail)
            return "refused"
    return "nothing"


def record_pockets(work: UnitOfWork, connection: Connection, pockets: Sequence[Pocket]) -> None:
    """Keep each pocket's sum; where one is the connection's float, compare it with the books."""
    work.floats.settle("balance_unread", connection.id)
    for pocket in pockets:
        is_float = pocket.name == connection.operation.pocket
        newest = work.floats.keep_balance(connection.id, connection.float_id if is_float else None, pocket, work.now)
        if is_float and newest:
            _compare(work, connection.float_id, pocket)


def _compare(work: UnitOfWork, float_id: UUID, pocket: Pocket) -> None:
    """An alert when the two can't both be right, ended once they can."""
    standing = work.floats.standing(float_id)
    told = -pocket.balance.units if pocket.is_owed else pocket.balance.units
    if agrees(standing, told):
        work.floats.settle("float_differs", float_id)
        return
    detail = f"the provider says {told} minor units, the books {standing.held}"
    if standing.promised or standing.awaited:
        detail += f" ({standing.promised} promised to go out, {standing.awaited} awaited)"
    work.alerts.raise_("float_differs", float_id, detail)


def agrees(standing: FloatStanding, told: int) -> bool:
    """Whether the provider's sum can be true beside the books: money on its way may have left or arrived there."""
    return standing.held - standing.promised <= told <= standing.held + standing.awaited
