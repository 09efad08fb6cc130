"""The simulated Swypt as the suites drive it: real HTTP, on a clock that stands until it is moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from plugins.sandbox.swypt.world import SandboxSwypt, running_swypt
from plugins.swypt.channel import OFFRAMP, SwyptOfframp
from plugins.swypt.mapping import OFFRAMP_WORDS, ONRAMP_WORDS
from plugins.swypt.rail import ONRAMP, SwyptOnramp
from ports.callback import ReplyTo
from ports.errors import AlreadyTaken
from ports.money import Money
from ports.payment_rail import Question
from ports.payout_channel import Bundle
from ports.registration import ReferenceForm
from ports.report import Report
from tests.contract.asked import a_phone, a_reference
from tests.contract.payment_rail import RailLine
from tests.contract.payout_channel import ChannelLine
from tests.fakes.context import MORNING, FakeWorld
from tests.plugins.swypt.papers import TOKEN, WALLET, channel_values, rail_values

#: Longer than a prompt and a payout take; late ones are later.
_A_WHILE_S = 120


@dataclass(kw_only=True)
class SimulatedSwypt:
    """One endpoint's side of a simulator: `onramp` for a rail, `offramp` for a channel."""

    endpoint: str
    sandbox: SandboxSwypt
    form: ReferenceForm
    world: FakeWorld = field(default_factory=FakeWorld)
    ends: list[dict[str, str]] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)
    stopped: bool = False

    def reply_to(self, name: str) -> ReplyTo:
        return ReplyTo(url=f"https://pay.example/in/{name}")

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        assert reference
        assert claims is None
        end = {"endpoint": self.endpoint, "end": code, "message": "Transaction timeout"}
        self.ends.append(end)
        self.sandbox.control.script(**end)

    def hang_up_after_accepting(self) -> None:
        self.sandbox.control.disarm()
        end = self.ends[-1] if self.ends else {"endpoint": self.endpoint}
        self.sandbox.control.script(**end, answer="cut")

    def finish(self) -> None:
        self.sandbox.control.advance(_A_WHILE_S)
        self.world.clock.forward(_A_WHILE_S)

    def posted(self, name: str) -> list[bytes]:
        assert name
        return []

    def number_of(self, reference: str) -> int:
        return next(number for number in range(200) if a_reference(self.form, number) == reference)

    def collections_of(self, reference: str) -> int:
        phone = a_phone(self.number_of(reference)).removeprefix("+")
        return int(self._counts()["prompts"].get(phone, 0))

    def collections(self) -> int:
        return sum(self._counts()["prompts"].values())

    def payouts_of(self, reference: str) -> int:
        tx = self.hashes[self.number_of(reference)]
        return sum(made["tx"] == tx for made in self.sandbox.control.get("withdrawals")["withdrawals"])

    def payouts(self) -> int:
        if self.stopped:
            # Nobody was there to take one.
            return 0
        return len(self.sandbox.control.get("withdrawals")["withdrawals"])

    def calls(self) -> int:
        return sum(self._counts()["calls"].values())

    def _counts(self) -> Mapping[str, dict[str, int]]:
        if self.stopped:
            return {"calls": {}, "prompts": {}}
        found: Mapping[str, dict[str, int]] = self.sandbox.control.get("journal", after=10**9)["counts"]
        return found

    def stop_listening(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.sandbox.stop()

    def refuse_credentials(self) -> None:
        self.sandbox.control.script("bad_keys", endpoint="any", times=0)
        self.world.shared.kept.clear()

    def fund(self, number: int, units: int = 10_000_000) -> str:
        """The hash of a transaction that put tokens into the escrow: always the same for a number."""
        if number not in self.hashes:
            self.hashes[number] = f"0x{number:064x}"
            if not self.stopped:
                self.sandbox.control.post(
                    "escrow", network="celo", token=TOKEN, wallet=WALLET, units=units, hash=self.hashes[number]
                )
        return self.hashes[number]


@dataclass(frozen=True, slots=True, kw_only=True)
class FundedLine(ChannelLine):
    """A channel whose payouts are funded from a chain. What the provider named is remembered for questions."""

    def bundle(self, number: int = 1, amount: Money | None = None) -> Bundle:
        assert isinstance(self.simulator, SimulatedSwypt)
        funding = self.simulator.fund(number)
        return Bundle(id=f"bundle-{number}", instructions=(self.instruction(number, amount),), funding=funding)

    def submit(self, number: int = 1, amount: Money | None = None) -> Report:
        try:
            (report,) = self.channel.submit(self.bundle(number, amount)).reports
        except AlreadyTaken as taken:
            self.theirs[number] = taken.provider_reference or ""
            raise
        self.theirs[number] = report.provider_reference or ""
        return report

    def question(self, number: int = 1, name: str = "question") -> Question:
        assert isinstance(self.simulator, SimulatedSwypt)
        funding = self.simulator.hashes.get(number)
        return Question(
            reference=self.reference(number),
            provider_reference=self.theirs.get(number) or (None if funding else "WD-nosuc-NN"),
            receipt_number=None,
            started_at=MORNING,
            reply_to=self.simulator.reply_to(name),
            funding=funding,
        )


@contextmanager
def simulated(endpoint: str, folder: Path, **settings: object) -> Iterator[SimulatedSwypt]:
    """A simulator with a memory of its own."""
    form = ONRAMP.reference_form if endpoint == "onramp" else OFFRAMP.reference_form
    with running_swypt(state_dir=folder, settings=settings, frozen_at=MORNING.isoformat()) as sandbox:
        swypt = SimulatedSwypt(endpoint=endpoint, sandbox=sandbox, form=form)
        try:
            yield swypt
        finally:
            swypt.stop_listening()


#: As far as M-Pesa itself goes.
_WIDE = {"amount_min": "1", "amount_max": "250000"}


def onramp_line(swypt: SimulatedSwypt, **values: str) -> RailLine:
    known = {name: str(swypt.sandbox.credentials[name]) for name in ("api_key", "api_secret")}
    given = rail_values(swypt.sandbox.url) | known | _WIDE | values
    return RailLine(
        rail=SwyptOnramp.build(given, swypt.world.context),
        capabilities=ONRAMP,
        simulator=swypt,
        codes=ONRAMP_WORDS,
        paid="SUCCESS",
        unpaid="FAILED",
        invented="ON_HOLD",
        private=tuple(known.values()),
    )


def offramp_line(swypt: SimulatedSwypt, **values: str) -> FundedLine:
    known = {name: str(swypt.sandbox.credentials[name]) for name in ("api_key", "api_secret")}
    given = channel_values(swypt.sandbox.url) | known | _WIDE | {"amount_min": "10"} | values
    return FundedLine(
        channel=SwyptOfframp.build(given, swypt.world.context),
        capabilities=OFFRAMP,
        simulator=swypt,
        codes=OFFRAMP_WORDS,
        paid="SUCCESS",
        unpaid="FAILED",
        invented="ON_HOLD",
        private=tuple(known.values()),
    )
