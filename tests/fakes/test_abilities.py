"""The fakes keep the abilities' contracts that they stand in for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from ports.abilities import Ability
from ports.callback import ReplyTo
from ports.errors import NotSent, OutcomeUnknown, Refused
from ports.money import KES, Money
from ports.payout_channel import Destination, DestinationKind
from ports.registration import Repeat
from ports.report import Failure, FailureKind
from ports.statement import LineKind, StatementLine
from tests.contract.abilities import AbilitiesContract, Offered
from tests.contract.asked import a_phone
from tests.contract.balance import BalanceContract, BalanceLine
from tests.contract.calls import CallContract, Calling
from tests.contract.history import SINCE, UNTIL, HistoryContract, HistoryRowsContract, SpoiledHistoryLine
from tests.contract.holder_name import HolderNameContract, HolderNameLine
from tests.contract.move_own import MoveOwnContract, MoveOwnLine
from tests.contract.pay_to import PayToContract, PayToLine
from tests.contract.read_file import ReadFileContract, ReadFileLine
from tests.contract.refund import RefundContract, RefundLine
from tests.contract.register import RegisterContract, RegisterLine, addresses
from tests.contract.self_check import SelfCheckContract, SelfCheckLine
from tests.contract.validate import ValidateContract, ValidateLine
from tests.fakes import statements
from tests.fakes.asking import Abilities
from tests.fakes.channel import FakeChannel
from tests.fakes.context import MORNING, FakeWorld
from tests.fakes.places import FAKE_PLACE, FakePlace, FakeValidator, till
from tests.fakes.rail import FakeRail
from tests.fakes.refunds import FAKE_PARTS, FAKE_REFUNDING, RefundingRail
from tests.fakes.treasury import FAKE_TREASURY, KEY_LIFE, FakeTreasury


class FakeProvider:
    """What the suites do on the side of a fake's provider."""

    def __init__(self, fake: Any) -> None:
        self.fake = fake
        self.bodies: dict[str, list[bytes]] = {}

    def reply_to(self, name: str) -> ReplyTo:
        return ReplyTo(url=f"https://gw.example/cb/{name.encode().hex()}")

    def calls(self) -> int:
        return int(self.fake.calls)

    def asked(self) -> int:
        return len(self.fake.asks)

    def done(self) -> int:
        return 0

    def meet(self, error: Exception) -> None:
        """What the next call of the ability meets."""
        self.fake.on_next(error)

    def lose_the_answer(self) -> None:
        self.meet(OutcomeUnknown("no whole answer"))

    def turn_away(self) -> None:
        self.meet(NotSent("too many calls"))

    def refuse(self) -> None:
        self.meet(Refused(Failure(kind=FailureKind.OTHER)) if self.orders else OutcomeUnknown("refused"))

    orders = False

    def talk_nonsense(self) -> Iterator[None]:
        self.meet(OutcomeUnknown("no shape that is known"))
        yield

    def dawdle(self) -> None:
        self.meet(OutcomeUnknown("no whole answer"))

    def stop_listening(self) -> None:
        self.fake.reachable = False

    def refuse_credentials(self) -> None:
        self.fake.trusted = False

    def post(self, name: str, body: bytes) -> None:
        """Post once."""
        if body not in self.posted(name):
            self.bodies.setdefault(name, []).append(body)

    def posted(self, name: str) -> list[bytes]:
        return list(self.bodies.get(name, []))


class FakeRefunds(FakeProvider):
    """Drives the refunding rail."""

    fake: RefundingRail
    orders = True

    def asked(self) -> int:
        return self.fake.calls if self.fake.trusted else 0

    def done(self) -> int:
        return len(self.fake.given)

    def meet(self, error: Exception) -> None:
        self.fake.on_refund(error)

    def receive(self, number: int, amount: Money) -> str:
        return f"FK{number:08d}"

    def orders_of(self, receipt_number: str) -> int:
        return len([one for one in self.fake.given if one.order.receipt_number == receipt_number])

    def finish(self, *, well: bool = True) -> None:
        for place, one in enumerate(self.fake.given):
            if one.code == "waiting":
                told = self.fake.give(place) if well else self.fake.refuse("too_old", place)
                self.post(f"refund {one.order.reference.removeprefix('re-')}", told.body)


