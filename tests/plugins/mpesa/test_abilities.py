"""The abilities' contracts, kept by every M-Pesa adapter that declares them, before a scripted Daraja."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from plugins.mpesa import plugin
from plugins.mpesa.b2b import B2B, MpesaB2b
from plugins.mpesa.c2b import PAYBILL, C2bValidator, MpesaCollects
from plugins.mpesa.client import CALL_TIMEOUT_S
from plugins.mpesa.payout import B2C, MpesaB2c
from plugins.mpesa.rail import PUSH, MpesaPush
from ports.abilities import OwnTransfer
from ports.money import Money
from ports.payment_rail import Question, RailCapabilities
from ports.payout_channel import Destination, DestinationKind
from ports.registration import Capabilities
from ports.report import Grade, Report, Status
from ports.statement import LineKind
from tests.contract.abilities import AbilitiesContract, Offered
from tests.contract.asked import a_phone, at_least
from tests.contract.balance import BalanceContract, BalanceLine
from tests.contract.calls import CallContract, Calling
from tests.contract.history import SINCE, UNTIL, HistoryContract, HistoryRowsContract, SpoiledHistoryLine
from tests.contract.holder_name import HolderNameContract, HolderNameLine
from tests.contract.move_own import MoveOwnContract, MoveOwnLine
from tests.contract.read_file import ReadFileContract, ReadFileLine
from tests.contract.refund import RefundContract, RefundLine
from tests.contract.register import ANNOUNCED, VALIDATION, RegisterContract, RegisterLine, addresses
from tests.contract.self_check import SelfCheckContract, SelfCheckLine
from tests.contract.validate import ValidateContract, ValidateLine
from tests.fakes.context import MORNING, FakeWorld
from tests.plugins.mpesa import ability_lines as lines
from tests.plugins.mpesa.asking import OAUTH
from tests.plugins.mpesa.papers import TOKEN_OK
from tests.plugins.mpesa.scripted_daraja import ScriptedDaraja
from tests.plugins.scripted import reply, scripted_server

Made = Callable[[ScriptedDaraja], Any]
#: The adapters with an ability; a till is a paybill under another number.
REFUNDING: dict[str, tuple[Made, RailCapabilities]] = {
    "push": (lines.push, PUSH),
    "paybill": (lines.paybill, PAYBILL),
}
TELLING: dict[str, tuple[Made, Capabilities]] = {
    "paybill": (lines.paybill, PAYBILL),
    "b2c": (lines.b2c, B2C),
    "b2b": (lines.b2b, B2B),
}


@pytest.fixture
def daraja(kind: type[ScriptedDaraja]) -> Iterator[ScriptedDaraja]:
    with scripted_server() as running:
        running.on(OAUTH, reply(200, TOKEN_OK))
        yield kind(server=running)


class TestOffers(AbilitiesContract):
    """Declared and had."""

    @pytest.fixture(params=["mpesa_push", "mpesa_paybill", "mpesa_till", "mpesa_b2c", "mpesa_b2b"])
    def offered(self, request: pytest.FixtureRequest) -> Offered:
        offers = {one.code: one for one in (*plugin.register_payment_rails(), *plugin.register_payout_channels())}
        more = {"mpesa_push": {"passkey": "pass-key-5"}, "mpesa_till": {"till": "600111"}}.get(request.param, {})
        offer = offers[request.param]
        values = lines.values("http://127.0.0.1:9", **more)
        return Offered(registration=offer, adapter=offer.build(values, FakeWorld().context))


def _refund(daraja: Any, rail: Any) -> Callable[[], object]:
    order = RefundLine(rail=rail, capabilities=PUSH, provider=daraja).order()
    return partial(rail.refund, order)


def _look_up_refund(daraja: Any, rail: Any) -> Callable[[], object]:
    known = Report(status=Status.PENDING, grade=Grade.ANSWER, provider_reference="71840-27539181-1")
    return partial(rail.look_up_refund, RefundLine(rail=rail, capabilities=PUSH, provider=daraja).question(known))


def _look_up_receipt(daraja: Any, rail: Any) -> Callable[[], object]:
    question = Question(
        reference="SHOP-7K2M4Q",
        provider_reference=None,
        receipt_number="RKL51ZD001",
        started_at=MORNING,
        reply_to=daraja.reply_to("question"),
    )
    return partial(rail.look_up, question)


def _history(daraja: Any, rail: Any) -> Callable[[], object]:
    daraja.pay(1, Money(units=100, asset=PUSH.assets[0]))
    return partial(rail.history, SINCE, UNTIL, None)


def _balance(daraja: Any, adapter: Any) -> Callable[[], object]:
    return partial(adapter.balance, daraja.reply_to("balance"))


def _move_own(daraja: Any, channel: Any) -> Callable[[], object]:
    transfer = OwnTransfer(
        reference="own-1",
        amount=at_least(B2B),
        source="working",
        target="utility",
        reply_to=daraja.reply_to("own-1"),
    )
    return partial(channel.move_own, transfer)


def _holder_name(daraja: Any, channel: Any) -> Callable[[], object]:
    return partial(channel.holder_name, Destination(kind=DestinationKind.PAYBILL, account="888880"))


def _register(daraja: Any, rail: Any) -> Callable[[], object]:
    return partial(rail.register, addresses())


#: Every call of every ability: the Daraja, the adapter, how it is called, and whether it orders something.
CALLS: dict[str, tuple[type[ScriptedDaraja], Made, Callable[[Any, Any], Callable[[], object]], bool]] = {
    "push refund": (lines.ScriptedRefunds, lines.push, _refund, True),
    "paybill refund": (lines.ScriptedRefunds, lines.paybill, _refund, True),
    "look_up_refund": (lines.ScriptedRefunds, lines.push, _look_up_refund, False),
    "look_up receipt": (lines.ScriptedReceipts, lines.till, _look_up_receipt, False),
    "history": (lines.ScriptedPull, lines.paybill, _history, False),
    "rail balance": (lines.ScriptedBalance, lines.paybill, _balance, False),
    "channel balance": (lines.ScriptedBalance, lines.b2c, _balance, False),
    "move_own": (lines.ScriptedMoves, lines.b2b, _move_own, True),
    "holder_name": (lines.ScriptedHolders, lines.b2b, _holder_name, False),
    "register": (lines.ScriptedRegistering, lines.till, _register, True),
}


@pytest.mark.parametrize("name", CALLS, scope="class")
class TestCalls(CallContract):
    """What they raise, how often they call, how long they take."""

    @pytest.fixture
    def kind(self, name: str) -> type[ScriptedDaraja]:
        return CALLS[name][0]

    @pytest.fixture
    def calling(self, name: str, daraja: ScriptedDaraja) -> Calling:
        _, made, how, orders = CALLS[name]
        names = ("refund 1", "question", "balance", "own-1")
        urls = (ANNOUNCED, VALIDATION, *(daraja.reply_to(one).url for one in names))
        return Calling(
            call=how(daraja, made(daraja)),
            orders=orders,
            provider=daraja,
            private=(*lines.SECRETS, a_phone(1)[-9:], *urls),
            logged=lambda: repr(daraja.world.log.lines),
            timeout_s=CALL_TIMEOUT_S,
        )


@pytest.mark.parametrize("name", REFUNDING, scope="class")
class TestRefunds(RefundContract):
    """Reversals."""

    @pytest.fixture
    def kind(self) -> type[ScriptedDaraja]:
        return lines.ScriptedRefunds

    @pytest.fixture
    def line(self, name: str, daraja: lines.ScriptedRefunds) -> RefundLine:
        made, capabilities = REFUNDING[name]
        return RefundLine(rail=made(daraja), capabilities=capabilities, provider=daraja)


@pytest.mark.parametrize("name", REFUNDING, scope="class")
class TestHistory(HistoryContract, HistoryRowsContract):
    """Pull."""

    @pytest.fixture
    def kind(self) -> type[ScriptedDaraja]:
        return lines.ScriptedPull

    @pytest.fixture
    def line(self, name: str, daraja: lines.ScriptedPull) -> SpoiledHistoryLine:
        made, capabilities = REFUNDING[name]
        return SpoiledHistoryLine(rail=made(daraja), capabilities=capabilities, provider=daraja)


@pytest.mark.parametrize("name", TELLING, scope="class")
class TestBalances(BalanceContract):
    """Account Balance."""

    @pytest.fixture
    def kind(self) -> type[ScriptedDaraja]:
        return lines.ScriptedBalance

    @pytest.fixture
    def line(self, name: str, daraja: lines.ScriptedBalance) -> BalanceLine:
        made, capabilities = TELLING[name]
        return BalanceLine(
            adapter=made(daraja), capabilities=capabilities, provider=daraja, spoiled=lines.spoiled_pockets
        )


@pytest.mark.parametrize("target", ["utility", "bulk"], scope="class")
class TestOwnMoves(MoveOwnContract):
    """B2B between our own pockets."""

    @pytest.fixture
    def kind(self) -> type[ScriptedDaraja]:
        return lines.ScriptedMoves

    @pytest.fixture
    def line(self, target: str, daraja: lines.ScriptedMoves) -> MoveOwnLine:
        channel = lines.b2b(daraja)
        return MoveOwnLine(channel=channel, capabilities=B2B, provider=daraja, source="working", target=target)


class TestHolderNames(HolderNameContract):
    """Hakikisha."""

    @pytest.fixture
    def kind(self) -> type[ScriptedDaraja]:
        return lines.ScriptedHolders

    @pytest.fixture
    def line(self, daraja: lines.ScriptedHolders) -> HolderNameLine:
        paybill = Destination(kind=DestinationKind.PAYBILL, account="888880", reference="1")
        till = Destination(kind=DestinationKind.TILL, account="600111")
        return HolderNameLine(
            channel=lines.b2b(daraja),
            capabilities=B2B,
            known=((paybill, "KPLC PREPAID"), (till, "Mama Njeri Duka")),
            unknown=(
                Destination(kind=DestinationKind.PAYBILL, account="600111", reference="1"),
                Destination(kind=DestinationKind.TILL, account="888880"),
            ),
            asked=daraja.asked,
            done=daraja.done,
        )


@pytest.mark.parametrize("made", [lines.paybill, lines.till], ids=["paybill", "till"], scope="class")
class TestRegistering(RegisterContract):
    """C2B's addresses."""

    @pytest.fixture
    def kind(self) -> type[ScriptedDaraja]:
        return lines.ScriptedRegistering

    @pytest.fixture
    def line(self, made: Made, daraja: lines.ScriptedRegistering) -> RegisterLine:
        return RegisterLine(rail=made(daraja), known=daraja.known)


