"""A fake channel that tells its pockets and charges, moves our own money, and knows the age of its password."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime

from ports.abilities import (
    Ability,
    ChecksItself,
    FindingState,
    MovesOwn,
    OwnTransfer,
    ReadsBalance,
    SelfFinding,
)
from ports.callback import Door, Incoming, Reading, ReplyTo
from ports.errors import OutcomeUnknown
from ports.money import KES, Money
from ports.report import Grade, Pocket, ProviderCharge, Report, Status
from tests.application.processes import InterruptedChannel
from tests.fakes.channel import FAKE_PHONES, Outcome

TELLING = replace(FAKE_PHONES, abilities=(Ability.BALANCE, Ability.MOVE_OWN, Ability.SELF_CHECK))


@dataclass(kw_only=True)
class TellingChannel(InterruptedChannel, ReadsBalance, MovesOwn, ChecksItself):
    """`asked_balance` and `moves` are its journal; `due` is when its password ends; `fee` what it takes a payout."""

    asked_balance: list[ReplyTo] = field(default_factory=list)
    moves: list[OwnTransfer] = field(default_factory=list)
    answers_at_once: tuple[Pocket, ...] | None = None
    due: datetime | None = None
    fee: int = 0
    wrong: Exception | None = None
    _moves: list[Outcome] = field(default_factory=list)

    def on_move(self, *outcomes: Outcome) -> None:
        """What the next moves meet, one each; OutcomeUnknown comes after the order was taken."""
        self._moves.extend(outcomes)

    def balance(self, reply_to: ReplyTo) -> tuple[Pocket, ...] | None:
        self.asked_balance.append(reply_to)
        if self.wrong is not None:
            raise self.wrong
        return self.answers_at_once

    def move_own(self, transfer: OwnTransfer) -> Report:
        self.moves.append(transfer)
        self.doom.reach("before_call")
        script = self._moves.pop(0) if self._moves else None
        if isinstance(script, Exception):
            raise script
        self.doom.reach("after_call")
        return script or Report(
            status=Status.PENDING,
            grade=Grade.ANSWER,
            reference=transfer.reference,
            provider_reference=f"own-{len(self.moves)}",
        )

    def self_check(self, now: datetime) -> tuple[SelfFinding, ...]:
        if self.due is None:
            return ()
        state = FindingState.WARNING if (self.due - now).days < 15 else FindingState.OK
        return (SelfFinding(name="password", state=state, words="it ages", due=self.due),)

    def told(self, name: str, units: int) -> Incoming:
        """What the provider posts of one pocket."""
        return Incoming(body=json.dumps({"pocket": name, "units": units}).encode(), door=Door.CALL)

    def moved(self, place: int = -1, number: str = "OW1") -> Incoming:
        """What it posts when a move is done."""
        order = self.moves[place]
        body = {"move": order.reference, "units": order.amount.units, "receipt": number}
        return Incoming(body=json.dumps(body).encode(), door=Door.CALL)

    def read_callback(self, incoming: Incoming) -> Reading:
        body = json.loads(incoming.body)
        if "pocket" in body:
            balance = Money(units=body["units"], asset=KES)
            return Reading(pockets=(Pocket(name=body["pocket"], balance=balance),))
        if "move" in body:
            done = Report(
                status=Status.SUCCEEDED,
                grade=Grade.SOLICITED,
                reference=body["move"],
                receipt_number=body["receipt"],
                amount=Money(units=body["units"], asset=KES),
            )
            return Reading(reports=(done,))
        reading = super().read_callback(incoming)
        number = reading.reports[0].receipt_number
        if not self.fee or number is None:
            return reading
        return replace(reading, charges=(ProviderCharge(number=number, amount=Money(units=self.fee, asset=KES)),))


def unknown() -> OutcomeUnknown:
    """Nobody knows."""
    return OutcomeUnknown("silence")
