"""Statements beside a world's rail and channel: connections that read files, and files to import over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from gateway.application.interfaces import Call, Json
from gateway.application.statements_settling import SOON_S
from gateway.domain.businesses import HOUSE
from gateway.domain.ids import Prefix, decode
from ports.abilities import Ability
from ports.errors import Unreadable
from ports.statement import LineKind, StatementFile, StatementLine
from tests.application.harness import ACT, World, kes
from tests.fakes.channel import FakeChannel
from tests.fakes.context import MORNING
from tests.fakes.places import FAKE_PLACE, FakePlace

Read = Callable[[str, bytes], StatementFile]
ACCOUNT = "400200"


@dataclass(kw_only=True)
class FilingPlace(FakePlace):
    """A place to pay to that reads its provider's statements."""

    read_by: Read

    def read_file(self, name: str, content: bytes) -> StatementFile:
        return self.read_by(name, content)


@dataclass(kw_only=True)
class FilingChannel(FakeChannel):
    """A channel that does."""

    read_by: Read

    def read_file(self, name: str, content: bytes) -> StatementFile:
        return self.read_by(name, content)


@dataclass
class Files:
    """A connection on one of the world's floats, and what was imported over it. Bytes stand for the files of `book`."""

    world: World
    on_payouts: bool = False
    read_by: Read | None = None
    book: dict[bytes, StatementFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world = self.world
        self.namespace = f"fake-{world.number}"
        self.float_id = (world.channel_float if self.on_payouts else world.rail_float).id
        code = f"fake_{'payout' if self.on_payouts else 'place'}_files_{world.number}"
        reads: dict[str, Any] = {"abilities": (Ability.READ_FILE,), "receipt_namespace": self.namespace}
        for process in (world.web, world.worker, world.operator):
            offers: Any = process.lines_.channels if self.on_payouts else process.lines_.rails
            if self.on_payouts:
                channel = FilingChannel(capabilities=replace(world.channel_offers, **reads), read_by=self.read)
                offers[code] = channel.registration(code, "files")
            else:
                place = FilingPlace(capabilities=replace(FAKE_PLACE, **reads), read_by=self.read)
                offers[code] = place.registration(code, "files")
        self.line = world.operator.desk.add_connection(
            code, "Files", self.float_id, {"shortcode": ACCOUNT}, livemode=world.livemode, act=ACT
        )
        self.house = Call(business_id=HOUSE, livemode=world.livemode)

    def read(self, name: str, content: bytes) -> StatementFile:
        """What the adapter reads."""
        if self.read_by is not None:
            # The provider of this world has a name of its own.
            return replace(self.read_by(name, content), receipt_namespace=self.namespace)
        if content not in self.book:
            raise Unreadable("row 3: no amount that can be read")
        return self.book[content]

    def file(self, *lines: StatementLine, **more: Any) -> bytes:
        """A file of these lines, numbered from 1."""
        numbered = tuple(replace(line, row=at) for at, line in enumerate(lines, start=1))
        values: dict[str, Any] = {
            "account": ACCOUNT,
            "receipt_namespace": self.namespace,
            "since": MORNING - timedelta(hours=1),
            "until": MORNING + timedelta(hours=1),
            "opening": None,
            "closing": None,
        }
        one = StatementFile(**{**values, **more}, lines=numbered)
        content = sha256(repr(one).encode()).hexdigest().encode()
        self.book[content] = one
        return content

    def bring_in(self, content: bytes, *, settle: bool = True, **more: Any) -> Json:
        """Import it, and let workers settle it; it closes once its sums are in the books."""
        shown = self.world.operator.statements.import_(self.line.id, "statement.csv", content, ACT, **more)
        if settle:
            self.world.advance(SOON_S + 1)
        return shown

    def import_lines(self, *lines: StatementLine, **more: Any) -> Json:
        """The same for lines."""
        return self.bring_in(self.file(*lines), **more)

    def id(self, shown: Json) -> UUID:
        return decode(Prefix.STATEMENT, shown["id"])

    def show(self, shown: Json) -> Json:
        """It as an operator sees it."""
        return self.world.operator.statements.read.one(self.id(shown), livemode=self.world.livemode)

    def lines(self, shown: Json, **more: Any) -> list[Json]:
        return self.world.operator.statements.read.lines(self.id(shown), livemode=self.world.livemode, **more)

    def outcomes(self, shown: Json) -> list[str]:
        """Of its lines, in their order."""
        return [line["outcome"] for line in self.lines(shown)]

    def alerts(self, shown: Json) -> list[str]:
        """Kinds of open alerts about it or its float."""
        sql = "SELECT kind FROM gateway.alert WHERE subject_id IN (:s, :f) AND resolved_at IS NULL ORDER BY id"
        return [row[0] for row in self.world.rows(sql, s=self.id(shown), f=self.float_id)]


def line(kind: LineKind, number: str, units: int, **more: Any) -> StatementLine:
    """A line, going the way that its kind goes."""
    values: dict[str, Any] = {"comes_in": kind in (LineKind.COLLECTION, LineKind.RETURN), "happened_at": MORNING}
    return StatementLine(row=1, kind=kind, receipt_number=number, amount=kes(units), **{**values, **more})


def collection(number: str, units: int = 150_000, **more: Any) -> StatementLine:
    return line(LineKind.COLLECTION, number, units, **more)


def when(minutes: int) -> datetime:
    """A time of that morning."""
    return MORNING + timedelta(minutes=minutes)