class TestValidation(ValidateContract):
    """C2B validation."""

    @pytest.fixture
    def line(self) -> ValidateLine:
        good = lines.confirmation("SHOP-7K2M4Q", at_least(PAYBILL), a_phone(1))
        return ValidateLine(
            validator=C2bValidator(),
            capabilities=PAYBILL,
            body=lines.confirmation,
            pays=lines.pays,
            broken=tuple(
                good.replace(b'"TransAmount": "1.00"', b'"TransAmount": ' + wrong)
                for wrong in (b"null", b'""', b'"lots"', b"0", b'"-1.00"', b'"1.001"', b"1e99", b"true", b"[1]", b"{}")
            ),
        )


class TestStatements(ReadFileContract):
    """The portal's CSV."""

    @pytest.fixture
    def line(self) -> ReadFileLine:
        with scripted_server() as nobody:
            adapter = lines.b2c(ScriptedDaraja(server=nobody))
        return ReadFileLine(
            adapter=adapter,
            capabilities=B2C,
            content=lines.statement(),
            account="600966",
            lines=(
                (LineKind.COLLECTION, "UKO7RT61SV", 150_000, True),
                (LineKind.CHARGE, "UKO7RT61SV", 2_050, False),
                (LineKind.PAYOUT, "UKO7RT61SX", 100_000, False),
            ),
            widened=lines.statement(wide=True),
            spoiled={7: lines.statement(wrong=("1,500.00", "lots")), 9: lines.statement(wrong=("UKO7RT61SX", "?"))},
            other=(b"a,b\n1,2\n", lines.statement().replace(b"Paid In", b"Paid"), b'"' * 999),
            private=("254712345678", "712345678", "JANE DOE"),
        )


class TestSelfChecks(SelfCheckContract):
    """Ages of the operator's password."""

    @pytest.fixture(params=["push", "paybill", "b2c", "b2b"])
    def line(self, request: pytest.FixtureRequest) -> SelfCheckLine:
        values = lines.values("http://127.0.0.1:9", initiator_password_set_on="2026-11-24")
        values |= {"passkey": "pass-key-5"} if request.param == "push" else {}
        build: dict[str, Callable[..., Any]] = {"push": MpesaPush.build, "paybill": MpesaCollects.paybill}
        build |= {"b2c": MpesaB2c.build, "b2b": MpesaB2b.build}
        # The day begins in Nairobi; a password lives 90 days.
        lapses = datetime(2026, 11, 23, 21, tzinfo=UTC) + timedelta(days=90)
        return SelfCheckLine(
            adapter=build[request.param](values, FakeWorld().context),
            fresh_at=MORNING,
            lapses={"operator password": lapses},
            private=lines.SECRETS[:3],
        )
