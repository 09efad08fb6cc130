"""The abilities' contracts, kept against the simulated M-Pesa, which was written apart from the same papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from plugins.mpesa.b2b import B2B, MpesaB2b
from plugins.mpesa.c2b import PAYBILL, TILL, MpesaCollects
from plugins.mpesa.payout import B2C, MpesaB2c
from plugins.sandbox.mpesa import books, control, views
from ports.abilities import OwnAddresses
from ports.callback import ReplyTo
from ports.money import Money
from ports.payout_channel import Destination, DestinationKind
from ports.statement import LineKind
from tests.contract.asked import a_phone
from tests.contract.balance import BalanceContract, BalanceLine
from tests.contract.history import SINCE, HistoryContract, HistoryLine
from tests.contract.holder_name import HolderNameContract, HolderNameLine
from tests.contract.move_own import MoveOwnContract, MoveOwnLine
from tests.contract.pay_to import PayToContract, PayToLine
from tests.contract.read_file import ReadFileContract, ReadFileLine
from tests.contract.refund import RefundContract, RefundLine
from tests.contract.register import RegisterContract, RegisterLine
from tests.plugins.mpesa.ability_lines import spoiled_pockets
from tests.plugins.mpesa.simulated import SimulatedMpesa, simulated

#: The organisations of the simulator's world: what collects, and what pays out.
COLLECTS, PAYS = "174379", "600992"
EARLIER = SINCE - timedelta(hours=1)


@dataclass(kw_only=True)
class Simulated:
    """The simulator as the abilities' suites drive it."""

    mpesa: SimulatedMpesa
    organisation: str

    def values(self, **more: object) -> dict[str, object]:
        given = self.mpesa.credentials()
        names = ("consumer_key", "consumer_secret", "initiator_name", "initiator_password", "certificate_pem")
        known = {name: given[name] for name in names}
        return {**known, "base_url": self.mpesa.url, "shortcode": self.organisation, **more}

    def control(self, path: str, **body: object) -> dict[str, object]:
        return control.change(self.mpesa.server.sim, path, body)

    def asked(self) -> int:
        return sum(n for endpoint, n in self.mpesa._counts("calls").items() if endpoint != "oauth")

    def done(self) -> int:
        with self.mpesa.server.sim.look():
            return len(self.mpesa.server.sim.orders)

    moves = done

    def reply_to(self, name: str) -> ReplyTo:
        return self.mpesa.reply_to(name)

    def posted(self, name: str) -> list[bytes]:
        return self.mpesa.posted(name)

    def lose_the_answer(self) -> None:
        for endpoint in ("reversal", "b2b"):
            self.mpesa.arm({"endpoint": endpoint, "answer": "cut"})

    def finish(self, *, well: bool = True) -> None:
        if not well:
            self.control("balances", shortcode=self.organisation, working=0)
        self.mpesa.finish()

    def held(self) -> dict[str, int]:
        with self.mpesa.server.sim.look():
            pockets = views.held_by(self.mpesa.server.sim, self.organisation)
        return {books.ACCOUNTS[name]: round(shillings * 100) for name, shillings in pockets.items()}

    def known(self) -> tuple[str, str | None] | None:
        with self.mpesa.server.sim.look():
            urls = self.mpesa.server.sim.urls.get(self.organisation)
        return (urls.confirmation, urls.validation or None) if urls else None