class FakeHistory(FakeProvider):
    """Drives the place's history."""

    fake: FakePlace

    def page(self) -> int:
        return self.fake.pages

    def pay(self, number: int, amount: Money) -> str:
        at = SINCE + timedelta(minutes=number)
        return str(self.fake.paid(amount.units, "SHOP-1", happened_at=at).receipt_number)

    def pay_before(self, amount: Money) -> None:
        self.fake.paid(amount.units, None, happened_at=SINCE - timedelta(hours=1))

    def spoil(self) -> int:
        self.fake.junk += [len(self.fake.money)] * 2
        return 2

    def widen(self) -> None:
        """Its rows are values: there are no columns to add."""

    def told(self) -> int:
        return sum(int(str(said["rows"])) for _, event, said in self.fake.log.lines if event.endswith("unreadable"))


class FakePayers(FakeProvider):
    """Drives the place's customers."""

    fake: FakePlace

    def pay(self, number: int, reference: str, amount: Money) -> str:
        one = self.fake.paid(amount.units, reference)
        self.post("announced", self.fake.announcement(one).body)
        return str(one.receipt_number)

    def announced(self) -> list[bytes]:
        return self.posted("announced")

    def finish(self) -> None:
        for question in self.fake.asked:
            name = bytes.fromhex(question.reply_to.url.rpartition("/")[2]).decode()
            self.post(name, self.fake.answer_to(question).body)


class FakeMoney(FakeProvider):
    """Drives the treasury: its pockets and the moves between them."""

    fake: FakeTreasury
    orders = True

    def done(self) -> int:
        return len(self.fake.moves)

    moves = done

    def held(self) -> dict[str, int]:
        return dict(self.fake.pockets)

    def finish(self, *, well: bool = True) -> None:
        self.fake.end_moves(well=well)
        for one in self.fake.moves:
            self.post(one.transfer.reference, self.fake.move_told(one.transfer.reference).body)
        for name in ("balance", "first", "second"):
            self.post(name, self.fake.balance_told().body)


class FakeAddresses(FakeProvider):
    """Drives the place's registering."""

    fake: FakePlace
    orders = True

    def done(self) -> int:
        return len(self.fake.registered)


@pytest.mark.parametrize(
    "fake",
    [FakeRail(), RefundingRail(), FakePlace(), FakeChannel(), FakeTreasury()],
    ids=lambda fake: type(fake).__name__,
)
class TestOffers(AbilitiesContract):
    """Declared and had."""

    @pytest.fixture
    def offered(self, fake: Any) -> Offered:
        offer = fake.registration("fake", "fake")
        return Offered(registration=offer, adapter=offer.build({}, FakeWorld().context))


@pytest.mark.parametrize("repeat", list(Repeat), ids=lambda word: word.value, scope="class")
@pytest.mark.parametrize("offers", [FAKE_REFUNDING, FAKE_PARTS], ids=["whole", "parts"], scope="class")
class TestRefunds(RefundContract):
    """Once for each word of `refund_repeat`, whole and in parts."""

    @pytest.fixture
    def line(self, repeat: Repeat, offers: Any) -> RefundLine:
        rail = RefundingRail(capabilities=replace(offers, refund_repeat=repeat))
        return RefundLine(rail=rail, capabilities=rail.capabilities, provider=FakeRefunds(rail))


class TestHistory(HistoryContract, HistoryRowsContract):
    """The place's history."""

    @pytest.fixture
    def line(self) -> SpoiledHistoryLine:
        place = FakePlace(pages=3)
        return SpoiledHistoryLine(rail=place, capabilities=FAKE_PLACE, provider=FakeHistory(place))


