"""A channel that can do all that one may: pockets, moves between them, names, statements, keys that age."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ports.abilities import (
    Ability,
    ChecksItself,
    FindingState,
    Holder,
    KnowsHolders,
    MovesOwn,
    OwnTransfer,
    ReadsBalance,
    ReadsFiles,
    SelfFinding,
)
from ports.callback import Door, Incoming, Reading, ReplyTo
from ports.errors import AlreadyTaken, Refused, Unreadable
from ports.money import Money
from ports.payout_channel import ChannelCapabilities, Destination
from ports.registration import Repeat
from ports.report import Failure, FailureKind, Grade, Pocket, Report, Status, TryAgain
from ports.statement import StatementFile
from tests.fakes import statements
from tests.fakes.asking import Abilities, over
from tests.fakes.channel import FAKE_PHONES, FakeChannel
from tests.fakes.context import MORNING
from tests.fakes.rail import grade_of

FAKE_TREASURY = replace(
    FAKE_PHONES,
    abilities=(
        Ability.BALANCE.value,
        Ability.HOLDER_NAME.value,
        Ability.MOVE_OWN.value,
        Ability.READ_FILE.value,
        Ability.SELF_CHECK.value,
    ),
)
#: Keys live so long, and their holder hears of it so long before.
KEY_LIFE, KEY_NOTICE = timedelta(days=60), timedelta(days=10)
WAITING, DONE, SHORT = "waiting", "done", "short"


@dataclass(kw_only=True)
class Move:
    """One move of our own money and how it stands."""

    transfer: OwnTransfer
    provider_reference: str
    code: str = WAITING


@dataclass(kw_only=True)
class FakeTreasury(FakeChannel, Abilities, ReadsBalance, KnowsHolders, MovesOwn, ReadsFiles, ChecksItself):
    """`pockets` in units, below zero what is owed; `holders` by account; `tells_at_once` or at the ReplyTo."""

    capabilities: ChannelCapabilities = FAKE_TREASURY
    pockets: dict[str, int] = field(default_factory=lambda: {"main": 90_000_000, "spare": 12_345, "charges": -150})
    holders: dict[str, str] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    tells_at_once: bool = False
    keys_made_at: datetime = MORNING

    def balance(self, reply_to: ReplyTo) -> tuple[Pocket, ...] | None:
        """The pockets, at once or later."""
        error = self._begin("balance")
        over(error)
        return self._pockets(self.pockets) if self.tells_at_once else None

    def balance_told(self) -> Incoming:
        """What is posted to a question's ReplyTo, as the pockets are now."""
        return Incoming(body=json.dumps({"pockets": self.pockets}).encode(), door=Door.CALL, of_question=True)

    def _pockets(self, held: Mapping[str, int]) -> tuple[Pocket, ...]:
        asset = self.capabilities.assets[0]
        if not all(type(units) is int for units in held.values()):
            raise TypeError("units")
        return tuple(
            Pocket(name=name, balance=Money(units=abs(units), asset=asset), is_owed=units < 0)
            for name, units in held.items()
        )

    def holder_name(self, destination: Destination) -> Holder:
        """The name of an account that is known."""
        if destination.kind not in self.capabilities.destinations or not destination.account.lstrip("+").isdigit():
            raise _refused()
        over(self._begin("holder_name"))
        return Holder(name=self.holders.get(destination.account))

    def move_own(self, transfer: OwnTransfer) -> Report:
        """Take the move; the same reference twice does what the capabilities' `repeat` says."""
        said, amount = self.capabilities, transfer.amount
        ours = {transfer.source, transfer.target} <= set(self.pockets) and transfer.source != transfer.target
        fits = amount.asset in said.assets and said.amount_min <= amount.units <= said.amount_max
        if not ours or not fits or amount.units % said.amount_granularity:
            raise _refused()
        error = self._begin("move_own")
        known = [one for one in self.moves if one.transfer.reference == transfer.reference]
        if known and said.repeat is Repeat.REFUSED:
            raise AlreadyTaken("the reference is known already", provider_reference=known[-1].provider_reference)
        if not known or said.repeat is Repeat.DOUBLES:
            self.moves.append(Move(transfer=transfer, provider_reference=f"move-{len(self.moves) + 1}"))
        over(error)
        return self._moved(self._told(transfer.reference), Grade.ANSWER)

    def end_moves(self, *, well: bool = True) -> None:
        """Every move that waits ends: as far as there is money, unless it is to end badly."""
        for one in self.moves:
            if one.code != WAITING:
                continue
            units = one.transfer.amount.units
            one.code = DONE if well and self.pockets[one.transfer.source] >= units else SHORT
            if one.code == DONE:
                self.pockets[one.transfer.source] -= units
                self.pockets[one.transfer.target] += units

    def move_told(self, reference: str) -> Incoming:
        """What is posted about a move as it stands."""
        return Incoming(body=json.dumps(self._told(reference)).encode(), door=Door.CALL)

    def _told(self, reference: str) -> dict[str, object]:
        place = max(n for n, one in enumerate(self.moves) if one.transfer.reference == reference)
        one = self.moves[place]
        told: dict[str, object] = {"move": reference, "id": one.provider_reference, "code": one.code}
        return told | ({"number": f"OW{place + 1:08d}", "units": one.transfer.amount.units} if one.code == DONE else {})

    def read_callback(self, incoming: Incoming) -> Reading:
        """Read the news of a move, an answer about pockets, or a payout's result."""
        try:
            body = json.loads(incoming.body)
            if not isinstance(body, dict) or not {"move", "pockets"} & set(body):
                return super().read_callback(incoming)
            if "pockets" in body:
                return Reading(pockets=self._pockets(body["pockets"]), reply_body=b"{}")
            return Reading(reports=(self._moved(body, grade_of(incoming)),), reply_body=b"{}")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unreadable("no news of the fake provider") from None

    def _moved(self, body: Mapping[str, object], grade: Grade) -> Report:
        report = Report(
            status=Status.PENDING, grade=grade, reference=str(body["move"]), provider_reference=str(body["id"])
        )
        if body["code"] == SHORT:
            failure = Failure(
                kind=FailureKind.INSUFFICIENT_FUNDS, provider_code=SHORT, try_again=TryAgain.LATER, after_s=600
            )
            return replace(report, status=Status.FAILED, failure=failure)
        if body["code"] != DONE:
            return replace(report, unrecognised=None if body["code"] == WAITING else str(body["code"]))
        units = body["units"]
        if not isinstance(units, int):
            raise TypeError("units")
        amount = Money(units=units, asset=self.capabilities.assets[0])
        return replace(report, status=Status.SUCCEEDED, receipt_number=str(body["number"]), amount=amount)

    def read_file(self, name: str, content: bytes) -> StatementFile:
        """Read what `tests.fakes.statements` wrote."""
        return statements.read(self.capabilities.receipt_namespace, content)

    def self_check(self, now: datetime) -> tuple[SelfFinding, ...]:
        """The age of the keys."""
        due = self.keys_made_at + KEY_LIFE
        state = FindingState.OK if now < due - KEY_NOTICE else FindingState.WARNING
        state = state if now < due else FindingState.WRONG
        return (SelfFinding(name="keys", state=state, words=f"made on {self.keys_made_at:%Y-%m-%d}", due=due),)


def _refused() -> Refused:
    return Refused(Failure(kind=FailureKind.OTHER, try_again=TryAgain.NEVER))