@dataclass(kw_only=True)
class SimulatedRefunds(Simulated):
    """Reversals of payments that customers made."""

    receipts: dict[int, str]

    def receive(self, number: int, amount: Money) -> str:
        if number not in self.receipts:
            to = {"shortcode": self.organisation, "account": "shop-1"}
            paid = self.control("pay", phone=a_phone(number)[1:], amount=amount.units // 100, **to)
            self.receipts[number] = str(paid["receipt"])
        return self.receipts[number]

    def orders_of(self, receipt_number: str) -> int:
        with self.mpesa.server.sim.look():
            return sum(order.subject == receipt_number for order in self.mpesa.server.sim.orders.values())


@dataclass(kw_only=True)
class SimulatedPull(Simulated):
    """Payments at their minutes; its clock began before the window."""

    def page(self) -> int:
        return 3

    def _pay(self, number: int, amount: Money) -> str:
        to = {"shortcode": self.organisation, "account": "shop-1"}
        return str(self.control("pay", phone=a_phone(number)[1:], amount=amount.units // 100, **to)["receipt"])

    def pay_before(self, amount: Money) -> None:
        self._pay(99, amount)

    def pay(self, number: int, amount: Money) -> str:
        at_ms = int((SINCE + timedelta(minutes=number)).timestamp() * 1000)
        with self.mpesa.server.sim.look():
            now_ms = self.mpesa.server.sim.now
        self.mpesa.server.sim.move_clock(by_ms=at_ms - now_ms)
        return self._pay(number, amount)


@dataclass(kw_only=True)
class SimulatedPayers(Simulated):
    """Customers of a paybill or a till."""

    to: dict[str, object]
    before: int = 0

    def pay(self, number: int, reference: str, amount: Money) -> str:
        account = {} if "till" in self.to else {"account": reference}
        paid = self.control("pay", phone=a_phone(number)[1:], amount=amount.units // 100, **self.to, **account)
        return str(paid["receipt"])

    def announced(self) -> list[bytes]:
        return self.posted("announced")

    def calls(self) -> int:
        return self.asked() - self.before


@pytest.mark.parametrize("where", ["paybill", "till"], scope="class")
class TestPayTo(PayToContract):
    """Customers who pay by themselves."""

    @pytest.fixture
    def line(self, where: str, tmp_path: Path) -> Iterator[PayToLine]:
        with simulated("c2b", tmp_path) as mpesa:
            known = mpesa.credentials()
            if where == "till":
                provider = SimulatedPayers(
                    mpesa=mpesa, organisation=str(known["store_shortcode"]), to={"till": known["till"]}
                )
                rail = MpesaCollects.till(provider.values(till=known["till"]), mpesa.world.context)
            else:
                provider = SimulatedPayers(mpesa=mpesa, organisation=COLLECTS, to={"shortcode": COLLECTS})
                rail = MpesaCollects.paybill(provider.values(), mpesa.world.context)
            rail.register(OwnAddresses(announced=mpesa.reply_to("announced"), validation=None))
            provider.before = provider.asked()
            capabilities = TILL if where == "till" else PAYBILL
            yield PayToLine(rail=rail, capabilities=capabilities, provider=provider, nobody="RKL51ZDR4F")


class TestRefunds(RefundContract):
    """Reversals."""

    @pytest.fixture
    def line(self, tmp_path: Path) -> Iterator[RefundLine]:
        with simulated("reversal", tmp_path) as mpesa:
            provider = SimulatedRefunds(mpesa=mpesa, organisation=COLLECTS, receipts={})
            rail = MpesaCollects.paybill(provider.values(), mpesa.world.context)
            yield RefundLine(rail=rail, capabilities=PAYBILL, provider=provider)


class TestHistory(HistoryContract):
    """Pull."""

    @pytest.fixture
    def line(self, tmp_path: Path) -> Iterator[HistoryLine]:
        with simulated("pull", tmp_path, at=EARLIER, pull_page=3) as mpesa:
            provider = SimulatedPull(mpesa=mpesa, organisation=COLLECTS)
            number = {"nominated_number": mpesa.credentials()["nominated_number"]}
            rail = MpesaCollects.paybill(provider.values(**number), mpesa.world.context)
            with mpesa.server.sim.turn():
                mpesa.server.sim.facts.put(f"pull:{COLLECTS}", {"nominated": "254722000000", "url": ""})
            yield HistoryLine(rail=rail, capabilities=PAYBILL, provider=provider)


class TestBalances(BalanceContract):
    """Account Balance."""

    @pytest.fixture
    def line(self, tmp_path: Path) -> Iterator[BalanceLine]:
        with simulated("balance", tmp_path) as mpesa:
            provider = Simulated(mpesa=mpesa, organisation=PAYS)
            channel = MpesaB2c.build(provider.values(), mpesa.world.context)
            yield BalanceLine(adapter=channel, capabilities=B2C, provider=provider, spoiled=spoiled_pockets)


class TestOwnMoves(MoveOwnContract):
    """From working to utility."""

    @pytest.fixture
    def line(self, tmp_path: Path) -> Iterator[MoveOwnLine]:
        with simulated("b2b", tmp_path) as mpesa:
            provider = Simulated(mpesa=mpesa, organisation=PAYS)
            channel = MpesaB2b.build(provider.values(), mpesa.world.context)
            yield MoveOwnLine(channel=channel, capabilities=B2B, provider=provider, source="working", target="utility")


@pytest.fixture(scope="module")
def hakikisha(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated("hakikisha", tmp_path_factory.mktemp("hakikisha")) as mpesa:
        yield Simulated(mpesa=mpesa, organisation=PAYS)


class TestHolderNames(HolderNameContract):
    """Hakikisha."""

    @pytest.fixture
    def line(self, hakikisha: Simulated) -> HolderNameLine:
        provider = hakikisha
        names = {number: one.name for number, one in provider.mpesa.server.sim.world.shortcodes.items()}
        paybill = Destination(kind=DestinationKind.PAYBILL, account="600000", reference="1")
        till = Destination(kind=DestinationKind.TILL, account="600997")
        before = provider.asked()
        return HolderNameLine(
            channel=MpesaB2b.build(provider.values(), provider.mpesa.world.context),
            capabilities=B2B,
            known=((paybill, names["600000"]), (till, names["600997"])),
            unknown=(
                Destination(kind=DestinationKind.PAYBILL, account="999999", reference="1"),
                Destination(kind=DestinationKind.TILL, account="600000"),
            ),
            asked=lambda: provider.asked() - before,
            done=provider.done,
        )


@pytest.mark.parametrize("once", [False, True], ids=["again", "once"], scope="class")
class TestRegistering(RegisterContract):
    """C2B's addresses, in the sandbox's manner and in production's."""

    @pytest.fixture
    def line(self, once: bool, tmp_path: Path) -> Iterator[RegisterLine]:
        with simulated("register", tmp_path, c2b_once=once) as mpesa:
            provider = Simulated(mpesa=mpesa, organisation=COLLECTS)
            rail = MpesaCollects.paybill(provider.values(), mpesa.world.context)
            yield RegisterLine(rail=rail, known=provider.known)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ReadFileLine:
    with simulated("c2b", tmp_path_factory.mktemp("statement")) as mpesa:
        provider = Simulated(mpesa=mpesa, organisation=COLLECTS)
        to = {"phone": a_phone(1)[1:], "shortcode": COLLECTS, "account": "shop-1"}
        first, second = (str(provider.control("pay", amount=amount, **to)["receipt"]) for amount in (2_000, 500))
        back = str(provider.control("reverse", receipt=second)["receipt"])
        text = views.read_statement(mpesa.server.sim, {"shortcode": COLLECTS})
        rail = MpesaCollects.paybill(provider.values(), mpesa.world.context)
    rows = text.splitlines()
    last = next(number for number, row in enumerate(rows, start=1) if row.startswith(back))
    told = rail.read_file("statement", text.encode()).lines
    fees = [line.amount.units for line in reversed(told) if line.kind is LineKind.CHARGE]
    return ReadFileLine(
        adapter=rail,
        capabilities=PAYBILL,
        content=text.encode(),
        account=COLLECTS,
        lines=tuple(
            reversed(
                (
                    (LineKind.COLLECTION, first, 200_000, True),
                    (LineKind.CHARGE, first, fees[0], False),
                    (LineKind.COLLECTION, second, 50_000, True),
                    (LineKind.CHARGE, second, fees[1], False),
                    (LineKind.REVERSAL, back, 50_000, False),
                )
            )
        ),
        widened=_wider(rows),
        spoiled={last: text.replace(back, "?", 1).encode()},
        other=(text.replace("Paid In", "Paid").encode(),),
        private=(a_phone(1)[1:], a_phone(1)[-9:]),
    )


class TestStatements(ReadFileContract):
    """The export of the simulator's portal."""

    @pytest.fixture
    def line(self, exported: ReadFileLine) -> ReadFileLine:
        return exported


def _wider(rows: list[str]) -> bytes:
    """The same file with a column more at the end of its table."""
    start = next(number for number, row in enumerate(rows) if row.startswith("Receipt No."))
    wide = [*rows[:start], f"{rows[start]},Till Name", *(f"{row},x" for row in rows[start + 1 :])]
    return "\n".join(wide).encode()