@pytest.mark.parametrize("offers", [FAKE_PLACE, till()], ids=["paybill", "till"], scope="class")
class TestPayTo(PayToContract):
    """The place itself."""

    @pytest.fixture
    def line(self, offers: Any) -> PayToLine:
        place = FakePlace(capabilities=offers)
        return PayToLine(rail=place, capabilities=offers, provider=FakePayers(place), nobody="PL99999999")


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"], scope="class")
class TestBalances(BalanceContract):
    """The treasury's pockets."""

    @pytest.fixture
    def line(self, at_once: bool) -> BalanceLine:
        treasury = FakeTreasury(tells_at_once=at_once)
        return BalanceLine(
            adapter=treasury,
            capabilities=FAKE_TREASURY,
            provider=FakeMoney(treasury),
            spoiled=lambda body: tuple(
                body.replace(b"12345", wrong) for wrong in (b'"lots"', b"1.5", b"true", b"null")
            ),
        )


@pytest.mark.parametrize("repeat", list(Repeat), ids=lambda word: word.value, scope="class")
class TestOwnMoves(MoveOwnContract):
    """Once for each word of `repeat`."""

    @pytest.fixture
    def line(self, repeat: Repeat) -> MoveOwnLine:
        treasury = FakeTreasury(capabilities=replace(FAKE_TREASURY, repeat=repeat))
        return MoveOwnLine(
            channel=treasury,
            capabilities=treasury.capabilities,
            provider=FakeMoney(treasury),
            source="main",
            target="spare",
        )


class TestHolderNames(HolderNameContract):
    """Names of phones."""

    @pytest.fixture
    def line(self) -> HolderNameLine:
        phones = [Destination(kind=DestinationKind.MPESA_PHONE, account=a_phone(number)) for number in (1, 2)]
        treasury = FakeTreasury(holders={a_phone(1): "Jane D."})
        provider = FakeMoney(treasury)
        return HolderNameLine(
            channel=treasury,
            capabilities=FAKE_TREASURY,
            known=((phones[0], "Jane D."),),
            unknown=(phones[1],),
            asked=provider.asked,
            done=provider.done,
        )


class TestRegistering(RegisterContract):
    """The place's addresses."""

    @pytest.fixture
    def line(self) -> RegisterLine:
        place = FakePlace()

        def known() -> tuple[str, str | None] | None:
            if not place.registered:
                return None
            last = place.registered[-1]
            return last.announced.url, last.validation.url if last.validation else None

        return RegisterLine(rail=place, known=known)


class TestValidation(ValidateContract):
    """The place's validator."""

    @pytest.fixture
    def line(self) -> ValidateLine:
        def body(reference: str, amount: Money, phone: str) -> bytes:
            return json.dumps({"reference": reference, "units": amount.units, "who": phone}).encode()

        return ValidateLine(
            validator=FakeValidator(),
            capabilities=FAKE_PLACE,
            body=body,
            pays=lambda answer: json.loads(answer)["answer"] == "accept",
            broken=(
                b'{"units": 100}',
                b'{"reference": "X"}',
                b'{"reference": "X", "units": 1.5}',
                b'{"reference": "X", "units": true}',
                b'{"reference": "X", "units": -1}',
                b'{"reference": 7, "units": 100}',
                b'{"reference": "X", "units": 0}',
            ),
        )


def _lines() -> list[StatementLine]:
    whole = StatementLine(
        row=1,
        kind=LineKind.COLLECTION,
        receipt_number="FK00000001",
        happened_at=MORNING,
        amount=Money(units=150_000, asset=KES),
        comes_in=True,
        payer_hint=a_phone(1),
    )
    paid = replace(whole, kind=LineKind.PAYOUT, receipt_number="FP00000001", comes_in=False, row=2)
    return [whole, paid, replace(paid, kind=LineKind.CHARGE, amount=Money(units=2_050, asset=KES), row=3)]


class TestStatements(ReadFileContract):
    """The treasury's files."""

    @pytest.fixture
    def line(self) -> ReadFileLine:
        good = statements.written("400200", _lines())
        return ReadFileLine(
            adapter=FakeTreasury(),
            capabilities=FAKE_TREASURY,
            content=good,
            account="400200",
            lines=(
                (LineKind.COLLECTION, "FK00000001", 150_000, True),
                (LineKind.PAYOUT, "FP00000001", 150_000, False),
                (LineKind.CHARGE, "FP00000001", 2_050, False),
            ),
            widened=statements.written("400200", _lines(), extra=[1, None]),
            spoiled={1: good.replace(b"150000", b'"lots"', 1), 3: good.replace(b"charge", b"levy")},
            other=(b"a,b\n1,2\n", b"[]\n", b'{"account"'),
            private=(a_phone(1), a_phone(1)[1:]),
        )


class TestSelfChecks(SelfCheckContract):
    """The age of the treasury's keys."""

    @pytest.fixture
    def line(self) -> SelfCheckLine:
        return SelfCheckLine(
            adapter=FakeTreasury(), fresh_at=MORNING, lapses={"keys": MORNING + KEY_LIFE}, private=("worth nothing",)
        )


def _refund() -> tuple[FakeProvider, Callable[[], object]]:
    rail = RefundingRail()
    provider = FakeRefunds(rail)
    return provider, partial(rail.refund, RefundLine(rail=rail, capabilities=FAKE_REFUNDING, provider=provider).order())


def _history() -> tuple[FakeProvider, Callable[[], object]]:
    place = FakePlace()
    place.paid(100, "SHOP-1")
    return FakeHistory(place), partial(place.history, SINCE, UNTIL, None)


def _register() -> tuple[FakeProvider, Callable[[], object]]:
    place = FakePlace()
    return FakeAddresses(place), partial(place.register, addresses())


def _balance() -> tuple[FakeProvider, Callable[[], object]]:
    treasury = FakeTreasury(tells_at_once=True)
    provider = FakeProvider(treasury)
    return provider, partial(treasury.balance, provider.reply_to("balance"))


def _holder_name() -> tuple[FakeProvider, Callable[[], object]]:
    treasury = FakeTreasury(holders={a_phone(1): "Jane D."})
    phone = Destination(kind=DestinationKind.MPESA_PHONE, account=a_phone(1))
    return FakeProvider(treasury), partial(treasury.holder_name, phone)


def _move_own() -> tuple[FakeProvider, Callable[[], object]]:
    treasury = FakeTreasury(capabilities=replace(FAKE_TREASURY, repeat=Repeat.SAFE))
    provider = FakeMoney(treasury)
    line = MoveOwnLine(
        channel=treasury, capabilities=treasury.capabilities, provider=provider, source="main", target="spare"
    )
    return provider, partial(treasury.move_own, line.transfer())


CALLS = {
    Ability.REFUND: _refund,
    Ability.HISTORY: _history,
    Ability.REGISTER: _register,
    Ability.BALANCE: _balance,
    Ability.HOLDER_NAME: _holder_name,
    Ability.MOVE_OWN: _move_own,
}


@pytest.mark.parametrize("ability", CALLS, ids=lambda word: word.value, scope="class")
class TestCalls(CallContract):
    """What the fakes raise, and when."""

    @pytest.fixture
    def calling(self, ability: Ability) -> Calling:
        provider, call = CALLS[ability]()
        return Calling(
            call=call,
            orders=provider.orders,
            provider=provider,
            private=(a_phone(1)[-9:], addresses().announced.url),
            logged=lambda: repr(getattr(provider.fake, "log", "")),
            timeout_s=1,
        )


def test_scripts_are_used_once() -> None:
    fake = Abilities()
    fake.on_next(NotSent("later"), OutcomeUnknown("lost"))
    with pytest.raises(NotSent):
        fake._begin("any")
    assert isinstance(fake._begin("any"), OutcomeUnknown)
    assert fake._begin("any") is None
